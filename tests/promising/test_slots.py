"""Slots of promises, worked out by hand: free windows from the promised day on, and days that wait for one.

`van` brings from `shop` (111 km from the place) and `a` on the day after, for 300 cents, every day but Sunday 8 March.
Its windows: from `shop` mornings (8:00 to 10:00, two orders, to be booked by 18:00 on the day before) and evenings
(18:00 to 20:00, one order, 300 cents). It is Wednesday 4 March 2026, noon.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest_asyncio
from msgspec import UNSET, structs

from tests.promising.slot_windows import EVENING, HERE, MORNING, NEW_YORK, WEEK, book, ids, opened_shop, promised, slot


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    return await opened_shop(world, network)


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
