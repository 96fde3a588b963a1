"""What nodes and people have said of an order, as a routing run keeps to it: what is routed, from where not, and where.

Of an order that a node refused, only what is open is routed: the rest stays as it was decided, in parcels of its own.
Not here: what was said (engine/orders/steering.py), the arrays of a problem (batch.py, demand.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine.network.model import Network
from engine.routing.line_rows import closed_rows
from engine.routing.model import AllocationRow, OpenOrder, OwnStock
from solvers.problem import UNLIMITED, IntArray, RoutingProblem

PICKUP_NODE_OFF = "pickup_node_off"
"""Why an order is stopped that is to be picked up at a node that is switched off."""
_ANY = -1


def split_stopped(orders: Sequence[OpenOrder]) -> tuple[list[OpenOrder], list[OpenOrder]]:
    """Return the orders that may be routed, and those that are stopped."""
    return [o for o in orders if o.stopped is None], [o for o in orders if o.stopped is not None]


def to_route(
    orders: Sequence[OpenOrder], network: Network, *, keeps: bool = True
) -> tuple[list[OpenOrder], list[OpenOrder]]:
    """Return what is to be routed of orders on a network, and the orders that are stopped.

    So are those that are to be picked up at a node that is switched off: nothing is sent there.
    """
    closed = {network.node_ids[n] for n in network.closed}
    orders = [
        replace(order, stopped=PICKUP_NODE_OFF) if order.stopped is None and order.pickup_node_id in closed else order
        for order in orders
    ]
    return split_stopped(remainders(orders, network.policy.max_nodes_per_order, closed, keeps=keeps))


def remainders(
    orders: Sequence[OpenOrder], most_nodes: int | None, closed: Collection[str], *, keeps: bool
) -> list[OpenOrder]:
    """Return of each order what is to be routed: its lines less what it keeps.

    Nothing is kept at `closed` nodes, nor if that alone would be as many parcels as an order may have, nor if `keeps`
    is off: then the order is routed as a whole, with what it holds as its own. What is released stays in any case.
    """
    return [_remainder(order, most_nodes, closed, keeps) for order in orders]


def with_steering(
    problem: RoutingProblem, orders: Sequence[OpenOrder], line_ids: Sequence[str], step_cents: int
) -> RoutingProblem:
    """Return the problem as nodes and people have said; the same if they have said nothing of these orders.

    A unit that its order does not hold costs `step_cents` more to leave waiting for each step of the order's priority.
    """
    start, index = problem.orders.line_start.tolist(), {n: k for k, n in enumerate(problem.nodes.node_ids)}
    numbers = [
        o for o, each in enumerate(orders) if each.excluded or each.forbidden or each.pins or each.priority or each.kept
    ]
    if not numbers:
        return problem
    line_of = {(o, line_ids[line]): line for o in numbers for line in range(start[o], start[o + 1])}
    excluded: dict[int, frozenset[int]] = {}
    pinned = dict[int, int]()
    for o in numbers:
        if orders[o].forbidden:
            forbidden = frozenset(index[node_id] for node_id in orders[o].forbidden if node_id in index)
            excluded.update(dict.fromkeys(range(start[o], start[o + 1]), forbidden))
        for each in orders[o].excluded:
            if (o, each.line_id) in line_of and each.node_id in index:
                line = line_of[o, each.line_id]
                excluded[line] = excluded.get(line, frozenset()) | {index[each.node_id]}
        for each in orders[o].pins:
            if (o, each.line_id) in line_of:
                pinned[line_of[o, each.line_id]] = index.get(each.node_id, _ANY)
    for line, node in pinned.items():
        if node == _ANY:  # a node that the network does not have any more ships nothing
            excluded[line] = frozenset(index.values())
    found = problem.orders
    if pinned:
        nodes = _copy(found.line_pinned_node, len(found.line_sku))
        nodes[list(pinned)] = list(pinned.values())
        found = replace(found, line_pinned_node=nodes if (nodes >= 0).any() else None)
    parcels, short = found.max_parcels.copy(), _copy(found.line_backorder_cents, len(found.line_sku), problem)
    for o in numbers:
        if orders[o].kept and parcels[o] < UNLIMITED:
            parcels[o] = max(0, parcels[o] - len({row.parcel[0] for row in orders[o].kept}))
        lines = slice(start[o], start[o + 1])
        own = found.line_own_node
        free = np.ones(start[o + 1] - start[o], np.bool_) if own is None else own[lines] < 0
        short[lines] += np.where(free, orders[o].priority * step_cents, 0)
    problem = replace(problem, orders=replace(found, max_parcels=parcels, line_backorder_cents=short))
    return _closed(problem, excluded) if excluded else problem


def _copy(column: IntArray | None, lines: int, problem: RoutingProblem | None = None) -> IntArray:
    usual = _ANY if problem is None else problem.terms.backorder_cost_cents_per_unit
    return np.full(lines, usual, np.int64) if column is None else column.copy()


def _closed(problem: RoutingProblem, excluded: dict[int, frozenset[int]]) -> RoutingProblem:
    """Return the problem with nodes closed to lines, beside those that are closed already; alike lines share a row."""
    count, orders = len(problem.nodes.node_ids), problem.orders
    if problem.closed is None:
        row, closed = np.zeros(len(orders.line_sku), np.int64), np.zeros((1, count), np.bool_)
    else:
        row = closed_rows(orders).copy()
        closed = problem.closed
    rows, number_of = list[NDArray[np.bool_]](), dict[tuple[int, frozenset[int]], int]()
    for line, nodes in excluded.items():
        key = int(row[line]), nodes
        if key not in number_of:
            own = closed[key[0]].copy()
            own[list(nodes)] = True
            number_of[key] = len(closed) + len(rows)
            rows.append(own)
        row[line] = number_of[key]
    demand = replace(orders, line_closed_row=row)
    return replace(problem, orders=demand, closed=np.concatenate([closed, np.stack(rows)]))


def _remainder(order: OpenOrder, most_nodes: int | None, closed: Collection[str], keeps: bool) -> OpenOrder:
    if not (order.kept or order.excluded or order.forbidden or closed):
        return order
    barred = {(each.line_id, each.node_id) for each in order.excluded}
    sku_of = {line.line_id: line.sku for line in order.lines}
    not_from = {(sku_of[line_id], node_id) for line_id, node_id in barred if line_id in sku_of}
    barred_nodes = order.forbidden.union(closed)
    own = tuple(
        each
        for each in order.own_stock
        if each.node_id not in barred_nodes and (each.sku, each.node_id) not in not_from
    )
    if not order.kept and own == order.own_stock:
        return order
    kept = _kept(order, closed)
    if not keeps or (most_nodes is not None and len({row.parcel[0] for row in kept}) >= most_nodes):
        kept = order.released
    lines = tuple(
        structs.replace(line, quantity=left)
        for line in order.lines
        if (left := line.quantity - sum(row.quantity for row in kept if row.line_id == line.line_id)) > 0
    )
    return replace(order, lines=lines, kept=kept, own_stock=_without(own, kept))


def _kept(order: OpenOrder, closed: Collection[str]) -> tuple[AllocationRow, ...]:
    """Return the rows that stay: not those of a kit of which a part is open, as it goes from one node."""
    lost = {row.parcel for row in order.kept if not row.node_ids.isdisjoint(closed)}
    whole = {row.parcel for row in order.kept if row.hub is not None}
    kept = [
        row
        for row in order.kept
        if row in order.released or (row.node_ids.isdisjoint(closed) and row.parcel not in whole & lost)
    ]
    while True:
        units = {line.line_id: line.quantity for line in order.lines}
        for row in kept:
            units[row.line_id] = units.get(row.line_id, 0) - row.quantity
        torn = set[str]().union(*(kit for kit in order.whole if any(units.get(line_id, 0) for line_id in kit)))
        left = [row for row in kept if row.line_id not in torn or row in order.released]
        if len(left) == len(kept):
            return tuple(kept)
        kept = left


def _without(own: Sequence[OwnStock], kept: Sequence[AllocationRow]) -> tuple[OwnStock, ...]:
    """Return what an order holds beside what its kept rows are made of."""
    taken: dict[tuple[str, str | None], int] = {}
    for row in kept:
        taken[row.sku, row.node_id] = taken.get((row.sku, row.node_id), 0) + row.quantity
    rest: list[OwnStock] = []
    for entry in own:
        here = min(entry.quantity, taken.get((entry.sku, entry.node_id), 0))
        taken[entry.sku, entry.node_id] = taken.get((entry.sku, entry.node_id), 0) - here
        if entry.quantity > here:
            rest.append(replace(entry, quantity=entry.quantity - here))
    return tuple(rest)
