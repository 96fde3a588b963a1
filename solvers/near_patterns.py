"""All patterns of an order whose priced cost is close to the least: what an integer programme chooses from.

A depth-first walk over the ways to divide an order's lines into parcels and backorders. The subset programme of
`patterns.py` tells the least that the lines still open will cost, so no step is taken that must end above the limit.
Complete, unless an order has too many: a pattern that is missing costs more than the limit. Not here: choosing among
the patterns (`blocks.py`, `prove.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.cost import INFEASIBLE
from solvers.kernels import inner
from solvers.offers import Choice, Duals, Residual, stock_charge
from solvers.pattern_sets import Patterns
from solvers.patterns import best_pattern, price_order
from solvers.plan import BACKORDER
from solvers.problem import FloatArray, IntArray
from solvers.tables import EXACT_LINES, Tables

EXHAUSTED, UNTRIED, AT_BACKORDER = -3, -2, -1
"""Where a walk stands with a line when it is not at one of the line's parcels."""
USEFUL_PARCELS, MOST_PATTERNS = 4096, 500
"""Parcels and patterns of one order that are looked at, where not all are needed."""
TOLERANCE = 1e-6
HALVINGS = 20


class Walk(NamedTuple):
    """Scratch space of one thread: the useful parcels of the order in hand, chained by lowest line, and the path."""

    mask: IntArray
    cand: IntArray
    value: FloatArray
    """Priced cost of each parcel; `cents` without prices."""
    cents: IntArray
    after: IntArray
    head: IntArray
    step: IntArray
    """Per depth: the parcel taken, `AT_BACKORDER` for the backorder of a line, or `UNTRIED`."""
    open: IntArray
    """Per depth: the lines still open."""
    spent: FloatArray
    spent_cents: IntArray


def walk(parcels: int) -> Walk:
    """Return scratch space for orders with up to so many useful parcels."""
    depths = EXACT_LINES + 2
    return Walk(
        mask=np.zeros(parcels, np.int64),
        cand=np.zeros(parcels, np.int64),
        value=np.zeros(parcels),
        cents=np.zeros(parcels, np.int64),
        after=np.zeros(parcels, np.int64),
        head=np.zeros(EXACT_LINES, np.int64),
        step=np.zeros(depths, np.int64),
        open=np.zeros(depths, np.int64),
        spent=np.zeros(depths),
        spent_cents=np.zeros(depths, np.int64),
    )


@njit(cache=True, nogil=True)
def near_patterns(
    t: Tables, orders: IntArray, duals: Duals, residual: Residual, slack: float, most: int, out: Choice, w: Walk
) -> tuple[Patterns, bool]:
    """Return the patterns of the orders that cost at most `slack` more than the order's cheapest at these prices.

    Also returns whether these are all. Where an order has more than `most`, or more useful parcels than `w` has room
    for, the slack is halved for it until they fit, and after some halvings it gives none. The orders' lines are all
    grouped.
    """
    none = _room(0, 0)
    columns, cells, complete = 0, 0, True
    found, within = np.zeros(len(orders), np.int64), np.full(len(orders), slack)
    for k in range(len(orders)):
        o = orders[k]
        for _ in range(HALVINGS):
            found[k] = _walk(t, o, duals, residual, within[k], most, out, w, none, 0)
            if found[k] >= 0:
                break
            complete, within[k] = False, within[k] / 2
        found[k] = max(found[k], 0)
        columns, cells = columns + found[k], cells + found[k] * (t.line_start[o + 1] - t.line_start[o])
    made = _room(columns, cells)
    at = 0
    for k in range(len(orders)):
        if found[k]:
            at += _walk(t, orders[k], duals, residual, within[k], most, out, w, made, at)
    return made, complete


@inner
def _room(columns: int, cells: int) -> Patterns:
    return Patterns(
        np.empty(columns, np.int64),
        np.empty(columns),
        np.empty(columns, np.int64),
        np.zeros(columns + 1, np.int64),
        np.empty(cells, np.int32),
    )


