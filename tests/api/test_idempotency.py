"""Idempotency keys over HTTP: one effect each, and the same answer to the byte."""

from __future__ import annotations

import asyncio

import pytest

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}
HOLD = {"lines": [{"sku": "mug", "quantity": 2, "node_id": "east"}]}
ADJUSTMENT = {"adjustments": [{"node_id": "east", "sku": "mug", "delta": 1, "reason": "found"}]}
ORDER = {"channel": "web", "destination": NEW_YORK, "lines": [{"sku": "mug", "quantity": 1}]}


def key(value):
    return {"Idempotency-Key": value}


def same(first, again):
    assert again.status_code == first.status_code
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/reservations", HOLD, 201),
        ("/v1/inventory/adjustments", ADJUSTMENT, 200),
        ("/v1/orders", ORDER, 201),
        ("/v1/reservations", {"lines": [{"sku": "tea", "quantity": 99, "node_id": "east"}]}, 409),
        ("/v1/reservations", {"promise_id": "prm_nothing", "option_id": "1"}, 404),
        ("/v1/reservations/res_nobody/confirm", {}, 404),
        ("/v1/orders/nobody/cancel", {}, 404),
        ("/v1/inventory/adjustments", {"adjustments": [{**ADJUSTMENT["adjustments"][0], "delta": -99}]}, 409),
    ],
)
async def test_a_key_that_comes_back_gets_the_same_bytes_and_has_no_second_effect(shop, path, body, status):
    first = await shop.post(path, json=body, headers=key("once"))
    assert first.status_code == status, first.text
    stock = (await shop.get("/v1/inventory/mug")).json()
    for _ in range(2):
        same(first, await shop.post(path, json=body, headers=key("once")))
    assert (await shop.get("/v1/inventory/mug")).json() == stock


async def test_confirming_with_the_same_key_is_replayed_even_after_later_steps(shop):
    held = (await shop.post("/v1/reservations", json=HOLD)).json()
    path = f"/v1/reservations/{held['reservation_id']}"
    confirmed = await shop.post(f"{path}/confirm", headers=key("c"))
    assert (await shop.post(f"{path}/consume")).json()["state"] == "consumed"
    same(confirmed, await shop.post(f"{path}/confirm", headers=key("c")))


async def test_the_same_key_with_another_body_is_refused_and_changes_nothing(shop):
    await shop.post("/v1/reservations", json=HOLD, headers=key("k"))
    stock = (await shop.get("/v1/inventory/mug")).json()
    other = {"lines": [{"sku": "mug", "quantity": 3, "node_id": "east"}]}
    refused = await shop.post("/v1/reservations", json=other, headers=key("k"))
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (await shop.get("/v1/inventory/mug")).json() == stock


async def test_a_key_belongs_to_its_method_and_path(shop):
    for path, body in (("/v1/reservations", HOLD), ("/v1/inventory/adjustments", ADJUSTMENT), ("/v1/orders", ORDER)):
        answer = await shop.post(path, json=body, headers=key("k"))
        assert answer.status_code in {200, 201}, answer.text
        assert "idempotent-replayed" not in answer.headers


async def test_what_was_refused_as_invalid_is_not_kept(shop):
    bad = {"lines": [{"sku": "new", "quantity": 1, "node_id": "east"}]}
    assert (await shop.post("/v1/reservations", json=bad, headers=key("k"))).status_code == 400
    await shop.put("/v1/catalog", json={"products": [{"sku": sku, "weight_g": 1} for sku in ("mug", "tea", "new")]})
    counted = {"positions": [{"node_id": "east", "sku": "new", "on_hand": 1}]}
    assert (await shop.put("/v1/inventory/positions", json=counted)).status_code == 200
    assert (await shop.post("/v1/reservations", json=bad, headers=key("k"))).status_code == 201


async def test_many_at_once_with_one_key_have_one_effect(shop):
    calls = [shop.post("/v1/reservations", json=HOLD, headers=key("k")) for _ in range(20)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert (await shop.get("/v1/inventory/mug")).json()["positions"][0]["held"] == 2


async def test_a_reservation_by_promise_is_replayed_after_the_promise_is_gone(shop, app, keys):
    wanted = {"destination": NEW_YORK, "lines": [{"sku": "mug", "quantity": 2}]}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    named = {"promise_id": promised["promise_id"], "option_id": promised["options"][0]["option_id"]}
    first = await shop.post("/v1/reservations", json=named, headers=key("p"))
    assert first.status_code == 201, first.text
    kept = keys.named("promise", promised["promise_id"])
    await asyncio.sleep(0.2)  # promises are written a moment later
    assert await app.state.engine.client.call("DEL", kept) == 1
    same(first, await shop.post("/v1/reservations", json=named, headers=key("p")))
    gone = await shop.post("/v1/reservations", json=named)
    assert gone.status_code == 404


async def test_a_refused_promise_is_refused_with_the_same_words_after_it_is_gone(shop, app, keys):
    """Catches a replay that no longer says which part of the request was short."""
    wanted = {"destination": NEW_YORK, "lines": [{"sku": "tea", "quantity": 4}]}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    named = {"promise_id": promised["promise_id"], "option_id": promised["options"][0]["option_id"]}
    damaged = {"adjustments": [{"node_id": "east", "sku": "tea", "delta": -4, "reason": "damaged"}]}
    assert (await shop.post("/v1/inventory/adjustments", json=damaged)).status_code == 200
    first = await shop.post("/v1/reservations", json=named, headers=key("p"))
    assert (first.status_code, first.json()["errors"][0]["path"]) == (409, "$.option_id")
    await asyncio.sleep(0.2)  # promises are written a moment later
    assert await app.state.engine.client.call("DEL", keys.named("promise", promised["promise_id"])) == 1
    same(first, await shop.post("/v1/reservations", json=named, headers=key("p")))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/reservations", HOLD, 201), ("/v1/inventory/adjustments", ADJUSTMENT, 200)],
)
async def test_a_key_is_replayed_even_if_its_sku_has_left_the_catalog_since(shop, path, body, status):
    first = await shop.post(path, json=body, headers=key("k"))
    assert first.status_code == status, first.text
    await shop.put("/v1/catalog", json={"products": [{"sku": "tea", "weight_g": 1}]})
    same(first, await shop.post(path, json=body, headers=key("k")))
    assert (await shop.post(path, json=body)).status_code == 400
