"""Plans for orders too long for the subset programme, or whose lines may be divided: a local search over lines.

Starts: the candidates that can ship most lines, each given all it can, the other lines placed one by one where they
cost least. Then lines move to another node or to backorder while that lowers the order's cost at the given prices.
Feasible always, optimal not: the bound for such orders is a relaxation (docs/reference/bounds.md).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE, best_service
from solvers.offers import BIG, Duals, Residual, stock_charge
from solvers.plan import BACKORDER
from solvers.problem import IntArray
from solvers.tables import NO_STOCK, Tables

STARTS = 6
"""Candidates tried as the order's main node."""
ROUNDS = 6
"""Times every line is offered every node."""


@njit(cache=True, nogil=True)
def serve_long(t: Tables, o: int, duals: Duals, residual: Residual, cand: NDArray[np.int32]) -> None:
    """Write a good pattern of order o, which holds nothing, to its part of `cand`."""
    first, last = t.line_start[o], t.line_start[o + 1]
    lines, cands = last - first, t.cand_start[o + 1] - t.cand_start[o]
    able = np.zeros(cands, np.int64)
    for i in range(cands):
        for p in range(lines):
            able[i] += _fits(t, o, i, p, residual)
    best = BIG
    order = np.argsort(-able, kind="mergesort")
    for start in range(-1, min(STARTS, cands)):
        trial = np.full(lines, BACKORDER, np.int32)
        grams, units = np.zeros(cands, np.int64), np.zeros(cands, np.int64)
        parcels = np.zeros(cands, np.int64)
        if start >= 0:
            for p in range(lines):
                if move_cost(t, o, p, order[start], duals, residual, trial, grams, units, parcels) < BIG:
                    move(t, o, p, order[start], trial, grams, units, parcels)
        for _ in range(ROUNDS):
            if not _improve(t, o, duals, residual, trial, grams, units, parcels):
                break
        value = _value(t, o, duals, trial, grams, units, parcels)
        if value < best:
            best = value
            cand[first:last] = trial


@njit(cache=True, nogil=True)
def _fits(t: Tables, o: int, i: int, p: int, residual: Residual) -> bool:
    lines = t.line_start[o + 1] - t.line_start[o]
    row = t.row[t.row_start[o] + i * lines + p]
    if row == NO_STOCK:
        return False
    return row < 0 or residual.row[row] >= t.quantity[t.line_start[o] + p]


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _stock_price(t: Tables, o: int, i: int, p: int, duals: Duals) -> float:
    row = t.row[t.row_start[o] + i * (t.line_start[o + 1] - t.line_start[o]) + p]
    return stock_charge(duals.row, row, t.quantity[t.line_start[o] + p])


@njit(cache=True, nogil=True)
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
        change += left - _parcel(t, o, now, grams[now], units[now], duals) - _stock_price(t, o, now, p, duals)
        opened -= parcels[now] == 1
    if to == BACKORDER:
        change += t.short_cents[line] * duals.unit
    else:
        node = t.cand_node[t.cand_start[o] + to]
        opened += parcels[to] == 0
        if not _fits(t, o, to, p, residual) or units[to] + quantity > residual.units[node]:
            return BIG
        if opened > t.max_parcels[o] or residual.parcels[node] < 1:
            return BIG
        more = _parcel(t, o, to, grams[to] + weight, units[to] + quantity, duals)
        if more >= BIG:
            return BIG
        change += more - _parcel(t, o, to, grams[to], units[to], duals) + _stock_price(t, o, to, p, duals)
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


@njit(cache=True, nogil=True)
def _improve(
    t: Tables,
    o: int,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    grams: IntArray,
    units: IntArray,
    parcels: IntArray,
) -> bool:
    """Move every line once to where it costs least; return whether any moved."""
    improved = False
    for p in range(len(trial)):
        best, at = -1e-6, trial[p]
        for to in range(-1, len(grams)):
            if to != trial[p]:
                change = move_cost(t, o, p, to, duals, residual, trial, grams, units, parcels)
                if change < best:
                    best, at = change, to
        if at != trial[p]:
            move(t, o, p, at, trial, grams, units, parcels)
            improved = True
    return improved


@njit(cache=True, nogil=True)
def _value(
    t: Tables,
    o: int,
    duals: Duals,
    trial: NDArray[np.int32],
    grams: IntArray,
    units: IntArray,
    parcels: IntArray,
) -> float:
    splits: int = max(0, int(np.count_nonzero(parcels)) - 1)
    total = splits * t.split_cents * duals.unit
    for i in range(len(grams)):
        total += _parcel(t, o, i, grams[i], units[i], duals)
    for p in range(len(trial)):
        if trial[p] == BACKORDER:
            total += t.short_cents[t.line_start[o] + p] * duals.unit
        else:
            total += _stock_price(t, o, trial[p], p, duals)
    return total
