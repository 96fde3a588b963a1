"""The second pass of a run: orders that would wait may break soft limits, each at its price.

The first pass keeps to every limit. Its orders that wait, and to which a soft limit applies, are solved again against
what all others leave, with these limits broken at their price. What they have in the first plan is feasible in the
second, so the plan of both is taken only if it counts less, with all that was broken, than that of the first alone. Not
here: the problem in which rules are broken (relaxing.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.network.run_terms import RunTerms
from engine.routing.again import Part, part_of, put_back
from engine.routing.batch import Batch
from engine.routing.completing import keep_to_limits, waiting
from engine.routing.hub_plan import HubPlan
from engine.routing.kits import Kept
from engine.routing.line_rows import closed_rows, value_rows
from engine.routing.node_terms import forbidden_by
from engine.routing.plan_costs import late_cents_of, plan_of
from engine.routing.relaxing import Relaxed
from solvers.params import Params
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.problem import NO_DUE_DATE, UNLIMITED, IntArray, RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

LATE, EXTRA_NODE, INCOMPLETE = "need_by", "max_nodes_per_order", "ship_complete"
"""What limits other than rules are called where they were broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BothPasses:
    """What both passes decided, in the problem that allows it, and which limits were broken."""

    batch: Batch
    kept: Kept
    relaxed: tuple[Relaxed, ...] = ()
    hubs: HubPlan | None = None
    """Which orders go over a hub, looked at after both."""


def second_pass(batch: Batch, kept: Kept, terms: RunTerms, params: Params, stopping: Stopping) -> BothPasses:
    """Return what both passes decide; what the first has decided alone if nothing soft is in the way of anybody."""
    first = BothPasses(batch=batch, kept=kept)
    chosen = [] if batch.relaxed is None else _chosen(batch, kept, terms)
    if batch.relaxed is None or not chosen:
        return first
    attempt = _Attempt(batch, batch.relaxed, kept, terms, chosen)
    result = solve(attempt.eager, params, stopping)
    found = attempt.kept(result, stopping)
    if attempt.cents(found.result.plan) >= attempt.cents(attempt.before):
        return first
    return attempt.both(result, found)


def _chosen(batch: Batch, kept: Kept, terms: RunTerms) -> list[int]:
    """Return the orders that wait, wholly or in part, and to which a soft limit applies that could be why."""
    problem, plan, softened = batch.problem, kept.result.plan, terms.softened
    soft = {r for r, rule in enumerate(terms.rules) if rule.relaxed_cents is not None and rule.closes}
    short, owner = plan.line[plan.node == BACKORDER], problem.line_order
    found = set[int]()
    for line in short[~batch.later[short]].tolist():
        o = int(owner[line])
        is_due = problem.orders.due_days[o] != NO_DUE_DATE and problem.terms.late_day_cost_cents is None
        if (
            soft.intersection(batch.fitting[line])
            or (softened.late_day_cents is not None and is_due)
            or (softened.extra_node_cents is not None and problem.orders.max_parcels[o] < UNLIMITED)
            or (softened.incomplete_order_cents is not None)
        ):
            found.add(o)
    return sorted(found)


