"""Slots over HTTP, on a real store: booked with a reservation, freed and kept with it, refused when full or closed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from engine.clock import SettableClock
from engine.inventory.model import Reservation
from engine.inventory.slot_desk import slot_reservation_id

TODAY = datetime.now(UTC).date()
TOMORROW, LATER = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
LINES = [{"sku": "mug", "quantity": 1, "node_id": "east"}]


@pytest_asyncio.fixture
async def counter(shop, network):
    """A node with a window of two orders around noon, and one of one order in the evening, on every day."""
    slots = [
        {"slot": "noon", "node_id": "east", "from": "11:00", "to": "13:00", "capacity": 2, "fee_cents": 250},
        {"slot": "evening", "node_id": "east", "from": "18:00", "to": "20:00", "capacity": 1},
    ]
    answer = await shop.put("/v1/network", json=network | {"slots": slots})
    assert answer.status_code == 200, answer.text
    return shop


async def promised(http, **more):
    body = {"pickup_node_id": "east", "lines": [{"line_id": "1", "sku": "mug", "quantity": 1}], **more}
    answer = await http.post("/v1/promises", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reserve(http, key, slot_id, **more):
    body = {"lines": LINES, "slot_id": slot_id, **more}
    if "promise_id" in more:
        del body["lines"]
    return await http.post("/v1/reservations", json=body, headers={"Idempotency-Key": key})


async def act(http, reservation, verb, **more):
    return await http.post(f"/v1/reservations/{reservation}/{verb}", **more)


async def free(http, day=TOMORROW):
    """What is free in both windows of a day."""
    answer = await http.get(f"/v1/slots?node_id=east&from={day}&days=1")
    assert answer.status_code == 200, answer.text
    return [entry["free"] for entry in answer.json()["data"]]


def noon(day=TOMORROW):
    return f"noon@{day}"


async def test_a_window_of_an_option_is_booked_with_its_reservation(counter):
    promise = await promised(counter, slot_days=60)
    (option,) = promise["options"]
    wanted = next(found for found in option["slots"] if found["slot_id"] == noon())
    assert wanted == {
        "slot_id": noon(),
        "date": str(TOMORROW),
        "from": f"{TOMORROW}T11:00:00Z",
        "to": f"{TOMORROW}T13:00:00Z",
        "fee_cents": 250,
    }
    named = {"promise_id": promise["promise_id"], "option_id": option["option_id"]}
    made = await reserve(counter, "cart-1", noon(), **named)
    assert made.status_code == 201, made.text
    assert made.json()["promised_on"] == str(TOMORROW)
    assert made.json()["slot"] == {key: wanted[key] for key in ("slot_id", "from", "to", "fee_cents")}
    again = await reserve(counter, "cart-1", noon(), **named)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (made.content, "true")
    name = made.json()["reservation_id"]
    assert (await counter.get(f"/v1/reservations/{name}")).json() == made.json()
    assert await free(counter) == [1, 1]
    confirmed = await act(counter, name, "confirm")
    assert confirmed.json()["slot"] == made.json()["slot"]
    assert await free(counter) == [1, 1]
    cancelled = await act(counter, name, "cancel")
    assert (cancelled.json()["state"], await free(counter)) == ("cancelled", [2, 1])
    assert (await reserve(counter, "cart-1", noon(), **named)).content == made.content  # as it was answered then


async def test_a_full_window_is_refused_with_fresh_ones_to_choose_from(counter):
    """Seeded bug: a fresh promise made anew at each replay, whose bytes then differ."""
    promise = await promised(counter, slot_days=60)
    named = {"promise_id": promise["promise_id"], "option_id": promise["options"][0]["option_id"]}
    for number in range(2):
        assert (await reserve(counter, f"other-{number}", noon())).status_code == 201
    refused = await reserve(counter, "cart-1", noon(), **named)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "slot_full")
    assert problem["errors"] == [{"path": "$.slot_id", "message": f"'{noon()}' is full; take another"}]
    left = [found["slot_id"] for found in problem["promise"]["options"][0]["slots"]]
    assert noon() not in left
    assert noon(LATER) in left
    assert (await counter.get("/v1/inventory/mug")).json()["positions"][0]["reserved"] == 2
    again = await reserve(counter, "cart-1", noon(), **named)
    assert (again.status_code, again.content, again.headers["Idempotent-Replayed"]) == (409, refused.content, "true")
    fresh = {"promise_id": problem["promise"]["promise_id"], "option_id": "opt_1"}
    assert (await reserve(counter, "cart-2", noon(LATER), **fresh)).status_code == 201


async def test_the_refusal_of_a_key_stays_though_a_place_has_become_free(counter):
    held = [(await reserve(counter, f"other-{n}", noon())).json()["reservation_id"] for n in range(2)]
    refused = await reserve(counter, "cart-1", noon())
    assert refused.json()["code"] == "slot_full"
    assert "promise" not in refused.json()
    await act(counter, held[0], "cancel")
    again = await reserve(counter, "cart-1", noon())
    assert (again.status_code, again.content) == (409, refused.content)
    assert await free(counter) == [1, 1]
    assert (await reserve(counter, "cart-2", noon())).status_code == 201


async def test_stock_that_is_short_books_nothing(counter):
    refused = await reserve(counter, "cart-1", noon(), lines=[{"sku": "mug", "quantity": 21, "node_id": "east"}])
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_stock")
    assert await free(counter) == [2, 1]
    assert (await reserve(counter, "cart-1", noon(), lines=LINES)).status_code == 422  # another body for the key
    assert await free(counter) == [2, 1]


async def test_a_window_that_is_closed_is_refused_with_fresh_ones(counter, app):
    promise = await promised(counter, slot_days=60)
    named = {"promise_id": promise["promise_id"], "option_id": promise["options"][0]["option_id"]}
    early = TODAY + timedelta(days=15)
    refused = await reserve(counter, "cart-1", noon(early), **named)
    assert (refused.status_code, refused.json()["code"]) == (409, "slot_closed")
    assert refused.json()["promise"]["options"][0]["slots"]
    assert (await reserve(counter, "cart-2", noon(early))).json()["code"] == "slot_closed"
    for unknown in ("noon", "moon@2026-01-01", f"{noon()} "):
        answer = await reserve(counter, f"key-{unknown!r}", unknown)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "$.slot_id")


async def test_a_hold_that_expires_frees_its_window(counter):
    made = await reserve(counter, "cart-1", f"evening@{TOMORROW}", ttl_seconds=1)
    assert await free(counter) == [2, 0]
    await asyncio.sleep(1.1)
    assert await free(counter) == [2, 1]
    name = made.json()["reservation_id"]
    assert (await counter.get(f"/v1/reservations/{name}")).json()["state"] == "expired"
    assert (await act(counter, name, "confirm")).status_code == 409
    assert await free(counter) == [2, 1]


async def test_an_extended_hold_keeps_its_window(counter):
    made = await reserve(counter, "cart-1", f"evening@{TOMORROW}", ttl_seconds=1)
    name = made.json()["reservation_id"]
    assert (await act(counter, name, "extend", json={"ttl_seconds": 60})).status_code == 200
    await asyncio.sleep(1.1)
    assert await free(counter) == [2, 0]


async def test_a_reservation_without_a_slot_is_as_it_was(counter):
    made = await counter.post("/v1/reservations", json={"lines": LINES})
    assert made.status_code == 201
    assert "slot" not in made.json()
    assert not made.json()["reservation_id"].startswith("res_slot_")


async def test_carts_at_one_window_book_exactly_what_it_takes(counter):
    """Seeded bug: a handler that asks what is free before it reserves."""
    made = await asyncio.gather(*(reserve(counter, f"cart-{n}", noon()) for n in range(30)))
    assert sorted(answer.status_code for answer in made) == [201] * 2 + [409] * 28
    assert {answer.json()["code"] for answer in made if answer.status_code == 409} == {"slot_full"}
    assert await free(counter) == [0, 1]
    assert (await counter.get("/v1/inventory/mug")).json()["positions"][0]["reserved"] == 2


async def order(http, reservation_id, **more):
    body = {"channel": "web", "destination": {"latitude": 40.7, "longitude": -74.0}, "reservation_id": reservation_id}
    body |= {"lines": [{"sku": "mug", "quantity": 1}], **more}
    return await http.post("/v1/orders", json=body)


async def routed(http, order_id):
    run = (await http.post("/v1/routing-runs", json={"order_ids": [order_id]})).json()["run_id"]
    for _ in range(1000):
        found = (await http.get(f"/v1/routing-runs/{run}")).json()
        if found["status"] not in {"queued", "running"}:
            break
        await asyncio.sleep(0.05)
    assert found["status"] == "committed", found


async def test_an_order_keeps_the_window_of_its_reservation_until_it_is_cancelled(counter, app):
    """Routing cancels the reservation that it swaps. Seeded bug: a look that asks the reservation only."""
    name = (await reserve(counter, "cart-1", f"evening@{TOMORROW}")).json()["reservation_id"]
    made = await order(counter, name)
    assert made.status_code == 201, made.text
    order_id = made.json()["order_id"]
    await routed(counter, order_id)
    assert (await counter.get(f"/v1/reservations/{name}")).json()["state"] == "cancelled"
    await app.state.engine.slots.review(name)
    assert await free(counter) == [2, 0]
    assert (await act(counter, name, "cancel")).status_code == 200  # again, as far as anybody can tell
    assert await free(counter) == [2, 0]
    assert (await counter.post(f"/v1/orders/{order_id}/cancel")).status_code == 200
    assert await free(counter) == [2, 1]


async def test_an_order_that_is_refused_takes_no_window_along(counter, app):
    name = (await reserve(counter, "cart-1", f"evening@{TOMORROW}")).json()["reservation_id"]
    assert (await order(counter, name, order_id="ord_a")).status_code == 201
    assert (await order(counter, name, order_id="ord_b")).status_code == 409
    assert (await counter.post("/v1/orders/ord_a/cancel")).status_code == 200
    assert await free(counter) == [2, 1]


async def test_who_captured_an_order_and_died_leaves_its_window_to_a_look(counter, app):
    """Seeded bug: a window that is kept for an order which never came."""
    engine = app.state.engine
    name = (await reserve(counter, "cart-1", f"evening@{TOMORROW}", ttl_seconds=1)).json()["reservation_id"]
    await engine.slots.take_over(name, "ord_never")  # and dies
    await asyncio.sleep(1.1)
    await engine.slots.review(name)
    assert await free(counter) == [2, 1]


async def test_a_retry_of_who_died_before_the_place_was_settled(counter, app, monkeypatch):
    """The promise has expired meanwhile, so that the request means nothing any more but to the store."""
    engine, keys = app.state.engine, []
    promise = await promised(counter, slot_days=60)
    named = {"promise_id": promise["promise_id"], "option_id": promise["options"][0]["option_id"]}
    settle = engine.slots.book.settle

    async def dies(reservation_id, deadline_ms, capacity):
        keys.append(reservation_id)
        raise asyncio.CancelledError

    monkeypatch.setattr(engine.slots.book, "settle", dies)
    with pytest.raises(asyncio.CancelledError):
        await reserve(counter, "cart-1", noon(), **named)
    monkeypatch.setattr(engine.slots.book, "settle", settle)
    expired = SettableClock(datetime.now(UTC) + timedelta(minutes=20))
    monkeypatch.setattr(engine.promising, "_clock", expired)
    held: Reservation = await engine.inventory.get(keys[0])
    assert held.state == "held"
    again = await reserve(counter, "cart-1", noon(), **named)
    assert (again.status_code, again.json()["slot"]["slot_id"]) == (201, noon())
    assert await free(counter) == [1, 1]
    assert keys[0].startswith("res_slot_")
    assert slot_reservation_id(None) != slot_reservation_id(None)
