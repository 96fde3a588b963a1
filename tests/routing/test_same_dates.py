"""Routing runs judge days as promises do: by what was learned, by calendars of nodes, carriers and places."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.availability.stock import StockReader
from engine.catalog.document import CatalogDocument
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.promising.model import Destination as PromisedTo
from engine.promising.model import PromiseRequest, WantedLine
from engine.routing.batch import build_batch
from engine.routing.run_model import RunRequest
from solvers.problem import ANY_LEVEL, UNREACHABLE
from solvers.promise_parcels import within_reach

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()
TODAY = date(2026, 11, 20)


async def hold_promised(world: World, node_id: str, promised_on: date) -> None:
    line = HoldLine(sku="MUG", quantity=1, node_id=node_id)
    today = {node_id: TODAY.toordinal()}
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,), promised_on=promised_on), today=today)


async def test_an_order_promised_by_learned_dates_is_not_upgraded(world: World) -> None:
    """By its rate card ground from the west takes until Wednesday; history says Monday, and so was promised.

    Catches a run that judges by the rate card: it sends the mug by air, at six times the price.
    """
    await world.count(west={"MUG": 1})
    await world.learn(3.0)
    option = (await world.promise({"MUG": 1})).options[0]
    assert (option.shipments[0].service, option.promised_on) == ("ground", date(2026, 11, 23))
    await hold_promised(world, "west", option.promised_on)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("west", "ground", "2026-11-20")]


async def test_an_order_is_upgraded_where_history_says_that_it_would_be_late(world: World) -> None:
    """The rate card has ground from the east on Monday, history on Wednesday. Catches the rate card being believed."""
    await world.count(east={"MUG": 1})
    await world.learn(5.0)
    await world.order("o1", {"MUG": 1}, need_by=date(2026, 11, 23))
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "air", "2026-11-20")]


async def test_a_policy_that_keeps_to_the_rate_card_goes_for_runs_too(
    world: World, network_document: dict[str, Any]
) -> None:
    network_document["policy"]["dates_from"] = "rate_card"
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1})
    await world.learn(5.0)
    await world.order("o1", {"MUG": 1}, need_by=date(2026, 11, 23))
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20")]


@pytest.mark.parametrize(("zone", "service"), [("Pacific/Auckland", "air"), (None, "ground")])
async def test_days_are_those_at_the_destination(
    world: World, network_document: dict[str, Any], zone: str | None, service: str
) -> None:
    """At the cut-off of the east on Friday it is Saturday in Auckland, so a courier that works daily comes a day later.

    Catches a run that counts the node's days: it believes that ground arrives on Saturday, in time.
    """
    network_document["calendars"].append(
        {"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    )
    for entry in network_document["services"]:
        entry["calendar"] = "daily"
    network_document["services"][0]["rates"][0]["transit_days"] = 1
    network_document["services"][1]["rates"][0]["transit_days"] = 0
    network_document["postal_codes"] = [
        {"country": "NZ", "postal_code": "1", "latitude": 40.8, "longitude": -73.9, "time_zone": zone}
    ]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1})
    place, lines = Destination(country="NZ", postal_code="1010"), (NewLine(sku="MUG", quantity=1),)
    need_by = date(2026, 11, 21)
    await world.orders.capture(NewOrder(order_id="o1", channel="web", destination=place, lines=lines, need_by=need_by))
    await world.runs().execute(ALL)
    assert [row[1] for row in await world.sourced("o1")] == [service]


def a_network(rng: random.Random) -> dict[str, Any]:
    """Return nodes and services of all kinds of days: closures, pick-ups, cut-offs, areas, zones of time."""
    calendars: list[dict[str, Any]] = [
        {"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"], "country": "US"},
        {"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        {"calendar": "odd", "working_days": ["mon", "wed", "sat"], "holidays": ["2026-11-23", "2026-11-28"]},
    ]
    names = [entry["calendar"] for entry in calendars]

    def node(number: int) -> dict[str, Any]:
        return {
            "node_id": f"n{number}",
            "kind": "dc",
            "latitude": rng.uniform(35, 45),
            "longitude": rng.uniform(-120, -70),
            "time_zone": rng.choice(["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"]),
            "calendar": rng.choice(names),
            "cut_off": rng.choice(["04:00", "09:30", "15:00", "23:00"]),
            "processing_days": rng.choice([0, 0, 1, 2]),
            "closures": rng.choice([[], [{"from": "2026-11-21", "to": "2026-11-24"}]]),
            "pick_ups": rng.choice([[], [{"service": "s1", "days": ["tue", "sat"], "cut_off": "08:00"}]]),
        }

    def service(name: str, level: str) -> dict[str, Any]:
        rates = [
            {"zone": zone, "max_weight_g": most, "cost_cents": 100, "transit_days": rng.randrange(5)}
            for zone in ("near", "middle", "far")
            for most in (1000, 5000)
        ]
        own = {"max_km": rng.choice([None, 900]), "delivers_on_days_off": rng.random() < 0.3}
        terms = {"service": name, "carrier": "acme", "service_level": level, "calendar": rng.choice(names)}
        return {**terms, **own, "rates": rates, "cut_off": rng.choice([None, "08:00"])}

    levels = ("standard", "expedited", "next_day")
    return {
        "nodes": [node(number) for number in range(4)],
        "calendars": calendars,
        "zones": [{"zone": "near", "max_km": 400}, {"zone": "middle", "max_km": 1500}, {"zone": "far", "max_km": None}],
        "services": [service(f"s{number}", level) for number, level in enumerate(levels)],
        "policy": {"promise_quantile": rng.choice([0.5, 0.9])},
        "delivery_areas": [{"country": "US", "postal_prefixes": ["9"], "calendar": "odd"}],
        "postal_codes": [
            {"country": "US", "postal_code": code, "latitude": 40, "longitude": -90, "time_zone": zone}
            for code, zone in (("1", None), ("2", "America/Chicago"), ("3", "Asia/Tokyo"), ("9", "America/New_York"))
        ],
    }


def some_history(rng: random.Random) -> dict[str, Any]:
    def groups(*keys: tuple[Any, ...]) -> list[list[Any]]:
        return [[*key, rng.uniform(-1.5, 2.0), rng.uniform(0, 0.5)] for key in keys]

    def term(fields: list[str], *keys: tuple[Any, ...], **more: Any) -> dict[str, Any]:
        return {"fields": fields, "unseen_variance": rng.uniform(0, 2), "groups": groups(*keys), **more}

    return {
        "service_ids": ["s0", "s1"],
        "scale_days": rng.uniform(0.3, 1.5),
        "shapes": [[0.0, 1.3]],
        "bins": {"distance_km": [250, 400, 1200], "weight_g": [400, 1500], "location_days": []},
        "location": [
            term(["zone"], ("near",), ("far",)),
            term(["node", "service", "zone"], ("n0", "s0", "near"), ("n1", "s1", "far"), ("n2", "s0", "middle")),
            term(["distance"], (0,), (1,), (2,), (3,)),
            term(["weight"], (0,), (1,), (2,)),
            term(["weekday"], (0,), (1,), (2,), (3,)),
            term(["hour"], (5,), (10,), (15,), drifts=True),
        ],
    }


@pytest.mark.parametrize("seed", range(12))
async def test_a_run_dates_every_parcel_as_a_promise_does(world: World, seed: int) -> None:
    """Every node alone by every service, to places of all kinds, in random networks: both name the same days.

    Catches each of: a bin of distance or weight, a closure, a pick-up, an area, a time zone, history that a run
    forgets; also a step of the rate cards that history's weights do not divide.
    """
    rng = random.Random(seed)
    network = a_network(rng)
    network["groups"] = [{"group": node["node_id"], "node_ids": [node["node_id"]]} for node in network["nodes"]]
    await world.networks.put(NetworkDocument.model_validate(network))
    products = [{"sku": f"w{grams}", "weight_g": grams} for grams in (300, 400, 401, 1000, 1400, 1600, 4000)]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products}))
    await world.learn(rng.uniform(1, 4), **(some_history(rng) if seed % 3 else {}))
    await world.count(**{node["node_id"]: {p["sku"]: 9 for p in products} for node in network["nodes"]})
    world.clock.advance(timedelta(hours=12.5 + 7 * seed))
    places = [
        PromisedTo(latitude=rng.uniform(35, 45), longitude=rng.uniform(-120, -70), country="US", postal_code=code + "0")
        for code in ("1", "2", "3", "9")
    ]
    zones = {entry["postal_code"]: entry["time_zone"] for entry in network["postal_codes"]}
    for number, (place, product) in enumerate((place, product) for place in places for product in products):
        where = Destination(
            latitude=place.latitude,
            longitude=place.longitude,
            country="US",
            postal_code=place.postal_code,
        )
        lines = (NewLine(sku=product["sku"], quantity=1),)
        order = NewOrder(order_id=f"o{number:03}", channel="web", destination=where, lines=lines)
        await world.orders.capture(order)
    by_run = await days_of_a_run(world)
    compared = 0
    for number, (place, product) in enumerate((place, product) for place in places for product in products):
        zone = zones[(place.postal_code or "")[0]]
        there = PromisedTo(
            latitude=place.latitude,
            longitude=place.longitude,
            country="US",
            postal_code=place.postal_code,
            time_zone=zone,
        )
        for node in network["nodes"]:
            for service in network["services"]:
                request = PromiseRequest(
                    lines=(WantedLine(sku=product["sku"], quantity=1),),
                    destination=there,
                    group=node["node_id"],
                    service_levels=(service["service_level"],),
                )
                options = (await world.promising.promise(request)).options
                found = by_run(f"o{number:03}", node["node_id"], service["service"], product["weight_g"])
                wanted = (options[0].shipments[0].ship_on, options[0].promised_on) if options else None
                assert found == wanted, (seed, place, product["sku"], node["node_id"], service["service"])
                compared += wanted is not None
    assert compared > 50


async def days_of_a_run(world: World) -> Any:
    """Return what tells, by order, node, service and grams, on which days a parcel leaves and arrives."""
    orders = await world.book.open_orders(None)
    view, now = await world.reference.current(), world.clock.now()
    today = view.days.at(now)
    stock = await world.stock.read(sorted({line.sku for order in orders for line in order.lines}))
    batch = build_batch(orders, view, StockReader().read(stock, view, today.local_day, now=now), {})
    problem, network = batch.problem, view.network
    levels, rates = problem.orders.service_level, problem.rates

    def days(order_id: str, node_id: str, service: str, grams: int) -> tuple[date, date] | None:
        assert levels is not None
        assert problem.service_level is not None
        assert rates.delivery_days is not None
        order, node = problem.orders.order_ids.index(order_id), problem.nodes.node_ids.index(node_id)
        level = levels[order]
        (way,) = [
            v
            for v, name in enumerate(problem.services)
            if name == service
            and (problem.service_level[v] == level or (level == ANY_LEVEL and v < len(network.services)))
        ]
        at = np.array([network.index[node_id]])
        place = np.radians([problem.orders.latitude[order], problem.orders.longitude[order]])
        spot = (network.latitude_rad, network.longitude_rad, place[0], place[1], rates.zone_max_km, np.inf)
        band = int(within_reach(at, *spot)[1][at[0]])
        cell = way * len(rates.zones) + band
        steps = [s for s in range(rates.start[cell], rates.start[cell + 1]) if rates.max_weight_g[s] >= grams]
        arrival = int(rates.delivery_days[node, way, rates.transit_days[steps[0]]]) if steps else UNREACHABLE
        if arrival >= UNREACHABLE:
            return None
        base = int(today.local_day.min())
        return date.fromordinal(int(batch.hand_over[node, way])), date.fromordinal(base + arrival)

    return days
