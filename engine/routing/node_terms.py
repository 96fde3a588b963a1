"""Which rules of a policy apply to every line of a problem, and which nodes they close to it.

Rules go by what is known of the order and its products; lines to which the same rules apply share a row. Not here:
rules themselves (engine/network/node_rules.py), what units count more somewhere (ranking.py).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.network.node_rules import NodeRule, OrderFacts
from engine.routing.model import OpenOrder
from solvers.candidates import unit_vectors
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, IntArray, RoutingProblem

Fitting = tuple[int, ...]
"""The numbers of the rules that apply to a line."""
Row = TypeVar("Row", bound=np.generic)


def fitting_rules(problem: RoutingProblem, orders: Sequence[OpenOrder], view: View) -> list[Fitting]:
    """Return which rules apply to every line."""
    rules = view.terms.rules
    if not rules:
        return [()] * len(problem.orders.line_sku)
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
            of_order[facts] = tuple(r for r, rule in enumerate(rules) if rule.fits(facts))
        for line in range(start[o], start[o + 1]):
            key = of_order[facts], classes[sku[line]]
            if key not in of_line:
                of_line[key] = tuple(r for r in key[0] if rules[r].fits_product(key[1]))
            found.append(of_line[key])
    return found


def rows_of(
    keys: Sequence[Hashable], row_of: Callable[[int], NDArray[Row]], nodes: int
) -> tuple[IntArray, NDArray[Row]]:
    """Return the row of each line, and the rows: one for each different key, made of the first line that has it."""
    number: dict[Hashable, int] = {}
    row = np.array([number.setdefault(key, len(number)) for key in keys], np.int64)
    first = np.unique(row, return_index=True)[1].tolist()
    return row, np.array([row_of(line) for line in first]).reshape(-1, nodes)


def with_closed_nodes(
    problem: RoutingProblem, fitting: Sequence[Fitting], rules: Sequence[NodeRule], node: IntArray
) -> RoutingProblem:
    """Return the problem with the nodes closed that rules bar, and those that are too far by one.

    `node` is the network's number of each node.
    """
    closing = {r for r, rule in enumerate(rules) if rule.barred.any() or rule.max_km < np.inf}
    if not closing:
        return problem
    fitting = [tuple(r for r in each if r in closing) for each in fitting]
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
    row, closed = rows_of(keys, row_of, len(node))
    return replace(problem, orders=replace(orders, line_closed_row=row), closed=closed)