@inner
def _walk(
    t: Tables,
    o: int,
    duals: Duals,
    residual: Residual,
    slack: float,
    most: int,
    out: Choice,
    w: Walk,
    made: Patterns,
    at: int,
) -> int:
    """Count the near patterns of order o, and write them to `made` from place `at` on if it has any room.

    Returns -1 if there are more than `most`, or more parcels than there is room for.
    """
    first, last = t.line_start[o], t.line_start[o + 1]
    split = t.split_cents * duals.unit
    least = price_order(t, o, duals, residual, False, out)
    best_pattern(t.short_cents[first:last], last - first, split, duals.unit, out)
    limit = least + slack + TOLERANCE
    if not _useful_parcels(t, o, duals, limit, out, w):
        return -1
    found, depth, parcels = 0, 0, 0
    w.open[0], w.spent[0], w.spent_cents[0], w.step[0] = (1 << (last - first)) - 1, 0.0, 0, UNTRIED
    while depth >= 0:
        parcels -= w.step[depth] >= 0
        if w.open[depth] == 0:
            if found == most:
                return -1
            if len(made.order):
                _write(o, last - first, depth, w.spent[depth] - least, w, made, at + found)
            found, depth = found + 1, depth - 1
            continue
        low = 0
        while not w.open[depth] >> low & 1:
            low += 1
        step = w.step[depth] = _advance(w, depth, low)
        if step == EXHAUSTED:
            depth -= 1
            continue
        if step == AT_BACKORDER:
            taken, cents, value = 1 << low, t.short_cents[first + low], t.short_cents[first + low] * duals.unit
        else:
            if w.mask[step] & ~w.open[depth] or parcels == t.max_parcels[o] or _used(w, depth, w.cand[step]):
                parcels += 1
                continue
            again = min(parcels, 1)
            taken, cents, value = w.mask[step], w.cents[step] + again * t.split_cents, w.value[step] + again * split
            parcels += 1
        left = w.open[depth] ^ taken
        waived = split if left and not parcels else 0.0
        if w.spent[depth] + value + out.rest[0, left] - waived <= limit:
            depth += 1
            w.open[depth], w.spent[depth] = left, w.spent[depth - 1] + value
            w.spent_cents[depth], w.step[depth] = w.spent_cents[depth - 1] + cents, UNTRIED
    return found


@inner
def _useful_parcels(t: Tables, o: int, duals: Duals, limit: float, out: Choice, w: Walk) -> bool:
    """Collect the parcels that some pattern within the limit may have; return whether there is room for them."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    split, full = t.split_cents * duals.unit, (1 << lines) - 1
    w.head[:] = EXHAUSTED
    count = 0
    for c in range(t.cand_start[o], t.cand_start[o + 1]):
        i, node, able = c - t.cand_start[o], t.cand_node[c], np.int64(t.cand_able[c])
        for p in range(lines):
            if able >> p & 1:
                row, quantity = t.row[t.row_start[o] + i * lines + p], t.quantity[first + p]
                out.added[1 << p] = duals.units[node] * quantity + stock_charge(duals.row, row, quantity)
        mask, at = able & -able, t.cand_table[c] + 1
        while mask:
            rest = mask & (mask - 1)
            if rest:
                out.added[mask] = out.added[rest] + out.added[mask ^ rest]
            if t.parcel_cents[at] < INFEASIBLE:
                value = t.parcel_cents[at] * duals.unit + out.added[mask] + duals.parcels[node]
                if value + out.rest[0, full ^ mask] - (split if full ^ mask else 0.0) <= limit:
                    if count == len(w.mask):
                        return False
                    low = 0
                    while not mask >> low & 1:
                        low += 1
                    w.mask[count], w.cand[count], w.value[count], w.cents[count] = mask, i, value, t.parcel_cents[at]
                    w.after[count], w.head[low] = w.head[low], count
                    count += 1
            mask, at = (mask - able) & able, at + 1
    return True


@inner
def _advance(w: Walk, depth: int, low: int) -> int:
    """Return what to try next with the lowest open line."""
    if w.step[depth] == UNTRIED:
        return AT_BACKORDER
    return w.head[low] if w.step[depth] == AT_BACKORDER else w.after[w.step[depth]]


@inner
def _used(w: Walk, depth: int, cand: int) -> bool:
    used = False
    for above in range(depth):
        used |= w.step[above] >= 0 and w.cand[w.step[above]] == cand
    return used


@inner
def _write(o: int, lines: int, depth: int, reduced: float, w: Walk, made: Patterns, k: int) -> None:
    start = made.start[k]
    made.order[k], made.reduced[k], made.cents[k] = o, reduced, w.spent_cents[depth]
    made.start[k + 1] = start + lines
    made.cand[start : start + lines] = BACKORDER
    for above in range(depth):
        step = w.step[above]
        if step >= 0:
            for p in range(lines):
                if w.mask[step] >> p & 1:
                    made.cand[start + p] = w.cand[step]
