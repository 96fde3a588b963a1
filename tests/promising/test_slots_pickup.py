"""Slots of promises that are picked up, worked out by hand, and the holds that take one.

The windows are those of slot_windows.py. It is Wednesday 4 March 2026, noon.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from engine.errors import InvalidInput, SlotClosed
from tests.promising.slot_windows import NEW_YORK, PICKUP, book, ids, opened_counter, opened_shop, slot


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    return await opened_shop(world, network)


@pytest_asyncio.fixture
async def counter(shop: Any, network: Any) -> Any:
    return await opened_counter(shop, network)


async def test_a_basket_is_picked_up_in_a_window_that_begins_when_it_is_ready(counter: Any) -> None:
    """At noon it is ready at 13:30. Seeded bug: windows of the day that begin before."""
    (option,) = (await counter.promise(("cup", 1), **PICKUP)).options
    assert (option.promised_on.day, ids(option)) == (
        4,
        ["at-16 4", "at-10 5", "at-13 5", "at-16 5", "at-10 6", "at-13 6", "at-16 6"],
    )
    assert option.ready_at == datetime(2026, 3, 4, 13, 30, tzinfo=NEW_YORK)
    await book(counter, "at-16", 4)
    (option,) = (await counter.promise(("cup", 1), **PICKUP, slot_days=1)).options
    assert (option.promised_on.day, ids(option)) == (5, ["at-10 5", "at-13 5", "at-16 5"])
    assert option.ready_at == datetime(2026, 3, 4, 13, 30, tzinfo=NEW_YORK)


async def test_what_is_picked_tomorrow_is_not_ready_at_opening(counter: Any) -> None:
    await counter.stock(("shop", "cup", 0))
    await counter.supply("shop", "cup", 5, 1)
    (option,) = (await counter.promise(("cup", 1), **PICKUP, slot_days=1)).options
    assert (option.promised_on.day, ids(option)) == (5, ["at-13 5", "at-16 5"])  # ready at 11:30


@pytest.mark.parametrize(("receiving_days", "first"), [(1, "at-10 6"), (0, "at-10 6")])
async def test_a_parcel_to_the_store_is_picked_up_once_it_is_taken_in(
    counter: Any, network: Any, receiving_days: int, first: str
) -> None:
    """It comes on the 5th, and is ready at opening on the 6th; or when it closes on the 5th, after its windows."""
    network["nodes"][2]["store_pickup"]["receiving_days"] = receiving_days
    await counter.put_network(network)
    await counter.stock(("shop", "cup", 0), ("a", "cup", 5))
    (option,) = (await counter.promise(("cup", 1), **PICKUP)).options
    assert (option.shipments[0].to_node_id, option.promised_on.day, ids(option)[0]) == ("shop", 6, first)
    assert option.ready_at == datetime(2026, 3, 6, 10, tzinfo=NEW_YORK)


async def test_a_node_without_hours_has_windows_on_the_day_and_no_pickup_on_a_full_one(shop: Any, network: Any) -> None:
    network["slots"] = [slot("noonish", "13:00", "14:00", lead_minutes=30, open_days=1)]
    await shop.put_network(network)
    (option,) = (await shop.promise(("cup", 1), **PICKUP)).options
    assert (option.promised_on.day, ids(option)) == (4, ["noonish 4", "noonish 5"])
    shop.clock.advance(timedelta(minutes=30))
    (option,) = (await shop.promise(("cup", 1), **PICKUP)).options
    assert (option.promised_on.day, ids(option)) == (5, ["noonish 5"])
    await book(shop, "noonish", 5)
    promise = await shop.promise(("cup", 1), **PICKUP)
    assert [line.reason for line in promise.unavailable] == ["no_slot"]


# Reserving.


async def test_every_window_that_is_told_can_be_reserved_and_is_what_is_promised_then(counter: Any) -> None:
    promise = await counter.promise(("cup", 1), **PICKUP)
    await counter.promises.settle()
    for found in promise.options[0].slots:
        hold = await counter.service.promised_hold(promise.promise_id, "opt_1", found.slot_id)
        assert hold.slot is not None
        assert (hold.promised_on, hold.slot.booked.begins, hold.slot.capacity) == (found.day, found.begins, 1)


@pytest.mark.parametrize(
    ("slot_id", "message"),
    [
        ("at-13@2026-03-04", "begins before the option is there"),
        ("at-11@2026-03-05", "did you mean 'at-1"),
        ("at-10@soon", "it is not there on that day"),
        ("evening", "unknown slot 'evening'"),
        ("far@2026-03-05", "is not for this option"),
    ],
)
async def test_a_window_that_does_not_suit_is_refused(counter: Any, network: Any, slot_id: str, message: str) -> None:
    network["slots"] += [slot("far", "10:00", "11:00", 9) | {"node_id": "a"}]
    await counter.put_network(network)
    promise = await counter.promise(("cup", 1), **PICKUP)
    with pytest.raises(InvalidInput, match=message) as refused:
        await counter.service.promised_hold(promise.promise_id, "opt_1", slot_id)
    assert refused.value.faults[0].path == "$.slot_id"


@pytest.mark.parametrize("slot_id", ["at-10@2026-03-08", "at-10@2026-03-04", "at-13@2026-03-03"])
async def test_a_window_that_cannot_be_booked_now_is_closed(counter: Any, slot_id: str) -> None:
    """It is four days ahead, or has begun."""
    promise = await counter.promise(("cup", 1), **PICKUP)
    with pytest.raises(SlotClosed, match=r"could be booked until|cannot be booked for"):
        await counter.service.promised_hold(promise.promise_id, "opt_1", slot_id)
    with pytest.raises(SlotClosed):
        await counter.service.slot(slot_id)
