"""The worst orders of a replication, with what is needed to explain them: the dearest above their promise, the latest.

Not here: the explanation in words (engine/reporting/worst_orders.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.scenarios.orders import Demand
from engine.scenarios.story import DAY_SECONDS
from engine.simulation.facts import Ending, Integers, OrderFacts, ParcelFacts

KEPT = 8
"""Of each kind."""


class WorstParcel(msgspec.Struct, kw_only=True):
    """A parcel of one of the worst orders, as in ParcelFacts."""

    node: int
    service: int
    zone: int
    distance_m: int
    units: int
    routed_s: int
    due_day: int
    shipped_s: int
    promised_day: int
    delivered_day: int
    shipping_cents: int
    handling_cents: int
    units_cents: int
    packaging_cents: int

    @property
    def cost_cents(self) -> int:
        """All costs of the parcel."""
        return self.shipping_cents + self.handling_cents + self.units_cents + self.packaging_cents


class WorstOrder(msgspec.Struct, kw_only=True):
    """One of the worst orders, as in OrderFacts; `excess` is days late, or cents above the promised cost."""

    excess: int
    replication: int
    key: int
    placed_s: int
    ending: int
    units: int
    units_shipped: int
    units_cancelled: int
    units_backordered: int
    promised_day: int
    expected_day: int
    requested_day: int
    promised_parcels: int
    promised_cost_cents: int
    rejections: int
    reroutes: int
    routed_s: int
    shipped_s: int
    delivered_day: int
    cost_cents: int
    parcels: list[WorstParcel]
    order_id: str = ""
    """That of a recorded order."""

    @property
    def rank(self) -> tuple[int, int, int]:
        """What orders are sorted by, the worst first."""
        return -self.excess, self.replication, self.key


def worst_of(
    excess: Integers, orders: OrderFacts, parcels: ParcelFacts, replication: int, least: int
) -> list[WorstOrder]:
    """Return those of a chunk with the largest excess above `least`, the worst first, at most `KEPT`."""
    rows = np.flatnonzero(excess > least)
    rows = rows[np.lexsort((orders.key[rows], -excess[rows]))][:KEPT]
    return [_order(int(row), int(excess[row]), orders, parcels, replication) for row in rows]


def kept(worst: list[WorstOrder], others: list[WorstOrder]) -> list[WorstOrder]:
    """Return the worst of both lists, the worst first, at most `KEPT`."""
    return sorted((*worst, *others), key=lambda order: order.rank)[:KEPT]


def lateness_days(orders: OrderFacts, last_day: int) -> Integers:
    """Return how many days late orders are; of open ones, up to the story's last day; 0 of others."""
    arrived = np.where(orders.ending == Ending.OPEN, last_day, orders.delivered_day)
    counts = (orders.promised_day >= 0) & (arrived >= 0) & (orders.ending >= Ending.DELIVERED)
    return np.where(counts, np.maximum(arrived - orders.promised_day, 0), 0)


def dearness_cents(orders: OrderFacts) -> Integers:
    """Return by how many cents delivered orders cost more than their promise said; 0 of others."""
    counts = (orders.ending == Ending.DELIVERED) & (orders.promised_cost_cents >= 0) & (orders.promised_day >= 0)
    return np.where(counts, np.maximum(orders.cost_cents - orders.promised_cost_cents, 0), 0)


def name_orders(worst: Sequence[WorstOrder], demand: Demand) -> None:
    """Give orders the ids under which they were recorded, if they were."""
    for order in worst:
        table = demand.orders(order.replication, order.placed_s // DAY_SECONDS)
        found = np.flatnonzero(table.key == order.key)
        if table.order_ids is not None and len(found):
            order.order_id = table.order_ids[int(found[0])]


def _order(row: int, excess: int, orders: OrderFacts, parcels: ParcelFacts, replication: int) -> WorstOrder:
    own = np.flatnonzero(parcels.order == row)
    own = own[np.lexsort((parcels.node[own], parcels.shipped_s[own]))]
    skipped = ("excess", "replication", "parcels", "order_id")
    return WorstOrder(
        excess=excess,
        replication=replication,
        parcels=[WorstParcel(**_row(WorstParcel, parcels, int(parcel))) for parcel in own],
        **_row(WorstOrder, orders, row, skipped),
    )


def _row(kind: Any, facts: Any, row: int, skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    return {name: int(getattr(facts, name)[row]) for name in kind.__struct_fields__ if name not in skipped}
