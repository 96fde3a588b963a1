"""Golden cases of promised days, each worked by hand with a calendar at its side.

The business of every case: warehouse `a` at 40° N 75° W, `b` 850 km west of it; `ground` takes two days near by and
four far away, `air` one, all seven days of the week, unless the case says otherwise.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.promising.model import Destination, Option, Promise

NEW_YORK = ZoneInfo("America/New_York")
GROUND = {"service_levels": ("standard",)}
NEAR_A = Destination(latitude=40.0, longitude=-75.0)


def at(world: Any, text: str, zone: Any = NEW_YORK, fold: int = 0) -> None:
    """Set the clock to a wall clock somewhere."""
    moment = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)
    world.clock.advance(moment - world.clock.now())


def only(promise: Promise) -> Option:
    (option,) = promise.options
    return option


async def dates(world: Any, *lines: tuple[str, int], **more: Any) -> tuple[date, date]:
    """The days on which the only option leaves and arrives, by ground."""
    option = only(await world.promise(*(lines or (("cup", 1),)), **(GROUND | more)))
    return min(parcel.ship_on for parcel in option.shipments), option.promised_on


async def put(world: Any, network: Any, *, a: dict[str, Any], calendar: dict[str, Any] | None = None) -> None:
    """Put the network with changes to node a and to its calendar."""
    network["nodes"][0] |= a
    if calendar is not None:
        network["calendars"].append(calendar | {"calendar": "own"})
        network["nodes"][0]["calendar"] = "own"
    await world.put_network(network)
    await world.stock(("a", "cup", 90))


WEEKDAYS = {"working_days": ["mon", "tue", "wed", "thu", "fri"]}


# Across midnight.


async def test_a_cut_off_just_before_midnight_divides_the_evening(world: Any, network: Any) -> None:
    await put(world, network, a={"cut_off": "23:30"})
    at(world, "2026-03-04T23:29:59")
    assert await dates(world) == (date(2026, 3, 4), date(2026, 3, 6))
    at(world, "2026-03-04T23:30:00")
    assert await dates(world) == (date(2026, 3, 5), date(2026, 3, 7))
    at(world, "2026-03-05T00:00:00")
    assert await dates(world) == (date(2026, 3, 5), date(2026, 3, 7))


async def test_a_cut_off_at_midnight_is_that_of_the_day_before(world: Any, network: Any) -> None:
    """Whoever orders at 00:00 or later has missed that day; so every order leaves on the next."""
    await put(world, network, a={"cut_off": "00:00"})
    at(world, "2026-03-04T00:00:00")
    assert await dates(world) == (date(2026, 3, 5), date(2026, 3, 7))
    at(world, "2026-03-04T23:59:59")
    assert await dates(world) == (date(2026, 3, 5), date(2026, 3, 7))


# Time zones.


async def test_each_node_has_its_own_day_and_its_own_cut_off(world: Any, network: Any) -> None:
    """04:30 UTC on 5 March is 23:30 and 20:30 of the 4th in New York and Los Angeles, past 15:00; and 13:30 in Tokyo.

    So New York and Los Angeles ship on the 5th, and Tokyo does on the 5th too, its own.
    """
    for zone, ships in (("America/New_York", 5), ("America/Los_Angeles", 5), ("Asia/Tokyo", 5)):
        network["nodes"][0]["time_zone"] = zone
        await put(world, network, a={})
        at(world, "2026-03-05T04:30:00", UTC)
        assert await dates(world) == (date(2026, 3, ships), date(2026, 3, ships + 2))
    at(world, "2026-03-05T06:00:00", UTC)  # 15:00 in Tokyo
    assert await dates(world) == (date(2026, 3, 6), date(2026, 3, 8))


async def test_the_day_at_the_destination_is_that_of_its_own_zone(world: Any, network: Any) -> None:
    """The cut-off of New York (15:00, UTC−5) strikes at 05:00 of the next day in Tokyo, at 12:00 in Los Angeles."""
    await put(world, network, a={})
    at(world, "2026-03-04T10:00:00")
    for zone, arrives in (("Asia/Tokyo", 7), ("America/Los_Angeles", 6), (None, 6)):
        to = Destination(latitude=40.0, longitude=-75.0, time_zone=zone)
        assert await dates(world, to=to) == (date(2026, 3, 4), date(2026, 3, arrives))


# Both switches of daylight saving.


async def test_in_spring_the_cut_off_comes_an_hour_earlier_by_utc(world: Any, network: Any) -> None:
    """On Sunday 8 March New York goes from UTC−5 to UTC−4: 15:00 is 20:00 UTC on the 7th and 19:00 UTC on the 8th."""
    await put(world, network, a={})
    for moment, ships in (
        ("2026-03-07T19:59:59", 7),
        ("2026-03-07T20:00:00", 8),
        ("2026-03-08T18:59:59", 8),
        ("2026-03-08T19:00:00", 9),
    ):
        at(world, moment, UTC)
        assert await dates(world) == (date(2026, 3, ships), date(2026, 3, ships + 2))


async def test_in_autumn_the_cut_off_comes_an_hour_later_by_utc(world: Any, network: Any) -> None:
    """On Sunday 1 November New York goes back to UTC−5: 15:00 is 19:00 UTC on 31 October, 20:00 UTC on the 1st."""
    await put(world, network, a={})
    for moment, ships in (
        ("2026-10-31T18:59:59", date(2026, 10, 31)),
        ("2026-10-31T19:00:00", date(2026, 11, 1)),
        ("2026-11-01T19:59:59", date(2026, 11, 1)),
        ("2026-11-01T20:00:00", date(2026, 11, 2)),
    ):
        at(world, moment, UTC)
        assert await dates(world) == (ships, ships + timedelta(days=2))


async def test_a_cut_off_in_the_hour_that_is_left_out_passes_with_it(world: Any, network: Any) -> None:
    """On 8 March 02:30 does not come: after 01:59:59 it is 03:00."""
    await put(world, network, a={"cut_off": "02:30"})
    at(world, "2026-03-08T06:59:59", UTC)
    assert (await dates(world))[0] == date(2026, 3, 8)
    at(world, "2026-03-08T07:00:00", UTC)
    assert (await dates(world))[0] == date(2026, 3, 9)


async def test_a_cut_off_in_the_hour_that_comes_twice_passes_the_first_time(world: Any, network: Any) -> None:
    """On 1 November 01:30 comes at 05:30 UTC and again at 06:30 UTC; between them it is 01:10 once more."""
    await put(world, network, a={"cut_off": "01:30"})
    for moment, ships in (("05:29:59", 1), ("05:30:00", 2), ("06:10:00", 2), ("06:40:00", 2)):
        at(world, f"2026-11-01T{moment}", UTC)
        assert (await dates(world))[0] == date(2026, 11, ships)


async def test_a_destination_whose_clocks_change_on_another_day_keeps_its_date(world: Any, network: Any) -> None:
    """From 8 to 29 March New York is four hours behind Berlin's winter time plus one: 19:00 there is 00:00 in Berlin.

    The cut-off of 18:30 strikes at 23:30 of the same day in Berlin between the switches (UTC−4 against UTC+1), and at
    00:30 of the next day before and after them (six hours apart).
    """
    await put(world, network, a={"cut_off": "18:30"})
    to = Destination(latitude=40.0, longitude=-75.0, time_zone="Europe/Berlin")
    for day, shift in ((date(2026, 3, 5), 1), (date(2026, 3, 10), 0), (date(2026, 4, 1), 1)):
        at(world, f"{day}T12:00:00")
        assert await dates(world, to=to) == (day, day + timedelta(days=2 + shift))


# Leap days.


@pytest.mark.parametrize(("year", "arrives"), [(2028, date(2028, 3, 1)), (2027, date(2027, 3, 2))])
async def test_the_29th_of_february_is_a_day_where_there_is_one(
    world: Any, network: Any, year: int, arrives: date
) -> None:
    """From 28 February two days on: over the 29th to 1 March in a leap year, else to 2 March."""
    await put(world, network, a={})
    at(world, f"{year}-02-28T09:00:00")
    assert await dates(world) == (date(year, 2, 28), arrives)


async def test_a_closure_on_a_leap_day_waits_for_march(world: Any, network: Any) -> None:
    """After Monday's cut-off, with Tuesday 29 February 2028 closed, it leaves on 1 March."""
    await put(world, network, a={"closures": [{"from": "2028-02-29", "to": "2028-02-29"}]})
    at(world, "2028-02-28T15:00:00")
    assert await dates(world) == (date(2028, 3, 1), date(2028, 3, 3))


