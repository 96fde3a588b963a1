"""Returns over HTTP: announced, approved, received, inspected; the same again; and without a receipt."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.model import Note
from engine.orders.revising import revision_of
from tests.api.test_orders import ORDER


@pytest.fixture
async def delivered(shop, app):
    """An order whose units have arrived: 2 mugs, line 1."""
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1"})

    def rule(order, at):
        for state in (ShipmentState.PACKED, ShipmentState.SHIPPED, ShipmentState.DELIVERED):
            lines = tuple(
                ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in order.demand
            )
            shipment = Shipment(
                shipment_id="shp_1",
                node_id="east",
                service="ground",
                ship_on=at.date(),
                lines=lines,
                state=state,
                released_at=at,
                delivered_at=at,
            )
            life = msgspec.structs.replace(order.life, shipments=(shipment,))
            before, order = order, replace(order, life=life)
        return replace(revision_of(before, order, Note(event="shipment_delivered", by="test")), seen=seen)

    engine = app.state.engine
    seen = await engine.orders.get("o-1")
    await engine.changes.change("o-1", rule)
    return shop


async def stock(http, sku="mug", node_id="east"):
    found = (await http.get(f"/v1/inventory/{sku}")).json()["positions"]
    position = next(each for each in found if each["node_id"] == node_id)
    return position["on_hand"], position["conditions"]


async def test_a_return_from_its_announcement_to_the_shelf(delivered):
    line = {"line_id": "1", "quantity": 2, "reason": "damaged"}
    key = {"Idempotency-Key": "return-1"}
    answer = await delivered.post("/v1/orders/o-1/returns", json={"lines": [line], "by": "anna"}, headers=key)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["return_id"], told["state"], told["node_id"]) == ("ret_1_o-1", "authorised", "east")
    again = await delivered.post("/v1/orders/o-1/returns", json={"lines": [line], "by": "anna"}, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    number = (await delivered.get("/v1/returns/ret_1_o-1")).json()["tracking_number"]
    scan = {"tracking_number": number, "event": "in_transit", "at": "2026-11-24T09:12:00Z", "place": "Lyon"}
    assert (await delivered.post("/v1/carrier-events", json={"events": [scan]})).json()["data"][0]["outcome"] == "taken"
    told = (await delivered.get("/v1/returns/ret_1_o-1")).json()
    assert (told["state"], told["events"][0]["event"], told["events"][0]["place"]) == (
        "in_transit",
        "in_transit",
        "Lyon",
    )
    assert [
        (each["return_id"], each["state"]) for each in (await delivered.get("/v1/orders/o-1")).json()["returns"]
    ] == [("ret_1_o-1", "in_transit")]
    on_hand, _ = await stock(delivered)
    receipt = {"lines": [{"sku": "mug", "quantity": 1}], "by": "bea"}
    received = await delivered.post("/v1/returns/ret_1_o-1/receipts", json=receipt)
    assert (received.status_code, received.json()["state"]) == (200, "received")
    assert await stock(delivered) == (on_hand, {"quality_hold": 1})
    found = {"lines": [{"sku": "mug", "quantity": 1, "disposition": "restock"}]}
    assert (await delivered.post("/v1/returns/ret_1_o-1/inspections", json=found)).json()["state"] == "inspected"
    assert await stock(delivered) == (on_hand + 1, {})
    closed = (await delivered.post("/v1/returns/ret_1_o-1/close")).json()
    assert (closed["state"], closed["differences"]) == ("closed", "1 mug fewer than announced")
    told = (await delivered.get("/v1/returns/ret_1_o-1")).json()
    assert [(each["from_condition"], each["to_condition"]) for each in told["stock"]] == [
        (None, "quality_hold"),
        ("quality_hold", "sellable"),
    ]
    assert (await delivered.get("/v1/orders/o-1/returns")).json()["data"] == [told]
    events = [each["event"] for each in (await delivered.get("/v1/orders/o-1/history")).json()["data"]]
    assert {"return_authorised", "return_received", "return_inspected", "return_closed"} <= set(events)


async def test_where_units_had_best_come_back_to_is_told(delivered):
    nodes = (await delivered.get("/v1/orders/o-1/return-nodes", params={"line_id": "1", "quantity": 2})).json()["data"]
    assert [(each["node_id"], each["way_cents"], each["net_cents"]) for each in nodes] == [
        ("east", 700, 720),
        ("west", 1300, 1320),
    ]


async def test_the_policy_is_versioned_and_says_what_needs_approval(delivered):
    assert (await delivered.get("/v1/return-policy")).json()["version"] == 0
    put = await delivered.put("/v1/return-policy", json={"usual": {"needs_approval": True, "fee_cents": 250}})
    assert (put.status_code, put.json()) == (200, {"version": 1})
    assert (await delivered.get("/v1/return-policy")).json()["usual"] == {"needs_approval": True, "fee_cents": 250}
    wrong = await delivered.put("/v1/return-policy", json={"node_ids": ["moon"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "$.node_ids[0]")
    line = {"line_id": "1", "quantity": 1, "reason": "unwanted"}
    for _ in range(2):
        told = (await delivered.post("/v1/orders/o-1/returns", json={"lines": [line]})).json()
        assert (told["state"], told["needs_approval"], told["policy_version"]) == (
            "requested",
            "usual needs approval",
            1,
        )
    assert (await delivered.post("/v1/returns/ret_1_o-1/approve", json={"by": "carl"})).json()["state"] == "authorised"
    assert (await delivered.post("/v1/returns/ret_2_o-1/reject", json={"by": "carl"})).json()["state"] == "refused"
    assert (await delivered.post("/v1/returns/ret_2_o-1/approve")).status_code == 409
    assert (await delivered.post("/v1/returns/ret_1_o-1/cancel")).json()["state"] == "cancelled"
    assert (await delivered.get("/v1/returns/ret_3_o-1")).status_code == 404
    assert (await delivered.get("/v1/returns/o-1")).status_code == 404


async def test_an_exchange_is_an_order_of_its_own(delivered):
    body = {
        "lines": [{"line_id": "1", "quantity": 2, "reason": "wrong_size"}],
        "exchange": {"lines": [{"sku": "tea", "quantity": 2}], "order_id": "o-2"},
    }
    key = {"Idempotency-Key": "exchange-1"}
    answer = await delivered.post("/v1/orders/o-1/returns", json=body, headers=key)
    assert (answer.status_code, answer.json()["exchange"]["is_captured"]) == (201, False)
    assert (await delivered.post("/v1/orders/o-1/returns", json=body, headers=key)).content == answer.content
    told = (await delivered.get("/v1/returns/ret_1_o-1")).json()["exchange"]
    assert (told["order_id"], told["is_captured"], told["lines"]) == ("o-2", True, [{"sku": "tea", "quantity": 2}])
    order = (await delivered.get("/v1/orders/o-2")).json()
    assert (order["state"], order["promised_on"]) == ("promised", told["promised_on"])
    body["exchange"] = {"lines": [{"sku": "pan", "quantity": 1}]}
    wrong = await delivered.post("/v1/orders/o-1/returns", json=body)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "illegal_state"), "its units are in a return already"
    await delivered.post("/v1/orders/o-2/cancel")
    await delivered.post("/v1/returns/ret_1_o-1/cancel")
    wrong = await delivered.post("/v1/orders/o-1/returns", json=body)
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "$.exchange.lines[0].sku")


async def test_units_without_a_receipt_come_back_too(shop):
    key = {"Idempotency-Key": "brought-1"}
    body = {"node_id": "east", "lines": [{"sku": "mug", "quantity": 1, "reason": "unwanted"}]}
    answer = await shop.post("/v1/returns", json=body, headers=key)
    assert (answer.status_code, answer.json()["has_receipt"]) == (201, False)
    assert (await shop.post("/v1/returns", json=body, headers=key)).content == answer.content
    return_id = answer.json()["return_id"]
    assert (
        await shop.post(f"/v1/returns/{return_id}/receipts", json={"lines": [{"sku": "mug", "quantity": 1}]})
    ).is_success
    found = {"lines": [{"sku": "mug", "quantity": 1, "disposition": "refurbish"}]}
    assert (await shop.post(f"/v1/returns/{return_id}/inspections", json=found)).json()["state"] == "closed"
    assert await stock(shop) == (20, {"damaged": 1})
    done = {"lines": [{"sku": "mug", "quantity": 1, "outcome": "restock"}]}
    key = {"Idempotency-Key": "mended-1"}
    answer = await shop.post(f"/v1/returns/{return_id}/refurbishments", json=done, headers=key)
    assert (answer.status_code, answer.json()["lines"][0]["to_refurbish"]) == (200, 0)
    again = await shop.post(f"/v1/returns/{return_id}/refurbishments", json=done, headers=key)
    assert (again.content, await stock(shop)) == (answer.content, (21, {}))
    assert (await shop.post(f"/v1/returns/{return_id}/refurbishments", json=done)).status_code == 409
