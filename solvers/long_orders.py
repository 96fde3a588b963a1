"""Plans for orders too long for the subset programme: a local search over which node ships which line.

From a few starts (nothing, or one node ships all it can): a line moves to another node or to backorder, a node takes
over whatever that makes cheaper, or gives up all it ships, as long as the order's cost at the given prices falls.
Feasible always, optimal not: how far from it at most is what the bound says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE
from solvers.kernels import inner
from solvers.moves import line_fits, pieces_fit
from solvers.offers import BIG, Duals, Residual, stock_charge
from solvers.plan import BACKORDER
from solvers.problem import FloatArray, IntArray
from solvers.tables import Tables, move_cents

STARTS = 3
"""Candidates tried as the order's main node."""
ROUNDS = 8
"""Times every move is tried, at most."""
WORTHWHILE = 1e-6
"""What a move must save, so that rounding does not keep a search going."""


class Load(NamedTuple):
    """An order's pattern in the making, with the books that make its moves quick to cost."""

    at: NDArray[np.int32]
    """The candidate of each line, or `BACKORDER`."""
    grams: IntArray
    """Per candidate, as the next three."""
    units: IntArray
    lines: IntArray
    cost: FloatArray
    """What its parcel costs at these prices, without stock prices and split."""
    parcels: IntArray
    """One entry: how many candidates ship something."""


class Ground(NamedTuple):
    """What a search needs to know of an order: candidates that fit each line, and what the line pays there."""

    start: IntArray
    cand: IntArray
    charge: FloatArray


@inner
def serve_long(t: Tables, o: int, duals: Duals, residual: Residual, cand: NDArray[np.int32]) -> None:
    """Write a good pattern of order o, which holds nothing, to its part of `cand`."""
    first, last = t.line_start[o], t.line_start[o + 1]
    lines, cands = last - first, t.cand_start[o + 1] - t.cand_start[o]
    ground = _survey(t, o, duals, residual)
    main = _main_nodes(t, o, ground, duals)
    load, before = _empty(lines, cands), _empty(lines, cands)
    best = BIG
    cand[first:last] = BACKORDER
    for start in range(-1, min(STARTS, cands)):
        _clear(load)
        value = 0.0
        for p in range(lines):
            value += t.short_cents[first + p] * duals.unit
        if start >= 0:
            value += _take_over(t, o, ground, main[start], True, duals, residual, load)
        for _ in range(ROUNDS):
            saved = _move_lines(t, o, ground, duals, residual, load)
            for i in range(cands):
                _copy(load, before)
                if load.lines[i]:
                    change = _give_up(t, o, ground, i, duals, residual, load)
                else:
                    change = _take_over(t, o, ground, i, False, duals, residual, load)
                if change < -WORTHWHILE:
                    saved += change
                else:
                    _copy(before, load)
            value += saved
            if saved > -WORTHWHILE:
                break
        if value < best - WORTHWHILE:
            best = value
            cand[first:last] = load.at


@inner
def _empty(lines: int, cands: int) -> Load:
    return Load(
        np.full(lines, BACKORDER, np.int32),
        np.zeros(cands, np.int64),
        np.zeros(cands, np.int64),
        np.zeros(cands, np.int64),
        np.zeros(cands),
        np.zeros(1, np.int64),
    )


@inner
def _clear(load: Load) -> None:
    load.at[:] = BACKORDER
    load.grams[:], load.units[:], load.lines[:], load.cost[:], load.parcels[0] = 0, 0, 0, 0.0, 0


@inner
def _copy(load: Load, to: Load) -> None:
    to.at[:], to.grams[:], to.units[:] = load.at, load.grams, load.units
    to.lines[:], to.cost[:], to.parcels[0] = load.lines, load.cost, load.parcels[0]