# Holidays that differ by region.


@pytest.mark.parametrize(
    ("country", "region", "moment", "ships"),
    [
        ("DE", "BY", "2026-01-06T09:00:00", date(2026, 1, 7)),  # Epiphany: Bavaria rests on this Tuesday,
        ("DE", "HH", "2026-01-06T09:00:00", date(2026, 1, 6)),  # Hamburg does not
        ("DE", None, "2026-01-06T09:00:00", date(2026, 1, 6)),
        ("DE", "HH", "2026-10-31T09:00:00", date(2026, 11, 2)),  # Reformation Day, a Saturday, in the north,
        ("DE", "BY", "2026-10-30T16:00:00", date(2026, 11, 2)),  # All Saints, a Sunday, in the south
        ("US", None, "2026-11-26T09:00:00", date(2026, 11, 27)),  # Thanksgiving
        ("US", "MA", "2026-04-20T09:00:00", date(2026, 4, 21)),  # Patriots' Day, Massachusetts only
        ("US", "NY", "2026-04-20T09:00:00", date(2026, 4, 20)),
        ("CA", "QC", "2026-06-24T09:00:00", date(2026, 6, 25)),  # Saint-Jean-Baptiste, Quebec only
        ("CA", "ON", "2026-06-24T09:00:00", date(2026, 6, 24)),
        ("GB", "SCT", "2026-01-02T09:00:00", date(2026, 1, 5)),  # 2 January, a Friday, Scotland only
        ("GB", "ENG", "2026-01-02T09:00:00", date(2026, 1, 2)),
    ],
)
async def test_a_node_rests_on_the_holidays_of_its_region(
    world: Any, network: Any, country: str, region: str | None, moment: str, ships: date
) -> None:
    await put(world, network, a={}, calendar=WEEKDAYS | {"country": country, "region": region})
    at(world, moment)
    assert (await dates(world))[0] == ships


