"""Slots of promises, worked out by hand: free windows from the promised day on, and days that wait for one.

`van` brings from `shop` (111 km from the place) and `a` on the day after, for 300 cents, every day but Sunday 8 March.
Its windows: from `shop` mornings (8:00 to 10:00, two orders, to be booked by 18:00 on the day before) and evenings
(18:00 to 20:00, one order, 300 cents). It is Wednesday 4 March 2026, noon.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from msgspec import UNSET, structs

from engine.errors import InvalidInput, SlotClosed
from engine.inventory.slots import BookedSlot, WantedSlot
from engine.network.closures import NAME, closed_document
from engine.promising.model import Destination
from engine.promising.slot_list import SlotListService, SlotsAsked

NEW_YORK = ZoneInfo("America/New_York")
HERE = Destination(latitude=40.0, longitude=-75.0, country="US", postal_code="19104")


def slot(name: str, opens: str, closes: str, capacity: int = 1, **more: Any) -> dict[str, Any]:
    return {"slot": name, "node_id": "shop", "from": opens, "to": closes, "capacity": capacity, **more}


MORNING = slot("morning", "08:00", "10:00", 2, service="van", cut_off="18:00", cut_off_days=1, open_days=5)
EVENING = slot("evening", "18:00", "20:00", 1, service="van", fee_cents=300, open_days=5)
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    rates = [{"zone": "near", "max_weight_g": 5000, "cost_cents": 300, "transit_days": 1}]
    network["calendars"].append({"calendar": "van", "working_days": WEEK, "holidays": ["2026-03-08"]})
    van = {"service": "van", "carrier": "own", "service_level": "expedited", "calendar": "van", "rates": rates}
    network["services"].append(van)
    network["slots"] = [dict(MORNING), dict(EVENING)]
    await world.put_network(network)
    await world.stock(("shop", "cup", 50))
    return world


async def book(world: Any, name: str, day: int, times: int = 1, capacity: int = 99) -> None:
    """Take places of a window in March."""
    begins = datetime(2026, 3, day, 8, tzinfo=NEW_YORK)
    booked = BookedSlot(slot_id=f"{name}@2026-03-{day:02d}", begins=begins, ends=begins)
    wanted = WantedSlot(booked=booked, slot=name, day=date(2026, 3, day).toordinal(), capacity=capacity)
    for number in range(times):
        assert await world.slots.take(f"{name}-{day}-{number}", wanted, 3600) == "taken"


def ids(option: Any) -> list[str]:
    return [f"{found.slot_id.split('@')[0]} {found.day.day}" for found in option.slots]


async def promised(world: Any, **more: Any) -> Any:
    more = {"to": HERE, "service_levels": ("expedited",), **more}
    return await world.promise(("cup", 1), **more)


async def test_an_option_has_the_windows_of_its_day_and_the_next_ones(shop: Any) -> None:
    (option,) = (await promised(shop)).options
    assert (option.promised_on, ids(option)) == (
        date(2026, 3, 5),
        ["morning 5", "evening 5", "morning 6", "evening 6", "morning 7", "evening 7"],
    )
    first = option.slots[1]
    assert (first.begins, first.ends) == (
        datetime(2026, 3, 5, 18, tzinfo=NEW_YORK),
        datetime(2026, 3, 5, 20, tzinfo=NEW_YORK),
    )
    assert (first.slot_id, first.day, first.fee_cents) == ("evening@2026-03-05", date(2026, 3, 5), 300)
    assert option.total_cost_cents == 300 + 100 + 10


async def test_more_days_are_told_on_request_as_far_as_they_may_be_booked(shop: Any) -> None:
    """Five days ahead is Monday; Sunday 8 March is a holiday of the van."""
    (one,) = (await promised(shop, slot_days=1)).options
    assert ids(one) == ["morning 5", "evening 5"]
    (all_days,) = (await promised(shop, slot_days=60)).options
    assert [found.day.day for found in all_days.slots] == [5, 5, 6, 6, 7, 7, 9, 9]


async def test_a_day_without_a_free_window_is_not_promised(shop: Any) -> None:
    """The evening of the 5th is full, mornings close at 18:00 before. Seeded bug: the day of arrival as it is."""
    await book(shop, "evening", 5)
    (option,) = (await promised(shop)).options
    assert (option.promised_on, ids(option)[0]) == (date(2026, 3, 5), "morning 5")
    shop.clock.advance(timedelta(hours=6))  # 18:00, after the cut-off of the shop: it arrives on the 6th
    (option,) = (await promised(shop)).options
    assert option.promised_on == date(2026, 3, 6)
    await book(shop, "morning", 6, 2)
    await book(shop, "evening", 6)
    (option,) = (await promised(shop)).options
    assert (option.promised_on, ids(option)[:2]) == (date(2026, 3, 7), ["morning 7", "evening 7"])
    assert (option.delivery.p50, option.shipments[0].ship_on) == (date(2026, 3, 7), date(2026, 3, 5))


async def test_a_cut_off_on_the_day_before_closes_a_window(shop: Any, network: Any) -> None:
    """The shop ships until 23:00 here, so that what is ordered at 18:00 still arrives on the next day."""
    network["nodes"][2]["cut_off"] = "23:00"
    await shop.put_network(network)
    shop.clock.advance(timedelta(hours=5, minutes=59))
    (option,) = (await promised(shop, slot_days=1)).options
    assert (option.promised_on.day, ids(option)) == (5, ["morning 5", "evening 5"])
    shop.clock.advance(timedelta(minutes=1))
    (option,) = (await promised(shop, slot_days=1)).options
    assert (option.promised_on.day, ids(option)) == (5, ["evening 5"])
    await book(shop, "evening", 5)
    (option,) = (await promised(shop, slot_days=1)).options
    assert (option.promised_on.day, ids(option)) == (6, ["morning 6", "evening 6"])


async def test_on_the_day_the_clocks_change_windows_have_the_times_of_the_day(shop: Any, network: Any) -> None:
    """Sunday 8 March is worked here; at 2:00 it is 3:00. The morning begins 23 hours after that of Saturday."""
    network["calendars"][1]["holidays"] = []
    network["slots"] = [MORNING, EVENING, slot("night", "02:00", "03:00", service="van")]
    await shop.put_network(network)
    (option,) = (await promised(shop, slot_days=9)).options
    by_id = {found.slot_id: found for found in option.slots}
    saturday, sunday = (by_id[f"morning@2026-03-0{day}"] for day in (7, 8))
    assert sunday.begins - saturday.begins == timedelta(hours=24)  # as clocks show it
    assert sunday.begins.timestamp() - saturday.begins.timestamp() == 23 * 3600
    assert sunday.begins.isoformat() == "2026-03-08T08:00:00-04:00"
    assert "night@2026-03-07" in by_id
    assert "night@2026-03-08" not in by_id


async def test_a_full_van_gives_way_to_ground_where_that_is_sooner_or_cheaper(shop: Any, network: Any) -> None:
    """Seeded bug: slots looked at after the options are found, of which the van's beat those of ground at first.

    Ground takes two days for 500 cents, and has no slots. The van comes on the 5th; full until the 9th, it is the
    cheaper one still, and ground the faster.
    """
    free = await shop.promise(("cup", 1), to=HERE, service_levels=("standard", "expedited"))
    assert [(o.shipments[0].service, o.promised_on.day) for o in free.options] == [("van", 5)]
    for day in (5, 6, 7):
        await book(shop, "morning", day, 2)
        await book(shop, "evening", day)
    full = await shop.promise(("cup", 1), to=HERE, service_levels=("standard", "expedited"))
    assert [(o.shipments[0].service, o.promised_on.day) for o in full.options] == [("van", 9), ("ground", 6)]
    assert full.options[1].slots is UNSET
    assert full.options[1].labels == ("fastest",)


async def test_nothing_is_promised_where_every_window_is_full(shop: Any) -> None:
    for day in (5, 6, 7, 9):
        await book(shop, "morning", day, 2)
        await book(shop, "evening", day)
    promise = await promised(shop)
    assert promise.options == ()
    assert [(line.reason, line.available_on) for line in promise.unavailable] == [("no_slot", None)]
    late = await promised(shop, need_by=date(2026, 3, 20))
    assert [line.reason for line in late.unavailable] == ["no_slot"]


async def test_full_windows_are_what_stands_in_the_way_of_a_node(shop: Any) -> None:
    for day in (5, 6, 7, 9):
        await book(shop, "morning", day, 2)
        await book(shop, "evening", day)
    promise = await promised(shop, explain=True)
    standing = {node.node_id: (node.standing, node.binding) for node in promise.explanation.nodes}
    assert standing["shop"] == ("slot", "slot")
    assert standing["a"] == ("no_stock", "stock")


async def test_an_option_is_valid_until_the_last_window_of_its_day_closes(shop: Any, network: Any) -> None:
    """At 17:50 that of the morning closes in ten minutes, and the promise expires in fifteen."""
    network["nodes"][2]["cut_off"] = "23:00"
    await shop.put_network(network)
    (option,) = (await promised(shop)).options
    assert option.valid_until == datetime(2026, 3, 4, 12, 15, tzinfo=NEW_YORK)
    shop.clock.advance(timedelta(hours=5, minutes=50))
    (option,) = (await promised(shop)).options
    assert option.valid_until == datetime(2026, 3, 4, 18, 5, tzinfo=NEW_YORK)  # there is the evening
    await book(shop, "evening", 5)
    (option,) = (await promised(shop)).options
    assert (option.promised_on.day, option.valid_until) == (5, datetime(2026, 3, 4, 18, tzinfo=NEW_YORK))


async def test_a_window_that_would_be_too_late_is_named_with_its_day(shop: Any) -> None:
    for day in (5, 6):
        await book(shop, "morning", day, 2)
        await book(shop, "evening", day)
    promise = await promised(shop, need_by=date(2026, 3, 6))
    assert [(line.reason, line.available_on) for line in promise.unavailable] == [
        ("after_need_by", date(2026, 3, 7)),
    ]


async def test_windows_of_one_node_are_not_those_of_another(shop: Any, network: Any) -> None:
    """`a` has windows on Fridays only, `b` none, and costs and days are those of each."""
    network["slots"] += [slot("friday", "12:00", "14:00", 9, service="van", days=["fri"]) | {"node_id": "a"}]
    await shop.put_network(network)
    await shop.stock(("shop", "cup", 0), ("a", "cup", 5))
    (option,) = (await promised(shop)).options
    assert (option.shipments[0].node_id, option.shipments[0].service, option.promised_on.day) == ("a", "van", 6)
    assert ids(option) == ["friday 6"]
    await shop.stock(("shop", "cup", 5))
    first, *_ = (await promised(shop)).options
    assert (first.shipments[0].node_id, first.promised_on.day) == ("shop", 5)
    network["slots"] = network["slots"][2:]
    await shop.put_network(network)
    (date_only,) = (await promised(shop)).options
    assert (date_only.shipments[0].node_id, date_only.promised_on.day, date_only.slots) == ("shop", 5, UNSET)


async def test_parcels_that_share_no_window_are_no_option(shop: Any, network: Any) -> None:
    network["slots"] += [slot("noon", "12:00", "14:00", 9, service="van") | {"node_id": "a"}]
    await shop.put_network(network)
    await shop.stock(("a", "spoon", 5))
    lines = [("cup", 1), ("spoon", 1)]
    apart = await shop.promise(*lines, to=HERE, service_levels=("expedited",))
    assert apart.options == ()
    assert [line.reason for line in apart.unavailable] == ["no_slot", "no_slot"]
    shared = slot("city", "12:00", "14:00", 9, service="van", time_zone="America/New_York")
    del shared["node_id"]
    network["slots"].append(shared)
    await shop.put_network(network)
    together = await shop.promise(*lines, to=HERE, service_levels=("expedited",), slot_days=1)
    assert [(len(o.shipments), o.promised_on.day, ids(o)) for o in together.options] == [(2, 5, ["city 5"])]
    assert together.options[0].labels == ("cheapest", "fastest", "fewest_shipments")


async def test_windows_are_for_the_addresses_of_their_areas(shop: Any, network: Any) -> None:
    for entry in network["slots"]:
        entry["areas"] = [{"country": "US", "postal_prefixes": ["191"]}]
    await shop.put_network(network)
    (inside,) = (await promised(shop)).options
    (outside,) = (await promised(shop, to=structs.replace(HERE, postal_code="18000"))).options
    assert (ids(inside)[0], outside.slots) == ("morning 5", UNSET)


async def test_days_off_where_it_is_delivered_have_no_windows(shop: Any, network: Any) -> None:
    network["calendars"].append(
        {"calendar": "fair", "working_days": WEEK, "closures": [{"from": "2026-03-05", "to": "2026-03-06"}]}
    )
    network["delivery_areas"] = [{"country": "US", "postal_prefixes": ["191"], "calendar": "fair"}]
    await shop.put_network(network)
    (elsewhere,) = (await promised(shop, to=structs.replace(HERE, postal_code="18000"))).options
    (option,) = (await promised(shop)).options
    assert [found.day.day for found in elsewhere.slots] == [5, 5, 6, 6, 7, 7]
    assert [found.day.day for found in option.slots] == [7, 7, 9, 9]
    shop.clock.advance(timedelta(days=1))  # what may be booked is looked up anew: the 10th too
    (option,) = (await promised(shop, slot_days=9)).options
    assert [found.day.day for found in option.slots] == [7, 7, 9, 9, 10, 10]


async def test_a_closure_of_the_node_has_no_windows(shop: Any, network: Any) -> None:
    network["nodes"][2]["closures"] = [{"from": "2026-03-06", "to": "2026-03-06"}]
    await shop.put_network(network)
    (option,) = (await promised(shop)).options
    assert [found.day.day for found in option.slots] == [5, 5, 7, 7]


# Picking up.

PICKUP: dict[str, Any] = {"to": None, "pickup_node_id": "shop"}


@pytest_asyncio.fixture
async def counter(shop: Any, network: Any) -> Any:
    """Open from 10:00 to 18:00, picking takes 90 minutes; windows of an hour from 10:00, 13:00 and 16:00."""
    hours = [{"from": "10:00", "to": "18:00"}]
    network["nodes"][2]["store_pickup"] = {"hours": hours, "picking_minutes": 90}
    network["slots"] = [slot(f"at-{hour}", f"{hour}:00", f"{hour + 1}:00", open_days=3) for hour in (10, 13, 16)]
    rates = [{"zone": "near", "max_weight_g": 5000, "cost_cents": 200, "transit_days": 1}]
    shuttle = {"service": "shuttle", "carrier": "own", "service_level": "ship_to_store", "calendar": "daily"}
    network["services"].append(shuttle | {"rates": rates})
    await shop.put_network(network)
    return shop


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


# The list.


async def listed(world: Any, **asked: Any) -> list[str]:
    service = SlotListService(reference=world.reference, book=world.slots, clock=world.clock)
    found = await service.find(SlotsAsked(**asked))
    more = ["…"] if found.has_more else []
    return [f"{entry.slot_id[:-11]} {entry.day.day}: {entry.free}/{entry.capacity}" for entry in found.data] + more


async def test_windows_are_listed_with_what_is_free_full_ones_too(counter: Any) -> None:
    """Pages follow each other by the last window of the one before."""
    await book(counter, "at-13", 5)
    all_of_two = ["at-13 4: 1/1", "at-16 4: 1/1", "at-10 5: 1/1", "at-13 5: 0/1", "at-16 5: 1/1"]
    assert await listed(counter, node_id="shop", days=2) == all_of_two
    assert await listed(counter, node_id="shop", first_on=date(2026, 3, 5), days=1) == all_of_two[2:]
    assert await listed(counter, node_id="shop", days=2, limit=2) == [*all_of_two[:2], "…"]
    page = await listed(counter, node_id="shop", days=2, limit=3, starting_after="at-16@2026-03-04")
    assert page == all_of_two[2:]
    assert await listed(counter, node_id="a") == []


async def test_a_node_that_is_off_lists_no_windows_neither_for_pick_up_nor_of_deliveries(
    counter: Any, network: Any
) -> None:
    network["slots"].append(dict(MORNING))
    await counter.put_network(network)
    assert await listed(counter, service="van", first_on=date(2026, 3, 5), days=1) == ["morning 5: 2/2"]
    await counter.documents.put(NAME, closed_document(["shop"]))
    assert await listed(counter, node_id="shop", days=2) == []
    assert await listed(counter, service="van", first_on=date(2026, 3, 5), days=1) == []


async def test_deliveries_are_listed_by_service_by_node_and_by_address(shop: Any, network: Any) -> None:
    city = slot("city", "12:00", "14:00", 9, service="van", time_zone="America/New_York", areas=[{"country": "US"}])
    del city["node_id"]
    network["slots"].append(city)
    await shop.put_network(network)
    tomorrow: dict[str, Any] = {"first_on": date(2026, 3, 5), "days": 1}
    assert await listed(shop, service="van", **tomorrow) == ["morning 5: 2/2", "city 5: 9/9", "evening 5: 1/1"]
    assert await listed(shop, service="van", node_id="a", country="US", **tomorrow) == ["city 5: 9/9"]
    assert await listed(shop, country="CA", **tomorrow) == ["morning 5: 2/2", "evening 5: 1/1"]
    assert await listed(shop, service="ground", **tomorrow) == []
    assert await listed(shop, service="van", first_on=date(2026, 3, 8), days=1) == []  # a holiday


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({}, "query"),
        ({"node_id": "shob"}, "query.node_id"),
        ({"service": "vann"}, "query.service"),
        ({"node_id": "shop", "postal_code": "19104"}, "query.country"),
        ({"node_id": "shop", "starting_after": "morning"}, "query.starting_after"),
    ],
)
async def test_a_list_of_nobody_is_refused(shop: Any, asked: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await listed(shop, **asked)
    assert [fault.path for fault in refused.value.faults] == [path]
