"""Results that nobody simulated: facts drawn from plain distributions, through the real tally; for tests of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.scenarios.story import Story, StoryPolicy, World
from engine.simulation.facts import Ending, Ledger, Names, OrderFacts, ParcelFacts
from engine.simulation.kpis import kpis_of
from engine.simulation.results import (
    STORY_FILE,
    VERSION,
    ReplicationResult,
    StoryResults,
    encoded,
    read_results,
    replication_path,
    told_of,
)
from engine.simulation.tally import Tally
from tests.worked_facts import LEDGER, day, story

CITIES = (
    ("newark", "dc", 40.7, -74.2), ("atlanta", "dc", 33.7, -84.4), ("dallas", "dc", 32.8, -96.8),
    ("reno", "dc", 39.5, -119.8), ("chicago", "dc", 41.9, -87.6), ("seattle", "store", 47.6, -122.3),
    ("boston", "store", 42.4, -71.1), ("miami", "store", 25.8, -80.2), ("denver", "store", 39.7, -105.0),
    ("los_angeles", "store", 34.1, -118.2), ("houston", "store", 29.8, -95.4), ("minneapolis", "vendor", 45.0, -93.3),
)  # fmt: skip
NAMES = Names(
    nodes=tuple(city[0] for city in CITIES),
    services=("ground", "express", "overnight"),
    zones=("zone_2", "zone_4", "zone_6", "zone_8"),
    channels=("web", "store"),
)
POLICIES = (
    StoryPolicy(name="nearest", about="The nearest node with stock, as today.", reserves=False, window_minutes=0),
    StoryPolicy(name="allot", about="Reserved at checkout, routed every hour."),
    StoryPolicy(name="allot, four hours", about="The same, every four hours.", window_minutes=240),
)


def made_up_story(policies: Sequence[StoryPolicy] = POLICIES, **said: Any) -> Story:
    """Return a story of twelve American nodes, under some policies."""
    plain = story()
    node = plain.world.network.nodes[0]
    nodes = tuple(
        node.model_copy(update={"node_id": name, "kind": kind, "latitude": latitude, "longitude": longitude})
        for name, kind, latitude, longitude in CITIES
    )
    world = World(network=plain.world.network.model_copy(update={"nodes": nodes}), catalog=plain.world.catalog)
    told = {"name": "Autumn peak", "about": "Twelve nodes over four weeks, with a peak in the third.", "days": 28}
    inputs = {"autumn-peak.yaml": "3b" * 32, "network.json": "9f" * 32, "orders.csv": "c4" * 32}
    fields = {"policies": policies, "warm_up_days": 7, "replications": 5, "inputs": inputs, **told, **said}
    return story(world=world, **fields)


def made_up_results(
    folder: Path, told: Story | None = None, orders_a_day: int = 120, replications: int = 5
) -> StoryResults:
    """Write results of a story into a folder, and read them back; a policy's place makes it cheaper and better."""
    told = told or made_up_story(replications=replications)
    for place, policy in enumerate(told.policies):
        for replication in range(replications):
            tally = Tally.of(told, replication)
            random = np.random.default_rng((told.seed, replication))
            for number in range(told.days):
                _day(tally, random, number, place, orders_a_day)
            ledger = Ledger(**{**_books(), "shipped_units": tally.counts.parcel_units})
            result = ReplicationResult(
                version=VERSION,
                story_sha256=told.sha256,
                policy=policy.name,
                replication=replication,
                kpis=kpis_of(tally, ledger, told),
                ledger=ledger,
                tally=tally,
            )
            path = replication_path(folder, policy.name, replication)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(result))
    (folder / STORY_FILE).write_bytes(encoded(told_of(told, NAMES, told.policies, replications)))
    return read_results(folder)


def _books() -> dict[str, int]:
    return {name: getattr(LEDGER, name) for name in LEDGER.__dataclass_fields__}


