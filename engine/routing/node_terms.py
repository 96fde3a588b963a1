"""What a policy says of nodes, by line of a problem: which are closed to it, and where its units count more.

Rules go by what is known of the order and its products; lines to which the same rules apply share a row. What units
count more (`unit_value_cents`) ranks plans, chooses among nodes, and lets nobody wait: not to ship a unit costs as much
more as the dearest node would. Not here: rules themselves (engine/network/node_rules.py).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.bidding.document import BidPrices
from engine.network.node_rules import NodeRule, OrderFacts
from engine.routing.model import OpenOrder
from solvers.candidates import unit_vectors
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, IntArray, RoutingProblem

Fitting = tuple[int, ...]
"""The numbers of the rules that apply to a line."""
Row = TypeVar("Row", bound=np.generic)


def with_node_terms(problem: RoutingProblem, orders: Sequence[OpenOrder], view: View, node: IntArray) -> RoutingProblem:
    """Return the problem under the rules and prices of a view; `node` is the network's number of each node."""
    fitting = _fitting(problem, orders, view) if view.rules else [()] * len(problem.orders.line_sku)
    closing = {r for r, rule in enumerate(view.rules) if rule.barred.any() or rule.max_km < np.inf}
    if closing:
        problem = _closed(problem, [tuple(r for r in each if r in closing) for each in fitting], view.rules, node)
    pricing = {r for r, rule in enumerate(view.rules) if rule.price_cents is not None}
    by_sku = _worth(problem, view.bid_prices)
    if pricing or by_sku is not None:
        kept = [tuple(r for r in each if r in pricing) for each in fitting]
        problem = _charged(problem, kept, view.rules, node, by_sku)
    return problem


def _fitting(problem: RoutingProblem, orders: Sequence[OpenOrder], view: View) -> list[Fitting]:
    """Return which rules apply to every line."""
    of_order: dict[OrderFacts, Fitting] = {}
    of_line: dict[tuple[Fitting, str | None], Fitting] = {}
    classes = [view.catalog.classes.get(sku) for sku in problem.skus]
    start, sku, found = problem.orders.line_start.tolist(), problem.orders.line_sku.tolist(), list[Fitting]()
    for o, order in enumerate(orders):
        facts = OrderFacts(
            country=order.country,
            postal_code=order.postal_code,
            customer_class=order.customer_class,
            channel=order.channel,
        )
        if facts not in of_order:
            of_order[facts] = tuple(r for r, rule in enumerate(view.rules) if rule.fits(facts))
        for line in range(start[o], start[o + 1]):
            key = of_order[facts], classes[sku[line]]
            if key not in of_line:
                of_line[key] = tuple(r for r in key[0] if view.rules[r].fits_product(key[1]))
            found.append(of_line[key])
    return found


def _rows(keys: Sequence[Hashable], row_of: Callable[[int], NDArray[Row]], nodes: int) -> tuple[IntArray, NDArray[Row]]:
    """Return the row of each line, and the rows: one for each different key, made of the first line that has it."""
    number: dict[Hashable, int] = {}
    row = np.array([number.setdefault(key, len(number)) for key in keys], np.int64)
    first = np.unique(row, return_index=True)[1].tolist()
    return row, np.array([row_of(line) for line in first]).reshape(-1, nodes)


def _closed(
    problem: RoutingProblem, fitting: Sequence[Fitting], rules: Sequence[NodeRule], node: IntArray
) -> RoutingProblem:
    """Return the problem with the nodes closed that rules bar, and those that are too far by one."""
    orders, nodes = problem.orders, problem.nodes
    node_at = unit_vectors(nodes.latitude, nodes.longitude)
    order_at = unit_vectors(orders.latitude, orders.longitude)
    owner = problem.line_order.tolist()
    reach = [min((rules[r].max_km for r in each), default=np.inf) for each in fitting]
    barred = dict[Fitting, NDArray[np.bool_]]()
    for each in set(fitting):
        barred[each] = np.zeros(len(node), np.bool_)
        for r in each:
            barred[each] |= rules[r].barred[node]

    def row_of(line: int) -> NDArray[np.bool_]:
        if reach[line] == np.inf:
            return barred[fitting[line]]
        chord = np.sqrt(((node_at - order_at[owner[line]]) ** 2).sum(axis=1))
        distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord / 2))
        is_far: NDArray[np.bool_] = distance_km > reach[line] + DISTANCE_TOLERANCE_KM
        return is_far | barred[fitting[line]]

    keys = [(each, o if km < np.inf else -1) for each, o, km in zip(fitting, owner, reach, strict=True)]
    row, closed = _rows(keys, row_of, len(node))
    return replace(problem, orders=replace(orders, line_closed_row=row), closed=closed)


def _charged(
    problem: RoutingProblem,
    fitting: Sequence[Fitting],
    rules: Sequence[NodeRule],
    node: IntArray,
    by_sku: IntArray | None,
) -> RoutingProblem:
    """Return the problem with what units count more; `by_sku` (SKUs, nodes) is that of every line of a SKU."""
    orders, sku = problem.orders, problem.orders.line_sku.tolist()

    def row_of(line: int) -> IntArray:
        prices = (rules[r].price_cents for r in fitting[line])
        cents: IntArray = sum((p[node] for p in prices if p is not None), np.zeros(len(node), np.int64))
        return cents if by_sku is None else cents + by_sku[sku[line]]

    keys = [(each, -1 if by_sku is None else k) for each, k in zip(fitting, sku, strict=True)]
    row, cents = _rows(keys, row_of, len(node))
    if not cents.any():
        return problem
    usual = problem.terms.backorder_cost_cents_per_unit
    backorder = usual if orders.line_backorder_cents is None else orders.line_backorder_cents
    demand = replace(orders, line_backorder_cents=backorder + cents.max(axis=1)[row], line_value_row=row)
    return replace(problem, orders=demand, unit_value_cents=cents)


def _worth(problem: RoutingProblem, prices: BidPrices | None) -> IntArray | None:
    """Return what a unit is worth to later demand, shape (SKUs, nodes), None if nothing is."""
    if prices is None:
        return None
    index = {node_id: n for n, node_id in enumerate(problem.nodes.node_ids)}
    value = np.zeros((len(problem.skus), len(index)), np.int64)
    for k, sku in enumerate(problem.skus):
        for node_id, cents in prices.by_sku.get(sku, {}).items():
            if node_id in index:
                value[k, index[node_id]] = cents
    return value if value.any() else None
