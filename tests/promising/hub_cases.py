"""Random small businesses with hubs, for tests that compare promises with every way there is."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CALENDARS = {"daily": WEEK, "weekdays": WEEK[:5], "odd": ["mon", "wed", "fri"]}
SKUS = ["p0", "p1", "p2"]
NODES = ["n0", "n1", "n2", "n3"]


@dataclass
class Case:
    """A random business, and what may be said of it without asking the engine."""

    network: dict[str, Any]
    weights: dict[str, int]
    classes: dict[str, str]
    stock: dict[tuple[str, str], list[tuple[date, int]]]
    lines: list[tuple[str, int]]
    now: datetime
    request: dict[str, Any]
    prices: dict[tuple[str, str], int]

    @property
    def today(self) -> date:
        return self.now.date()


def random_case(seed: int) -> Case:
    rng = random.Random(seed)
    now = datetime(2026, 3, 2 + rng.randrange(7), rng.choice([8, 11, 16]), 30, tzinfo=UTC)
    names = NODES[: rng.randint(2, 4)]
    hubs = names[: rng.randint(1, 2)] if rng.random() < 0.8 else [names[-1]]
    nodes = [
        {
            "node_id": name,
            "kind": "dc",
            "latitude": 40.0,
            "longitude": -75.0 - 3 * number,
            "time_zone": "UTC",
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice(["09:00", "12:00", "17:00"]),
            "processing_days": rng.choice([0, 0, 0, 1]),
            "services": rng.choice([None, None, ["ground"]]),
            "parcel_cost_cents": rng.randint(0, 400),
            "unit_cost_cents": rng.randint(0, 20),
            "hub": {"processing_days": rng.choice([0, 0, 1]), "unit_cost_cents": rng.randint(0, 20)}
            if name in hubs
            else None,
        }
        for number, name in enumerate(names)
    ]
    services = [
        {
            "service": name,
            "carrier": "acme",
            "service_level": "standard",
            "refuses": rng.choice([[], [], ["hazmat"], ["cold"]]),
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice([None, "10:00", "15:00"]),
            "rates": [
                {
                    "zone": "all",
                    "max_weight_g": weight_g,
                    "cost_cents": rng.randint(300, 600) * (1 + place),
                    "transit_days": rng.randint(0, 3),
                }
                for place, weight_g in enumerate((1000, 4000))
            ],
        }
        for name in ("ground", "air")[: rng.randint(1, 2)]
    ]
    transfers = [
        {
            "from_node_id": source,
            "to_node_id": hub,
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice([None, "08:00", "14:00"]),
            "transit_days": rng.randint(0, 2),
            "arrives_at": rng.choice(["07:00", "10:00", "12:30", "18:00"]),
            "cost_cents": rng.randint(0, 99),
            "kg_cost_cents": rng.choice([0, 33]),
            "unit_cost_cents": rng.choice([0, 7]),
        }
        for source in names
        for hub in hubs
        if source != hub and rng.random() < 0.9
    ]
    chosen = rng.choices(SKUS, k=rng.randint(1, 3)) if rng.random() < 0.3 else rng.sample(SKUS, rng.randint(1, 3))
    stock = {}
    for name, sku in itertools.product(names, SKUS):
        if rng.random() < 0.5:
            levels = [(now.date(), rng.choice([0, 1, 3]))]
            if rng.random() < 0.4:
                levels.append((now.date() + timedelta(days=rng.randint(1, 6)), levels[0][1] + rng.randint(1, 3)))
            stock[name, sku] = levels
    of_prices = random.Random(10_000 + seed)
    positions = list(itertools.product(names, SKUS)) if seed % 2 else []
    request: dict[str, Any] = {}
    if rng.random() < 0.25:
        request["need_by"] = now.date() + timedelta(days=rng.randint(1, 9))
    if rng.random() < 0.2:
        request["max_shipments"] = rng.randint(1, 2)
    return Case(
        network={
            "nodes": nodes,
            "calendars": [{"calendar": name, "working_days": days} for name, days in CALENDARS.items()],
            "zones": [{"zone": "all", "max_km": None}],
            "services": services,
            "transfers": transfers,
            "policy": {"split_cost_cents": rng.choice([0, 50])},
        },
        classes={sku: rng.choice(["", "", "hazmat", "cold"]) for sku in SKUS},
        weights={sku: rng.choice([300, 700, 1234]) for sku in SKUS},
        stock=stock,
        lines=[(sku, rng.randint(1, 2)) for sku in chosen],
        now=now,
        request=request,
        prices={position: of_prices.choice([1, 90, 400]) for position in positions if of_prices.random() < 0.6},
    )


def apart(case: Case, seed: int) -> Case:
    """The same, with lines that no one service takes together; few other nodes have them, and some of the hubs none."""
    rng = random.Random(seed)
    ground = case.network["services"][0] | {"refuses": ["cold"]}
    case.network["services"] = [ground, ground | {"service": "air", "refuses": ["hazmat"], "calendar": "daily"}]
    case.classes |= {"p0": "hazmat", "p1": "cold"}
    case.lines[:] = [("p0", 1), ("p1", 1), ("p2", 1)][: rng.randint(2, 3)]
    case.stock |= {("n1", sku): [(case.today, 3)] for sku in ("p0", "p1")}
    for key in [key for key in case.stock if key[0] != "n1" and rng.random() < 0.7]:
        del case.stock[key]
    if rng.random() < 0.5:
        case.network["transfers"] = []
    return case
