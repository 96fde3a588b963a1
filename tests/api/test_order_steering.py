"""What nodes and people say of orders, over HTTP: kept, shown, answered again, and kept to by the next run."""

from __future__ import annotations

import pytest

from tests.api.test_orders import ORDER, routed


@pytest.fixture
async def sourced(shop):
    await shop.put("/v1/inventory/positions", json={"positions": [{"node_id": "west", "sku": "mug", "on_hand": 9}]})
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1"})
    await routed(shop, all_open=True)
    return shop


def nodes_of(order):
    return [(row["line_id"], row["quantity"], row["node_id"]) for row in order["allocations"]]


async def test_a_short_pick_is_kept_shown_and_routed_elsewhere(sourced):
    body = {"node_id": "east", "kind": "short_pick", "reason": "bin empty", "lines": [{"line_id": "1", "quantity": 1}]}
    key = {"Idempotency-Key": "short-1"}
    answer = await sourced.post("/v1/orders/o-1/rejections", json={**body, "by": "anna"}, headers=key)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["state"], nodes_of(told)) == ("backordered", [("1", 1, "east"), ("1", 1, None)])
    (rejection,) = told["rejections"]
    assert (rejection["node_id"], rejection["kind"], rejection["by"]) == ("east", "short_pick", "anna")
    assert rejection["lines"] == [{"line_id": "1", "quantity": 1}]
    again = await sourced.post("/v1/orders/o-1/rejections", json={**body, "by": "anna"}, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    positions = (await sourced.get("/v1/inventory/mug")).json()["positions"]
    assert (positions[0]["node_id"], positions[0]["on_hand"], positions[0]["confirmed"]) == ("east", 19, 1)
    await routed(sourced, all_open=True)
    order = (await sourced.get("/v1/orders/o-1")).json()
    assert (order["state"], nodes_of(order)) == ("sourced", [("1", 1, "east"), ("1", 1, "west")])
    history = (await sourced.get("/v1/orders/o-1/history")).json()["data"]
    assert [(entry["state"], entry["event"]) for entry in history] == [
        ("captured", None),
        ("sourced", None),
        ("backordered", "short_pick"),
        ("sourced", None),
    ]
    assert (history[2]["reason"], history[2]["by"], history[2]["node_id"]) == ("bin empty", "anna", "east")
    explained = (await sourced.get("/v1/orders/o-1/explanation")).json()
    assert (explained["is_in_force"], explained["rejections"]) == (True, told["rejections"])


async def test_what_a_node_does_not_have_cannot_be_rejected(sourced):
    for body, status, code in (
        ({"node_id": "west", "reason": "r"}, 409, "illegal_state"),
        ({"node_id": "east", "reason": "r", "lines": [{"line_id": "1", "quantity": 3}]}, 409, "illegal_state"),
        ({"node_id": "east", "reason": "r", "lines": [{"line_id": "7"}]}, 400, "invalid_input"),
        ({"node_id": "east", "reason": ""}, 400, "invalid_input"),
    ):
        answer = await sourced.post("/v1/orders/o-1/rejections", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    unknown = await sourced.post("/v1/orders/o-9/rejections", json={"node_id": "east", "reason": "r"})
    assert unknown.status_code == 404


async def test_an_override_moves_a_line_and_says_who_wanted_it(sourced):
    body = {"reason": "sell west down", "by": "bo", "pins": [{"line_id": "1", "node_id": "west"}], "priority": 5}
    told = (await sourced.post("/v1/orders/o-1/overrides", json=body)).json()
    assert (told["pins"], told["priority"], told["state"]) == ([{"line_id": "1", "node_id": "west"}], 5, "backordered")
    run = await routed(sourced, all_open=True)
    assert run["unrouted"] == []
    assert nodes_of((await sourced.get("/v1/orders/o-1")).json()) == [("1", 2, "west")]
    wrong = await sourced.post("/v1/orders/o-1/overrides", json={"reason": "x", "forbidden_node_ids": ["moon"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "$.forbidden_node_ids[0]")


async def test_an_order_that_waits_for_people_says_so_until_they_release_it(sourced):
    for node_id in ("east", "west"):
        assert (await sourced.post("/v1/orders/o-1/rejections", json={"node_id": node_id, "reason": "r"})).is_success
        await routed(sourced, all_open=True)
    pin = {"reason": "try again", "pins": [{"line_id": "1", "node_id": "east"}]}
    held = await sourced.post("/v1/orders/o-1/hold", json={"reason": "ask them", "by": "bo"})
    assert (held.json()["order_hold"]["reason"], held.json()["order_hold"]["by"]) == ("ask them", "bo")
    assert (await sourced.post("/v1/orders/o-1/overrides", json=pin)).json()["order_hold"] is not None
    assert (await routed(sourced, all_open=True))["unrouted"][0]["reason"] == "order_hold"
    assert (await sourced.post("/v1/orders/o-1/unhold")).json()["order_hold"] is None
    assert (await sourced.post("/v1/orders/o-1/unhold")).status_code == 409
    assert (await routed(sourced, all_open=True))["unrouted"] == []
    assert nodes_of((await sourced.get("/v1/orders/o-1")).json()) == [("1", 2, "east")]


async def test_a_node_accepts_what_it_was_given(sourced):
    told = await sourced.post("/v1/orders/o-1/acceptances", json={"node_id": "east", "by": "east desk"})
    assert (told.status_code, told.json()["state"]) == (200, "sourced")
    history = (await sourced.get("/v1/orders/o-1/history")).json()["data"]
    assert (history[-1]["event"], history[-1]["node_id"], history[-1]["by"]) == ("accepted", "east", "east desk")
    assert (await sourced.post("/v1/orders/o-1/acceptances", json={"node_id": "west"})).status_code == 409
