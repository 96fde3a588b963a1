"""Rules that may be broken at a price: the problem in which they are, and what was broken in a plan.

Not here: who is solved again in it (second_pass.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.network.node_rules import NodeRule
from engine.routing.line_rows import value_rows
from engine.routing.node_terms import Fitting, forbidden_by, keys_of, rows_of, with_closed_nodes
from solvers.problem import IntArray, RoutingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """A limit that was broken for an order, and what that counted: by a line at a node, a parcel, or the order."""

    order_id: str
    constraint: str
    cost_cents: int
    line_id: str | None = None
    sku: str | None = None
    quantity: int | None = None
    node_id: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as a run's summary has it."""
        return {
            "order_id": self.order_id,
            "line_id": self.line_id,
            "sku": self.sku,
            "quantity": self.quantity,
            "node_id": self.node_id,
            "constraint": self.constraint,
            "cost_cents": self.cost_cents,
        }


def with_relaxed_rules(
    problem: RoutingProblem, fitting: Sequence[Fitting], rules: Sequence[NodeRule], node: IntArray
) -> RoutingProblem:
    """Return the problem with the nodes closed that hard rules close; a unit counts more where a soft one would.

    What an order holds at a node breaks no rule there. Unlike other prices that rank, these stand against waiting.
    """
    hard = {r for r, rule in enumerate(rules) if rule.relaxed_cents is None}
    soft = {r for r, rule in enumerate(rules) if r not in hard and rule.closes}
    closed = with_closed_nodes(problem, [tuple(r for r in each if r in hard) for each in fitting], rules, node)
    if not any(soft.intersection(each) for each in fitting):
        return closed
    breakable = [tuple(r for r in each if r in soft) for each in fitting]
    orders, owner, lines = problem.orders, problem.line_order.tolist(), range(len(fitting))
    own = np.full(len(fitting), -1) if orders.line_own_node is None else orders.line_own_node
    before = problem.unit_value_cents
    row = value_rows(orders)

    def row_of(line: int) -> IntArray:
        cents = np.zeros(len(node), np.int64)
        for r in breakable[line]:
            cents += np.where(forbidden_by(rules[r], problem, owner[line], node), rules[r].relaxed_cents or 0, 0)
        if own[line] >= 0:
            cents[own[line]] = 0
        return cents if before is None else cents + before[row[line]]

    known = keys_of(breakable, rules, owner)
    keys = [(known[at], int(own[at]), -1 if before is None else int(row[at])) for at in lines]
    value_row, cents = rows_of(keys, row_of, len(node))
    return replace(closed, orders=replace(closed.orders, line_value_row=value_row), unit_value_cents=cents)


def relaxed_document(relaxed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a summary says of soft limits that were broken; nothing if none was."""
    if not relaxed:
        return {}
    return {"relaxed_cost_cents": sum(each["cost_cents"] for each in relaxed), "relaxed": list(relaxed)}
