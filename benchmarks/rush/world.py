"""The generated business of the peak hour: a network, its catalog and stock, orders of every window, and shoppers.

Here: a recipe of `allot generate` as documents that the services take. Every node works every day and takes orders
until a minute before midnight, so that it does not matter when the benchmark runs. Not here: measuring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from engine.catalog.document import CatalogDocument
from engine.integrations.generate import Recipe, build_tables
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.folder_writer import Columns

_EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LEVELS = {"priority": "expedited", "express": "next_day"}
_TIME_ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
CHANNEL = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakWorld:
    """What is loaded, what is ordered in each window, and the carts of shoppers who ask for promises meanwhile."""

    network: NetworkDocument
    catalog: CatalogDocument
    positions: tuple[PositionCount, ...]
    windows: tuple[tuple[NewOrder, ...], ...]
    carts: tuple[NewOrder, ...]


def build_world(
    *, orders: int, windows: int, nodes: int, skus: int, supply: float, carts: int, seed: int, today: date
) -> PeakWorld:
    """Return the peak of a seed; `supply` is stock over all that is ordered, of shoppers too."""
    tables = build_tables(Recipe(orders=orders + carts, nodes=nodes, skus=skus, seed=seed, supply=supply))
    placed = _orders(tables.orders, tables.order_lines, today)
    edges = [number * orders // windows for number in range(windows + 1)]
    return PeakWorld(
        network=_network(tables.nodes, tables.zones, tables.rates),
        catalog=CatalogDocument.model_validate({"products": _rows(tables.products)}),
        positions=tuple(
            PositionCount(node_id=row["node_id"], sku=row["sku"], on_hand=row["available"])
            for row in _rows(tables.stock)
        ),
        windows=tuple(tuple(placed[first:last]) for first, last in pairwise(edges)),
        carts=tuple(placed[orders:]),
    )


def _rows(columns: Columns | None) -> list[dict[str, Any]]:
    """Return a table row by row, in plain Python values."""
    assert columns is not None
    plain = [values.tolist() if isinstance(values, np.ndarray) else values for values in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def _orders(orders: Columns, lines: Columns, today: date) -> list[NewOrder]:
    """Return them in the order in which they are placed, which is that of their numbers."""
    of_order: dict[str, list[NewLine]] = {}
    for row in _rows(lines):
        of_order.setdefault(row["order_id"], []).append(NewLine(sku=row["sku"], quantity=row["quantity"]))
    return [
        NewOrder(
            order_id=row["order_id"],
            channel=CHANNEL,
            destination=Destination(latitude=row["latitude"], longitude=row["longitude"]),
            lines=tuple(of_order[row["order_id"]]),
            need_by=None if row["due_days"] is None else today + timedelta(days=row["due_days"]),
        )
        for row in _rows(orders)
    ]


def _network(nodes: Columns, zones: Columns | None, rates: Columns | None) -> NetworkDocument:
    of_service: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(rates):
        of_service.setdefault(row.pop("service"), []).append(row)
    services = [
        {
            "service": service,
            "carrier": "acme",
            "service_level": _LEVELS.get(service, "standard"),
            "calendar": "always",
            "rates": steps,
        }
        for service, steps in of_service.items()
    ]
    placed = [
        row | {"time_zone": _time_zone(row["longitude"]), "calendar": "always", "cut_off": "23:59"}
        for row in _rows(nodes)
    ]
    document = {
        "name": "peak",
        "nodes": placed,
        "calendars": [{"calendar": "always", "working_days": list(_EVERY_DAY)}],
        "zones": _rows(zones),
        "services": services,
        "policy": {"split_cost_cents": 75, "backorder_cost_cents_per_unit": 6000},
    }
    return NetworkDocument.model_validate(document)


def _time_zone(longitude: float) -> str:
    return _TIME_ZONES[min(3, max(0, int((-74.0 - longitude) // 12)))]