@inner
def _survey(t: Tables, o: int, duals: Duals, residual: Residual) -> Ground:
    """Return the candidates that have each line, with room for it, and what it pays there: stock prices, a move."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    cands = t.cand_start[o + 1] - t.cand_start[o]
    start = np.zeros(lines + 1, np.int64)
    cand, charge = np.empty(lines * cands, np.int64), np.empty(lines * cands)
    count = 0
    for p in range(lines):
        for i in range(cands):
            node, quantity = t.cand_node[t.cand_start[o] + i], t.quantity[first + p]
            if line_fits(t, o, i, p, residual) and quantity <= residual.units[node] and residual.parcels[node] >= 1:
                cand[count] = i
                charge[count] = stock_charge(duals.row, t.row[t.row_start[o] + i * lines + p], quantity)
                charge[count] += move_cents(t, first + p, node) * duals.unit
                count += 1
        start[p + 1] = count
    return Ground(start, cand[:count], charge[:count])


@inner
def _main_nodes(t: Tables, o: int, ground: Ground, duals: Duals) -> IntArray:
    """Return the candidates by what an order saves if each ships all it can in one parcel, most first."""
    cands = t.cand_start[o + 1] - t.cand_start[o]
    saving, grams, units = np.zeros(cands), np.zeros(cands, np.int64), np.zeros(cands, np.int64)
    for p in range(len(ground.start) - 1):
        line, alone = t.line_start[o] + p, 0.0
        alone = t.short_cents[line] * duals.unit
        for k in range(ground.start[p], ground.start[p + 1]):
            cost = _parcel(t, o, ground.cand[k], t.weight_g[line], t.quantity[line], duals) + ground.charge[k]
            alone = min(alone, cost)
        for k in range(ground.start[p], ground.start[p + 1]):
            i = ground.cand[k]
            saving[i] += alone - ground.charge[k]
            grams[i], units[i] = grams[i] + t.weight_g[line], units[i] + t.quantity[line]
    for i in range(cands):
        saving[i] -= _parcel(t, o, i, grams[i], units[i], duals)
    return np.argsort(-saving, kind="mergesort")


@inner
def _parcel(t: Tables, o: int, i: int, grams: int, units: int, duals: Duals) -> float:
    """Return what a parcel from candidate i costs at these prices, without stock prices and split; BIG if none may."""
    if units == 0:
        return 0.0
    c = t.cand_start[o] + i
    node, step, end = t.cand_node[c], t.tariffs.start[t.tariffs.of[c]], t.tariffs.start[t.tariffs.of[c] + 1]
    while step < end and t.tariffs.limit_g[step] < grams:
        step += 1
    if step == end or t.tariffs.cents[step] == INFEASIBLE:
        return BIG
    fixed = t.tariffs.cents[step] + t.node_parcel_cents[node] + t.node_unit_cents[node] * units
    return fixed * duals.unit + duals.parcels[node] + duals.units[node] * units


@inner
def _leave(t: Tables, o: int, ground: Ground, p: int, duals: Duals, load: Load) -> float:
    """Take line p from where it is; return how the order's cost changes, its backorder not counted."""
    line, now = t.line_start[o] + p, load.at[p]
    if now == BACKORDER:
        return 0.0
    load.grams[now] -= t.weight_g[line]
    load.units[now] -= t.quantity[line]
    load.lines[now] -= 1
    cost = _parcel(t, o, now, load.grams[now], load.units[now], duals)
    change: float = cost - load.cost[now]
    load.cost[now] = cost
    for k in range(ground.start[p], ground.start[p + 1]):
        if ground.cand[k] == now:
            change -= ground.charge[k]
    if load.lines[now] == 0:
        load.parcels[0] -= 1
        change -= t.split_cents * duals.unit if load.parcels[0] else 0.0
    load.at[p] = BACKORDER
    return change


