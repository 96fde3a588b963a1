"""Windows worked out by hand: over clocks that change, cut-offs and lead times; and what is wrong with a slot."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.network.checks import check_network
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from engine.network.slots import Slots, Window

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")


def slots_of(document: dict[str, Any], *slots: dict[str, Any]) -> Slots:
    network = NetworkDocument.model_validate(document | {"slots": list(slots)})
    assert check_network(network) == []
    found = compile_network(network, 1).slots
    assert found is not None
    return found


def evening(**more: Any) -> dict[str, Any]:
    return {"slot": "evening", "node_id": "dc-east", "from": "18:00", "to": "20:00", "capacity": 5, **more}


def window(slots: Slots, day: str) -> Window:
    found = slots.window(0, date.fromisoformat(day).toordinal())
    assert found is not None
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ("2026-03-07", "2026-03-07 23:00", "2026-03-08 01:00"),  # New York is 5 hours behind
        ("2026-03-08", "2026-03-08 22:00", "2026-03-09 00:00"),  # clocks went forward at 2:00: 4 hours
        ("2026-10-31", "2026-10-31 22:00", "2026-11-01 00:00"),
        ("2026-11-01", "2026-11-01 23:00", "2026-11-02 01:00"),  # and back at 2:00
        ("2028-02-29", "2028-02-29 23:00", "2028-03-01 01:00"),
    ],
)
def test_a_window_has_the_times_of_day_of_its_node(document: Any, day: str, begins: str, ends: str) -> None:
    found = window(slots_of(document, evening()), day)
    assert (found.begins, found.ends) == (utc(begins), utc(ends))
    assert found.slot_id == f"evening@{day}"


@pytest.mark.parametrize(
    ("times", "begins", "ends"),
    [
        (("01:00", "04:00"), "2026-03-08 06:00", "2026-03-08 08:00"),  # 2 hours of 3
        (("02:30", "04:00"), "2026-03-08 07:00", "2026-03-08 08:00"),  # from when the clocks jump to 3:00
        (("01:00", "02:30"), "2026-03-08 06:00", "2026-03-08 07:00"),
        (("02:00", "03:00"), None, None),  # is not there on that day
    ],
)
def test_the_hour_that_is_left_out(document: Any, times: tuple[str, str], begins: str | None, ends: str | None) -> None:
    slots = slots_of(document, evening(**{"from": times[0], "to": times[1]}))
    found = slots.window(0, date(2026, 3, 8).toordinal())
    assert (None if found is None else (found.begins, found.ends)) == (
        None if begins is None or ends is None else (utc(begins), utc(ends))
    )
    assert (slots.find("evening@2026-03-08") is None) == (begins is None)


@pytest.mark.parametrize(
    ("times", "begins", "ends"),
    [
        (("00:30", "01:30"), "2026-11-01 04:30", "2026-11-01 05:30"),  # the first of the two
        (("01:00", "02:00"), "2026-11-01 05:00", "2026-11-01 07:00"),  # two hours
        (("01:30", "03:00"), "2026-11-01 05:30", "2026-11-01 08:00"),
    ],
)
def test_the_hour_that_comes_twice(document: Any, times: tuple[str, str], begins: str, ends: str) -> None:
    found = window(slots_of(document, evening(**{"from": times[0], "to": times[1]})), "2026-11-01")
    assert (found.begins, found.ends) == (utc(begins), utc(ends))


@pytest.mark.parametrize(
    ("rule", "closes"),
    [
        ({}, "2026-03-08 22:00"),  # when it begins
        ({"lead_minutes": 240}, "2026-03-08 18:00"),
        ({"lead_minutes": 24 * 60}, "2026-03-07 22:00"),  # 24 hours that pass: at 17:00, as a night hour is left out
        ({"cut_off": "18:00", "cut_off_days": 1}, "2026-03-07 23:00"),  # the day before by the clock
        ({"cut_off": "12:00"}, "2026-03-08 16:00"),
        ({"cut_off": "12:00", "lead_minutes": 480}, "2026-03-08 14:00"),  # the earlier of both
        ({"cut_off": "19:00"}, "2026-03-08 22:00"),  # never after it begins
    ],
)
def test_a_window_closes_before_it_begins(document: Any, rule: dict[str, Any], closes: str) -> None:
    found = window(slots_of(document, evening(**rule)), "2026-03-08")
    assert found.closes == utc(closes)
    assert found.is_open(utc(closes)) is False
    assert found.is_open(utc(closes).replace(year=2025)) is True


def test_windows_of_deliveries_from_anywhere_have_a_time_zone_of_their_own(document: Any) -> None:
    slot = {"slot": "berlin", "service": "ground", "time_zone": "Europe/Berlin", "from": "08:00", "to": "10:00"}
    found = window(slots_of(document, slot | {"capacity": 1, "fee_cents": 490}), "2026-03-29")
    assert found.begins == utc("2026-03-29 06:00")  # summer time began there that night
    assert (found.fee_cents, found.begins.astimezone(found.time_zone).isoformat()) == (490, "2026-03-29T08:00:00+02:00")


def test_a_window_is_there_on_its_weekdays_only_and_known_by_its_name(document: Any) -> None:
    slots = slots_of(document, evening(days=["sat", "sun"]))
    assert slots.window(0, date(2026, 3, 6).toordinal()) is None
    assert slots.find("evening@2026-03-07") == (0, date(2026, 3, 7).toordinal())
    for unknown in ("evening@2026-03-06", "morning@2026-03-07", "evening@7", "evening@20260307", "evening", "@", ""):
        assert slots.find(unknown) is None


@pytest.mark.parametrize(
    ("time_zone", "day"),
    [("Pacific/Auckland", "0001-01-01"), ("America/New_York", "0001-01-01"), ("America/New_York", "9999-12-31")],
)
def test_the_first_and_last_days_that_there_are_have_no_windows(document: Any, time_zone: str, day: str) -> None:
    """Seeded bug: an instant before the first or after the last is an error of the server."""
    slots = slots_of(document, evening(node_id=None, service="ground", time_zone=time_zone, lead_minutes=60 * 24))
    assert slots.find(f"evening@{day}") is None


def test_windows_may_be_booked_so_many_days_ahead_as_their_own_calendar_has_them(document: Any) -> None:
    slots = slots_of(document, evening(open_days=2))
    days = slots.days(0, utc("2026-03-05 03:00"))  # still the 4th in New York
    assert [date.fromordinal(day).day for day in days] == [4, 5, 6]


def test_areas_are_countries_and_prefixes(document: Any) -> None:
    areas = [{"country": "US", "postal_prefixes": ["100", "11"]}, {"country": "CA"}]
    rule = slots_of(document, evening(service="ground", areas=areas)).rules[0]
    assert [rule.suits("US", code) for code in ("10001", "11 201", "112", "101", None)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert (rule.suits("CA", None), rule.suits("CA", "M5V"), rule.suits(None, "10001")) == (True, True, False)


@pytest.mark.parametrize(
    ("spoiled", "path", "message"),
    [
        ({"to": "18:00"}, "$.slots[0].to", "ends at 18:00, not after 18:00"),
        ({"cut_off_days": 1}, "$.slots[0].cut_off_days", "needs a cut_off"),
        ({"node_id": "dc-eats"}, "$.slots[0].node_id", "did you mean 'dc-east'?"),
        ({"service": "grund"}, "$.slots[0].service", "did you mean 'ground'?"),
        ({"service": "ground", "time_zone": "Europe/Berlim"}, "$.slots[0].time_zone", "did you mean 'Europe/Berlin'?"),
        ({"node_id": None}, "$.slots[0]", "is of nobody"),
        ({"node_id": None, "service": "ground"}, "$.slots[0]", "has times of nowhere"),
        ({"time_zone": "UTC"}, "$.slots[0].time_zone", "is for deliveries"),
        ({"areas": [{"country": "US"}]}, "$.slots[0].areas", "is for deliveries"),
        ({"node_id": "shop-west", "service": "van"}, "$.slots[0].service", "is not among the services of 'shop-west'"),
        ({"service": "shuttle"}, "$.slots[0].service", "brings parcels to stores"),
        ({"node_id": "shop-west", "days": ["mon", "sun"]}, "$.slots[0].days", "opening hours of 'shop-west' on sun"),
    ],
)
def test_a_slot_that_does_not_fit_is_named(document: Any, spoiled: dict[str, Any], path: str, message: str) -> None:
    ground = document["services"][0]
    document["services"] += [ground | {"service": "van"}]
    document["services"] += [ground | {"service": "shuttle", "service_level": "ship_to_store"}]
    week = ["mon", "tue", "wed", "thu", "fri", "sat"]
    document["nodes"][1]["store_pickup"] = {"hours": [{"days": week, "from": "10:00", "to": "20:00"}]}
    sound = NetworkDocument.model_validate(document | {"slots": [evening(), evening(slot="other", service="van")]})
    assert check_network(sound) == []
    found = check_network(NetworkDocument.model_validate(document | {"slots": [evening(**spoiled)]}))
    assert [fault.path for fault in found] == [path]
    assert message in found[0].message


def test_a_name_is_given_once(document: Any) -> None:
    (fault,) = check_network(NetworkDocument.model_validate(document | {"slots": [evening(), evening()]}))
    assert (fault.path, "already at $.slots[0]" in fault.message) == ("$.slots[1].slot", True)
