"""Orders of one unit, all decided at once: a flow of least cost from orders over stock and nodes.

An order of one line and one unit ships one parcel from one cell, so that such orders form a transportation problem,
whose linear programme is integral by nature: order → contested stock → node of limited capacity → sink. The flow is
found by OR-Tools (cost scaling, Goldberg 1997, Journal of Algorithms 22:1). Orders of any other kind stay as they are.
Not here: the prices that prove a flow (`flow_prices.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from solvers.assignment import Assignment
from solvers.cost import INFEASIBLE
from solvers.parts import adopt
from solvers.pattern_sets import Patterns
from solvers.plan import BACKORDER
from solvers.problem import UNLIMITED, IntArray
from solvers.tables import NO_STOCK, Compiled

MOST_SCALED_CENTS = 2**62
"""Cost scaling multiplies costs by the number of vertices and adds them up along paths, which meet every place once at
most; where that could leave 64 bits, no flow is tried."""


class Arcs(NamedTuple):
    """What orders of one unit may take that could run short, where that is cheaper than anything that could not."""

    order: IntArray
    """The order of each arc, counted from the first given; ascending."""
    cand: IntArray
    """Counted from the order's first candidate."""
    place: IntArray
    """The contested row, or the number of rows plus the node, where only the node's capacity is limited."""
    cents: IntArray
    free_cents: IntArray
    """Per order: the least it costs without anything that could run short."""
    free_cand: NDArray[np.int32]
    """The candidate for that, or `BACKORDER`."""


def single_units(compiled: Compiled) -> IntArray:
    """Return the orders of one unit that compete for something."""
    t = compiled.tables
    alone = np.flatnonzero(compiled.coupled & (np.diff(t.line_start) == 1) & (t.grouped == 1))
    return alone[t.quantity[t.line_start[alone]] == 1]


def arcs_of(compiled: Compiled, orders: IntArray) -> Arcs:
    """Return what orders of one unit may do."""
    t, rows = compiled.tables, len(compiled.entry)
    counts = t.cand_start[orders + 1] - t.cand_start[orders]
    order = np.repeat(np.arange(len(orders)), counts)
    cand = np.arange(len(order)) - (np.cumsum(counts) - counts)[order]
    at, row = t.cand_start[orders][order] + cand, t.row[t.row_start[orders][order] + cand].astype(np.int64)
    able = (row != NO_STOCK) & (t.max_parcels[orders][order] > 0)
    cents = np.full(len(order), INFEASIBLE)
    cents[able] = t.parcel_cents[t.cand_table[at[able]] + 1]  # of the one subset that is not empty
    node = t.cand_node[at]
    place = np.where(row >= 0, row, np.where(_limited(compiled)[node], rows + node, -1))
    free_cents, free_cand = t.short_cents[t.line_start[orders]].copy(), np.full(len(orders), BACKORDER, np.int32)
    for k in np.flatnonzero((place < 0) & (cents < free_cents[order])):
        if cents[k] < free_cents[order[k]]:
            free_cents[order[k]], free_cand[order[k]] = cents[k], cand[k]
    use = np.flatnonzero((place >= 0) & (cents < free_cents[order]))
    return Arcs(order[use], cand[use], place[use], cents[use], free_cents, free_cand)


def row_places(compiled: Compiled) -> IntArray:
    """Return the place that each contested row draws on: its node, if that has limits, or -1."""
    node = compiled.problem.stock.node[compiled.entry]
    return np.where(_limited(compiled)[node], len(compiled.entry) + node, -1)


def _limited(compiled: Compiled) -> NDArray[np.bool_]:
    return np.minimum(compiled.node_units, compiled.node_parcels) < UNLIMITED


def improve_by_flow(compiled: Compiled, plan: Assignment, orders: IntArray) -> int:
    """Give orders of one unit their best cells given what the others of the plan hold; return the cents saved.

    Optimal given the others. The plan stays as it is where it cannot be made cheaper, and where costs are so large
    that the flow would not be exact.
    """
    t, arcs = compiled.tables, arcs_of(compiled, orders)
    chosen = _cheapest(arcs, _for_these(compiled, plan, orders), row_places(compiled))
    if chosen is None:
        return 0
    cand, cents = arcs.free_cand.copy(), arcs.free_cents.copy()
    cand[arcs.order[chosen]], cents[arcs.order[chosen]] = arcs.cand[chosen], arcs.cents[chosen]
    saved = int(plan.cents[orders].sum() - cents.sum())
    if saved <= 0:
        return 0
    moved = np.flatnonzero(cand != plan.cand[t.line_start[orders]])
    start = np.arange(len(moved) + 1)
    adopt(t, Patterns(orders[moved], np.zeros(len(moved)), cents[moved], start, cand[moved]), plan)
    return saved


def left_of_places(plan: Assignment) -> IntArray:
    """Return how many units are left at each contested row, then how many single units each node could ship."""
    return np.concatenate([plan.residual.row, np.minimum(plan.residual.units, plan.residual.parcels)])


def _for_these(compiled: Compiled, plan: Assignment, orders: IntArray) -> IntArray:
    """Return what all other orders leave of each place."""
    t, left = compiled.tables, left_of_places(plan)
    now = plan.cand[t.line_start[orders]]
    orders, now = orders[now != BACKORDER], now[now != BACKORDER]
    row = t.row[t.row_start[orders] + now]
    np.add.at(left, row[row >= 0], 1)
    np.add.at(left, len(compiled.entry) + t.cand_node[t.cand_start[orders] + now], 1)
    return left


def _cheapest(arcs: Arcs, left: IntArray, row_place: IntArray) -> IntArray | None:
    """Return which arcs a plan of least cost takes, where every place has so much left; None if costs are too large."""
    orders, rows, used = len(arcs.free_cents), len(row_place), np.zeros(len(left), np.bool_)
    gain = arcs.free_cents[arcs.order] - arcs.cents
    used[arcs.place] = True
    stock = np.flatnonzero(used[:rows])
    onward = row_place[stock]
    used[onward[onward >= 0]] = True
    nodes = rows + np.flatnonzero(used[rows:])
    vertex, places = orders + np.cumsum(used) - 1, int(used.sum())
    sink = orders + places
    if 8 * (places + 2) * (sink + 2) * int(gain.max(initial=0)) > MOST_SCALED_CENTS:
        return None
    flow = SimpleMinCostFlow()
    taken = _add(flow, arcs.order, vertex[arcs.place], np.ones(len(gain), np.int64), -gain)
    _add(flow, np.arange(orders), np.full(orders, sink), np.ones(orders, np.int64), np.zeros(orders, np.int64))
    for tail, head in ((stock, np.where(onward >= 0, vertex[onward], sink)), (nodes, np.full(len(nodes), sink))):
        _add(flow, vertex[tail], head, np.minimum(left[tail], orders), np.zeros(len(tail), np.int64))
    flow.set_nodes_supplies(np.arange(orders, dtype=np.int32), np.ones(orders, np.int64))
    flow.set_node_supply(sink, -orders)
    if flow.solve() != SimpleMinCostFlow.OPTIMAL:
        return None
    return np.flatnonzero(flow.flows(taken))


def _add(
    flow: SimpleMinCostFlow, tail: IntArray, head: IntArray, capacity: IntArray, cents: IntArray
) -> NDArray[np.int32]:
    ends = tail.astype(np.int32), head.astype(np.int32)
    return np.asarray(flow.add_arcs_with_capacity_and_unit_cost(*ends, capacity, cents), np.int32)
