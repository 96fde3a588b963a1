"""Nodes switched off and on over HTTP, and by `allot node`; the server takes away what they hold."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.test_orders import ORDER, routed

OFF = {"reason": "fire alarm", "by": "anna"}


async def drained(http, **wanted):
    for _ in range(400):
        closure = (await http.get("/v1/node-closures")).json()["data"][0]
        if closure["drained"] and all(closure[name] == value for name, value in wanted.items()):
            return closure
        await asyncio.sleep(0.05)
    raise AssertionError(f"it is not drained: {closure}")


@pytest.fixture
async def sourced(shop):
    await shop.put("/v1/inventory/positions", json={"positions": [{"node_id": "west", "sku": "mug", "on_hand": 9}]})
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1"})
    await routed(shop, all_open=True)
    return shop


async def test_a_node_is_off_from_that_moment_and_the_server_empties_it(sourced):
    answer = await sourced.put("/v1/nodes/east/closure", json=OFF)
    assert (answer.status_code, answer.json()["closed"], answer.json()["by"]) == (200, True, "anna"), answer.text
    lines = [{"sku": "mug", "quantity": 1, "node_id": "east"}]
    refused = await sourced.post("/v1/reservations", json={"lines": lines})
    assert (refused.status_code, refused.json()["lines"][0]["available"]) == (409, 0)
    asked = {"lines": [{"sku": "mug"}]}
    found = (await sourced.post("/v1/availability", json=asked)).json()["lines"][0]
    assert (found["available_now"], {node["node_id"]: node["available_now"] for node in found["nodes"]}["west"]) == (
        9,
        9,
    )
    closure = await drained(sourced, opened_orders=1)
    assert closure["closure_id"] == answer.json()["closure_id"]
    order = (await sourced.get("/v1/orders/o-1")).json()
    assert [(each["kind"], each["reason"], each["by"]) for each in order["rejections"]] == [
        ("closed", "fire alarm", "sweeper")
    ]
    await routed(sourced, all_open=True)
    order = (await sourced.get("/v1/orders/o-1")).json()
    assert [row["node_id"] for row in order["allocations"]] == ["west"]
    on = (await sourced.put("/v1/nodes/east/closure", json={"reason": "false alarm", "closed": False})).json()
    assert (on["closed"], on["closure_id"]) == (False, closure["closure_id"])
    assert (await sourced.post("/v1/reservations", json={"lines": lines})).status_code == 201


async def test_with_reroute_what_it_held_is_routed_without_asking(sourced):
    await sourced.put("/v1/nodes/east/closure", json={**OFF, "reroute": True})
    closure = await drained(sourced, opened_orders=1)
    for _ in range(400):
        order = (await sourced.get("/v1/orders/o-1")).json()
        if order["state"] == "sourced":
            break
        await asyncio.sleep(0.05)
    assert (order["run_id"], [row["node_id"] for row in order["allocations"]]) == (closure["run_id"], ["west"])


async def test_a_node_that_is_not_there_or_is_on_is_refused(sourced):
    unknown = await sourced.put("/v1/nodes/moon/closure", json=OFF)
    assert (unknown.status_code, unknown.json()["errors"][0]["path"]) == (400, "node_id")
    is_on = await sourced.put("/v1/nodes/east/closure", json={"reason": "x", "closed": False})
    assert (is_on.status_code, is_on.json()["code"]) == (409, "illegal_state")
    nowhere = await sourced.put("/v1/nodes/moon/closure", json={"reason": "x", "closed": False})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
