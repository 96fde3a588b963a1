"""Slots that are always free change nothing, whatever rules and lead times there are; fewer of them nothing earlier.

Each node has windows of its own for each service, bookable for other numbers of days, so that there is a copy of each
service for each node; with copies of its rates, surcharges and lanes.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import UNSET

from engine.promising.model import Destination, Promise
from tests.promising.test_laws import SKUS, furnish

NODES, SERVICES = ("a", "b", "shop"), ("ground", "air")


def learned(rng: np.random.Generator) -> dict[str, Any]:
    """Lead times of lanes, of which one is known for each node and service."""
    lanes = [[node, "ground", "near", float(rng.uniform(-1, 2)), 0.01] for node in NODES]
    return {
        "version": 1,
        "shipments": 500,
        "service_ids": list(SERVICES),
        "levels": [0.1, 0.5, 0.75, 0.9],
        "center_days": 3.0,
        "scale_days": 1.0,
        "spread_ratio": 0.8,
        "bins": {"distance_km": [], "weight_g": [], "location_days": []},
        "location": [
            {"fields": ["node", "service", "zone"], "unseen_variance": 0.5, "groups": lanes},
            {"fields": ["service"], "unseen_variance": 0.0, "groups": [["air", -1.5, 0.0]]},
        ],
        "scale": [],
        "shapes": [[-1.0, 0.0, 0.5, 1.0]],
        "shape_of": [],
    }


def windows() -> list[dict[str, Any]]:
    """Of each node and service; and one of each service for all nodes, without which parcels of two share none."""
    times = {"from": "08:00", "to": "20:00", "capacity": 9}
    own = [
        {"slot": f"{node}-{service}", "node_id": node, "service": service, "open_days": 50 + number, **times}
        for number, node in enumerate(NODES)
        for service in SERVICES
    ]
    shared = [
        {"slot": service, "service": service, "time_zone": "America/New_York", "open_days": 45, **times}
        for service in SERVICES
    ]
    return [*own, *shared]


def plain(promise: Promise) -> list[Any]:
    return [msgspec.structs.replace(option, slots=UNSET) for option in promise.options]


def one_service(promise: Promise) -> bool:
    """Whether no option needs a window that suits two services."""
    return all(len({parcel.service for parcel in option.shipments}) == 1 for option in promise.options)


@pytest.mark.parametrize("seed", range(60))
async def test_slots_that_are_always_free_change_nothing(world: Any, network: Any, catalog: Any, seed: int) -> None:
    """Seeded bugs: copies without the surcharges, the steps or the lanes of the service that they are of."""
    rng = np.random.default_rng(seed)
    furnish(rng, network, catalog)
    catalog["substitutes"] = [{"sku": "cup", "substitutes": ["tray"]}]
    if rng.random() < 0.5:
        await world.learn(learned(rng))
    await world.put_network(network)
    await world.put_catalog(catalog)
    await world.stock(*((node, sku, int(rng.integers(0, 6))) for node in NODES for sku in SKUS[:4]))
    await world.supply("a", str(rng.choice(SKUS[:4])), int(rng.integers(1, 9)), int(rng.integers(1, 6)))
    lines = [(str(sku), int(rng.integers(1, 4))) for sku in rng.choice(SKUS, int(rng.integers(1, 4)), replace=False)]
    asked: dict[str, Any] = {"to": Destination(postal_code="19003", country="US", residential=bool(rng.random() < 0.5))}
    asked["substitutes"] = bool(rng.random() < 0.5)
    before = await world.promise(*lines, **asked)
    network["slots"] = windows()
    await world.put_network(network)
    after = await world.promise(*lines, **asked)
    if one_service(before):
        assert (plain(after), after.unavailable) == (plain(before), before.unavailable)
    for option in after.options:
        assert option.slots is not UNSET
        assert option.slots[0].day == option.promised_on


@pytest.mark.parametrize("seed", range(25))
async def test_fewer_free_windows_are_never_earlier(world: Any, network: Any, seed: int) -> None:
    rng = np.random.default_rng(900 + seed)
    network["slots"] = windows()
    await world.put_network(network)
    await world.stock(*((node, "cup", int(rng.integers(1, 6))) for node in NODES))
    earliest = None
    for _ in range(5):
        promise = await world.promise(("cup", 1))
        day = min((option.promised_on for option in promise.options), default=None)
        assert earliest is None or day is None or day >= earliest
        earliest = day or earliest
        keep = [entry for entry in network["slots"] if rng.random() < 0.7]
        lost = {entry["slot"] for entry in network["slots"]} - {entry["slot"] for entry in keep}
        network["slots"] = [entry | {"capacity": 0} if entry["slot"] in lost else entry for entry in network["slots"]]
        await world.put_network(network)
