"""Modifying an order over HTTP: shown first, then made, once; what nodes have stays unless it is to go otherwise."""

from __future__ import annotations

import pytest

from tests.api.test_orders import NEW_YORK, ORDER, routed

LOS_ANGELES = {"latitude": 34.05, "longitude": -118.24}
MUGS = {"sku": "mug", "quantity": 3, "unit_price_cents": 1000, "discount_cents": 300}


@pytest.fixture
async def priced(shop):
    body = {**ORDER, "order_id": "o-1", "lines": [MUGS], "shipping_cents": 500}
    answer = await shop.post("/v1/orders", json=body)
    assert answer.json()["prices"]["total_cents"] == 3200
    return shop


async def modify(shop, body, status=200, **more):
    answer = await shop.post("/v1/orders/o-1/modify", json=body, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def rows(order):
    return sorted((row["sku"], row["node_id"] or "", row["quantity"]) for row in order["allocations"])


async def confirmed(shop, sku="mug"):
    positions = (await shop.get(f"/v1/inventory/{sku}")).json()["positions"]
    return {position["node_id"]: position["confirmed"] for position in positions if position["confirmed"]}


async def test_fewer_units_and_new_lines_are_shown_then_made_and_routed(priced):
    await routed(priced, all_open=True)
    body = {
        "lines": [{"line_id": "1", "quantity": 2}, {"sku": "tea", "quantity": 2, "unit_price_cents": 450}],
        "reason": "on the phone",
        "by": "anna",
    }
    shown = await modify(priced, {**body, "dry_run": True})
    assert shown["order"]["prices"]["total_cents"] == 2 * 1000 - 200 + 900 + 500
    assert shown["preview"]["difference_cents"] == 0
    assert shown["preview"]["opened_units"] == 0
    assert (await priced.get("/v1/orders/o-1")).json()["prices"]["total_cents"] == 3200
    key = {"Idempotency-Key": "modify-1"}
    first = await priced.post("/v1/orders/o-1/modify", json={**body, "expected_total_cents": 3200}, headers=key)
    order = first.json()["order"]
    assert (order["state"], order["prices"]) == ("backordered", shown["order"]["prices"])
    assert rows(order) == [("mug", "east", 2), ("tea", "", 2)]
    assert await confirmed(priced) == {"east": 2}
    again = await priced.post("/v1/orders/o-1/modify", json={**body, "expected_total_cents": 3200}, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    await routed(priced, all_open=True)
    order = (await priced.get("/v1/orders/o-1")).json()
    assert (order["state"], rows(order)) == ("sourced", [("mug", "east", 2), ("tea", "east", 2)])
    history = (await priced.get("/v1/orders/o-1/history")).json()["data"]
    entry = next(entry for entry in history if entry["event"] == "modified")
    assert (entry["by"], entry["reason"], entry["amount_cents"]) == ("anna", "on the phone", 0)
    assert entry["lines"] == [{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 2}]


async def test_another_address_routes_the_order_anew_and_keeps_its_stock_until_then(priced):
    await routed(priced, all_open=True)
    body = {"destination": LOS_ANGELES}
    shown = await modify(priced, {**body, "dry_run": True})
    assert (shown["preview"]["opened_units"], shown["preview"]["difference_cents"]) == (3, 0)
    assert shown["preview"]["promised_on"] is not None
    order = (await modify(priced, body))["order"]
    assert (order["state"], order["destination"]["latitude"]) == ("backordered", 34.05)
    assert await confirmed(priced) == {"east": 3}
    await routed(priced, all_open=True)
    order = (await priced.get("/v1/orders/o-1")).json()
    assert (order["state"], rows(order)) == ("sourced", [("mug", "west", 3)])
    assert await confirmed(priced) == {"west": 3}


async def test_the_last_units_are_there_for_the_order_that_has_reserved_them(shop):
    """Seeded bug: the promise of a modification counted the order's own units as somebody else's, and found no way."""
    await shop.put("/v1/inventory/positions", json={"positions": [{"node_id": "west", "sku": "mug", "on_hand": 0}]})
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1", "lines": [{"sku": "mug", "quantity": 20}]})
    await routed(shop, all_open=True)
    shown = await modify(shop, {"destination": LOS_ANGELES, "dry_run": True})
    assert (shown["preview"]["opened_units"], shown["preview"]["promised_on"] is None) == (20, False)
    more = await modify(shop, {"lines": [{"line_id": "1", "quantity": 21}], "dry_run": True})
    assert more["preview"]["promised_on"] is None
    late = await modify(shop, {"destination": LOS_ANGELES, "need_by": "2026-01-01", "dry_run": True})
    assert late["preview"]["promised_on"] is None


async def test_an_order_that_was_not_routed_yet_is_routed_as_it_is_then(priced):
    order = (await modify(priced, {"lines": [{"line_id": "1", "quantity": 5}], "need_by": "2099-12-24"}))["order"]
    assert (order["state"], order["need_by"], order["prices"]["total_cents"]) == ("captured", "2099-12-24", 5000)
    await routed(priced, all_open=True)
    assert rows((await priced.get("/v1/orders/o-1")).json()) == [("mug", "east", 5)]


async def test_what_cannot_be_changed_so_is_refused_with_the_reason(priced):
    for body, status, said in (
        ({}, 400, "changes nothing; give lines"),
        ({"lines": [{"line_id": "1", "quantity": 0}]}, 400, "leaves 0 lines; cancel the order instead"),
        ({"lines": [{"line_id": "7", "quantity": 1}]}, 400, "has no line '7'"),
        ({"lines": [{"sku": "mug", "quantity": 1}]}, 400, "the order has a line of 'mug'; change that one"),
        ({"lines": [{"line_id": "1", "sku": "tea", "quantity": 1}]}, 400, "remove it, and add another line"),
        ({"lines": [{"sku": "cup", "quantity": 1}]}, 400, "unknown SKU 'cup'"),
        ({"lines": [{"sku": "tea", "quantity": 1}]}, 400, "'tea' has no price in the catalog; give one"),
        ({"service_level": "tomorrow"}, 400, "unknown service level"),
        ({"shipping_cents": 0, "expected_total_cents": 2600}, 409, "comes to 2700 cents so, not to 2600"),
    ):
        answer = await priced.post("/v1/orders/o-1/modify", json=body)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    await priced.post("/v1/orders/o-1/cancel", json={"lines": [{"line_id": "1", "quantity": 2}]})
    answer = await priced.post("/v1/orders/o-1/modify", json={"lines": [{"line_id": "1", "quantity": 1}]})
    assert "cannot have fewer than 2 units of line '1'" in answer.json()["detail"]
    await priced.post("/v1/orders/o-1/cancel")
    answer = await priced.post("/v1/orders/o-1/modify", json={"destination": NEW_YORK | {"residential": True}})
    assert "is cancelled; capture another one" in answer.json()["detail"]
    assert (await priced.post("/v1/orders/o-9/modify", json={"shipping_cents": 1})).status_code == 404
