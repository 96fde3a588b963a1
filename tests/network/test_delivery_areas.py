"""The table of delivery areas against the rule itself, and what is refused of them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from engine.delivery.arrivals import arrival
from engine.errors import InvalidInput
from engine.network.checks import parse_network
from engine.network.days import NEVER, build_calendars
from engine.network.deliveries import delivery_days
from engine.network.delivery_areas import NO_AREA
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from solvers.promise_dates import transit

FIRST_DAY = datetime(2026, 12, 21, tzinfo=UTC).toordinal()
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def with_areas(document: dict[str, Any]) -> dict[str, Any]:
    """Saxony and the rest of Germany, which keep other holidays, and Dresden, where nobody works on Mondays."""
    document["calendars"] += [
        {"calendar": "de", "working_days": EVERY_DAY, "country": "DE"},
        {"calendar": "de-sn", "working_days": EVERY_DAY, "country": "DE", "region": "SN"},
        {"calendar": "dresden", "working_days": EVERY_DAY[1:]},
    ]
    document["delivery_areas"] = [
        {"country": "DE", "calendar": "de"},
        {"country": "DE", "postal_prefixes": ["01", "04", "08"], "calendar": "de-sn"},
        {"country": "DE", "postal_prefixes": ["010", "011"], "calendar": "dresden"},
    ]
    return document


def test_the_longest_prefix_says_whose_days_off_count(document: dict[str, Any]) -> None:
    network = compile_network(parse_network(json.dumps(with_areas(document)).encode()), 1)
    areas, names = network.delivery_areas, [entry.calendar for entry in network.calendars]
    assert areas is not None
    for country, code, calendar in [
        ("DE", "01099", "dresden"),
        ("DE", " 01159 ", "dresden"),
        ("DE", "01259", "de-sn"),
        ("DE", "04103", "de-sn"),
        ("DE", "10115", "de"),
        ("DE", None, "de"),
    ]:
        assert names[areas.calendar_at(country, code)] == calendar, code
    assert areas.calendar_at("AT", "1010") == areas.calendar_at(None, "01099") == NO_AREA


def test_a_network_without_areas_has_no_table(document: dict[str, Any]) -> None:
    assert compile_network(NetworkDocument.model_validate(document), 1).delivery_areas is None


def test_what_is_wrong_with_an_area_is_named(document: dict[str, Any]) -> None:
    with_areas(document)["delivery_areas"] += [
        {"country": "DE", "calendar": "de-be"},
        {"country": "DE", "postal_prefixes": ["99", "08", "99"], "calendar": "de"},
    ]
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode())
    assert [(fault.path, fault.message) for fault in refusal.value.faults] == [
        ("$.delivery_areas[3].calendar", "unknown calendar 'de-be'; did you mean 'de-sn'?"),
        ("$.delivery_areas[3].country", "all of DE is already at $.delivery_areas[0]; remove one of them"),
        ("$.delivery_areas[4].postal_prefixes[1]", "DE '08' is already at $.delivery_areas[1]; remove one of them"),
        (
            "$.delivery_areas[4].postal_prefixes[2]",
            "'99' is already at $.delivery_areas[4].postal_prefixes[0]; remove one of them",
        ),
    ]


def test_days_of_delivery_are_those_of_the_rule(document: dict[str, Any]) -> None:
    """Day by day in plain Python: under way on days of the service, delivered when the area works too.

    The kernel that dates promises and the arrays that date routing runs come to the same day.
    """
    rng = random.Random(5)
    document["services"] += [
        document["services"][0] | {"service": "weekend", "calendar": "daily"},
        document["services"][0] | {"service": "courier", "calendar": "daily", "delivers_on_days_off": True},
    ]
    with_areas(document)["calendars"].append(
        {"calendar": "odd", "working_days": ["sat", "sun", "wed"], "holidays": ["2026-12-26", "2026-12-30"]}
    )
    document["delivery_areas"].append({"country": "US", "calendar": "odd"})
    network = compile_network(parse_network(json.dumps(document).encode()), 1)
    calendars = build_calendars(network, FIRST_DAY)
    works = calendars.works
    for area in (NO_AREA, *range(2, len(network.calendars))):
        found = delivery_days(network, calendars, area)
        tables = (FIRST_DAY, found.before, found.nth)
        for service, name in enumerate(network.services):
            own = works[network.calendar_of_service[service]]
            both = own if area == NO_AREA or name == "courier" else own & works[area]
            for _ in range(60):
                start, transit_days = rng.randrange(90), rng.randrange(4)
                day, left = start, transit_days
                while left:
                    day += 1
                    left -= bool(own[day])
                while not both[day]:
                    day += 1
                row = int(found.calendar[service])
                expected = FIRST_DAY + day
                handed_over = FIRST_DAY + start
                arrays = arrival(*tables, np.array([row]), np.array([handed_over]), transit_days)
                kernel = transit(FIRST_DAY, found.before, found.nth, row, handed_over, transit_days)
                assert (int(arrays[0]), kernel) == (expected, expected), (area, name, start, transit_days)


def test_days_beyond_the_tables_never_come(document: dict[str, Any]) -> None:
    network = compile_network(NetworkDocument.model_validate(with_areas(document)), 1)
    found = delivery_days(network, build_calendars(network, FIRST_DAY), 2)
    last = FIRST_DAY + found.nth.shape[1] - 1
    wanted = np.array([NEVER, last + 1, last])
    days = arrival(FIRST_DAY, found.before, found.nth, found.calendar[[0, 0, 0]], wanted, 3)
    assert days.tolist() == [NEVER, NEVER, NEVER]
