"""Dates that were learned from history, by cases that can be added up by hand (the world is described in conftest.py).

What was learned there: `ground` takes 3 days from order to delivery in the middle, a day more or less at P10 and P90,
and half a day more each at P75; parcels to far places take 2 days longer. `air` has no history.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from engine.calibration.lead_times import LeadTimes
from engine.calibration.learned import LearnedDocument, check_learned
from engine.delivery.day_tables import no_load
from engine.delivery.learned import Known
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from engine.promising.model import Option, Promise
from solvers.promise_dates import PROMISED, Days, learned_arrivals

FAR_FROM_A = {"latitude": 40.0, "longitude": -85.0}


def learned_document() -> dict[str, Any]:
    return {
        "version": 1,
        "shipments": 500,
        "service_ids": ["ground"],
        "levels": [0.1, 0.5, 0.75, 0.9],
        "center_days": 3.0,
        "scale_days": 1.0,
        "spread_ratio": 0.8,
        "bins": {"distance_km": [], "weight_g": [], "location_days": []},
        "location": [{"fields": ["zone"], "unseen_variance": 0.0, "groups": [["near", 0.0, 0.0], ["far", 2.0, 0.0]]}],
        "scale": [],
        "shapes": [[-1.0, 0.0, 0.5, 1.0]],
        "shape_of": [],
    }


@pytest.fixture
def learned() -> dict[str, Any]:
    return learned_document()


def by_label(promise: Promise) -> dict[str, Option]:
    return {label: option for option in promise.options for label in option.labels}


async def test_a_promise_takes_its_dates_from_history_where_there_is_some(world: Any, day: Any, learned: Any) -> None:
    await world.learn(learned)
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    ground, air = by_label(promise)["cheapest"], by_label(promise)["fastest"]
    assert (ground.promised_on, ground.confidence, ground.dates_from) == (day(4), 0.9, "history")
    assert (ground.delivery.p50, ground.delivery.p90) == (day(3), day(4))
    assert ground.shipments[0].ship_on == day(0)
    assert ground.shipments[0].dates_from == "history"
    assert (air.promised_on, air.dates_from, air.delivery.p50) == (day(1), "rate_card", day(1))


async def test_the_policy_says_what_share_is_to_be_on_time(world: Any, day: Any, network: Any, learned: Any) -> None:
    learned["scale_days"] = 4.0
    await world.learn(learned)
    await world.stock(("a", "cup", 5))
    for quantile, promised in ((0.5, 3), (0.75, 5), (0.9, 7)):
        network["policy"]["promise_quantile"] = quantile
        await world.put_network(network)
        ground = by_label(await world.promise(("cup", 1), service_levels=("standard",)))["cheapest"]
        assert (ground.promised_on, ground.confidence) == (day(promised), quantile)
        assert (ground.delivery.p50, ground.delivery.p90) == (day(3), day(7))


async def test_the_policy_may_keep_to_the_rate_card(world: Any, day: Any, network: Any, learned: Any) -> None:
    await world.learn(learned)
    network["policy"]["dates_from"] = "rate_card"
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert (ground.promised_on, ground.dates_from) == (day(2), "rate_card")


async def test_what_was_learned_last_counts_from_the_next_promise_on(world: Any, day: Any, learned: Any) -> None:
    await world.stock(("a", "cup", 5))
    dates = []
    for center in (None, 3.0, 9.0):
        if center is not None:
            await world.learn(learned | {"center_days": center})
        dates.append(by_label(await world.promise(("cup", 1)))["cheapest"].promised_on)
    assert dates == [day(2), day(4), day(10)]


async def test_an_option_of_learned_and_other_dates_says_so(world: Any, day: Any, learned: Any) -> None:
    """Cups go by ground and a heavy kit of trays by air, which has no history: the date of the order is the later."""
    await world.learn(learned)
    network = (await world.networks.current()).document.model_dump(mode="json", by_alias=True)
    network["nodes"][0]["services"], network["nodes"][2]["services"] = ["ground"], ["air"]
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("shop", "tray", 5))
    (option,) = (await world.promise(("cup", 1), ("tray", 1))).options
    assert option.dates_from == "rate_card"
    assert [(parcel.dates_from, parcel.delivery.p90) for parcel in option.shipments] == [
        ("history", day(4)),
        ("rate_card", day(1)),
    ]
    assert (option.promised_on, option.delivery.p50) == (day(4), day(3))


async def test_need_by_is_compared_with_the_promised_day(world: Any, day: Any, learned: Any) -> None:
    await world.learn(learned)
    await world.stock(("a", "cup", 5))
    ground = {"service_levels": ("standard",)}
    assert (await world.promise(("cup", 1), need_by=day(4), **ground)).options
    late = await world.promise(("cup", 1), need_by=day(3), **ground)
    assert (late.unavailable[0].reason, late.unavailable[0].available_on) == ("after_need_by", day(4))


async def test_units_that_come_later_count_as_ordered_on_the_day_they_come(world: Any, day: Any, learned: Any) -> None:
    await world.learn(learned)
    await world.supply("a", "cup", 5, in_days=6)
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert (ground.shipments[0].ship_on, ground.promised_on) == (day(6), day(10))


async def test_a_zone_that_history_does_not_know_gets_an_honest_wider_date(world: Any, day: Any, learned: Any) -> None:
    """Its location is that of all; a variance of 25 with 0.8 of it as scale makes √(1 + 16) = 4.1 days of 1."""
    learned["location"][0] |= {"unseen_variance": 25.0, "groups": [["near", 0.0, 0.0]]}
    await world.learn(learned)
    await world.stock(("b", "cup", 5))
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert (ground.delivery.p50, ground.promised_on) == (day(3), day(7))


async def test_weekdays_of_the_order_are_those_of_the_node(world: Any, day: Any, learned: Any) -> None:
    """Wednesday 4 March 2026 is day 6 of the weeks that begin on Thursday 1 January 1970."""
    weekday = {"fields": ["weekday"], "unseen_variance": 0.0, "groups": [[6, 2.0, 0.0], [0, 1.0, 0.0]]}
    learned["location"].append(weekday)
    await world.learn(learned)
    await world.stock(("a", "cup", 5))
    assert by_label(await world.promise(("cup", 1)))["cheapest"].promised_on == day(6)


async def test_nothing_arrives_later_because_it_leaves_earlier(world: Any, day: Any, learned: Any) -> None:
    """History says 9 days for an order of Wednesday and 4 for one of Thursday: Wednesday's may wait for Thursday."""
    weekday = {"fields": ["weekday"], "unseen_variance": 0.0, "groups": [[6, 5.0, 0.0], [0, 0.0, 0.0]]}
    learned["location"].append(weekday)
    await world.learn(learned)
    await world.stock(("a", "cup", 5))
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert (ground.shipments[0].ship_on, ground.promised_on) == (day(0), day(5))


