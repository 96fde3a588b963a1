"""Reservations over HTTP: hold, confirm, cancel, extend, consume; all or nothing, by lines or by a promise."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}


def line(sku, quantity, node_id="east"):
    return {"sku": sku, "quantity": quantity, "node_id": node_id}


async def stock(http, sku="mug", node_id="east"):
    found = (await http.get(f"/v1/inventory/{sku}")).json()["positions"]
    return next(entry for entry in found if entry["node_id"] == node_id)


async def hold(http, *lines, **more):
    held = await http.post("/v1/reservations", json={"lines": list(lines), **more})
    assert held.status_code == 201, held.text
    return held.json()


async def test_a_hold_takes_units_until_it_is_cancelled(shop):
    held = await hold(shop, line("mug", 3), line("tea", 1), channel="web", reference="cart-7")
    assert (held["state"], held["binding"], held["channel"], held["reference"]) == ("held", True, "web", "cart-7")
    assert held["reservation_id"].startswith("res_")
    left = datetime.fromisoformat(held["expires_at"]) - datetime.now(UTC)
    assert 890 < left.total_seconds() <= 901
    assert (await stock(shop))["held"] == 3
    path = f"/v1/reservations/{held['reservation_id']}"
    assert (await shop.get(path)).json() == held
    cancelled = await shop.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await stock(shop))["available"] == 20
    assert (await shop.post(f"{path}/cancel", json={})).json() == cancelled.json()


async def test_a_confirmed_reservation_is_consumed_in_parts(shop):
    held = await hold(shop, line("mug", 3))
    path = f"/v1/reservations/{held['reservation_id']}"
    confirmed = await shop.post(f"{path}/confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    assert (await shop.post(f"{path}/confirm")).json() == confirmed.json()
    part = await shop.post(f"{path}/consume", json={"lines": [line("mug", 2)]})
    assert part.status_code == 200, part.text
    assert (part.json()["state"], part.json()["lines"][0]["quantity"]) == ("confirmed", 1)
    rest = await shop.post(f"{path}/consume")
    assert rest.json()["state"] == "consumed"
    now = await stock(shop)
    assert (now["on_hand"], now["reserved"]) == (17, 0)
    refused = await shop.post(f"{path}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_state")


async def test_a_hold_that_expires_gives_its_units_back(shop):
    held = await hold(shop, line("mug", 20), ttl_seconds=1)
    path = f"/v1/reservations/{held['reservation_id']}"
    extended = await shop.post(f"{path}/extend", json={"ttl_seconds": 1})
    assert extended.status_code == 200
    assert extended.json()["expires_at"] >= held["expires_at"]
    for _ in range(60):  # the sweeper looks once a second
        if (await stock(shop))["available"] == 20:
            break
        await asyncio.sleep(0.1)
    assert (await stock(shop))["available"] == 20
    late = await shop.post(f"{path}/confirm")
    assert (late.status_code, late.json()["code"]) == (409, "illegal_state")
    assert (await shop.get(path)).json()["state"] == "expired"


async def test_all_lines_are_held_or_none_and_every_short_line_is_named(shop):
    lines = [line("mug", 2), line("tea", 6), line("mug", 5, "west")]
    refused = await shop.post("/v1/reservations", json={"lines": lines})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_stock")
    problem = refused.json()
    assert sorted(problem["lines"], key=lambda short: short["sku"]) == [
        {"sku": "mug", "node_id": "west", "quantity": 5, "available": 4},
        {"sku": "tea", "node_id": "east", "quantity": 6, "available": 5},
    ]
    assert {error["path"] for error in problem["errors"]} == {"$.lines[1]", "$.lines[2]"}
    assert (await stock(shop))["reserved"] == 0


async def test_demand_for_the_same_stock_is_summed_before_the_check(shop):
    refused = await shop.post("/v1/reservations", json={"lines": [line("tea", 3), line("tea", 3)]})
    assert refused.status_code in {400, 409}
    assert (await stock(shop, "tea"))["reserved"] == 0


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"lines": [line("mug", 1), line("mugg", 1)]}, "$.lines[1].sku", "did you mean 'mug'?"),
        ({"lines": [line("mug", 1, "eats")]}, "$.lines[0].node_id", "did you mean 'east'?"),
        ({"lines": [line("mug", 0)]}, "$.lines[0].quantity", "1 to 1000000"),
        ({"lines": []}, "$.lines", "0 entries"),
        ({}, "$", "promise_id"),
        ({"promise_id": "prm_1"}, "$.option_id", "option_id"),
        ({"promise_id": "prm_1", "option_id": "1", "lines": [line("mug", 1)]}, "$.lines", "promise_id"),
        ({"lines": [line("mug", 1)], "ttl_seconds": 3601}, "$.ttl_seconds", "3601"),
        ({"lines": [line("mug", 1)], "ttl_second": 60}, "$.ttl_second", "did you mean 'ttl_seconds'?"),
        ({"lines": [{**line("mug", 1), "ship_on": "2020-01-01"}]}, "$.lines[0].ship_on", "2020-01-01"),
    ],
)
async def test_a_bad_reservation_is_refused_by_path_and_holds_nothing(shop, body, path, words):
    refused = await shop.post("/v1/reservations", json=body)
    assert refused.status_code == 400, refused.text
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert words in found[path]
    assert (await stock(shop))["reserved"] == 0


@pytest.mark.parametrize("step", ["", "/confirm", "/cancel", "/extend", "/consume"])
async def test_an_unknown_reservation_is_not_found(shop, step):
    path = f"/v1/reservations/res_nobody{step}"
    missing = await (shop.post(path) if step else shop.get(path))
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_promise_is_reserved_by_its_option(shop):
    wanted = {"destination": NEW_YORK, "lines": [{"line_id": "a", "sku": "mug", "quantity": 2}]}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    assert promised["binding"] is False
    option = promised["options"][0]
    assert "cheapest" in option["labels"]
    named = {"promise_id": promised["promise_id"], "option_id": option["option_id"]}
    reserved = await shop.post("/v1/reservations", json=named)
    assert reserved.status_code == 201, reserved.text
    assert [(entry["sku"], entry["quantity"], entry["node_id"]) for entry in reserved.json()["lines"]] == [
        ("mug", 2, "east")
    ]
    unknown = await shop.post("/v1/reservations", json={**named, "option_id": "nothing"})
    assert unknown.status_code in {400, 404}
    unknown = await shop.post("/v1/reservations", json={**named, "promise_id": "prm_nothing"})
    assert unknown.status_code == 404
