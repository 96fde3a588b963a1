"""The prices that prove a flow: what one unit more of each cell or node would save, along residual paths.

Prices prove a plan of least cost if at these prices every order has what suits it best. The least such prices are
potentials of the residual network: whole cents, raised until no order would rather have what another holds (a
label-correcting search; Ahuja, Magnanti & Orlin 1993, Network Flows, ch. 5). They need not be believed: the bound is
computed again from them (`prices.certify`).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.assignment import Assignment
from solvers.flow import Arcs, arcs_of, left_of_places, row_places
from solvers.kernels import inner
from solvers.plan import BACKORDER
from solvers.prices import Map, Multipliers, limits, no_prices, price_orders
from solvers.problem import IntArray
from solvers.tables import Compiled

LOOKS_PER_ARC = 2000
"""Arcs looked at, per arc, until the search for prices gives up; it ends long before in every plan of least cost."""


def flow_prices(compiled: Compiled, plan: Assignment, orders: IntArray, spread: Map = map) -> tuple[float, Multipliers]:
    """Return the bound (of these orders of one unit, cents) and the prices that their part in the plan implies.

    If they alone compete and no plan costs less, the bound is what they cost. Of a node with limits of units and of
    parcels, the tighter has the price.
    """
    t, rows, prices = compiled.tables, len(compiled.entry), no_prices(compiled)
    arcs, row_place = arcs_of(compiled, orders), row_places(compiled)
    now = plan.cand[t.line_start[orders]]
    held = np.full(len(orders), -1)
    own = np.flatnonzero((arcs.cand == now[arcs.order]) & (now[arcs.order] != BACKORDER))
    held[arcs.order[own]] = own
    left = left_of_places(plan)
    price = np.zeros(len(left), np.int64)
    by_node = np.argsort(row_place, kind="stable")
    _raise_prices(
        arcs,
        np.searchsorted(arcs.order, np.arange(len(orders) + 1)),
        held,
        _by_place(arcs.place[own], arcs.order[own], len(left)),
        (np.searchsorted(row_place[by_node], np.arange(len(left) + 1)), by_node),
        row_place,
        left > 0,
        price,
        LOOKS_PER_ARC * (len(arcs.order) + rows + 1),
    )
    of_node = np.where(row_place >= 0, price[row_place], 0)
    prices.row[:, 0] = np.maximum(price[:rows] - of_node, 0)
    tighter = compiled.node_units <= compiled.node_parcels
    prices.units[tighter] = price[rows:][tighter]
    prices.parcels[~tighter] = price[rows:][~tighter]
    value, _ = price_orders(compiled, orders, prices.duals(), spread)
    return float(value.sum()) - prices.dot(limits(compiled)), prices


def _by_place(place: IntArray, order: IntArray, places: int) -> tuple[IntArray, IntArray]:
    """Return the orders that hold something of each place: `order[start[place]:start[place + 1]]`."""
    by_place = np.argsort(place, kind="stable")
    return np.searchsorted(place[by_place], np.arange(places + 1)), order[by_place]


@njit(cache=True, nogil=True)
def _raise_prices(
    arcs: Arcs,
    start: IntArray,
    held: IntArray,
    holders: tuple[IntArray, IntArray],
    rows_of: tuple[IntArray, IntArray],
    row_place: IntArray,
    spare: NDArray[np.bool_],
    price: IntArray,
    looks: int,
) -> None:
    """Raise prices until no order would rather have something else, in the order in which they rose.

    The price of a row is that of its stock and its node together; what is not used up has its node's price alone, a
    node that is not used up none.
    """
    places = len(price)
    queue, waits, ends = np.arange(places), np.ones(places, np.bool_), np.array([0, places])
    for o in range(len(held)):
        if held[o] < 0:
            for k in range(start[o], start[o + 1]):
                _raise(arcs.place[k], arcs.free_cents[o] - arcs.cents[k], price, queue, waits, ends)
    while ends[0] < ends[1] and looks > 0:
        at = queue[ends[0] % places]
        ends[0] += 1
        waits[at] = False
        level = price[at]
        if at < len(row_place):
            if spare[at] and row_place[at] >= 0:
                _raise(row_place[at], level, price, queue, waits, ends)
        else:
            for k in range(rows_of[0][at], rows_of[0][at + 1]):
                _raise(rows_of[1][k], level, price, queue, waits, ends)
                looks -= 1
        for i in range(holders[0][at], holders[0][at + 1]):
            o = holders[1][i]
            paid = level + arcs.cents[held[o]]
            if paid > arcs.free_cents[o]:  # not a plan of least cost
                return
            for k in range(start[o], start[o + 1]):
                _raise(arcs.place[k], paid - arcs.cents[k], price, queue, waits, ends)
            looks -= start[o + 1] - start[o]


@inner
def _raise(place: int, least: int, price: IntArray, queue: IntArray, waits: NDArray[np.bool_], ends: IntArray) -> None:
    """Raise a price to at least so much; if it rises, its turn comes again."""
    if least > price[place]:
        price[place] = least
        if not waits[place]:
            waits[place] = True
            queue[ends[1] % len(queue)] = place
            ends[1] += 1
