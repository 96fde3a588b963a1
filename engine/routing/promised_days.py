"""Promised days that cannot be kept any more: for which orders it helps to give them up, and to solve again.

An order is due on the day of its promise. Where that leaves units waiting, a later day may do better: if parcels can
come then that are too late now. If all would be in time, it waits for stock or capacity, and solving again would decide
the same. Not here: which day an order is due (demand.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.routing.batch import Batch
from engine.routing.model import OpenOrder
from solvers.cost import INFEASIBLE
from solvers.plan import BACKORDER, RoutingResult
from solvers.problem import NO_DUE_DATE, UNLIMITED, IntArray, RoutingProblem
from solvers.tables import compile_tables


def has_promised_days(orders: Sequence[OpenOrder]) -> bool:
    """Return whether any order is due for its promise alone."""
    return any(order.promised_on is not None and order.need_by is None for order in orders)


def to_give_up(batch: Batch, result: RoutingResult) -> frozenset[str]:
    """Return the orders that a plan leaves waiting, though more parcels could come after the promised day."""
    problem, plan = batch.problem, result.plan
    short = plan.line[plan.node == BACKORDER]
    short = short[~batch.later[short]]  # what is held for a later day ships then, as promised
    if not len(short):
        return frozenset()
    owners = np.unique(problem.line_order[short])
    broken = owners[[has_promised_days([batch.orders[o]]) for o in owners.tolist()]]
    if not len(broken):
        return frozenset()
    due_days = problem.orders.due_days.copy()
    due_days[broken] = NO_DUE_DATE
    timeless = replace(problem, orders=replace(problem.orders, due_days=due_days))
    has_more = _parcels(timeless)[broken] > _parcels(problem)[broken]
    return frozenset(batch.orders[o].order_id for o in broken[has_more].tolist())


def _parcels(problem: RoutingProblem) -> IntArray:
    """Return by order how many parcels could be sent of it: lines that go together, from a node that has them.

    Of orders too long to have them counted, it is as many as there is time for.
    """
    tables = compile_tables(problem).tables
    ends = tables.cand_table[tables.cand_start]
    counted = np.concatenate([np.zeros(1, np.int64), np.cumsum(tables.parcel_cents < INFEASIBLE)])[ends]
    is_long = tables.grouped < np.diff(tables.line_start)
    due_days = problem.orders.due_days
    days = np.where(due_days == NO_DUE_DATE, UNLIMITED, due_days)
    found: IntArray = np.where(is_long, days, np.diff(counted))
    return found
