"""Routing where channels have quotas: channels take turns, each against what those before it have left.

A problem has one number of units per SKU and node, and with quotas that number is another for each channel. So orders
of different channels are routed one after another, in the order in which each has its oldest order. Here: whose turns
there are, what a dry run has planned in earlier turns, and what the summaries of turns come to together. Not here: the
run itself (runs.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from msgspec import structs

from engine.inventory.model import CONFIRMED, HELD, StockView
from engine.routing.model import OpenOrder, OrderAllocation, UsedCapacity, used_by
from engine.routing.relaxing import relaxed_document
from solvers.plan import gap_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Orders that are routed together; `channel` is None for all that have no quota of what is asked for."""

    channel: str | None
    orders: tuple[OpenOrder, ...]


def turns_of(orders: Sequence[OpenOrder], stock: StockView, now: datetime) -> list[Turn]:
    """Return the turns of open orders, which come in the order of their capture; `stock` has their SKUs."""
    with_quotas = {
        quota.channel
        for quotas in stock.quotas.values()
        for quota in quotas
        if quota.release_at is None or now < quota.release_at
    }
    by_channel: dict[str | None, list[OpenOrder]] = {}
    for order in orders:
        by_channel.setdefault(order.channel if order.channel in with_quotas else None, []).append(order)
    return [Turn(channel=channel, orders=tuple(found)) for channel, found in by_channel.items()]


@dataclass(slots=True)
class Planned:
    """What the earlier turns of a dry run would have taken, had they been committed."""

    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_channel: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    uses: dict[tuple[str, Any], tuple[int, int]] = field(default_factory=dict)

    def add(self, orders: Iterable[OpenOrder], allocations: Iterable[OrderAllocation]) -> None:
        """Count a plan: what it ships is taken, and what the reservations of these orders had there today is not."""
        by_id = {order.order_id: order for order in orders}
        for allocation in allocations:
            order = by_id[allocation.order_id]
            shipped = [row for row in allocation.rows if row.node_id is not None]
            for row in shipped:
                self._take(row.sku, str(row.node_id), order.channel, row.quantity)
            for (node_id, ship_on), (units, parcels) in used_by(shipped).items():
                self._use(node_id, ship_on, units, parcels)
            for own in order.own_stock if shipped else ():
                if own.ship_on is None:
                    self._take(own.sku, own.node_id, order.channel, -own.quantity)

    def stock(self, stock: StockView) -> StockView:
        """Return stock as it would be."""
        if not self.units:
            return stock
        cells = stock.cells.copy()
        row_of = {sku: row for row, sku in enumerate(stock.skus)}
        slot_of = {node_id: slot for slot, node_id in enumerate(stock.node_ids)}
        for (sku, node_id), units in self.units.items():
            if sku in row_of and node_id in slot_of:
                cell = cells[row_of[sku], slot_of[node_id]]
                from_held = min(int(cell[HELD]), max(0, -units))
                cell[HELD] -= np.uint32(from_held)
                cell[CONFIRMED] = max(0, int(cell[CONFIRMED]) + units + from_held)
        quotas = {
            (row, slot): tuple(
                replace(quota, used=max(0, quota.used + self.by_channel[stock.skus[row], node_id, quota.channel]))
                for quota in found
                for node_id in (stock.node_ids[slot],)
            )
            for (row, slot), found in stock.quotas.items()
        }
        return structs.replace(stock, cells=cells, quotas=quotas)

    def used(self, used: Sequence[UsedCapacity]) -> list[UsedCapacity]:
        """Return what is used of nodes as it would be."""
        found = {(entry.node_id, entry.ship_on): (entry.units, entry.parcels) for entry in used}
        for at, (units, parcels) in self.uses.items():
            before = found.get(at, (0, 0))
            found[at] = (before[0] + units, before[1] + parcels)
        return [
            UsedCapacity(node_id=node_id, ship_on=ship_on, units=units, parcels=parcels)
            for (node_id, ship_on), (units, parcels) in found.items()
        ]

    def _take(self, sku: str, node_id: str, channel: str | None, units: int) -> None:
        self.units[sku, node_id] += units
        self.by_channel[sku, node_id, channel] += units

    def _use(self, node_id: str, ship_on: Any, units: int, parcels: int) -> None:
        before = self.uses.get((node_id, ship_on), (0, 0))
        self.uses[node_id, ship_on] = (before[0] + units, before[1] + parcels)


def summary_of_turns(turns: Sequence[tuple[str | None, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the summaries of turns as one; of a single turn it is that turn's.

    The bounds add up to one for this order of turns, each given what was left to it: no bound of a plan that looks at
    all channels at once. So `channels_in_turn` says whose turns there were, and the plan is never called optimal.
    """
    summaries = [summary for _, summary in turns]
    if len(summaries) < 2:
        return dict(summaries[0]) if summaries else {}
    total = sum(summary["total_cost_cents"] for summary in summaries)
    bounds = [summary["lower_bound_cents"] for summary in summaries]
    bound = None if None in bounds else sum(bounds)
    added = ["orders", "parcels", "split_orders", "backordered_units"]
    added += ["hub_parcels"] if any("hub_parcels" in summary for summary in summaries) else []
    names = dict.fromkeys(name for summary in summaries for name in summary["costs"])
    return {
        "total_cost_cents": total,
        "lower_bound_cents": bound,
        "gap": gap_of(total, bound),
        "solve_status": "feasible",
        "costs": {name: sum(summary["costs"].get(name, 0) for summary in summaries) for name in names},
        **{name: sum(summary.get(name, 0) for summary in summaries) for name in added},
        "method": ", ".join(dict.fromkeys(summary["method"] for summary in summaries)),
        "stop_reason": ", ".join(dict.fromkeys(summary["stop_reason"] for summary in summaries)),
        "solve_seconds": round(sum(summary["solve_seconds"] for summary in summaries), 3),
        **relaxed_document([each for summary in summaries for each in summary.get("relaxed", ())]),
        "channels_in_turn": [channel for channel, _ in turns],
    }
