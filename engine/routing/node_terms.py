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
from engine.routing.plan_costs import distance_km
from solvers.problem import DISTANCE_TOLERANCE_KM, IntArray, RoutingProblem

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
    """Return the problem with the nodes closed that these rules bar, and those that are too far by one.

    `fitting` are the rules of each line; `node` is the network's number of each node.
    """
    closing = {r for r, rule in enumerate(rules) if rule.closes}
    if not closing or not any(closing.intersection(each) for each in fitting):
        return problem
    fitting = [tuple(r for r in each if r in closing) for each in fitting]
    owner = problem.line_order.tolist()

    def row_of(line: int) -> NDArray[np.bool_]:
        closed = np.zeros(len(node), np.bool_)
        for r in fitting[line]:
            closed |= forbidden_by(rules[r], problem, owner[line], node)
        return closed

    row, closed = rows_of(keys_of(fitting, rules, owner), row_of, len(node))
    return replace(problem, orders=replace(problem.orders, line_closed_row=row), closed=closed)


def keys_of(fitting: Sequence[Fitting], rules: Sequence[NodeRule], owner: Sequence[int]) -> list[tuple[Fitting, int]]:
    """Return what lines have in common to which the same nodes are closed: rules, and with a distance the order."""
    far = {r for r, rule in enumerate(rules) if rule.max_km < np.inf}
    return [(each, o if far.intersection(each) else -1) for each, o in zip(fitting, owner, strict=True)]


def forbidden_by(rule: NodeRule, problem: RoutingProblem, order: int, node: IntArray) -> NDArray[np.bool_]:
    """Return the nodes of a problem that get no new lines of an order by a rule that applies to them."""
    barred = rule.barred[node]
    if rule.max_km == np.inf:
        return barred
    every = np.arange(len(node))
    return barred | (distance_km(problem, np.full(len(node), order), every) > rule.max_km + DISTANCE_TOLERANCE_KM)