def _day(tally: Tally, random: np.random.Generator, number: int, place: int, orders_a_day: int) -> None:
    peak = 1 + 1.2 * np.exp(-(((number - 18) / 3) ** 2))
    count = int(orders_a_day * peak * (1 + 0.1 * np.sin(number)))
    at = np.array([(latitude, longitude) for _, _, latitude, longitude in CITIES])
    city = random.integers(0, len(CITIES), count)
    where = at[city] + random.normal(0, (1.8, 2.6), (count, 2))
    split = random.random(count) < (0.22, 0.12, 0.09)[place % 3]
    stray = random.random(count) < (0.35, 0.25, 0.22)[place % 3]
    node = np.where(stray, random.integers(0, len(CITIES), count), city)
    wait = random.exponential((4, 7, 12)[place % 3], count) * (1 + (peak - 1) * (place == 0))
    transit = 1 + random.integers(0, 3, count) + stray
    placed = number * 86_400 + random.integers(0, 86_400, count)
    placed.sort()
    shipped = placed + (wait * 3_600).astype(np.int64)
    late = random.random(count) < 0.06 * peak
    delivered = shipped + (transit + 3 * late) * 86_400
    promised_day = number + transit + (2, 1, 1)[place % 3]
    ending = np.select(
        [random.random(count) < 0.03, random.random(count) < 0.02],
        [Ending.NO_OFFER, Ending.CANCELLED],
        Ending.DELIVERED,
    )
    gone = ending != Ending.DELIVERED
    units = random.integers(1, 5, count)
    distance = np.hypot(*((at[node] - where) * (111, 85)).T) * 1_000
    parcels = np.where(gone, 0, 1 + split)
    own = np.repeat(np.arange(count), parcels)
    second = np.concatenate([[False], own[1:] == own[:-1]])
    from_node = np.where(second, (node[own] + 1) % len(CITIES), node[own])
    shipping = (420 + distance[own] / 2_500 + 60 * units[own]).astype(np.int64)
    costs = {"shipping_cents": shipping, "handling_cents": 90 + 40 * (from_node > 4), "units_cents": 25 * units[own]}
    total = shipping + costs["handling_cents"] + costs["units_cents"] + 18
    cost = np.bincount(own, total, count).astype(np.int64)
    nothing = np.zeros(count, np.int64)
    orders = {
        "key": number * 100_000 + np.arange(count),
        "placed_s": placed,
        "latitude": where[:, 0],
        "longitude": where[:, 1],
        "channel": nothing,
        "ending": ending,
        "lines": nothing + 1,
        "units": units,
        "lines_shipped": np.where(gone, 0, 1),
        "units_shipped": np.where(gone, 0, units),
        "units_cancelled": np.where(ending == Ending.CANCELLED, units, 0),
        "units_backordered": np.where(late, units, 0),
        "units_returned": nothing,
        "revenue_cents": np.where(gone, 0, 2_000 * units),
        "lost_cents": np.where(gone, 2_000 * units, 0),
        "charged_cents": np.where(gone, 0, 499),
        "refund_cents": nothing,
        "promised_day": np.where(ending == Ending.NO_OFFER, -1, promised_day),
        "expected_day": np.where(ending == Ending.NO_OFFER, -1, promised_day - 1),
        "requested_day": nothing - 1,
        "promised_parcels": nothing + 1,
        "promised_cost_cents": np.where(ending == Ending.NO_OFFER, -1, 640 + 85 * units),
        "parcels": parcels,
        "rejections": np.where(late & ~gone, 1, 0),
        "reroutes": np.where(late & ~gone, 1, 0),
        "routed_s": np.where(gone, -1, placed + 1_800),
        "shipped_s": np.where(gone, -1, shipped),
        "delivered_s": np.where(gone, -1, delivered),
        "delivered_day": np.where(gone, -1, delivered // 86_400),
        "cost_cents": cost,
    }
    of_parcels = {
        "order": own,
        "node": from_node,
        "service": random.integers(0, 3, len(own)),
        "zone": np.minimum(distance[own] // 900_000, 3).astype(np.int64),
        "distance_m": distance[own].astype(np.int64),
        "units": np.where(second, 0, units[own]),
        "weight_g": units[own] * 400,
        "routed_s": placed[own] + 1_800,
        "due_day": placed[own] // 86_400,
        "shipped_s": shipped[own],
        "promised_day": promised_day[own] - 1,
        "delivered_s": delivered[own],
        "delivered_day": delivered[own] // 86_400,
        **costs,
        "packaging_cents": nothing[own] + 18,
    }
    tally.orders(OrderFacts(**orders), ParcelFacts(**of_parcels))
    left = np.bincount(from_node, of_parcels["units"], len(CITIES)).astype(int)
    most = max(1, int(orders_a_day * 0.36))
    nodes = [
        {
            "day": number, "node": node, "units": min(left[node], most), "parcels": 0, "capacity_units": most,
            "backlog_units": max(0, left[node] - most) * (3 - place), "backlog_parcels": 0, "refused": 0,
        }
        for node in range(len(CITIES))
    ]  # fmt: skip
    bound = int(cost.sum())
    run = {"at_s": number * 86_400, "orders": count, "cost_cents": bound * (103 - place) // 100, "bound_cents": bound}
    tally.day(*day(number, nodes, [run]))
