"""Kits that ship from one node or not at all: what a plan tore apart is put together again, or waits as a whole.

The solver knows no lines that belong together. So a plan is found without the rule, and each kit that it tears goes to
the node at which its order costs least, of those that have all of it left and a service for it; if there is none, or
waiting is cheaper, all of it waits. The bound stays valid, as a plan that keeps kits whole is one of those that need
not. Not here: which lines are of a kit (engine/orders/capture.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.routing.batch import Batch
from engine.routing.decision import Left, left_by, orders_of
from engine.routing.line_rows import closed_rows, value_rows
from engine.routing.order_cost import OrderCost
from engine.routing.plan_costs import plan_of
from engine.routing.reasons import WAITS_FOR_KIT, WAITS_FOR_ORDER
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.problem import UNLIMITED, IntArray, RoutingProblem

Places = dict[int, tuple[tuple[int, int], ...]]
"""(node, units) of the lines of an order, by their place in it; what is missing is backordered."""
Group = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result without torn kits, and the lines (of the problem) that wait since the rest of their kit does."""

    result: RoutingResult
    waiting: frozenset[int]
    incomplete: frozenset[int] = frozenset()
    """Lines of orders that ship complete, of which something could ship."""


def keep_kits_whole(batch: Batch, result: RoutingResult) -> Kept:
    """Return the same result if no kit is torn."""
    plan = result.plan
    torn = {o: groups for o, groups in _groups_of(batch) if any(_is_torn(batch, plan, o, g) for g in groups)}
    if not torn:
        return Kept(result=result, waiting=frozenset())
    mending = Mending(batch.problem, plan)
    for order, groups in torn.items():
        mending.mend(order, groups)
    return Kept(result=replace(result, plan=mending.plan()), waiting=frozenset(mending.waiting))


def tears_a_kit(batch: Batch, order: int, plan: RoutingPlan) -> bool:
    """Return whether a plan tears a kit of an order."""
    whole = batch.orders[order].whole
    return bool(whole) and any(
        _is_torn(batch, plan, o, group) for o, groups in _groups_of(batch) if o == order for group in groups
    )


def kits_of(batch: Batch, kept: Kept) -> IntArray:
    """Return by line the first line of its kit in its order, -1 if it goes by itself, and what it waits for.

    That is 1 for the rest of its kit, 2 for the rest of its order, else 0; shape (lines, 2).
    """
    lines, start = len(batch.line_ids), batch.problem.orders.line_start
    found = np.stack([np.full(lines, -1, np.int64), np.zeros(lines, np.int64)], axis=1)
    for order, groups in _groups_of(batch):
        for group in groups:
            if len(group) > 1:
                found[start[order] + np.array(group), 0] = group[0]
    found[sorted(kept.incomplete), 1] = WAITS_FOR_ORDER
    found[sorted(kept.waiting), 1] = WAITS_FOR_KIT
    return found


def _groups_of(batch: Batch) -> Iterator[tuple[int, list[Group]]]:
    """Yield the orders with kits, and the lines of each kit by their place; kits that share a line are one."""
    start = batch.problem.orders.line_start
    for o, order in enumerate(batch.orders):
        if order.whole:
            ids = batch.line_ids[start[o] : start[o + 1]]
            groups = [{ids.index(name) for name in kit if name in ids} for kit in order.whole]
            yield o, [tuple(sorted(group)) for group in _joined(groups)]


def _joined(groups: Iterable[set[int]]) -> list[set[int]]:
    found: list[set[int]] = []
    for group in groups:
        apart = [other for other in found if not other & group]
        found = [*apart, group.union(*(other for other in found if other & group))]
    return found


def _is_torn(batch: Batch, plan: RoutingPlan, order: int, group: Group) -> bool:
    places = _places_of(batch.problem, plan, order)
    nodes = {node for line in group for node, _ in places.get(line, ())}
    quantity = batch.problem.orders.line_quantity[batch.problem.orders.line_start[order] :]
    is_whole = all(sum(units for _, units in places.get(line, ())) == quantity[line] for line in group)
    return len(nodes) > 1 or (len(nodes) == 1 and not is_whole)


