"""What every candidate asks for every subset of an order's lines, at given prices and from what is left.

Here: prices, what is left, and the cheapest parcel f(S) of every subset S over all candidates. Not here: how parcels
make a pattern (`patterns.py`, `one_parcel.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.cost import INFEASIBLE
from solvers.kernels import inner
from solvers.problem import FloatArray, IntArray
from solvers.tables import EXACT_LINES, Tables

BIG = 2.0**60
"""Above every price-inclusive cost of an order."""


class Duals(NamedTuple):
    """What a unit of every contested resource costs, in `unit`s to the cent."""

    unit: float
    row: FloatArray
    """Per contested stock cell and rounding of it (`plan.ROUNDINGS`), shape (rows, 4); see `stock_charge`."""
    units: FloatArray
    """Per node and unit shipped."""
    parcels: FloatArray
    """Per node and parcel shipped."""


class Residual(NamedTuple):
    """What is left of every limited resource."""

    row: IntArray
    units: IntArray
    parcels: IntArray


class Choice(NamedTuple):
    """Scratch space of one thread, and the pattern found last.

    The pattern is `size[0]` parcels: parcel i ships the lines of `mask[i]` from candidate `cand[i]` (counted from the
    order's first); lines in no mask are backordered.
    """

    size: IntArray
    mask: IntArray
    cand: IntArray
    parcel: FloatArray
    parcel_cand: IntArray
    rest: FloatArray
    """Shape (parcels left, mask)."""
    first: IntArray
    """Shape (parcels left, mask): the parcel of the mask's lowest line; 0: it is backordered."""
    added: FloatArray
    """Per mask: what the stock and unit prices add at the candidate in hand; `units` likewise how many units."""
    units: IntArray


def choice() -> Choice:
    """Return scratch space for one order."""
    size = 1 << EXACT_LINES
    return Choice(
        size=np.zeros(1, np.int64),
        mask=np.zeros(EXACT_LINES, np.int64),
        cand=np.zeros(EXACT_LINES, np.int64),
        parcel=np.zeros(size),
        parcel_cand=np.zeros(size, np.int64),
        rest=np.zeros((EXACT_LINES + 1, size)),
        first=np.zeros((EXACT_LINES + 1, size), np.int64),
        added=np.zeros(size),
        units=np.zeros(size, np.int64),
    )


@inner
def stock_charge(price: FloatArray, row: int, quantity: int) -> float:
    """Return what a whole line pays for contested stock: its units, and their roundings to 1/2, 1/3 and 2/3."""
    if row < 0:
        return 0.0
    charge: float = price[row, 0] * quantity
    if quantity > 1:
        charge += price[row, 1] * (quantity // 2) + price[row, 2] * (quantity // 3)
        charge += price[row, 3] * (2 * quantity // 3)
    return charge


@inner
def add_use(use: FloatArray, row: int, quantity: int) -> None:
    """Add what a whole line uses of contested stock, and of its roundings."""
    if row < 0:
        return
    use[row, 0] += quantity
    if quantity > 1:
        use[row, 1] += quantity // 2
        use[row, 2] += quantity // 3
        use[row, 3] += 2 * quantity // 3


@inner
def best_parcels(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> None:
    """Write the cheapest parcel of every subset and its candidate: f(S)."""
    out.parcel[: 1 << t.grouped[o]] = BIG
    offer(t, o, 0, t.cand_start[o + 1] - t.cand_start[o], duals, residual, live, out, out.parcel)


@inner
def offer(
    t: Tables,
    o: int,
    begin: int,
    end: int,
    duals: Duals,
    residual: Residual,
    live: bool,
    out: Choice,
    parcel: FloatArray,
) -> None:
    """Lower the cost of every subset in `parcel` to that of candidates `begin` … `end` − 1, and note where they did.

    One flat loop on purpose: it is where pricing spends its time, and a call per candidate would double it.
    """
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    added, units = out.added, out.units
    for i in range(begin, end):
        c = t.cand_start[o] + i
        node, able = t.cand_node[c], np.int64(t.cand_able[c])
        if live and residual.parcels[node] < 1:
            continue
        per_unit, per_parcel = duals.units[node], duals.parcels[node]
        left, p, missing, scarce = able, 0, 0, False
        while left:
            bit = 1 << p
            if left & bit:
                left ^= bit
                row, quantity = t.row[t.row_start[o] + i * lines + p], t.quantity[first + p]
                if live and row >= 0 and residual.row[row] < quantity:
                    missing |= bit
                scarce = scarce or (live and t.divisible and row >= 0)
                added[bit] = per_unit * quantity + stock_charge(duals.row, row, quantity)
                units[bit] = quantity
            p += 1
        mask, at = able & -able, t.cand_table[c] + 1
        while mask:
            rest = mask & (mask - 1)
            if rest:
                added[mask] = added[rest] + added[mask ^ rest]
                units[mask] = units[rest] + units[mask ^ rest]
            cents = t.parcel_cents[at]
            if cents < INFEASIBLE and not (live and (mask & missing or units[mask] > residual.units[node])):
                value = cents * duals.unit + added[mask] + per_parcel
                if value < parcel[mask] and not (scarce and _too_many(t, o, i, int(mask), residual)):
                    parcel[mask], out.parcel_cand[mask] = value, i
            mask, at = (mask - able) & able, at + 1


@inner
def _too_many(t: Tables, o: int, i: int, mask: int, residual: Residual) -> bool:
    """Return whether a set of pieces holds more of a line than candidate i has left."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    units = 0
    for p in range(t.grouped[o]):
        if p and t.line[first + p] != t.line[first + p - 1]:
            units = 0
        row = t.row[t.row_start[o] + i * lines + p]
        if mask >> p & 1 and row >= 0:
            units += t.quantity[first + p]
            if units > residual.row[row]:
                return True
    return False