async def test_days_off_of_the_carrier_on_the_way_are_added(world: Any, day: Any, network: Any, learned: Any) -> None:
    """It would arrive on day 4; the carrier rests on days 2, 3 and 4, and brings it three days later."""
    await world.learn(learned)
    network["calendars"].append(
        network["calendars"][0] | {"calendar": "carrier", "holidays": [str(day(2)), str(day(3)), str(day(4))]}
    )
    network["services"][0]["calendar"] = "carrier"
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    assert by_label(await world.promise(("cup", 1)))["cheapest"].promised_on == day(7)


async def test_an_order_that_waits_for_the_node_counts_from_the_day_that_leads_there(
    world: Any, day: Any, network: Any, learned: Any
) -> None:
    """With two days of processing an order of Wednesday leaves on Friday; the node is closed until Tuesday (day 5).

    Processing begins on day 6, so the parcel leaves on day 8, as one ordered on day 6 would in an ordinary week.
    """
    await world.learn(learned)
    network["nodes"][0] |= {"processing_days": 2, "closures": [{"from": str(day(0)), "to": str(day(5))}]}
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert (ground.shipments[0].ship_on, ground.promised_on) == (day(8), day(6 + 4))


async def test_a_parcel_never_arrives_before_it_leaves(world: Any, day: Any, learned: Any) -> None:
    await world.learn(learned | {"center_days": -5.0})
    await world.stock(("a", "cup", 5))
    ground = by_label(await world.promise(("cup", 1)))["cheapest"]
    assert ground.promised_on == ground.delivery.p50 == ground.shipments[0].ship_on == day(0)


# The arrays against the learned file, asked as docs/reference/calibration.md describes it.

IDS = {"node": ("a", "b", "elsewhere"), "service": ("ground", "air", "sea"), "zone": ("near", "far", "moon")}
SIZES = {"weekday": 7, "hour": 24, "distance": 5, "weight": 5, "level": 4}
PLACES: tuple[tuple[str, ...], ...] = (
    ("service",),
    ("node",),
    ("zone",),
    ("node", "service"),
    ("service", "zone"),
    ("node", "service", "zone"),
)
LOCATION = (*PLACES, ("weekday",), ("distance",), ("weight",), ("hour",), ("service", "weekday"))


