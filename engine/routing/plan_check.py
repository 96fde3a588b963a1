"""Checks what a run is about to commit against its problem: by arrays, and by none of the code that solved it.

What is checked are the allocations, in the words of orders, as they will be committed: every ordered unit once, whole
lines and kits, stock, capacities, parcels, closed and pinned nodes, reach, services in time, days of dispatch, and what
the plan says that it costs. Not here: the cost of a parcel (parcel_check.py), checking folders (engine/verification).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import PlanNotVerified
from engine.routing.line_rows import closed_rows, value_rows
from engine.routing.model import AllocationRow, OpenOrder, OrderAllocation
from engine.routing.parcel_check import Parcels, parcels_of
from solvers.plan import RoutingPlan
from solvers.problem import IntArray, RoutingProblem

NOWHERE = -1
MOST_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a plan is checked against: the problem, its orders, the ids of its lines, and when parcels leave."""

    problem: RoutingProblem
    orders: Sequence[OpenOrder]
    line_ids: Sequence[str]
    hand_over: IntArray
    """Day ordinal on which node n hands over to service v, shape (nodes, services)."""
    max_nodes_per_line: int | None = None
    ship_complete: bool = False
    in_part: frozenset[str] = frozenset()
    """Orders that ship in part all the same, at the price of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Allocations by the numbers of the problem, one entry per row; `NOWHERE` where a row waits."""

    line: IntArray
    node: IntArray
    service: IntArray
    quantity: IntArray
    ship_on: IntArray


def check_plan(ground: Ground, allocations: Sequence[OrderAllocation], plan: RoutingPlan, bound: int | None) -> None:
    """Raise PlanNotVerified unless allocations keep every rule, and cost what the plan and its bound say."""
    faults: list[str] = []
    rows = rows_of(ground, allocations, plan, faults)
    if not faults:
        shipped = rows.node != NOWHERE
        parcels = parcels_of(ground.problem, rows.line[shipped], rows.node[shipped], rows.quantity[shipped])
        faults += faults_of_lines(ground, rows)
        faults += _nodes(ground.problem, rows, parcels)
        faults += faults_of_parcels(ground, rows, parcels)
        if not faults:
            faults += faults_of_costs(counted_costs(ground.problem, rows, parcels), plan, bound)
    refuse(faults)


def refuse(faults: Sequence[str]) -> None:
    """Raise PlanNotVerified if there are any faults."""
    if faults:
        more = f"; and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        told = "; ".join(faults[:MOST_TOLD])
        raise PlanNotVerified(f"The plan does not hold, and nothing of it was committed: {told}{more}.")


def faults_of_lines(ground: Ground, rows: Rows) -> Iterable[str]:
    """Tell what is wrong with lines, in whatever parcels: units, kits, complete orders, stock, closed nodes."""
    yield from _lines(ground, rows)
    yield from _kits(ground, rows)
    yield from _together(ground, rows)
    yield from _stock(ground.problem, rows)