class _Attempt:
    """Some orders in a second pass."""

    def __init__(
        self, batch: Batch, relaxed: RoutingProblem, kept: Kept, terms: RunTerms, chosen: Sequence[int]
    ) -> None:
        self._batch, self._terms, self._first, self._chosen = batch, terms, kept, chosen
        self._most = batch.problem.orders.max_parcels
        self._whole = _softened(relaxed, terms, chosen)
        self._part = part_of(self._whole, kept.result.plan, chosen)
        rows = _rows_of(kept.result.plan, self._part)
        self.before = plan_of(self._part.problem, *rows)

    @property
    def eager(self) -> RoutingProblem:
        """The problem that is solved: a parcel too many costs its price as every parcel beyond the first does."""
        extra, problem = self._terms.softened.extra_node_cents or 0, self._part.problem
        return replace(problem, terms=replace(problem.terms, split_cost_cents=problem.terms.split_cost_cents + extra))

    def kept(self, result: RoutingResult, stopping: Stopping) -> Kept:
        """Return the plan of a second pass with what no solver knows kept to."""
        problem, line = self._part.problem, self._part.line
        batch = replace(
            self._batch,
            problem=problem,
            orders=tuple(self._batch.orders[o] for o in self._chosen),
            line_ids=tuple(self._batch.line_ids[at] for at in line.tolist()),
            later=self._batch.later[line],
        )
        plan = result.plan
        honest = replace(result, plan=plan_of(problem, plan.line, plan.node, plan.quantity, plan.service))
        if self._terms.softened.incomplete_order_cents is None:
            return keep_to_limits(batch, honest, self._terms, stopping)
        found = keep_to_limits(batch, honest, replace(self._terms, ship_complete=False), stopping)
        return replace(found, result=replace(found.result, plan=self._worth_their_price(found.result.plan)))

    def _worth_their_price(self, plan: RoutingPlan) -> RoutingPlan:
        """Return the plan in which orders ship in part only if that is worth its price; else they wait."""
        problem, price = self._part.problem, self._terms.softened.incomplete_order_cents or 0
        owner, is_better = problem.line_order[plan.line], np.zeros(problem.order_count, np.bool_)
        rank = np.argsort(owner, kind="stable")
        for order in self._in_part(plan):
            begin, end = np.searchsorted(owner[rank], [order, order + 1]).tolist()
            own = rank[begin:end]
            ships = plan_of(problem, plan.line[own], plan.node[own], plan.quantity[own], plan.service[own])
            waits = waiting(problem, ships, np.arange(problem.order_count) == order)
            is_better[order] = waits.costs.total <= ships.costs.total + price
        return waiting(problem, plan, is_better)

    def _in_part(self, plan: RoutingPlan) -> list[int]:
        """Return the orders that ship in part."""
        owner = self._part.problem.line_order[plan.line]
        return sorted({*owner[plan.node == BACKORDER].tolist()} & {*owner[plan.node != BACKORDER].tolist()})

    def cents(self, plan: RoutingPlan) -> int:
        """Return what a plan of these orders counts, with all that it breaks."""
        softened = self._terms.softened
        extra = sum(self._extra(plan).values()) * (softened.extra_node_cents or 0)
        return plan.costs.total + extra + len(self._in_part(plan)) * (softened.incomplete_order_cents or 0)

    def _extra(self, plan: RoutingPlan) -> dict[int, int]:
        """Return how many parcels orders have beyond the most, by order, only where there are any."""
        owner, shipped = self._part.problem.line_order[plan.line], plan.node != BACKORDER
        pairs = np.unique(np.stack([owner[shipped], plan.node[shipped]]), axis=1)
        count = np.bincount(pairs[0].astype(np.int64), minlength=len(self._chosen))
        over = np.maximum(count - np.minimum(self._most[self._chosen], UNLIMITED), 0)
        return {o: int(over[o]) for o in np.flatnonzero(over).tolist()}

    def both(self, result: RoutingResult, found: Kept) -> BothPasses:
        """Return what both passes decide together."""
        first, part = self._first.result, self._part
        problem = self._final(found.result.plan)
        plan = put_back(problem, first.plan, part, found.result.plan)
        gaps = (_over_bound(first), _over_bound(result))
        bound = None if gaps[0] is None or gaps[1] is None else max(0, plan.costs.total - gaps[0] - gaps[1])
        lines = frozenset(part.line.tolist())
        kept = Kept(
            result=replace(
                first,
                plan=plan,
                lower_bound_cents=bound,
                compile_seconds=first.compile_seconds + result.compile_seconds,
                solve_seconds=first.solve_seconds + result.solve_seconds,
            ),
            waiting=(self._first.waiting - lines) | {int(part.line[at]) for at in found.waiting},
            incomplete=(self._first.incomplete - lines) | {int(part.line[at]) for at in found.incomplete},
        )
        relaxed = tuple(self._broken(found.result.plan))
        return BothPasses(batch=replace(self._batch, problem=problem.freeze()), kept=kept, relaxed=relaxed)

    def _final(self, found: RoutingPlan) -> RoutingProblem:
        """Return the problem as it is for everybody: nobody may break more than the second pass has broken."""
        strict, whole, part = self._batch.problem, self._whole, self._part
        most, terms = strict.orders.max_parcels.copy(), strict.terms
        for o, over in self._extra(found).items():
            most[self._chosen[o]] += over
        if found.costs.late:
            terms = whole.terms
        problem = replace(strict, terms=terms, orders=replace(strict.orders, max_parcels=most))
        shipped = found.node != BACKORDER
        pairs = zip(part.line[found.line[shipped]].tolist(), found.node[shipped].tolist(), strict=True)
        return _opened(problem, whole, [pair for pair in pairs if _is_closed(strict, *pair)])

    def _broken(self, plan: RoutingPlan) -> Iterator[Relaxed]:
        """Yield what a plan breaks, order by order."""
        batch, problem, softened = self._batch, self._part.problem, self._terms.softened
        ids, nodes = problem.orders.order_ids, problem.nodes.node_ids
        owner = problem.line_order
        for line, n, units in zip(plan.line.tolist(), plan.node.tolist(), plan.quantity.tolist(), strict=True):
            own = problem.orders.line_own_node
            if n == BACKORDER or (own is not None and own[line] == n):
                continue
            for r in batch.fitting[int(self._part.line[line])]:
                rule = self._terms.rules[r]
                cents = rule.relaxed_cents
                if cents is not None and forbidden_by(rule, problem, int(owner[line]), batch.node)[n]:
                    yield Relaxed(
                        order_id=ids[int(owner[line])],
                        constraint=rule.name,
                        cost_cents=cents * units,
                        line_id=batch.line_ids[int(self._part.line[line])],
                        sku=problem.skus[int(problem.orders.line_sku[line])],
                        quantity=units,
                        node_id=nodes[n],
                    )
        if softened.late_day_cents is not None and batch.problem.terms.late_day_cost_cents is None:
            for o, n, cents in late_cents_of(problem, plan):
                yield Relaxed(order_id=ids[o], constraint=LATE, cost_cents=cents, node_id=nodes[n])
        for o, over in self._extra(plan).items():
            cents = over * (softened.extra_node_cents or 0)
            yield Relaxed(order_id=ids[o], constraint=EXTRA_NODE, cost_cents=cents)
        if softened.incomplete_order_cents is not None:
            for o in self._in_part(plan):
                yield Relaxed(order_id=ids[o], constraint=INCOMPLETE, cost_cents=softened.incomplete_order_cents)


