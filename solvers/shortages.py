"""Why lines of a plan are backordered, as far as facts say it: one reason for each.

In this order, the first that is true: no node has a unit; the line is pinned to a node that cannot ship it; no node has
enough of it; all that have are closed to it; none of the others may carry it there; none of those has the capacity even
if it ships nothing else; the order ships from as many other nodes as it may; else the line was outbid: a node could
ship it, but its units or capacity save more elsewhere, or shipping costs more than waiting.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import njit

from solvers.candidates import Supply, is_closed, place_of, supply_of
from solvers.cost import INFEASIBLE, Freight, best_service, freight
from solvers.kernels import inner
from solvers.problem import ANY_LEVEL, IntArray, RoutingProblem


class Shortage(IntEnum):
    """Why a line is not shipped, or not in full."""

    OUTBID = 0
    NO_STOCK = 1
    PINNED_NODE = 2
    INSUFFICIENT_STOCK = 3
    NO_ELIGIBLE_NODE = 4
    NO_CAPACITY = 5
    MAX_NODES = 6
    CLOSED_NODE = 7


_OUTBID, _NO_STOCK, _PINNED_NODE = int(Shortage.OUTBID), int(Shortage.NO_STOCK), int(Shortage.PINNED_NODE)
_INSUFFICIENT_STOCK, _NO_ELIGIBLE_NODE = int(Shortage.INSUFFICIENT_STOCK), int(Shortage.NO_ELIGIBLE_NODE)
_NO_CAPACITY, _MAX_NODES = int(Shortage.NO_CAPACITY), int(Shortage.MAX_NODES)
_CLOSED_NODE = int(Shortage.CLOSED_NODE)


def shortages(problem: RoutingProblem, short: IntArray, order: IntArray, node: IntArray) -> list[Shortage]:
    """Return why each of the lines `short` is backordered.

    `order` and `node` say, row by row, from where the orders of these lines are shipped; other orders do not matter.
    """
    orders = problem.orders
    every_line = np.arange(len(orders.line_sku))
    supply = supply_of(problem, orders.line_start, every_line, orders.line_quantity)
    level = np.full(problem.order_count, ANY_LEVEL) if orders.service_level is None else orders.service_level
    opened = np.unique(np.stack([order, node]), axis=1)
    codes = _shortages(
        supply,
        freight(problem),
        short,
        np.searchsorted(orders.line_start, short, side="right") - 1,
        problem.weight_g[supply.sku[short]] * supply.least[short],
        (orders.due_days, level, orders.max_parcels),
        (opened[0], opened[1]),
        (problem.nodes.capacity_units, problem.nodes.capacity_parcels),
        problem.terms.line_split,
    )
    return [Shortage(code) for code in codes.tolist()]


@njit(cache=True, nogil=True)
def _shortages(
    supply: Supply,
    terms: Freight,
    short: IntArray,
    owner: IntArray,
    weight_g: IntArray,
    orders: tuple[IntArray, IntArray, IntArray],
    opened: tuple[IntArray, IntArray],
    capacity: tuple[IntArray, IntArray],
    divisible: bool,
) -> IntArray:
    due_days, level, max_parcels = orders
    codes = np.empty(len(short), np.int64)
    for at in range(len(short)):
        p, o = short[at], owner[at]
        sku, own, pinned = supply.sku[p], supply.own_node[p], supply.pinned_node[p]
        heavier_too = divisible or supply.line_start[o + 1] - supply.line_start[o] > 1
        first, last = np.searchsorted(opened[0], o), np.searchsorted(opened[0], o, side="right")
        begin, end = supply.stock_start[sku], supply.stock_start[sku + 1]
        furthest, is_shut = _NO_STOCK if begin == end and own < 0 else _INSUFFICIENT_STOCK, False
        for e in range(begin - (own >= 0), end):
            node = own if e < begin else supply.stock_node[e]
            if (pinned >= 0 and node != pinned) or (e >= begin and supply.available[e] < supply.least[p]):
                continue
            if e >= begin and is_closed(supply, p, node):
                is_shut = True
                continue
            step = _how_far(
                supply, terms, o, node, weight_g[at], (due_days[o], level[o]), heavier_too, supply.least[p], capacity
            )
            if step == _MAX_NODES and (last - first < max_parcels[o] or np.any(opened[1][first:last] == node)):
                step = _OUTBID
            if step == _OUTBID or step > furthest:
                furthest = step
            if step == _OUTBID:
                break
        if is_shut and furthest == _INSUFFICIENT_STOCK:
            furthest = _CLOSED_NODE
        if pinned >= 0 and furthest in (_INSUFFICIENT_STOCK, _NO_ELIGIBLE_NODE):
            furthest = _PINNED_NODE
        codes[at] = furthest
    return codes


@inner
def _how_far(
    supply: Supply,
    terms: Freight,
    o: int,
    node: int,
    weight_g: int,
    wanted: tuple[int, int],
    heavier_too: bool,
    units: int,
    capacity: tuple[IntArray, IntArray],
) -> int:
    """Return what keeps a node that has the units from shipping them, the number of parcels aside (`MAX_NODES`)."""
    place, end = place_of(supply, o, node)
    if place < 0:
        return _NO_ELIGIBLE_NODE
    if best_service(terms, node, place, end, weight_g, wanted, heavier_too)[0] >= INFEASIBLE:
        return _NO_ELIGIBLE_NODE
    if capacity[0][node] < units or capacity[1][node] < 1:
        return _NO_CAPACITY
    return _MAX_NODES
