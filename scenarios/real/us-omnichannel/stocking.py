"""How much of what lies where, and how many parcels a node can ship: all ours, drawn from one seed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from baskets import Basket
from places import Area, Place

from engine.integrations.geography import great_circle_km

SCARCE_SHARE = 0.3
CLOSEST_SHARE = 0.6
SCARCE_SPARE, AMPLE_SPARE = (0.05, 0.25), (1.0, 2.0)
BULK_UNITS, VERY_LARGE_UNITS = 10, 100
STORE_SHARE_OF_SKUS = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Units on hand of one SKU at one node, `safety_stock` of which may not be promised."""

    node_id: str
    sku: str
    on_hand: int
    safety_stock: int


def draw_positions(
    rng: np.random.Generator, places: list[Place], orders: list[Basket], homes: list[Area]
) -> list[Position]:
    """Draw stock for one day's baskets and the places they go to.

    A SKU lies in two to seven distribution centres, likelier in those that serve more people, and in about
    STORE_SHARE_OF_SKUS of the stores with a few units each. The units of each line are first laid into one centre that
    has the SKU, the closest with probability CLOSEST_SHARE, so that stock for the whole day exists somewhere; then a
    scarce SKU (SCARCE_SHARE of them) gets little on top, the others as much again and more. A SKU with a line of
    BULK_UNITS or more gets its largest line again at two centres, of VERY_LARGE_UNITS at up to four: such lines cannot
    be divided, and would be left over.
    """
    centres = [place for place in places if place.kind == "dc"]
    stores = [place for place in places if place.kind == "store"]
    people = np.array([place.people for place in centres])
    distance = great_circle_km(
        np.array([[home.latitude] for home in homes]),
        np.array([[home.longitude] for home in homes]),
        np.array([place.area.latitude for place in centres]),
        np.array([place.area.longitude for place in centres]),
    )
    lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, order in enumerate(orders):
        for sku, quantity in order.lines.items():
            lines[sku].append((row, quantity))
    positions = []
    for sku in sorted(lines):
        is_scarce = rng.random() < SCARCE_SHARE
        count = int(rng.integers(2, 4) if is_scarce else rng.integers(4, 8))
        chosen = np.sort(rng.choice(len(centres), count, replace=False, p=people / people.sum()))
        units = dict.fromkeys(chosen.tolist(), 0)
        for row, quantity in lines[sku]:
            closest = chosen[np.argmin(distance[row, chosen])]
            units[int(closest if rng.random() < CLOSEST_SHARE else rng.choice(chosen))] += quantity
        spare = sum(units.values()) * rng.uniform(*(SCARCE_SPARE if is_scarce else AMPLE_SPARE)) / count
        largest = max(quantity for _, quantity in lines[sku])
        if largest >= BULK_UNITS:
            copies = 2 if largest < VERY_LARGE_UNITS else min(4, count)
            for at in rng.choice(chosen, copies, replace=False).tolist():
                units[at] += largest
        for at, laid in units.items():
            safety = 0 if is_scarce else int(rng.integers(0, 3))
            on_hand = laid + max(1, round(spare)) + safety
            positions.append(Position(node_id=centres[at].node_id, sku=sku, on_hand=on_hand, safety_stock=safety))
        for store in stores:
            if rng.random() < STORE_SHARE_OF_SKUS:
                few = int(rng.integers(1, 3) if rng.random() < 0.5 else rng.integers(3, 13))
                positions.append(Position(node_id=store.node_id, sku=sku, on_hand=few + 1, safety_stock=1))
    return sorted(positions, key=lambda position: (position.node_id, position.sku))


def parcel_capacity(rng: np.random.Generator, place: Place, people: float, orders: int) -> int:
    """Return how many parcels a node can ship a day; `people` are those of all centres together.

    A centre's capacity grows with the people it was placed for; together they can ship a good two parcels
    an order.
    """
    if place.kind == "store":
        return int(rng.integers(4, 13))
    return round(orders * (0.08 + 1.4 * place.people / people))
