"""Orders that ship complete or not at all, and lines that ship from a few nodes at most: plans that keep to it.

The solver knows neither rule. So a plan is found without them, as for kits (kits.py), and the orders that break one are
solved again, one by one, against what all others leave: lines with the nodes from which they had most; orders so that
nothing is left waiting, else all of it waits. Then orders that wait are offered what was given back. When the time is
over, lines keep the nodes of their most units and nothing more is offered. The bound stays valid, as a plan that keeps
to the rules is one of those that need not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.network.run_terms import RunTerms
from engine.routing.again import Part, part_of, put_back
from engine.routing.batch import Batch
from engine.routing.decision import left_by
from engine.routing.kits import Kept, Mending, keep_kits_whole, tears_a_kit
from engine.routing.line_rows import closed_rows
from engine.routing.plan_costs import plan_of
from engine.routing.worst_cost import worst_cost_cents
from solvers.params import Params
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.problem import IntArray, RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

_MOST_CENTS = 2**40
"""What a unit that waits costs at most, where an order is to ship complete: 2^53 is far for its thousands of units."""
_UNLIMITED = Stopping(stopwatch=time.perf_counter)


def keep_to_limits(batch: Batch, result: RoutingResult, terms: RunTerms, stopping: Stopping = _UNLIMITED) -> Kept:
    """Return a plan that keeps to all that the solver does not know: kits, complete orders, few nodes for a line."""
    kept = keep_kits_whole(batch, result)
    if terms.max_nodes_per_line is not None:
        kept = keep_lines_together(batch, kept, terms.max_nodes_per_line, stopping)
    if terms.ship_complete:
        kept = keep_orders_complete(batch, kept, terms.max_nodes_per_line, stopping)
    return kept


def keep_lines_together(batch: Batch, kept: Kept, most: int, stopping: Stopping = _UNLIMITED) -> Kept:
    """Return a plan none of whose lines ships from more nodes than `most`."""
    problem, plan = batch.problem, kept.result.plan
    for order in sorted({int(problem.line_order[line]) for line in _scattered(plan, most)}):
        if stopping.late():
            break
        part = part_of(problem, plan, [order])
        few = _few_nodes(part, plan, most)
        found = _solved(few)
        if len(_scattered(found, most)):
            found = _solved(replace(part.problem, terms=replace(part.problem.terms, line_split=False)))
        whole = put_back(problem, plan, part, found)
        if not tears_a_kit(batch, order, whole):
            plan = whole
    if len(_scattered(plan, most)):
        plan = _trimmed(problem, plan, most)
    return replace(kept, result=replace(kept.result, plan=plan))


def _scattered(plan: RoutingPlan, most: int) -> IntArray:
    """Return the lines that ship from more nodes."""
    lines, nodes = np.unique(plan.line[plan.node != BACKORDER], return_counts=True)
    return lines[nodes > most]


def _trimmed(problem: RoutingProblem, plan: RoutingPlan, most: int) -> RoutingPlan:
    """Return the plan in which what lines have at further nodes waits, as they were not solved again."""
    mending = Mending(problem, plan)
    for order in sorted({int(problem.line_order[line]) for line in _scattered(plan, most)}):
        mending.trim(order, most)
    return mending.plan()


def _few_nodes(part: Part, plan: RoutingPlan, most: int) -> RoutingProblem:
    """Return a problem in which each line has only the nodes of its most units, as many as it may have."""
    problem, orders = part.problem, part.problem.orders
    closed = np.zeros((len(part.line), len(problem.nodes.node_ids)), np.bool_)
    rows = closed_rows(orders)
    for at, line in enumerate(part.line.tolist()):
        if problem.closed is not None:
            closed[at] = problem.closed[rows[at]]
        here = (plan.line == line) & (plan.node != BACKORDER)
        if here.sum() > most:
            node, units = plan.node[here], plan.quantity[here]
            closed[at, node[np.lexsort((node, -units))][most:]] = True
            closed[at, np.setdiff1d(np.arange(closed.shape[1]), node)] = True
    return replace(problem, closed=closed, orders=replace(orders, line_closed_row=np.arange(len(part.line))))


def keep_orders_complete(
    batch: Batch, kept: Kept, most_nodes_per_line: int | None, stopping: Stopping = _UNLIMITED
) -> Kept:
    """Return a plan each of whose orders ships all its units or none; lines wait that could ship, but not all."""
    problem, plan = batch.problem, kept.result.plan
    short = _orders_of(problem, plan, plan.node == BACKORDER)
    torn = short & _orders_of(problem, plan, plan.node != BACKORDER)
    if not torn.any():
        return kept
    plan = waiting(problem, plan, torn)
    in_turn = sorted(np.flatnonzero(short).tolist(), key=lambda o: (-batch.orders[o].priority, not torn[o], o))
    left = left_by(problem, plan.line, plan.node, plan.quantity).stock
    for order in in_turn:
        if stopping.late():
            break
        if _may_be_there(problem, left, order):
            part = part_of(problem, plan, [order])
            found = _complete(part, most_nodes_per_line)
            whole = None if found is None else put_back(problem, plan, part, found)
            if whole is not None and not tears_a_kit(batch, order, whole):
                plan = whole
                left = left_by(problem, plan.line, plan.node, plan.quantity).stock
    still = _orders_of(problem, plan, plan.node == BACKORDER)
    incomplete = np.flatnonzero((torn & still)[problem.line_order]).tolist()
    return replace(kept, result=replace(kept.result, plan=plan), incomplete=frozenset(incomplete))


def _orders_of(problem: RoutingProblem, plan: RoutingPlan, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which orders have some of these rows."""
    found = np.zeros(problem.order_count, np.bool_)
    found[problem.line_order[plan.line[rows]]] = True
    return found


