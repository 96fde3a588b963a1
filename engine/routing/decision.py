"""What a plan decided about one order, and what it was decided among: all that an explanation is made of.

A `Round` is one solved batch with what its plan left; `decision_of` cuts one order out of it. Not here: explaining
(explaining.py), keeping (explained_runs.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.routing.explanation import BrokenLimit, OverHub
from engine.routing.line_rows import closed_rows, value_rows
from solvers.plan import BACKORDER, ROUNDINGS, Prices
from solvers.problem import UNLIMITED, IntArray, Lanes, Orders, RoutingProblem, Stock

WithheldKind = Literal["handling", "acceptance", "quota", "later"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Units of a cell that a batch could not use: not handled there, where nothing new may go, kept, or due later."""

    kind: WithheldKind
    units: int
    day: int | None = None
    """Ordinal, of units that are due."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Left:
    """What a plan leaves: units of every stock entry of its problem, units and parcels of every node's capacity."""

    stock: IntArray
    units: IntArray
    """`UNLIMITED` where there is no limit."""
    parcels: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShadowPrices:
    """Prices of a plan in thousandths of a cent, aligned with its problem's stock entries and nodes."""

    stock: IntArray
    """Shape (entries, `ROUNDINGS`)."""
    units: IntArray
    parcels: IntArray

    def stock_cents(self, entry: int, quantity: int) -> float:
        """Return what so many units of a stock entry, taken by one line, are worth to other lines."""
        shares = zip(ROUNDINGS, self.stock[entry].tolist(), strict=True)
        return float(sum(price * (p * quantity // q) for (p, q), price in shares if price)) / 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """One order as it was routed: a problem with this order only, and the part of the round that concerns it."""

    problem: RoutingProblem
    line_ids: tuple[str, ...] | None
    rows: tuple[tuple[int, int, int], ...]
    """(line of the problem, node or `BACKORDER`, units)."""
    hand_over: IntArray | None
    """Day ordinals, shape (nodes, services); None where days are not known."""
    left: Left
    prices: ShadowPrices
    withheld: Mapping[tuple[int, int], Withheld]
    """By (SKU of the problem, node)."""
    kits: IntArray | None = None
    """By line, the first line of its kit, which goes as a whole, or -1; and whether it waits for the rest of that."""
    relaxed: tuple[BrokenLimit, ...] = ()
    over_hub: OverHub | None = None


def left_by(problem: RoutingProblem, line: IntArray, node: IntArray, quantity: IntArray) -> Left:
    """Return what the rows of a plan leave; what an order has reserved for a line takes nothing from stock."""
    nodes, orders, stock = problem.nodes, problem.orders, problem.stock
    shipped = node != BACKORDER
    line, node, quantity = line[shipped], node[shipped], quantity[shipped]
    count = len(nodes.node_ids)
    parcels = np.unique(problem.line_order[line] * count + node) % max(count, 1)
    own = np.zeros(len(line), np.bool_) if orders.line_own_node is None else orders.line_own_node[line] == node
    keys = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start)) * count + stock.node
    wanted, taken = (orders.line_sku[line] * count + node)[~own], quantity[~own]
    at = np.searchsorted(keys, wanted)
    is_there = np.isin(wanted, keys)  # but for a plan of another problem
    left = stock.available - np.bincount(at[is_there], taken[is_there], len(keys)).astype(np.int64)
    units = np.bincount(node, quantity, count).astype(np.int64)
    return Left(
        stock=left,
        units=_minus(nodes.capacity_units, units),
        parcels=_minus(nodes.capacity_parcels, np.bincount(parcels, minlength=count)),
    )


def prices_of(problem: RoutingProblem, prices: Prices | None) -> ShadowPrices:
    """Return the prices of a result; all are 0 where a method makes none."""
    if prices is not None:
        return ShadowPrices(stock=prices.stock, units=prices.units, parcels=prices.parcels)
    none = np.zeros(len(problem.nodes.node_ids), np.int64)
    return ShadowPrices(
        stock=np.zeros((len(problem.stock.available), len(ROUNDINGS)), np.int64), units=none, parcels=none
    )


def decision_of(
    problem: RoutingProblem,
    order: int,
    rows: tuple[IntArray, IntArray, IntArray],
    left: Left,
    prices: ShadowPrices,
    *,
    line_ids: tuple[str, ...] | None = None,
    hand_over: IntArray | None = None,
    withheld: Mapping[tuple[int, int], Withheld] | None = None,
    kits: IntArray | None = None,
    relaxed: tuple[BrokenLimit, ...] = (),
    over_hub: OverHub | None = None,
) -> Decision:
    """Cut one order out of a problem with its plan; `rows` are line, node and units, sorted by line."""
    orders, stock = problem.orders, problem.stock
    first, last = int(orders.line_start[order]), int(orders.line_start[order + 1])
    begin, end = np.searchsorted(rows[0], [first, last]).tolist()
    kept = np.unique(orders.line_sku[first:last])
    entries = np.concatenate([np.arange(stock.start[k], stock.start[k + 1]) for k in kept] or [np.zeros(0, np.int64)])
    place = {int(k): at for at, k in enumerate(kept)}
    counts = np.diff(stock.start)[kept]
    one = replace(
        problem,
        skus=tuple(problem.skus[k] for k in kept),
        weight_g=problem.weight_g[kept],
        stock=Stock(
            start=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
            node=stock.node[entries],
            available=stock.available[entries],
        ),
        orders=replace(
            orders_of(orders, order, order + 1, sku=np.searchsorted(kept, orders.line_sku[first:last])),
            line_value_row=value_rows(orders)[first:last],
            line_closed_row=closed_rows(orders)[first:last],
        ),
        lanes=None if problem.lanes is None else _lanes(problem.lanes, order),
    )
    parts = zip(*(column[begin:end].tolist() for column in rows), strict=True)
    return Decision(
        problem=one.freeze(),
        line_ids=None if line_ids is None else line_ids[first:last],
        rows=tuple((line - first, node, units) for line, node, units in parts),
        hand_over=hand_over,
        left=replace(left, stock=left.stock[entries]),
        prices=ShadowPrices(stock=prices.stock[entries], units=prices.units, parcels=prices.parcels),
        withheld={(place[k], n): found for (k, n), found in (withheld or {}).items() if k in place},
        kits=None if kits is None else kits[first:last],
        relaxed=relaxed,
        over_hub=over_hub,
    )


def orders_of(orders: Orders, first: int, last: int, *, sku: IntArray | None = None) -> Orders:
    """Return some consecutive orders; `sku` are other numbers for the SKUs of their lines."""
    begin, end = int(orders.line_start[first]), int(orders.line_start[last])

    def lines(column: IntArray | None) -> IntArray | None:
        return None if column is None else column[begin:end]

    return Orders(
        order_ids=orders.order_ids[first:last],
        latitude=orders.latitude[first:last],
        longitude=orders.longitude[first:last],
        due_days=orders.due_days[first:last],
        max_parcels=orders.max_parcels[first:last],
        line_start=orders.line_start[first : last + 1] - begin,
        line_sku=orders.line_sku[begin:end] if sku is None else sku,
        line_quantity=orders.line_quantity[begin:end],
        line_backorder_cents=lines(orders.line_backorder_cents),
        line_own_node=lines(orders.line_own_node),
        line_pinned_node=lines(orders.line_pinned_node),
        line_current_node=lines(orders.line_current_node),
        service_level=None if orders.service_level is None else orders.service_level[first:last],
        line_value_row=lines(orders.line_value_row),
        line_closed_row=lines(orders.line_closed_row),
    )


def _lanes(lanes: Lanes, order: int) -> Lanes:
    first, last = int(lanes.start[order]), int(lanes.start[order + 1])
    return Lanes(
        start=np.array([0, last - first], np.int64),
        node=lanes.node[first:last],
        service=lanes.service[first:last],
        cost_cents=lanes.cost_cents[first:last],
        transit_days=lanes.transit_days[first:last],
    )


def _minus(capacity: IntArray, used: NDArray[np.int64]) -> IntArray:
    return np.where(capacity >= UNLIMITED, UNLIMITED, capacity - used)