async def test_a_holiday_of_the_carrier_alone_lies_in_transit(world: Any, network: Any) -> None:
    """Wednesday 23 December: two days of transit, Christmas off and the weekend after it: Monday the 28th."""
    network["calendars"].append(WEEKDAYS | {"calendar": "carrier", "country": "US"})
    network["services"][0]["calendar"] = "carrier"
    await put(world, network, a={})
    at(world, "2026-12-23T09:00:00")
    assert await dates(world) == (date(2026, 12, 23), date(2026, 12, 28))


async def test_node_and_carrier_wait_for_a_day_of_both(world: Any, network: Any) -> None:
    """Bavaria rests on Tuesday 6 January, the carrier comes on Mondays and Thursdays only: Thursday the 8th."""
    network["nodes"][0]["pick_ups"] = [{"service": "ground", "days": ["mon", "thu"]}]
    await put(world, network, a={}, calendar=WEEKDAYS | {"country": "DE", "region": "BY"})
    at(world, "2026-01-05T15:00:00")
    assert await dates(world) == (date(2026, 1, 8), date(2026, 1, 10))


# Need-by, and lines that belong together.


async def test_need_by_is_met_on_the_day_itself(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5))
    for last, levels in ((2, {"standard", "next_day"}), (1, {"next_day"}), (0, set[str]())):
        promise = await world.promise(("cup", 1), need_by=day(last))
        assert {option.service_level for option in promise.options} == levels
        assert all(option.promised_on <= day(last) for option in promise.options)


