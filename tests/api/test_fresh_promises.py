"""An option that has become stale is refused with a fresh promise for the same request, the same again for its key."""

from __future__ import annotations

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}


async def promised(shop, quantity):
    body = {"destination": NEW_YORK, "lines": [{"sku": "mug", "quantity": quantity}], "channel": "web"}
    answer = await shop.post("/v1/promises", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reserve(shop, promise, key, option_id="opt_1"):
    body = {"promise_id": promise["promise_id"], "option_id": option_id}
    return await shop.post("/v1/reservations", json=body, headers={"Idempotency-Key": key})


async def test_stock_that_is_gone_is_refused_with_what_there_is_instead(shop):
    """Seeded bug: a fresh promise made anew at each replay, whose bytes then differ."""
    promise = await promised(shop, 4)
    assert {s["node_id"] for s in promise["options"][0]["shipments"]} == {"east"}
    taken = {"lines": [{"sku": "mug", "quantity": 18, "node_id": "east"}]}
    assert (await shop.post("/v1/reservations", json=taken)).status_code == 201
    refused = await reserve(shop, promise, "cart-1")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "insufficient_stock")
    assert problem["lines"] == [{"sku": "mug", "node_id": "east", "quantity": 4, "available": 2}]
    fresh = problem["promise"]
    assert fresh["promise_id"] != promise["promise_id"]
    assert set(fresh) == set(promise)
    assert {s["node_id"] for s in fresh["options"][0]["shipments"]} == {"west"}
    assert fresh["channel"] == "web"

    again = await reserve(shop, promise, "cart-1")
    assert (again.status_code, again.content) == (409, refused.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in refused.headers

    held = await reserve(shop, fresh, "cart-2")
    assert held.status_code == 201
    assert {line["node_id"] for line in held.json()["lines"]} == {"west"}


async def test_when_nothing_is_left_the_fresh_promise_says_why(shop):
    promise = await promised(shop, 4)
    for node_id, quantity in (("east", 20), ("west", 4)):
        taken = {"lines": [{"sku": "mug", "quantity": quantity, "node_id": node_id}]}
        assert (await shop.post("/v1/reservations", json=taken)).status_code == 201
    fresh = (await reserve(shop, promise, "cart-1")).json()["promise"]
    assert fresh["options"] == []
    assert [line["reason"] for line in fresh["unavailable"]] == ["no_stock"]


async def test_a_day_that_cannot_be_kept_is_refused_with_a_later_one(shop, network):
    """The node stops to ship today, as when its cut-off passes."""
    promise = await promised(shop, 4)
    nodes = [node | {"processing_days": 3} for node in network["nodes"]]
    assert (await shop.put("/v1/network", json=network | {"nodes": nodes})).status_code == 200
    refused = await reserve(shop, promise, "cart-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "promise_stale")
    fresh = refused.json()["promise"]
    assert fresh["options"][0]["promised_on"] > promise["options"][0]["promised_on"]
    again = await reserve(shop, promise, "cart-1")
    assert again.content == refused.content
    assert (await reserve(shop, fresh, "cart-2")).status_code == 201


async def test_lines_that_name_no_promise_are_refused_without_one(shop):
    body = {"lines": [{"sku": "mug", "quantity": 900, "node_id": "east"}]}
    refused = await shop.post("/v1/reservations", json=body)
    assert (refused.status_code, "promise" in refused.json()) == (409, False)