def _places_of(problem: RoutingProblem, plan: RoutingPlan, order: int) -> Places:
    first = int(problem.orders.line_start[order])
    begin, end = np.searchsorted(plan.line, [first, problem.orders.line_start[order + 1]]).tolist()
    places: Places = {}
    columns = (plan.line[begin:end].tolist(), plan.node[begin:end].tolist(), plan.quantity[begin:end].tolist())
    for line, node, units in zip(*columns, strict=True):
        if node != BACKORDER:
            places[line - first] = (*places.get(line - first, ()), (node, units))
    return places


class Mending:
    """A plan that is mended order by order, and what it leaves."""

    def __init__(self, problem: RoutingProblem, plan: RoutingPlan) -> None:
        self._problem, self._plan = problem, plan
        self._places: dict[int, Places] = {}
        self._orders: dict[int, OrderCost] = {}
        left = left_by(problem, plan.line, plan.node, plan.quantity)
        self._left = Left(stock=left.stock.copy(), units=left.units.copy(), parcels=left.parcels.copy())
        self.waiting: set[int] = set()

    def mend(self, order: int, groups: Sequence[Group]) -> None:
        """Put the kits of an order together, one after another."""
        first = int(self._problem.orders.line_start[order])
        cost = OrderCost(replace(self._problem, orders=orders_of(self._problem.orders, order, order + 1)))
        places = _places_of(self._problem, self._plan, order)
        self._take(order, places, -1)
        for group in groups:
            others = {line: found for line, found in places.items() if line not in group}
            best, least = others, self._cents(order, cost, others)
            for node in range(len(self._problem.nodes.node_ids)):
                trial = {**others, **{line: ((node, cost.quantity[line]),) for line in group}}
                if self._fits(order, trial):
                    cents = self._cents(order, cost, trial)
                    if cents is not None and (least is None or cents < least):
                        best, least = trial, cents
            if best is others:
                self.waiting |= {first + line for line in group}
            if least is None:  # without the kit, what is left of a parcel is on another step of its rates, and late
                best = {}
                self.waiting |= {first + line for line in range(len(cost.quantity))}
            places = best
        self._take(order, places, 1)
        self._places[order], self._orders[order] = places, cost

    def trim(self, order: int, most: int) -> None:
        """Leave waiting what lines of an order have beyond their first so many nodes, those of most units first."""
        cost = OrderCost(replace(self._problem, orders=orders_of(self._problem.orders, order, order + 1)))
        found = _places_of(self._problem, self._plan, order)
        places = {line: tuple(sorted(at, key=lambda each: (-each[1], each[0]))[:most]) for line, at in found.items()}
        is_carried = self._cents(order, cost, places) is not None  # lighter parcels may be on another step, and late
        self._places[order], self._orders[order] = places if is_carried else {}, cost

    def plan(self) -> RoutingPlan:
        """Return the plan as mended."""
        plan, problem, start = self._plan, self._problem, self._problem.orders.line_start
        mended = np.isin(problem.line_order[plan.line], list(self._places))
        rows = [*zip(*(c[~mended].tolist() for c in (plan.line, plan.node, plan.quantity, plan.service)), strict=True)]
        for order, places in self._places.items():
            rows += self._rows(int(start[order]), self._orders[order], places)
        line, node, quantity, service = np.array(rows, np.int64).reshape(-1, 4).T.copy()
        return plan_of(problem, line, node, quantity, service)

    def _rows(self, first: int, cost: OrderCost, places: Places) -> Iterator[tuple[int, int, int, int]]:
        loads = cost.loads(places)
        for line, wanted in enumerate(cost.quantity):
            shipped = places.get(line, ())
            for node, units in shipped:
                parcel = cost.parcel(node, loads[node])
                yield first + line, node, units, BACKORDER if parcel is None else parcel.service
            short = wanted - sum(units for _, units in shipped)
            if short:
                yield first + line, BACKORDER, short, BACKORDER

    def _short(self, order: int, cost: OrderCost, places: Places) -> int:
        """Return what backordering the rest costs in the problem, where held units rank higher than their money."""
        orders, first = self._problem.orders, int(self._problem.orders.line_start[order])
        usual = self._problem.terms.backorder_cost_cents_per_unit
        each = orders.line_backorder_cents
        return sum(
            (wanted - sum(units for _, units in places.get(line, ())))
            * (usual if each is None else int(each[first + line]))
            for line, wanted in enumerate(cost.quantity)
        )

    def _cents(self, order: int, cost: OrderCost, places: Places) -> int | None:
        """Return what an order costs as the problem ranks plans, None if a parcel of it cannot be carried."""
        found = cost.costs(places)
        if found is None:
            return None
        parcels = found.shipping_cents + found.handling_cents + found.units_cents + found.split_cents
        ranked = found.late_cents + found.moves_cents + self._short(order, cost, places) + self._value(order, places)
        return parcels + ranked

    def _value(self, order: int, places: Places) -> int:
        """Return what the units count more where they ship from."""
        problem, first = self._problem, int(self._problem.orders.line_start[order])
        if problem.unit_value_cents is None:
            return 0
        rows = value_rows(problem.orders)
        shipped = ((line, node, units) for line, found in places.items() for node, units in found)
        return sum(int(problem.unit_value_cents[rows[first + line], node]) * units for line, node, units in shipped)

    def _fits(self, order: int, places: Places) -> bool:
        """Say whether stock, capacity and the order's own limits allow it."""
        orders, first = self._problem.orders, int(self._problem.orders.line_start[order])
        nodes = {node for found in places.values() for node, _ in found}
        if len(nodes) > int(orders.max_parcels[order]):
            return False
        for line, found in places.items():
            pinned = -1 if orders.line_pinned_node is None else int(orders.line_pinned_node[first + line])
            for node, units in found:
                if pinned not in (-1, node) or self._is_closed(first + line, node):
                    return False
                entry = self._entry(first + line, node)
                if entry is not None and (entry < 0 or self._left.stock[entry] < units):
                    return False
        return all(
            self._left.parcels[node] >= 1
            and self._left.units[node] >= sum(units for found in places.values() for at, units in found if at == node)
            for node in nodes
        )

    def _is_closed(self, line: int, node: int) -> bool:
        """Say whether a node ships a line only if its order holds it there, and it does not."""
        orders, closed = self._problem.orders, self._problem.closed
        if closed is None or (orders.line_own_node is not None and orders.line_own_node[line] == node):
            return False
        rows = closed_rows(orders)
        return bool(closed[rows[line], node])

    def _entry(self, line: int, node: int) -> int | None:
        """Return the stock entry that a line takes at a node, -1 if there is none, None for what the order holds."""
        orders, stock = self._problem.orders, self._problem.stock
        if orders.line_own_node is not None and orders.line_own_node[line] == node:
            return None
        k = int(orders.line_sku[line])
        first, last = int(stock.start[k]), int(stock.start[k + 1])
        at = first + int(np.searchsorted(stock.node[first:last], node))
        return at if at < last and stock.node[at] == node else -1

    def _take(self, order: int, places: Places, sign: int) -> None:
        """Take what an order's places need off what is left, or with -1 give it back."""
        first = int(self._problem.orders.line_start[order])
        for node in {node for found in places.values() for node, _ in found}:
            _less(self._left.parcels, node, sign)
        for line, found in places.items():
            for node, units in found:
                entry = self._entry(first + line, node)
                if entry is not None and entry >= 0:
                    self._left.stock[entry] -= sign * units
                _less(self._left.units, node, sign * units)


def _less(capacity: IntArray, node: int, amount: int) -> None:
    if capacity[node] < UNLIMITED:
        capacity[node] -= amount