def _softened(relaxed: RoutingProblem, terms: RunTerms, chosen: Sequence[int]) -> RoutingProblem:
    """Return the problem with limits of days and parcels broken at their price, parcels by some orders only."""
    softened, orders = terms.softened, relaxed.orders
    if softened.extra_node_cents is not None:
        most = orders.max_parcels.copy()
        most[list(chosen)] = UNLIMITED
        orders = replace(orders, max_parcels=most)
    late = relaxed.terms.late_day_cost_cents
    found = replace(relaxed.terms, late_day_cost_cents=softened.late_day_cents if late is None else late)
    return replace(relaxed, orders=orders, terms=found)


def _rows_of(plan: RoutingPlan, part: Part) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the rows of a plan that are of a part, by the part's lines."""
    mine = np.isin(plan.line, part.line)
    return np.searchsorted(part.line, plan.line[mine]), plan.node[mine], plan.quantity[mine], plan.service[mine]


def _over_bound(result: RoutingResult) -> int | None:
    return None if result.lower_bound_cents is None else result.total_cost_cents - result.lower_bound_cents


def _is_closed(problem: RoutingProblem, line: int, node: int) -> bool:
    """Return whether a node ships a line only if its order holds it there, and it does not."""
    orders = problem.orders
    if problem.closed is None or (orders.line_own_node is not None and orders.line_own_node[line] == node):
        return False
    rows = closed_rows(orders)
    return bool(problem.closed[rows[line], node])


def _opened(problem: RoutingProblem, relaxed: RoutingProblem, pairs: Sequence[tuple[int, int]]) -> RoutingProblem:
    """Return the problem with some (line, node) open, at what they count in the relaxed one."""
    if not pairs or problem.closed is None or relaxed.unit_value_cents is None:
        return problem
    orders, before = problem.orders, problem.unit_value_cents
    closed_row = closed_rows(orders).copy()
    value_row = value_rows(orders).copy()
    if before is None:
        before, value_row = np.zeros((1, problem.closed.shape[1]), np.int64), np.zeros_like(value_row)
    price_row = value_rows(relaxed.orders)
    nodes: dict[int, list[int]] = {}
    for line, node in pairs:
        nodes.setdefault(line, []).append(node)
    closed, value = [problem.closed], [before]
    for number, (line, open_nodes) in enumerate(nodes.items()):
        shut, worth = problem.closed[closed_row[line]].copy(), before[value_row[line]].copy()
        shut[open_nodes] = False
        worth[open_nodes] = relaxed.unit_value_cents[price_row[line], open_nodes]
        closed_row[line], value_row[line] = len(problem.closed) + number, len(before) + number
        closed.append(shut[None, :])
        value.append(worth[None, :])
    demand = replace(orders, line_closed_row=closed_row, line_value_row=value_row)
    return replace(problem, orders=demand, closed=np.concatenate(closed), unit_value_cents=np.concatenate(value))
