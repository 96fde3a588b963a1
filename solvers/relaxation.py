"""A lower bound for one order too long for the subset programme, from a value put on each of its lines.

Give every line a value. Whoever ships it earns the value; a node then ships what pays best in one parcel, on its own,
whatever other nodes do. The values of all lines, less what the nodes earn together, is at most the cost of the order's
cheapest pattern, for any values (Lagrangian relaxation of "each line once"; Geoffrion 1974). docs/reference/bounds.md
states it in full. Not here: how good values are found (`line_values.py`, `prices.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE
from solvers.kernels import inner
from solvers.offers import BIG, Duals, stock_charge
from solvers.problem import FloatArray, IntArray
from solvers.tables import NO_STOCK, Tables, move_cents

EXACT_ITEMS = 12
"""Of up to so many lines that pay, a node ships the best set; of more, the best mixture."""
SLACK = 1e-12
"""Relative; by so much a mixture may be worth more than it is, so that rounding never makes a bound too high."""


class Relaxed(NamedTuple):
    """Scratch space for one order, and the answer found last: what every candidate ships."""

    share: FloatArray
    """Shape (candidates, lines): how much of each line, from 0 to 1."""
    earned: FloatArray
    """Per candidate: what its parcel costs beyond the values it earns; negative where it pays."""
    chosen: NDArray[np.bool_]
    """Per candidate: whether it ships a parcel."""
    item: IntArray
    """The lines that pay at the candidate in hand, by profit per gram; what follows is by place in this list."""
    profit: FloatArray
    weight_g: IntArray
    least_g: IntArray
    """The lightest part of the line that may travel: all of it, or a unit."""
    part: FloatArray
    """How much of the line the candidate has."""
    sum_profit: FloatArray
    sum_weight_g: IntArray


def relaxed(candidates: int, lines: int) -> Relaxed:
    """Return scratch space for orders of up to so many candidates and lines."""
    size = 1 << EXACT_ITEMS
    return Relaxed(
        share=np.zeros((max(candidates, 1), max(lines, 1))),
        earned=np.zeros(max(candidates, 1)),
        chosen=np.zeros(max(candidates, 1), np.bool_),
        item=np.zeros(max(lines, 1), np.int64),
        profit=np.zeros(max(lines, 1)),
        weight_g=np.zeros(max(lines, 1), np.int64),
        least_g=np.zeros(max(lines, 1), np.int64),
        part=np.zeros(max(lines, 1)),
        sum_profit=np.zeros(size),
        sum_weight_g=np.zeros(size, np.int64),
    )


@njit(cache=True, nogil=True)
def relaxed_order(t: Tables, o: int, duals: Duals, worth: FloatArray, out: Relaxed) -> float:
    """Return a lower bound on the least cost of order o at these prices, and write what its nodes ship to `out`.

    `worth` is the value of each table line, of the whole line or (where lines may be divided) of a unit of it, told
    at the first of its pieces; more than its backorder costs it is never worth.
    """
    first, last = t.line_start[o], t.line_start[o + 1]
    cands = t.cand_start[o + 1] - t.cand_start[o]
    out.chosen[:cands] = False
    everything, value = 0.0, -t.split_cents * duals.unit
    for p in range(first, last):
        everything += t.short_cents[p] * duals.unit
    if t.max_parcels[o] == 0 or cands == 0:
        return everything
    p = first
    while p < last:
        end, units = line_end(t, p, last)
        value += _most(t, p, duals.unit, worth) * (units if t.divisible else 1)
        p = end
    for i in range(cands):
        out.earned[i] = _best_parcel(t, o, i, duals, worth, out)
    for count in range(min(t.max_parcels[o], cands)):
        best = -1
        for i in range(cands):
            if not out.chosen[i] and (best < 0 or out.earned[i] < out.earned[best]):
                best = i
        if count and out.earned[best] >= 0.0:
            break
        out.chosen[best] = True
        value += out.earned[best]
    if value >= everything:
        out.chosen[:cands] = False
        return everything
    return value


@njit(cache=True, nogil=True, inline="always")
def _most(t: Tables, p: int, unit: float, worth: FloatArray) -> float:
    """Return what the line that begins at p is worth, or a unit of it: never more than its backorder."""
    return min(worth[p], t.short_cents[p] * unit)


@inner
def line_end(t: Tables, p: int, last: int) -> tuple[int, int]:
    """Return one past the last piece of the line that begins at p, and its units."""
    end, units = p + 1, t.quantity[p]
    if t.divisible:
        while end < last and t.line[end] == t.line[p]:
            units += t.quantity[end]
            end += 1
    return end, units


@inner
def _best_parcel(t: Tables, o: int, i: int, duals: Duals, worth: FloatArray, out: Relaxed) -> float:
    """Return what candidate i's best parcel costs beyond what it earns, and write what it ships to `out.share`."""
    first, last, c = t.line_start[o], t.line_start[o + 1], t.cand_start[o] + i
    node, f = t.cand_node[c], t.tariffs.of[c]
    per_unit = t.node_unit_cents[node] * duals.unit + duals.units[node]
    fixed = (t.node_parcel_cents[node] + t.split_cents) * duals.unit + duals.parcels[node]
    base = t.row_start[o] + i * (last - first) - first
    count, lightest, load_g, gain = 0, -1, 0, 0.0
    p = first
    while p < last:
        out.share[i, p - first] = 0.0
        end, units = line_end(t, p, last)
        row = t.row[base + p]
        if row != NO_STOCK:
            unit_g = t.weight_g[p] // t.quantity[p]
            most = _most(t, p, duals.unit, worth)
            if t.divisible:
                amount = units if row < 0 else min(units, t.row_stock[row])
                profit = (most - per_unit - (duals.row[row, 0] if row >= 0 else 0.0)) * amount
                least_g = unit_g
            else:
                amount = units
                profit = most - per_unit * amount - stock_charge(duals.row, row, amount)
                least_g = unit_g * amount
            profit -= (move_cents(t, p, node) * amount // t.quantity[p]) * duals.unit
            lightest = int(least_g) if lightest < 0 else min(lightest, int(least_g))
            if profit > 0.0:
                at, weight = count, unit_g * amount
                while at and out.profit[at - 1] * weight < profit * out.weight_g[at - 1]:
                    out.item[at], out.profit[at] = out.item[at - 1], out.profit[at - 1]
                    out.weight_g[at], out.least_g[at] = out.weight_g[at - 1], out.least_g[at - 1]
                    out.part[at] = out.part[at - 1]
                    at -= 1
                out.item[at], out.profit[at], out.part[at] = p - first, profit, amount / units
                out.weight_g[at], out.least_g[at] = weight, least_g
                count, load_g, gain = count + 1, load_g + int(weight), gain + profit
        p = end
    return _best_step(t, i, f, fixed, (count, lightest, load_g), gain, duals.unit, out)


@inner
def _best_step(
    t: Tables, i: int, f: int, fixed: float, load: tuple[int, int, int], gain: float, unit: float, out: Relaxed
) -> float:
    """Return the least, over the steps of tariff f, of what a parcel costs less what it earns within the step."""
    count, lightest, load_g = load
    first, end = t.tariffs.start[f], t.tariffs.start[f + 1]
    while first < end and t.tariffs.limit_g[first] < lightest:
        first += 1
    whole = first
    while whole < end and t.tariffs.limit_g[whole] < load_g:
        whole += 1
    best, best_step, best_mask = BIG, -1, 0
    for step in range(whole, end):  # a heavier parcel may be cheaper
        value = fixed + t.tariffs.cents[step] * unit - gain
        if value < best and t.tariffs.cents[step] < INFEASIBLE:
            best, best_step = value, step
    exact, listed = count <= EXACT_ITEMS and not t.divisible, False
    for step in range(first, min(whole, end)):
        if t.tariffs.cents[step] == INFEASIBLE:
            continue
        limit_g, cost = t.tariffs.limit_g[step], fixed + t.tariffs.cents[step] * unit
        value = cost - _mixture(i, limit_g, count, out, False)
        if value >= best:
            continue
        mask = 0
        if exact:
            if not listed:
                _list_sets(count, out)
                listed = True
            mask = _best_set(limit_g, count, out)
            value = cost - out.sum_profit[mask]
        if value < best:
            best, best_step, best_mask = value, step, mask
    if best_step >= whole:
        for k in range(count):
            out.share[i, out.item[k]] = out.part[k]
    elif best_step >= 0 and exact:
        for k in range(count):
            if best_mask >> k & 1:
                out.share[i, out.item[k]] = 1.0
    elif best_step >= 0:
        _mixture(i, t.tariffs.limit_g[best_step], count, out, True)
    return best


@inner
def _list_sets(count: int, out: Relaxed) -> None:
    out.sum_profit[0], out.sum_weight_g[0] = 0.0, 0
    for k in range(count):
        bit = 1 << k
        for mask in range(bit):
            out.sum_profit[bit | mask] = out.sum_profit[mask] + out.profit[k]
            out.sum_weight_g[bit | mask] = out.sum_weight_g[mask] + out.weight_g[k]


@inner
def _best_set(limit_g: int, count: int, out: Relaxed) -> int:
    best = 0
    for mask in range(1 << count):
        if out.sum_weight_g[mask] <= limit_g and out.sum_profit[mask] > out.sum_profit[best]:
            best = mask
    return best


@inner
def _mixture(i: int, limit_g: int, count: int, out: Relaxed, write: bool) -> float:
    """Return the most that so many grams can earn if lines may be cut, and with `write` note what they are of."""
    gain, left_g = 0.0, limit_g
    for k in range(count):
        if out.least_g[k] > limit_g:
            continue
        if out.weight_g[k] <= left_g:
            gain, left_g = gain + out.profit[k], left_g - out.weight_g[k]
            if write:
                out.share[i, out.item[k]] = out.part[k]
            continue
        part = out.profit[k] * left_g / out.weight_g[k]
        if write:
            out.share[i, out.item[k]] = out.part[k] * left_g / out.weight_g[k]
        return gain + part + SLACK * (gain + out.profit[k])
    return gain