def rows_of(ground: Ground, allocations: Sequence[OrderAllocation], plan: RoutingPlan, faults: list[str]) -> Rows:
    """Return allocations by number; of services of one name it is the one that the plan says, if it is of that name."""
    problem = ground.problem
    meant = dict(zip(zip(plan.line.tolist(), plan.node.tolist(), strict=True), plan.service.tolist(), strict=True))
    number = {order_id: o for o, order_id in enumerate(problem.orders.order_ids)}
    start = problem.orders.line_start.tolist()
    nodes = {node_id: n for n, node_id in enumerate(problem.nodes.node_ids)}
    services = {service: v for v, service in enumerate(problem.services)}
    sku_of = [problem.skus[k] for k in problem.orders.line_sku.tolist()]
    found: list[tuple[int, int, int, int, int]] = []
    for allocation in allocations:
        o = number.pop(allocation.order_id, None)
        if o is None:
            faults.append(f"order {allocation.order_id} is not of the problem, or decided on twice")
            continue
        lines = {(ground.line_ids[at], sku_of[at]): at for at in range(start[o], start[o + 1])}
        for row in _beside_kept(ground.orders[o], allocation, faults):
            line = lines.get((row.line_id, row.sku))
            if line is None or row.quantity < 1 or not _is_known(row, nodes, services):
                faults.append(f"order {allocation.order_id} has no such line, node or service: {row}")
            elif row.node_id is None or row.service is None or row.ship_on is None:
                found.append((line, NOWHERE, NOWHERE, row.quantity, 0))
            else:
                node, service = nodes[row.node_id], services[row.service]
                said = meant.get((line, node), service)
                if problem.services[said] == row.service:
                    service = said
                found.append((line, node, service, row.quantity, row.ship_on.toordinal()))
    faults += [f"order {order_id} is not decided on" for order_id in number]
    columns = np.array(found, np.int64).reshape(len(found), 5).T
    return Rows(line=columns[0], node=columns[1], service=columns[2], quantity=columns[3], ship_on=columns[4])


def _beside_kept(order: OpenOrder, allocation: OrderAllocation, faults: list[str]) -> Sequence[AllocationRow]:
    """Return the rows that were decided now; those that an order keeps of an earlier decision have to be there."""
    if not order.kept:
        return allocation.rows
    rows = list(allocation.rows)
    for row in order.kept:
        if row in rows:
            rows.remove(row)
        else:
            faults.append(f"order {order.order_id} does not keep {row}")
    return rows


def _is_known(row: AllocationRow, nodes: dict[str, int], services: dict[str, int]) -> bool:
    if row.node_id is None:
        return row.service is None and row.ship_on is None
    return row.node_id in nodes and row.service in services and row.ship_on is not None


def _lines(ground: Ground, rows: Rows) -> Iterable[str]:
    orders, terms = ground.problem.orders, ground.problem.terms
    planned = _sums(rows.line, rows.quantity, len(orders.line_sku))
    for line in np.flatnonzero(planned != orders.line_quantity).tolist():
        yield f"{_named(ground, line)}: {orders.line_quantity[line]} ordered, {planned[line]} planned"
    if not terms.line_split:
        for line in np.flatnonzero(np.bincount(rows.line, minlength=len(orders.line_sku)) > 1).tolist():
            yield f"{_named(ground, line)} is split, and lines may not be"


def _together(ground: Ground, rows: Rows) -> Iterable[str]:
    """Tell lines that leave from too many nodes, and orders that leave in part where they may not."""
    problem, shipped = ground.problem, rows.node != NOWHERE
    if ground.max_nodes_per_line is not None:
        of_line = np.bincount(rows.line[shipped], minlength=len(problem.orders.line_sku))
        for line in np.flatnonzero(of_line > ground.max_nodes_per_line).tolist():
            yield f"{_named(ground, line)} leaves {of_line[line]} nodes, and may leave {ground.max_nodes_per_line}"
    if ground.ship_complete:
        owner = problem.line_order[rows.line]
        some, rest = (np.bincount(owner[each], minlength=problem.order_count) > 0 for each in (shipped, ~shipped))
        for order in np.flatnonzero(some & rest).tolist():
            if problem.orders.order_ids[order] in ground.in_part:
                continue
            yield f"order {problem.orders.order_ids[order]} ships in part, and orders ship complete"


def _kits(ground: Ground, rows: Rows) -> Iterable[str]:
    """Tell kits that leave from several nodes, or in part."""
    with_kits = [o for o, order in enumerate(ground.orders) if order.whole]
    if not with_kits:
        return
    places: dict[int, set[int]] = {}
    for line, node in zip(rows.line.tolist(), rows.node.tolist(), strict=True):
        places.setdefault(line, set()).add(node)
    start = ground.problem.orders.line_start.tolist()
    for o in with_kits:
        lines = {ground.line_ids[at]: at for at in range(start[o], start[o + 1])}
        for kit in ground.orders[o].whole:
            if len(set[int]().union(*(places.get(lines[name], set()) for name in kit if name in lines))) > 1:
                yield f"order {ground.orders[o].order_id} ships the kit of lines {', '.join(sorted(kit))} in parts"


