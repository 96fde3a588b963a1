"""A plan from its rows: what it costs by component, told from the rows alone.

For plans that are put together of parts, and to tell plans in other money than they were ranked by. Works on problems
with rate cards, as runs have them, for as many orders at once as there are. Not here: which service a parcel goes by
(solvers/cost.py); the rows say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.routing.line_rows import value_rows
from solvers.candidates import unit_vectors
from solvers.plan import BACKORDER, Costs, RoutingPlan
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, NO_DUE_DATE, IntArray, RoutingProblem


def plan_of(
    problem: RoutingProblem, line: IntArray, node: IntArray, quantity: IntArray, service: IntArray
) -> RoutingPlan:
    """Return the plan of some rows, each units of a line at a node by a service, or backordered (`BACKORDER`)."""
    rank = np.lexsort((node, line))
    line, node, quantity, service = line[rank], node[rank], quantity[rank], service[rank]
    orders, nodes, terms = problem.orders, problem.nodes, problem.terms
    shipped, count = node != BACKORDER, max(len(nodes.node_ids), 1)
    key = problem.line_order[line] * count + node
    opened, first, parcel = np.unique(key[shipped], return_index=True, return_inverse=True)
    owner, at, carried_by = opened // count, opened % count, service[shipped][first]
    grams = np.zeros(len(opened), np.int64)
    np.add.at(grams, parcel.reshape(-1), (problem.weight_g[orders.line_sku[line]] * quantity)[shipped])
    freight_cents, late_cents = _carried(problem, owner, at, carried_by, grams)
    splits = np.maximum(np.bincount(owner, minlength=problem.order_count) - 1, 0)
    usual = np.full(len(orders.line_sku), terms.backorder_cost_cents_per_unit)
    short_cents = usual if orders.line_backorder_cents is None else orders.line_backorder_cents
    return RoutingPlan(
        line=line,
        node=node,
        quantity=quantity,
        service=service,
        costs=Costs(
            shipping=int(freight_cents.sum()),
            handling=int(nodes.parcel_cost_cents[at].sum()),
            units=int((nodes.unit_cost_cents[node] * quantity)[shipped].sum()),
            split=int(splits.sum()) * terms.split_cost_cents,
            late=int(late_cents.sum()),
            backorder=int((short_cents[line] * quantity)[~shipped].sum()),
            moves=_moves_cents(problem, line, node, quantity),
            value=_value_cents(problem, line[shipped], node[shipped], quantity[shipped]),
        ),
        parcels=len(opened),
        split_orders=int((splits > 0).sum()),
        backordered_units=int(quantity[~shipped].sum()),
    )


def _carried(
    problem: RoutingProblem, owner: IntArray, node: IntArray, service: IntArray, grams: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the freight and the late cents of parcels."""
    rates, orders, zones = problem.rates, problem.orders, len(problem.rates.zones)
    row = service * zones + np.searchsorted(
        rates.zone_max_km + DISTANCE_TOLERANCE_KM, distance_km(problem, owner, node)
    )
    step = np.zeros(len(row), np.int64)
    for each in np.unique(row).tolist():
        begin, end, among = int(rates.start[each]), int(rates.start[each + 1]), row == each
        step[among] = begin + np.searchsorted(rates.max_weight_g[begin:end], grams[among])
    days = rates.transit_days[step]
    if rates.delivery_days is not None:
        days = rates.delivery_days[node, service, days]
    due = orders.due_days[owner]
    late = np.where(due == NO_DUE_DATE, 0, np.maximum(days - due, 0))
    return rates.cost_cents[step], late * (problem.terms.late_day_cost_cents or 0)


def late_cents_of(problem: RoutingProblem, plan: RoutingPlan) -> list[tuple[int, int, int]]:
    """Return the (order, node, late cents) of the parcels of a plan that are late."""
    shipped, count = plan.node != BACKORDER, max(len(problem.nodes.node_ids), 1)
    line, node = plan.line[shipped], plan.node[shipped]
    opened, first, parcel = np.unique(problem.line_order[line] * count + node, return_index=True, return_inverse=True)
    grams = np.zeros(len(opened), np.int64)
    np.add.at(grams, parcel.reshape(-1), problem.weight_g[problem.orders.line_sku[line]] * plan.quantity[shipped])
    late = _carried(problem, opened // count, opened % count, plan.service[shipped][first], grams)[1]
    return [(int(opened[k] // count), int(opened[k] % count), int(late[k])) for k in np.flatnonzero(late).tolist()]


def distance_km(problem: RoutingProblem, order: IntArray, node: IntArray) -> NDArray[np.float64]:
    """Return the great-circle distances of pairs of order and node."""
    orders, nodes = problem.orders, problem.nodes
    here = unit_vectors(orders.latitude[order], orders.longitude[order])
    chord = np.sqrt(((here - unit_vectors(nodes.latitude[node], nodes.longitude[node])) ** 2).sum(axis=1))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord / 2)))


def _moves_cents(problem: RoutingProblem, line: IntArray, node: IntArray, quantity: IntArray) -> int:
    current, cents = problem.orders.line_current_node, problem.terms.move_cost_cents
    if current is None or not cents:
        return 0
    moved = (current[line] >= 0) & (current[line] != node)
    if not problem.terms.line_split:
        return cents * int(moved.sum())
    each = -(-cents // problem.orders.line_quantity[line])
    return int((each * quantity)[moved].sum())


def _value_cents(problem: RoutingProblem, line: IntArray, node: IntArray, quantity: IntArray) -> int:
    if problem.unit_value_cents is None:
        return 0
    orders = problem.orders
    row = value_rows(orders)
    return int((problem.unit_value_cents[row[line], node] * quantity).sum())
