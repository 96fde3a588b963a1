"""The main job over HTTP: promise, reserve, confirm, order, route."""

from __future__ import annotations

import asyncio

import pytest

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}

ORDER = {"channel": "web", "destination": NEW_YORK, "lines": [{"sku": "mug", "quantity": 2}]}


async def routed(http, **body):
    started = await http.post("/v1/routing-runs", json=body)
    assert started.status_code == 202, started.text
    path = f"/v1/routing-runs/{started.json()['run_id']}"
    for _ in range(400):
        run = (await http.get(path)).json()
        if run["status"] not in {"queued", "running"}:
            return run
        await asyncio.sleep(0.05)
    raise AssertionError(f"the run does not end: {run}")


async def test_from_promise_to_routed_order(shop):
    wanted = {"destination": NEW_YORK, "lines": [{"sku": "mug", "quantity": 2}]}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    named = {"promise_id": promised["promise_id"], "option_id": promised["options"][0]["option_id"]}
    reserved = (await shop.post("/v1/reservations", json=named)).json()
    confirmed = await shop.post(f"/v1/reservations/{reserved['reservation_id']}/confirm")
    assert confirmed.json()["state"] == "confirmed"
    order = {**ORDER, "order_id": "o-1", "reservation_id": reserved["reservation_id"]}
    captured = await shop.post("/v1/orders", json=order)
    assert captured.status_code == 201, captured.text
    assert (captured.json()["order_id"], captured.json()["state"]) == ("o-1", "promised")
    line = {"line_id": "1", "sku": "mug", "quantity": 2, "state": "promised", "units": {"promised": 2}}
    assert captured.json()["lines"] == [line]

    run = await routed(shop, all_open=True)
    assert run["status"] == "committed"
    assert run["summary"]["lower_bound_cents"] <= run["summary"]["total_cost_cents"]
    assert run["unrouted"] == []
    got = (await shop.get("/v1/orders/o-1")).json()
    assert got["state"] == "sourced"
    assert [(row["sku"], row["quantity"], row["node_id"]) for row in got["allocations"]] == [("mug", 2, "east")]
    assert got["run_id"] == run["run_id"]
    history = (await shop.get("/v1/orders/o-1/history")).json()
    assert [entry["state"] for entry in history["data"]] == ["captured", "sourced"]
    east = (await shop.get("/v1/inventory/mug")).json()["positions"][0]
    assert (east["held"], east["confirmed"], east["available"]) == (0, 2, 18)

    cancelled = await shop.post("/v1/orders/o-1/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await shop.get("/v1/inventory/mug")).json()["positions"][0]["available"] == 20


async def test_what_nobody_has_is_backordered_and_named(shop):
    order = {**ORDER, "order_id": "o-2", "lines": [{"sku": "pot/large", "quantity": 1}]}
    assert (await shop.post("/v1/orders", json=order)).status_code == 201
    run = await routed(shop, order_ids=["o-2"])
    assert run["unrouted"][0]["order_id"] == "o-2"
    assert (await shop.get("/v1/orders/o-2")).json()["state"] == "backordered"


async def test_a_dry_run_changes_nothing(shop):
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-3"})
    run = await routed(shop, all_open=True, dry_run=True)
    assert run["status"] == "dry_run"
    assert (await shop.get("/v1/orders/o-3")).json()["state"] == "captured"
    assert (await shop.get("/v1/inventory/mug")).json()["positions"][0]["reserved"] == 0


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"lines": [{"sku": "mugg", "quantity": 1}]}, "$.lines[0].sku", "mugg"),
        ({"lines": [{"sku": "mug", "quantity": 0}]}, "$.lines[0].quantity", "1 to 1000000"),
        ({"destination": {}}, "$.destination", "latitude"),
        ({"destination": {"latitude": 95, "longitude": 0}}, "$.destination.latitude", "95"),
        ({"destination": {"postal_code": "99999", "country": "US"}}, "$.destination.postal_code", "99999"),
        ({"chanel": "web"}, "$.chanel", "did you mean 'channel'?"),
        ({"need_by": "soon"}, "$.need_by", "YYYY-MM-DD"),
        ({"service_level": "teleport"}, "$.service_level", "teleport"),
    ],
)
async def test_a_bad_order_is_refused_by_path_and_not_kept(shop, change, path, words):
    refused = await shop.post("/v1/orders", json={**ORDER, "order_id": "bad", **change})
    assert refused.status_code == 400, refused.text
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert words in found[path]
    assert (await shop.get("/v1/orders/bad")).status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$"),
        ({"all_open": True, "order_ids": ["a"]}, "$.order_ids"),
        ({"order_ids": []}, "$.order_ids"),
        ({"all_open": True, "time_limit_seconds": -1}, "$.time_limit_seconds"),
        ({"all_open": True, "dryrun": True}, "$.dryrun"),
    ],
)
async def test_a_bad_routing_run_is_refused_by_path(shop, body, path):
    refused = await shop.post("/v1/routing-runs", json=body)
    assert refused.status_code == 400, refused.text
    assert path in {error["path"] for error in refused.json()["errors"]}