@inner
def _arrive_cost(
    t: Tables, o: int, ground: Ground, k: int, p: int, duals: Duals, residual: Residual, load: Load
) -> float:
    """Return what line p, which is nowhere, costs at the k-th place that fits it; BIG if it may not go there."""
    line, to = t.line_start[o] + p, ground.cand[k]
    units = load.units[to] + t.quantity[line]
    opens = load.lines[to] == 0
    if units > residual.units[t.cand_node[t.cand_start[o] + to]] or (opens and load.parcels[0] >= t.max_parcels[o]):
        return BIG
    if t.divisible and not pieces_fit(t, o, to, p, load.at, residual):
        return BIG
    cost = _parcel(t, o, to, load.grams[to] + t.weight_g[line], units, duals)
    if cost >= BIG:
        return BIG
    split = t.split_cents * duals.unit if opens and load.parcels[0] else 0.0
    return cost - load.cost[to] + ground.charge[k] + split


@inner
def _arrive(t: Tables, o: int, p: int, to: int, duals: Duals, load: Load) -> None:
    line = t.line_start[o] + p
    load.parcels[0] += load.lines[to] == 0
    load.grams[to] += t.weight_g[line]
    load.units[to] += t.quantity[line]
    load.lines[to] += 1
    load.cost[to] = _parcel(t, o, to, load.grams[to], load.units[to], duals)
    load.at[p] = to


@inner
def _place(t: Tables, o: int, ground: Ground, p: int, but: int, duals: Duals, residual: Residual, load: Load) -> float:
    """Put line p, which is nowhere, where it costs least, candidate `but` apart; return what it costs there."""
    best, at = t.short_cents[t.line_start[o] + p] * duals.unit, BACKORDER
    for k in range(ground.start[p], ground.start[p + 1]):
        if ground.cand[k] != but:
            cost = _arrive_cost(t, o, ground, k, p, duals, residual, load)
            if cost < best:
                best, at = cost, ground.cand[k]
    if at != BACKORDER:
        _arrive(t, o, p, at, duals, load)
    return best


@inner
def _move_lines(t: Tables, o: int, ground: Ground, duals: Duals, residual: Residual, load: Load) -> float:
    """Put every line once where it costs least; return how the order's cost changes."""
    change = 0.0
    for p in range(len(load.at)):
        if load.at[p] == BACKORDER:
            change -= t.short_cents[t.line_start[o] + p] * duals.unit
        change += _leave(t, o, ground, p, duals, load)
        change += _place(t, o, ground, p, BACKORDER, duals, residual, load)
    return change


@inner
def _give_up(t: Tables, o: int, ground: Ground, i: int, duals: Duals, residual: Residual, load: Load) -> float:
    """Take all lines from candidate i and put each where it costs least; return how the order's cost changes."""
    change = 0.0
    mine = load.at == i
    for p in range(len(mine)):
        if mine[p]:
            change += _leave(t, o, ground, p, duals, load)
    for p in range(len(mine)):
        if mine[p]:
            change += _place(t, o, ground, p, i, duals, residual, load)
    return change


@inner
def _take_over(
    t: Tables, o: int, ground: Ground, i: int, everything: bool, duals: Duals, residual: Residual, load: Load
) -> float:
    """Let candidate i, which ships nothing, take each line that then costs less, or all it can ship.

    The cost of opening its parcel is not charged to the first line; it is in the change of the order's cost, which is
    returned.
    """
    change, spare = 0.0, _parcel(t, o, i, 0, 1, duals) + t.split_cents * duals.unit
    for p in range(len(load.at)):
        at = -1
        for k in range(ground.start[p], ground.start[p + 1]):
            if ground.cand[k] == i:
                at = k
        if at < 0:
            continue
        now = load.at[p]
        gone = -t.short_cents[t.line_start[o] + p] * duals.unit if now == BACKORDER else 0.0
        gone += _leave(t, o, ground, p, duals, load)
        cost = _arrive_cost(t, o, ground, at, p, duals, residual, load)
        sunk = spare if load.lines[i] == 0 else 0.0
        if cost < BIG and (everything or gone + cost - sunk < 0.0):
            change += gone + cost
            _arrive(t, o, p, i, duals, load)
            continue
        if now != BACKORDER:
            _arrive(t, o, p, now, duals, load)
    return change
