"""What moving one line of an order costs, whatever the order's length: the steps that the baselines take.

Not here: plans of long orders (`long_orders.py`), which take these steps by the thousand and so keep books.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE, best_service
from solvers.kernels import inner
from solvers.offers import BIG, Duals, Residual, stock_charge
from solvers.plan import BACKORDER
from solvers.problem import IntArray
from solvers.tables import NO_STOCK, Tables, move_cents


@inner
def line_fits(t: Tables, o: int, i: int, p: int, residual: Residual) -> bool:
    """Return whether candidate i has all of line p left."""
    lines = t.line_start[o + 1] - t.line_start[o]
    row = t.row[t.row_start[o] + i * lines + p]
    if row == NO_STOCK:
        return False
    return row < 0 or residual.row[row] >= t.quantity[t.line_start[o] + p]


@inner
def pieces_fit(t: Tables, o: int, i: int, p: int, trial: NDArray[np.int32], residual: Residual) -> bool:
    """Return whether candidate i has enough left for piece p beside the pieces of its line that it ships already."""
    first, last = t.line_start[o], t.line_start[o + 1]
    row = t.row[t.row_start[o] + i * (last - first) + p]
    if row < 0:
        return True
    begin = p
    while begin > 0 and t.line[first + begin - 1] == t.line[first + p]:
        begin -= 1
    units = t.quantity[first + p]
    while begin < last - first and t.line[first + begin] == t.line[first + p]:
        if begin != p and trial[begin] == i:
            units += t.quantity[first + begin]
        begin += 1
    return residual.row[row] >= units


@inner
def _parcel(t: Tables, o: int, i: int, grams: int, units: int, duals: Duals) -> float:
    """Return what a parcel from candidate i costs at these prices, without stock prices and split; BIG if none may."""
    if units == 0:
        return 0.0
    c = t.cand_start[o] + i
    node = t.cand_node[c]
    cents = best_service(
        t.freight, node, t.cand_place[c], t.cand_place_end[c], grams, (t.due_days[o], t.service_level[o]), False
    )[0]
    if cents >= INFEASIBLE:
        return BIG
    fixed = cents + t.node_parcel_cents[node] + t.node_unit_cents[node] * units
    return fixed * duals.unit + duals.parcels[node] + duals.units[node] * units


@inner
def _line_price(t: Tables, o: int, i: int, p: int, duals: Duals) -> float:
    """Return what line p pays for itself at candidate i: stock prices, and what it costs to move it there."""
    line = t.line_start[o] + p
    row = t.row[t.row_start[o] + i * (t.line_start[o + 1] - t.line_start[o]) + p]
    moved = move_cents(t, line, t.cand_node[t.cand_start[o] + i])
    return stock_charge(duals.row, row, t.quantity[line]) + moved * duals.unit


@inner
def move_cost(
    t: Tables,
    o: int,
    p: int,
    to: int,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    grams: IntArray,
    units: IntArray,
    parcels: IntArray,
) -> float:
    """Return how much the order's cost changes when line p moves to candidate `to` (or `BACKORDER`); or BIG."""
    line, now = t.line_start[o] + p, trial[p]
    weight, quantity = t.weight_g[line], t.quantity[line]
    change = 0.0
    open_now = int(np.count_nonzero(parcels))
    opened = open_now
    if now == BACKORDER:
        change -= t.short_cents[line] * duals.unit
    else:
        left = _parcel(t, o, now, grams[now] - weight, units[now] - quantity, duals)
        change += left - _parcel(t, o, now, grams[now], units[now], duals) - _line_price(t, o, now, p, duals)
        opened -= parcels[now] == 1
    if to == BACKORDER:
        change += t.short_cents[line] * duals.unit
    else:
        node = t.cand_node[t.cand_start[o] + to]
        opened += parcels[to] == 0
        if not line_fits(t, o, to, p, residual) or units[to] + quantity > residual.units[node]:
            return BIG
        if t.divisible and not pieces_fit(t, o, to, p, trial, residual):
            return BIG
        if opened > t.max_parcels[o] or residual.parcels[node] < 1:
            return BIG
        more = _parcel(t, o, to, grams[to] + weight, units[to] + quantity, duals)
        if more >= BIG:
            return BIG
        change += more - _parcel(t, o, to, grams[to], units[to], duals) + _line_price(t, o, to, p, duals)
    splits: int = max(0, opened - 1) - max(0, open_now - 1)
    change += splits * t.split_cents * duals.unit
    return change


@njit(cache=True, nogil=True)
def move(
    t: Tables,
    o: int,
    p: int,
    to: int,
    trial: NDArray[np.int32],
    grams: IntArray,
    units: IntArray,
    parcels: IntArray,
) -> None:
    """Move line p to candidate `to` (or `BACKORDER`), keeping the load of every candidate."""
    line, now = t.line_start[o] + p, trial[p]
    if now != BACKORDER:
        grams[now], units[now] = grams[now] - t.weight_g[line], units[now] - t.quantity[line]
        parcels[now] -= 1
    if to != BACKORDER:
        grams[to], units[to] = grams[to] + t.weight_g[line], units[to] + t.quantity[line]
        parcels[to] += 1
    trial[p] = to
