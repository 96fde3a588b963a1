"""Makes the documents in `story/` of the microchip maker's day: `python scenarios/real/brunel/build_story.py`.

Every fortieth order, and a fortieth of each plant's capacity, rounded up. Orders whose plants and costs are the same
are one SKU. A plant's service has one price for each of its SKUs, told apart by weight: grams are numbers of SKUs here.
So each order costs at each plant what `allot import brunel` says, to the cent. Not here: the story
(scenarios/brunel_day.yaml).
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from engine.integrations.brunel import Lane, eligible_lanes
from engine.integrations.brunel_files import read_data_set

HERE = Path(__file__).parent
EVERY = 40
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def documents() -> dict[str, dict[str, Any]]:
    """Return network, catalog, positions and orders as `allot load` takes them, by name."""
    data = read_data_set(HERE)
    taken = set(data.order_ids[::EVERY])
    lanes: dict[str, list[Lane]] = defaultdict(list)
    for lane in eligible_lanes(data):
        if lane.order_id in taken:
            lanes[lane.order_id].append(lane)
    alike: dict[tuple[tuple[str, int, int], ...], list[str]] = defaultdict(list)
    for order_id in sorted(lanes):
        alike[tuple((lane.plant, lane.cost_cents, lane.transit_days) for lane in lanes[order_id])].append(order_id)
    kinds = [(f"K{number:04d}", number, each) for number, each in enumerate(alike, start=1)]
    rates: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, weight_g, kind in kinds:
        for plant, cents, days in kind:
            rate = {"zone": "all", "max_weight_g": weight_g, "cost_cents": cents, "transit_days": days}
            rates[plant].append(rate)
    plants = sorted(rates)
    return {
        "network": {
            "name": "brunel, every fortieth order",
            "nodes": [_plant(plant, -(-data.orders_per_day[plant] // EVERY)) for plant in plants],
            "calendars": [{"calendar": "all", "working_days": WEEK}],
            "zones": [{"zone": "all"}],
            "services": [_service(plant, rates[plant]) for plant in plants],
            "policy": {"backorder_cost_cents_per_unit": 10**8},
        },
        "catalog": {"products": [{"sku": sku, "weight_g": weight_g} for sku, weight_g, _ in kinds]},
        "positions": {
            "positions": [
                {"node_id": plant, "sku": sku, "on_hand": len(alike[kind])}
                for sku, _, kind in kinds
                for plant, _, _ in kind
            ]
        },
        "orders": {
            "orders": [
                {
                    "order_id": order_id,
                    "channel": "web",
                    "destination": {"latitude": 0.0, "longitude": 0.0},
                    "lines": [{"sku": sku, "quantity": 1}],
                }
                for order_id, sku in sorted((order_id, sku) for sku, _, kind in kinds for order_id in alike[kind])
            ]
        },
    }


def _plant(plant: str, capacity: int) -> dict[str, Any]:
    return {
        "node_id": plant,
        "kind": "dc",
        "latitude": 0.0,
        "longitude": 0.0,
        "time_zone": "UTC",
        "calendar": "all",
        "capacity_parcels": capacity,
        "services": [f"freight of {plant}"],
    }


def _service(plant: str, rates: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "service": f"freight of {plant}",
        "carrier": "freight",
        "service_level": "standard",
        "calendar": "all",
        "rates": rates,
    }


def main() -> None:
    """Write the documents."""
    folder = HERE / "story"
    folder.mkdir(exist_ok=True)
    for name, document in documents().items():
        packed = gzip.compress(json.dumps(document).encode(), mtime=0)
        (folder / f"{name}.json.gz").write_bytes(packed)


if __name__ == "__main__":
    main()