def _stock(problem: RoutingProblem, rows: Rows) -> Iterable[str]:
    orders, stock, count = problem.orders, problem.stock, len(problem.nodes.node_ids)
    own, pinned = _of_lines(orders.line_own_node, rows.line), _of_lines(orders.line_pinned_node, rows.line)
    shipped = rows.node != NOWHERE
    for row in np.flatnonzero(shipped & (pinned >= 0) & (pinned != rows.node)).tolist():
        yield f"{_of_row(problem, rows, row)}, and is pinned to {problem.nodes.node_ids[pinned[row]]}"
    taken = shipped & (own != rows.node)
    if problem.closed is not None:
        closed_row = closed_rows(orders)
        closed = problem.closed[closed_row[rows.line], rows.node] & taken
        for row in np.flatnonzero(closed).tolist():
            yield f"{_of_row(problem, rows, row)}, which gets no such orders"
    cells = orders.line_sku[rows.line[taken]] * count + rows.node[taken]
    used, at = np.unique(cells, return_inverse=True)
    units = _sums(at.reshape(-1), rows.quantity[taken], len(used))
    there = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start)) * count + stock.node
    place = np.searchsorted(there, used)
    found = np.zeros(len(used), np.bool_)
    found[place < len(there)] = there[place[place < len(there)]] == used[place < len(there)]
    available = np.zeros(len(used), np.int64)
    available[found] = stock.available[place[found]]
    for cell in np.flatnonzero(units > available).tolist():
        sku, node = divmod(int(used[cell]), count)
        told = f"{units[cell]} units of {problem.skus[sku]} leave {problem.nodes.node_ids[node]}"
        yield f"{told}, which has {available[cell]}"


def _nodes(problem: RoutingProblem, rows: Rows, parcels: Parcels) -> Iterable[str]:
    """Tell nodes that ship more than they can, and orders that leave in more parcels than they may."""
    nodes, shipped = problem.nodes, rows.node != NOWHERE
    units = _sums(rows.node[shipped], rows.quantity[shipped], len(nodes.node_ids))
    count = np.bincount(parcels.node, minlength=len(nodes.node_ids))
    for what, used, most in (("units", units, nodes.capacity_units), ("parcels", count, nodes.capacity_parcels)):
        for node in np.flatnonzero(used > most).tolist():
            yield f"{nodes.node_ids[node]} ships {used[node]} {what}, and has {most[node]} left"
    of_order = np.bincount(parcels.order, minlength=problem.order_count)
    for order in np.flatnonzero(of_order > problem.orders.max_parcels).tolist():
        most_parcels = problem.orders.max_parcels[order]
        yield f"order {problem.orders.order_ids[order]} leaves in {of_order[order]} parcels, and may in {most_parcels}"


def faults_of_parcels(ground: Ground, rows: Rows, parcels: Parcels) -> Iterable[str]:
    """Tell parcels whose rows disagree, that leave on another day, or that their service does not carry."""
    shipped = np.flatnonzero(rows.node != NOWHERE)
    service, ship_on = rows.service[shipped], rows.ship_on[shipped]
    wrong = service != service[parcels.first][parcels.of_row]
    wrong |= ship_on != ground.hand_over[rows.node[shipped], service]
    for row in shipped[wrong].tolist():
        yield f"{_of_row(ground.problem, rows, row)} by another service, or on another day, than its parcel"
    for parcel in np.flatnonzero(~parcels.carried_by(service[parcels.first])).tolist():
        row = int(shipped[parcels.first[parcel]])
        name = ground.problem.services[rows.service[row]]
        yield f"{_of_row(ground.problem, rows, row)} by {name}, which does not carry its parcel there in time"


