"""Nodes of limited capacity: a parcel is promised for the first day with units and parcels left (conftest.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from engine.inventory.load import Use
from engine.inventory.memory_load import MemoryLoadBook
from engine.promising.capacity import Room
from engine.promising.model import Option, Promise
from tests.promising.conftest import TODAY, no_orders


def cheapest(promise: Promise) -> Option:
    return next(option for option in promise.options if "cheapest" in option.labels)


async def limit(world: Any, network: Any, units: int | None = None, parcels: int | None = None) -> None:
    """Limit what node a ships a day."""
    network["nodes"][0] |= {"capacity_units": units, "capacity_parcels": parcels}
    await world.put_network(network)
    await world.stock(("a", "cup", 90))


async def test_a_full_day_is_passed_over(world: Any, day: Any, network: Any) -> None:
    """Of 10 units a day 8 are taken today, all tomorrow, 7 the day after: three more find room on day 2."""
    await limit(world, network, units=10)
    for in_days, units in ((0, 8), (1, 10), (2, 7)):
        await world.busy("a", in_days, units)
    assert cheapest(await world.promise(("cup", 2))).shipments[0].ship_on == day(0)
    option = cheapest(await world.promise(("cup", 3)))
    assert (option.shipments[0].ship_on, option.promised_on) == (day(2), day(4))
    assert cheapest(await world.promise(("cup", 4))).shipments[0].ship_on == day(3)


async def test_parcels_are_limited_by_themselves(world: Any, day: Any, network: Any) -> None:
    await limit(world, network, parcels=2)
    await world.busy("a", 0, 1)
    assert cheapest(await world.promise(("cup", 9))).shipments[0].ship_on == day(0)
    await world.busy("a", 0, 1)
    assert cheapest(await world.promise(("cup", 1))).shipments[0].ship_on == day(1)


async def test_days_on_which_the_node_rests_have_no_room(world: Any, day: Any, network: Any) -> None:
    network["nodes"][0]["closures"] = [{"from": str(day(1)), "to": str(day(3))}]
    await limit(world, network, units=10)
    await world.busy("a", 0, 10)
    assert cheapest(await world.promise(("cup", 1))).shipments[0].ship_on == day(4)


async def test_more_than_a_node_ships_in_a_day_takes_a_day_that_is_free(world: Any, day: Any, network: Any) -> None:
    await limit(world, network, units=5)
    await world.busy("a", 0, 1)
    assert cheapest(await world.promise(("cup", 9))).shipments[0].ship_on == day(1)


async def test_another_node_may_be_sooner_than_the_nearest(world: Any, day: Any, network: Any) -> None:
    await limit(world, network, units=5)
    for in_days in range(5):
        await world.busy("a", in_days, 5)
    await world.stock(("shop", "cup", 9))
    fastest = next(o for o in (await world.promise(("cup", 1))).options if "fastest" in o.labels)
    assert (fastest.shipments[0].node_id, fastest.promised_on) == ("shop", day(1))


async def test_a_node_that_ships_nothing_is_no_place_to_promise_from(world: Any, network: Any) -> None:
    await limit(world, network, units=0)
    promise = await world.promise(("cup", 1))
    assert promise.options == ()
    assert (promise.unavailable[0].reason, promise.unavailable[0].available_on) == ("no_capacity", None)


async def test_what_waits_for_room_counts_as_ordered_on_the_day_that_leads_there(
    world: Any, day: Any, network: Any
) -> None:
    """History says three days, four for nine of ten; the node is full until day 2, and ships on day 3."""
    shape = {"levels": [0.1, 0.5, 0.9], "shapes": [[-1.0, 0.0, 1.0]], "bins": {}}
    spread = {"center_days": 3.0, "scale_days": 1.0, "spread_ratio": 0.8, "location": [], "scale": []}
    await world.learn({"version": 1, "shipments": 9, "service_ids": ["ground"], **shape, **spread})
    await limit(world, network, units=5)
    for in_days in range(3):
        await world.busy("a", in_days, 5)
    option = cheapest(await world.promise(("cup", 1)))
    assert (option.shipments[0].ship_on, option.delivery.p50, option.promised_on) == (day(3), day(6), day(7))
    assert option.dates_from == "history"


async def test_a_pick_up_waits_for_room_too(world: Any, day: Any, network: Any) -> None:
    await limit(world, network, parcels=1)
    await world.busy("a", 0, 1)
    promise = await world.promise(("cup", 1), to=None, pickup_node_id="a")
    assert promise.options[0].promised_on == day(1)


async def test_far_ahead_there_is_room(world: Any, day: Any, network: Any) -> None:
    """Days are known for some weeks; beyond them nothing is counted."""
    await limit(world, network, units=1)
    for in_days in range(80):
        await world.busy("a", in_days, 1)
    assert day(30) < cheapest(await world.promise(("cup", 1))).shipments[0].ship_on < day(80)


class SlowBook(MemoryLoadBook):
    """A book of load that answers a moment later, and counts how often it was asked."""

    asked = 0

    async def read(self, first_day: int, days: int) -> Sequence[Use]:
        self.asked += 1
        await asyncio.sleep(0)
        return await super().read(first_day, days)


async def test_a_page_of_the_network_before_does_not_stop_the_load(world: Any, network: Any) -> None:
    """A node gets a capacity while a product page still answers by the network without one.

    Seeded bug: whether a network has limits is kept beside the load of another.
    """
    before = await world.reference.current()
    await limit(world, network, parcels=2)
    after, book = await world.reference.current(), SlowBook(world.clock, no_orders)
    room, first_day = Room(book, lambda: 0.0, 0.0), TODAY.toordinal()
    await asyncio.gather(room.at(after, first_day), room.at(before, first_day))
    await book.put("res_1", [Use("a", first_day + 3, 1, 1)])
    load = await room.at(after, first_day)
    assert load.parcels[load.row[after.network.index["a"]], 3] == 1


async def test_promises_of_one_moment_read_the_load_once(world: Any, network: Any) -> None:
    """Seeded bug: each that finds the load old reads it, and a busy store is asked so many times more."""
    await limit(world, network, parcels=2)
    view, book = await world.reference.current(), SlowBook(world.clock, no_orders)
    now = [0.0]
    room, first_day = Room(book, lambda: now[0], 0.25), TODAY.toordinal()
    for at in (0.0, 0.25):
        now[0] = at
        await asyncio.gather(*(room.at(view, first_day) for _ in range(32)))
    assert book.asked == 2


async def test_one_who_goes_away_takes_the_load_from_nobody(world: Any, network: Any) -> None:
    """Seeded bug: the read belongs to whoever asked first, and ends with it."""
    await limit(world, network, parcels=2)
    view, book = await world.reference.current(), SlowBook(world.clock, no_orders)
    room, first_day = Room(book, lambda: 0.0), TODAY.toordinal()
    first, second = (asyncio.create_task(room.at(view, first_day)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).parcels.shape[0] == 1