def waiting(problem: RoutingProblem, plan: RoutingPlan, orders: NDArray[np.bool_]) -> RoutingPlan:
    """Return the plan with all of some orders backordered."""
    stays = ~orders[problem.line_order[plan.line]]
    line = np.flatnonzero(orders[problem.line_order])
    nowhere = np.full(len(line), BACKORDER)
    columns = (
        (plan.line[stays], line),
        (plan.node[stays], nowhere),
        (plan.quantity[stays], problem.orders.line_quantity[line]),
        (plan.service[stays], nowhere),
    )
    return plan_of(problem, *(np.concatenate(pair) for pair in columns))


def _may_be_there(problem: RoutingProblem, left: IntArray, order: int) -> bool:
    """Return whether enough is left of everything that an order wants, wherever that is."""
    orders, stock = problem.orders, problem.stock
    for line in range(int(orders.line_start[order]), int(orders.line_start[order + 1])):
        k, quantity = int(orders.line_sku[line]), int(orders.line_quantity[line])
        units = left[stock.start[k] : stock.start[k + 1]]
        most = units.sum() if problem.terms.line_split else units.max(initial=0)
        if most < quantity and (orders.line_own_node is None or orders.line_own_node[line] < 0):
            return False
    return True


def _complete(part: Part, most_nodes_per_line: int | None) -> RoutingPlan | None:
    """Return how an order ships complete, None if it cannot, or if it is better to wait."""
    problem, orders = part.problem, part.problem.orders
    each = min(worst_cost_cents(problem) + 1, _MOST_CENTS)
    eager = replace(problem, orders=replace(orders, line_backorder_cents=np.full(len(part.line), each)))
    for plan in _plans(eager, most_nodes_per_line):
        if not plan.backordered_units:
            shipped = plan_of(problem, plan.line, plan.node, plan.quantity, plan.service)
            alternative = waiting(problem, shipped, np.ones(1, np.bool_))
            return shipped if shipped.costs.total < alternative.costs.total else None
    return None


def _plans(problem: RoutingProblem, most_nodes_per_line: int | None) -> Iterator[RoutingPlan]:
    """Yield plans of an order: lines split as they may be, and whole if they are then from too many nodes."""
    found = _solved(problem)
    if most_nodes_per_line is None or not len(_scattered(found, most_nodes_per_line)):
        yield found
    else:
        yield _solved(replace(problem, terms=replace(problem.terms, line_split=False)))


def _solved(problem: RoutingProblem) -> RoutingPlan:
    return solve(problem, Params(), Stopping(stopwatch=time.perf_counter)).plan