def counted_costs(problem: RoutingProblem, rows: Rows, parcels: Parcels) -> dict[str, int]:
    """Return what rows cost by component, and how many parcels, split orders and backordered units they are."""
    orders, terms, shipped = problem.orders, problem.terms, rows.node != NOWHERE
    shipping, late = parcels.cents_by(rows.service[np.flatnonzero(shipped)[parcels.first]])
    splits = np.maximum(np.bincount(parcels.order, minlength=problem.order_count) - 1, 0)
    usual = np.full(len(orders.line_sku), terms.backorder_cost_cents_per_unit)
    backorder = usual if orders.line_backorder_cents is None else orders.line_backorder_cents
    value = 0
    if problem.unit_value_cents is not None:
        value_row = value_rows(orders)
        cents = problem.unit_value_cents[value_row[rows.line[shipped]], rows.node[shipped]]
        value = int((cents * rows.quantity[shipped]).sum())
    return {
        "shipping": int(shipping.sum()),
        "handling": int(problem.nodes.parcel_cost_cents[parcels.node].sum()),
        "units": int((problem.nodes.unit_cost_cents[rows.node[shipped]] * rows.quantity[shipped]).sum()),
        "split": int(splits.sum()) * terms.split_cost_cents,
        "late": int(late.sum()),
        "backorder": int((backorder[rows.line[~shipped]] * rows.quantity[~shipped]).sum()),
        "moves": _moves(problem, rows),
        "value": value,
        "parcels": len(parcels.node),
        "split orders": int((splits > 0).sum()),
        "backordered units": int(rows.quantity[~shipped].sum()),
    }


def faults_of_costs(counted: dict[str, int], plan: RoutingPlan, bound: int | None) -> Iterable[str]:
    """Tell what a plan states otherwise than it was counted, and a bound above it."""
    stated = {name: getattr(plan.costs, name) for name in counted if hasattr(plan.costs, name)}
    stated |= {"parcels": plan.parcels, "split orders": plan.split_orders}
    stated["backordered units"] = plan.backordered_units
    for name, cents in counted.items():
        if cents != stated[name]:
            yield f"{name}: {stated[name]} stated, {cents} counted"
    if bound is not None and bound > plan.costs.total:
        yield f"the bound is {bound} cents, and the plan costs {plan.costs.total}"


def _moves(problem: RoutingProblem, rows: Rows) -> int:
    """Return what lines cost that do not ship from where an earlier plan has them; a part of a line its share."""
    current, cents = problem.orders.line_current_node, problem.terms.move_cost_cents
    if current is None or not cents:
        return 0
    moved = (current[rows.line] >= 0) & (current[rows.line] != rows.node)
    lines = rows.line[moved]
    if not problem.terms.line_split:
        return cents * len(np.unique(lines))
    share = -(-cents // problem.orders.line_quantity[lines])
    return int((share * rows.quantity[moved]).sum())


def _sums(index: IntArray, values: IntArray, count: int) -> IntArray:
    found = np.zeros(count, np.int64)
    np.add.at(found, index, values)
    return found


def _of_lines(column: IntArray | None, lines: IntArray) -> NDArray[np.int64]:
    return np.full(len(lines), NOWHERE - 1, np.int64) if column is None else np.where(column < 0, -2, column)[lines]


def _named(ground: Ground, line: int) -> str:
    order = int(np.searchsorted(ground.problem.orders.line_start, line, side="right")) - 1
    return f"order {ground.problem.orders.order_ids[order]}, line {ground.line_ids[line]}"


def _of_row(problem: RoutingProblem, rows: Rows, row: int) -> str:
    line = int(rows.line[row])
    order = int(np.searchsorted(problem.orders.line_start, line, side="right")) - 1
    sku, node = problem.skus[problem.orders.line_sku[line]], problem.nodes.node_ids[rows.node[row]]
    return f"order {problem.orders.order_ids[order]} has {rows.quantity[row]} of {sku} leave {node}"