async def test_unknown_orders_and_runs_are_not_found(shop):
    assert (await shop.get("/v1/orders/nobody")).status_code == 404
    assert (await shop.get("/v1/orders/nobody/history")).status_code == 404
    assert (await shop.post("/v1/orders/nobody/cancel")).status_code == 404
    assert (await shop.get("/v1/routing-runs/run_nobody")).status_code == 404
    run = await routed(shop, order_ids=["nobody"])
    assert run["status"] == "failed"
    assert "nobody" in run["failure"]


async def test_a_pick_up_is_ordered_and_routed_as_it_was_promised(shop):
    """Without a destination: the reservation knows the store. Catches an order that forgets it, and goes to nobody."""
    wanted = {"pickup_node_id": "west", "lines": [{"sku": "mug", "quantity": 2}]}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    option = promised["options"][0]
    named = {"promise_id": promised["promise_id"], "option_id": option["option_id"]}
    reserved = (await shop.post("/v1/reservations", json=named)).json()
    order = {"channel": "web", "lines": wanted["lines"], "order_id": "o-9"}
    order["reservation_id"] = reserved["reservation_id"]
    captured = await shop.post("/v1/orders", json=order)
    assert captured.status_code == 201, captured.text
    shown = captured.json()
    assert (shown["pickup_node_id"], shown["promised_on"]) == ("west", option["promised_on"])
    assert shown["promised"]["service_level"] == "pickup"
    (parcel,) = option["shipments"]
    assert shown["promised"]["shipments"] == [{"node_id": "west", "service": "pickup", "ship_on": parcel["ship_on"]}]
    run = await routed(shop, order_ids=["o-9"])
    assert run["unrouted"] == []
    (row,) = (await shop.get("/v1/orders/o-9")).json()["allocations"]
    assert (row["node_id"], row["service"], row["ship_on"]) == ("west", "pickup", parcel["ship_on"])


async def test_an_order_without_destination_and_store_is_refused(shop):
    refused = await shop.post("/v1/orders", json={"channel": "web", "lines": ORDER["lines"]})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "$.destination"


async def test_lines_are_cancelled_until_nothing_is_left_and_a_key_answers_as_it_did(shop):
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-9", "lines": [{"sku": "set", "quantity": 2}]})
    await routed(shop, all_open=True)
    key = {"Idempotency-Key": "cancel-lines"}
    body = {"lines": [{"line_id": "1", "quantity": 1}], "reason": "one is enough", "by": "anna"}
    first = await shop.post("/v1/orders/o-9/cancel", json=body, headers=key)
    assert (first.status_code, first.json()["state"]) == (200, "sourced")
    assert first.json()["lines"][0]["units"] == {"cancelled": 3, "sourced": 3}
    again = await shop.post("/v1/orders/o-9/cancel", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    positions = (await shop.get("/v1/inventory/mug")).json()["positions"]
    assert sum(position["confirmed"] for position in positions) == 2
    too_many = await shop.post("/v1/orders/o-9/cancel", json={"lines": [{"line_id": "1", "quantity": 2}]})
    assert "has 1 units that can still be cancelled, 2 are asked for" in too_many.json()["detail"]
    unknown = await shop.post("/v1/orders/o-9/cancel", json={"lines": [{"line_id": "mug"}]})
    assert (unknown.status_code, unknown.json()["errors"][0]["path"]) == (400, "$.lines[0].line_id")
    rest = await shop.post("/v1/orders/o-9/cancel", json={"lines": [{"line_id": "1"}]})
    assert rest.json()["state"] == "cancelled"
    history = (await shop.get("/v1/orders/o-9/history")).json()["data"]
    assert [(entry["event"], entry["by"]) for entry in history][2] == ("lines_cancelled", "anna")
    positions = (await shop.get("/v1/inventory/mug")).json()["positions"]
    assert sum(position["confirmed"] for position in positions) == 0