def random_document(rng: np.random.Generator) -> dict[str, Any]:
    """Some of the groups that there can be, with ids that the network does not have among them."""

    def keys(fields: tuple[str, ...]) -> list[list[str | int]]:
        found: list[list[str | int]] = [[]]
        for name in fields:
            values = IDS[name] if name in IDS else range(SIZES[name])
            found = [[*key, value] for key in found for value in values]
        return [key for key in found if rng.random() < 0.6]

    def effects(fields: tuple[str, ...], drifts: bool) -> dict[str, Any]:
        groups = [[*key, float(rng.normal(0, 1.5)), float(rng.uniform(0, 0.5))] for key in keys(fields)]
        return {"fields": fields, "drifts": drifts, "unseen_variance": float(rng.uniform(0, 1)), "groups": groups}

    def factors(fields: tuple[str, ...]) -> dict[str, Any]:
        return {"fields": fields, "groups": [[*key, float(rng.normal(0, 0.4))] for key in keys(fields)]}

    shapes = np.sort(rng.normal(0, 1.5, (6, 5)), axis=1).tolist()
    shaped = (PLACES[0], PLACES[3], PLACES[5])
    return {
        "version": 1,
        "shipments": 1,
        "service_ids": ["ground", "air"],
        "levels": [0.05, 0.3, 0.5, 0.9, 0.99],
        "center_days": float(rng.uniform(1, 6)),
        "scale_days": float(rng.uniform(0, 2)),
        "spread_ratio": float(rng.uniform(0.5, 1)),
        "bins": {
            "distance_km": [100.0, 500.0, 900.0],
            "weight_g": [300.0, 900.0, 2000.0],
            "location_days": [2.0, 4.0],
        },
        "location": [effects(fields, False) for fields in LOCATION if rng.random() < 0.8]
        + [effects(fields, True) for fields in ((), ("service",), ("node", "service")) if rng.random() < 0.8],
        "scale": [factors(fields) for fields in (*LOCATION, ("level",)) if rng.random() < 0.6],
        "shapes": shapes,
        "shape_of": [
            {"fields": fields, "groups": [[*key, int(rng.integers(6))] for key in keys(fields)]} for fields in shaped
        ],
    }


@pytest.mark.parametrize("seed", range(40))
def test_the_arrays_say_what_the_learned_file_says(seed: int, network: dict[str, Any]) -> None:
    """Every day is worked, so a parcel leaves on the day it is ordered; the least over waiting is taken here too."""
    rng = np.random.default_rng(seed)
    document = random_document(rng)
    assert check_learned(LearnedDocument.model_validate(document)) == []
    lead_times = LeadTimes(document)
    compiled = compile_network(NetworkDocument.model_validate(network), 1)
    now = datetime(2026, 3, 4, int(rng.integers(9, 19)), 30, tzinfo=UTC)
    network_days = NetworkDays(compiled)
    today = network_days.at(now)
    tables = today.calendars
    learned = Known(compiled, lead_times, network_days.ordinary(now)).at(today, network_days.ordinary(now))
    days = Days(
        tables.first_day,
        today.ready,
        tables.pair,
        tables.common,
        compiled.calendar_of_service.copy(),
        tables.before,
        tables.nth,
        learned,
        no_load(3),
    )
    zone_names = [entry.zone for entry in compiled.document.zones]
    for _ in range(40):
        service, node, zone = int(rng.integers(2)), int(rng.integers(3)), int(rng.integers(2))
        distance_km, weight_g = float(rng.uniform(0, 1200)), float(rng.uniform(0, 3000))
        first = date.fromordinal(int(today.local_day[node]))
        ship_day = first + timedelta(days=int(rng.integers(0, 5)))
        weight_bin = int(np.searchsorted(learned.weight_ends, weight_g))
        trip = np.array([[service, node, zone, weight_bin, ship_day.toordinal(), PROMISED]])
        found = learned_arrivals(days, trip, np.full(3, distance_km))[0]
        best: date | None = None
        for wait in range(14):
            ordered = ship_day + timedelta(days=wait)
            hour = int(today.local_hour[node]) if ordered == first else 0
            lane = lead_times.lane(
                compiled.node_ids[node],
                compiled.services[service],
                zone_names[zone],
                datetime(ordered.year, ordered.month, ordered.day, hour),
                distance_km=distance_km,
                weight_g=weight_g,
            )
            arrives = ordered + timedelta(days=lead_times.days(lane, 0.9))
            best = arrives if best is None else min(best, arrives)
        assert date.fromordinal(found) == best
