"""Changes of an order that is paid for and with its node: shipments, stock and money follow, to unit and cent."""

from __future__ import annotations

import pytest

from tests.api.test_orders import ORDER, routed

MUGS = {"sku": "mug", "quantity": 4, "unit_price_cents": 1000}
LOS_ANGELES = {"latitude": 34.05, "longitude": -118.24}


@pytest.fixture
async def released(shop):
    body = {**ORDER, "order_id": "o-1", "lines": [MUGS], "shipping_cents": 500}
    answer = await shop.post("/v1/orders", json={**body, "tenders": [{"kind": "card", "token": "tok_visa"}]})
    assert answer.status_code == 201, answer.text
    await routed(shop, all_open=True)
    assert (await shop.post("/v1/orders/o-1/release")).json()["state"] == "released"
    return shop


async def money(shop, order_id="o-1"):
    found = (await shop.get(f"/v1/orders/{order_id}/payments")).json()
    return found["wanted_cents"], found["aside_cents"], found["captured_cents"]


async def confirmed(shop):
    positions = (await shop.get("/v1/inventory/mug")).json()["positions"]
    return {position["node_id"]: position["confirmed"] for position in positions if position["confirmed"]}


async def work(shop, node_id="east"):
    found = (await shop.get("/v1/shipments", params={"node_id": node_id})).json()["data"]
    return [(row["state"], [line["quantity"] for line in row["lines"]]) for row in found]


async def test_units_are_cancelled_out_of_their_shipment_and_only_the_rest_is_charged(released):
    assert (await money(released), await work(released)) == ((4500, 4500, 0), [("released", [4])])
    answer = await released.post("/v1/orders/o-1/cancel", json={"lines": [{"line_id": "1", "quantity": 1}]})
    assert answer.status_code == 200, answer.text
    assert (await work(released), await confirmed(released)) == ([("released", [3])], {"east": 3})
    (shipment,) = answer.json()["shipments"]
    path = f"/v1/shipments/{shipment['shipment_id']}"
    for step, body in (("pick", {}), ("pack", {"cartons": [{"weight_g": 1600}]}), ("ship", {})):
        answer = await released.post(f"{path}/{step}", json=body)
        assert answer.status_code == 200, answer.text
    wanted, _, captured = await money(released)
    assert (wanted, captured, await confirmed(released)) == (3500, 3500, {})
    refused = await released.post("/v1/orders/o-1/cancel")
    assert (refused.status_code, "Take them back as a return" in refused.json()["detail"]) == (409, True)


async def test_a_whole_order_is_cancelled_while_it_is_packed_and_its_money_let_go(released):
    (shipment,) = (await released.get("/v1/orders/o-1")).json()["shipments"]
    path = f"/v1/shipments/{shipment['shipment_id']}"
    await released.post(f"{path}/pick", json={})
    await released.post(f"{path}/pack", json={"cartons": [{"weight_g": 2100}]})
    await released.put("/v1/order-policy", json={"changes": {"cancel_until": "picking"}})
    refused = await released.post("/v1/orders/o-1/cancel")
    assert "has come further than 'picking'" in refused.json()["detail"]
    await released.put("/v1/order-policy", json={})
    answer = await released.post("/v1/orders/o-1/cancel", json={"by": "anna"})
    assert (answer.json()["state"], answer.json()["shipments"][0]["state"]) == ("cancelled", "recalled")
    assert (await work(released), await confirmed(released), await money(released)) == ([], {}, (0, 0, 0))


async def test_more_units_are_paid_for_before_they_are_routed(released):
    body = {"lines": [{"line_id": "1", "quantity": 6}]}
    shown = (await released.post("/v1/orders/o-1/modify", json={**body, "dry_run": True})).json()
    preview = shown["preview"]
    assert (preview["difference_cents"], preview["opened_units"], preview["refund_cents"]) == (2000, 0, 0)
    assert preview["authorise_cents"] == 2000
    answer = await released.post("/v1/orders/o-1/modify", json={**body, "expected_total_cents": 6500})
    assert answer.status_code == 200, answer.text
    assert [hold["kind"] for hold in answer.json()["order"]["order_holds"]] == ["payment"]
    assert await work(released) == [("released", [4])]
    assert await money(released) == (6500, 6500, 0)
    await routed(released, all_open=True)
    order = (await released.get("/v1/orders/o-1")).json()
    assert sorted(row["quantity"] for row in order["allocations"]) == [2, 4]
    assert await work(released) == [("released", [4])]


async def test_another_address_calls_the_shipment_back_and_the_order_goes_from_elsewhere(released):
    body = {"positions": [{"node_id": "west", "sku": "mug", "on_hand": 9}]}
    await released.put("/v1/inventory/positions", json=body)
    answer = await released.post("/v1/orders/o-1/modify", json={"destination": LOS_ANGELES})
    assert answer.status_code == 200, answer.text
    assert (await work(released), answer.json()["order"]["state"]) == ([], "backordered")
    await routed(released, all_open=True)
    assert (await confirmed(released), await money(released)) == ({"west": 4}, (4500, 4500, 0))
    assert (await released.post("/v1/orders/o-1/release")).json()["state"] == "released"
    assert await work(released, "west") == [("released", [4])]


async def test_units_that_are_split_off_are_paid_for_by_their_share(released):
    await released.post("/v1/orders/o-1/split", json={"lines": [{"line_id": "1", "quantity": 1}], "by": "anna"})
    order = (await released.get("/v1/orders/o-1")).json()
    (link,) = order["links"]
    other = (await released.get(f"/v1/orders/{link['order_id']}")).json()
    assert (order["prices"]["total_cents"], other["prices"]["total_cents"]) == (3500, 1000)
    assert (await money(released))[0] == 3500
    assert await money(released, other["order_id"]) == (1000, 1000, 0)
    assert (await confirmed(released), await work(released)) == ({"east": 4}, [("released", [3])])
    assert other["order_holds"] == []
