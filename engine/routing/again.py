"""Some orders of a solved batch as a problem of their own: against what the plan leaves, and what it gave them.

What they have now is always feasible in it, so they need not end up worse. Not here: why some are solved again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.routing.decision import left_by
from engine.routing.plan_costs import plan_of
from solvers.plan import RoutingPlan
from solvers.problem import IntArray, Orders, RoutingProblem, Stock


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A problem of some orders, and the line of the whole problem that each of its lines is."""

    problem: RoutingProblem
    line: IntArray


def part_of(problem: RoutingProblem, plan: RoutingPlan, chosen: Sequence[int]) -> Part:
    """Return the problem of some orders, by number, against what the plan of all leaves without them."""
    is_chosen = np.zeros(problem.order_count, np.bool_)
    is_chosen[list(chosen)] = True
    others = ~is_chosen[problem.line_order[plan.line]]
    left = left_by(problem, plan.line[others], plan.node[others], plan.quantity[others])
    lines = np.flatnonzero(is_chosen[problem.line_order])
    stock, nodes = problem.stock, problem.nodes
    sku = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start))
    keeps = (left.stock > 0) & np.isin(sku, problem.orders.line_sku[lines])
    counts = np.bincount(sku[keeps], minlength=len(problem.skus))
    small = replace(
        problem,
        nodes=replace(nodes, capacity_units=np.maximum(left.units, 0), capacity_parcels=np.maximum(left.parcels, 0)),
        stock=Stock(
            start=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int64),
            node=stock.node[keeps],
            available=left.stock[keeps],
        ),
        orders=gathered_orders(problem.orders, np.flatnonzero(is_chosen), lines),
    )
    return Part(problem=small, line=lines)


def put_back(problem: RoutingProblem, plan: RoutingPlan, part: Part, found: RoutingPlan) -> RoutingPlan:
    """Return the plan of all with what was found for some."""
    others = ~np.isin(plan.line, part.line)
    pairs = (
        (plan.line[others], part.line[found.line]),
        (plan.node[others], found.node),
        (plan.quantity[others], found.quantity),
        (plan.service[others], found.service),
    )
    line, node, quantity, service = (np.concatenate(pair) for pair in pairs)
    return plan_of(problem, line, node, quantity, service)


def gathered_orders(orders: Orders, chosen: IntArray, lines: IntArray) -> Orders:
    """Return some orders, with their lines."""
    counts = np.diff(orders.line_start)[chosen]
    found: dict[str, Any] = {
        "order_ids": tuple(orders.order_ids[o] for o in chosen.tolist()),
        "line_start": np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int64),
    }
    for field in fields(orders):
        column = getattr(orders, field.name)
        if field.name not in found:
            of = lines if field.name.startswith("line_") else chosen
            found[field.name] = None if column is None else column[of]
    return Orders(**found)