async def test_of_two_lines_in_two_parcels_the_later_is_promised(world: Any, day: Any) -> None:
    """Cups leave a today and arrive on day 2; saucers come to b on day 3 and take four days: day 7."""
    await world.stock(("a", "cup", 5))
    await world.supply("b", "saucer", 5, in_days=3)
    option = only(await world.promise(("cup", 1), ("saucer", 1), **GROUND))
    assert [(p.node_id, p.ship_on, p.delivery.p90) for p in option.shipments] == [
        ("a", day(0), day(2)),
        ("b", day(3), day(7)),
    ]
    assert option.promised_on == day(7)


async def test_two_lines_that_must_arrive_together_leave_with_the_later(world: Any, day: Any) -> None:
    """Both are at a, saucers from day 4 on: in one parcel both arrive on day 6, though the cup could on day 2."""
    await world.stock(("a", "cup", 5))
    await world.supply("a", "saucer", 5, in_days=4)
    option = only(await world.promise(("cup", 1), ("saucer", 1), max_shipments=1, ship_complete=True, **GROUND))
    assert [(p.ship_on, len(p.lines)) for p in option.shipments] == [(day(4), 2)]
    assert option.promised_on == day(6)
    assert only(await world.promise(("cup", 1), **GROUND)).promised_on == day(2)


async def test_together_in_one_parcel_or_split_and_sooner(world: Any, day: Any) -> None:
    """Cups are at a now, saucers at the shop, both at b from day 2 on.

    Split: 2 × 500 + 2 × 100 + 50 + 20 cents, on day 2. In one parcel from b, from far away: 900 + 100 + 20 cents, on
    day 6. Whole or nothing changes neither.
    """
    await world.stock(("a", "cup", 5), ("shop", "saucer", 5))
    await world.supply("b", "cup", 5, in_days=2)
    await world.supply("b", "saucer", 5, in_days=2)
    for whole in (False, True):
        promise = await world.promise(("cup", 1), ("saucer", 1), ship_complete=whole, **GROUND)
        found = {label: option for option in promise.options for label in option.labels}
        assert (found["fastest"].promised_on, found["fastest"].total_cost_cents) == (day(2), 1270)
        assert (found["fewest_shipments"].promised_on, found["fewest_shipments"].total_cost_cents) == (day(6), 1020)
    one = only(await world.promise(("cup", 1), ("saucer", 1), max_shipments=1, **GROUND))
    assert (one.promised_on, one.total_cost_cents) == (day(6), 1020)


async def test_whole_or_nothing_against_what_can_be_had(world: Any, day: Any) -> None:
    """Saucers come on day 4, too late for day 3: without them the cup arrives in time; whole, nothing does."""
    await world.stock(("a", "cup", 5))
    await world.supply("a", "saucer", 5, in_days=4)
    wanted = {"need_by": day(3), **GROUND}
    part = await world.promise(("cup", 1), ("saucer", 1), **wanted)
    assert [line.sku for parcel in only(part).shipments for line in parcel.lines] == ["cup"]
    assert [(line.sku, line.reason, line.available_on) for line in part.unavailable] == [
        ("saucer", "after_need_by", day(6))
    ]
    whole = await world.promise(("cup", 1), ("saucer", 1), ship_complete=True, **wanted)
    assert whole.options == ()
    assert {line.sku: line.reason for line in whole.unavailable} == {"cup": "incomplete", "saucer": "after_need_by"}
