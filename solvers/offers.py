"""What every candidate asks for every subset of an order's lines, at given prices and from what is left.

Here: prices, what is left, and the cheapest parcel f(S) of every subset S over all candidates. Not here: how parcels
make a pattern (`patterns.py`, `one_parcel.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.cost import INFEASIBLE
from solvers.problem import FloatArray, IntArray
from solvers.tables import EXACT_LINES, NO_STOCK, Tables

BIG = 2.0**60
"""Above every price-inclusive cost of an order."""


class Duals(NamedTuple):
    """What a unit of every contested resource costs, in `unit`s to the cent."""

    unit: float
    row: FloatArray
    """Per contested stock cell."""
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
    order's first); lines in no mask are backordered. Lines beyond the order's group have their own `extra` candidate.
    """

    size: IntArray
    mask: IntArray
    cand: IntArray
    extra: IntArray
    parcel: FloatArray
    parcel_cand: IntArray
    rest: FloatArray
    """Shape (parcels left, mask)."""
    first: IntArray
    """Shape (parcels left, mask): the parcel of the mask's lowest line; 0: it is backordered."""
    added: FloatArray
    units: IntArray
    line_price: FloatArray


def choice(longest_order: int) -> Choice:
    """Return scratch space for orders of up to `longest_order` lines."""
    size = 1 << EXACT_LINES
    return Choice(
        size=np.zeros(1, np.int64),
        mask=np.zeros(EXACT_LINES, np.int64),
        cand=np.zeros(EXACT_LINES, np.int64),
        extra=np.zeros(max(longest_order, 1), np.int64),
        parcel=np.zeros(size),
        parcel_cand=np.zeros(size, np.int64),
        rest=np.zeros((EXACT_LINES + 1, size)),
        first=np.zeros((EXACT_LINES + 1, size), np.int64),
        added=np.zeros(size),
        units=np.zeros(size, np.int64),
        line_price=np.zeros(EXACT_LINES),
    )


@njit(cache=True, nogil=True)
def _able(t: Tables, o: int, i: int, residual: Residual, live: bool) -> int:
    """Return which grouped lines of order o its candidate i can ship."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    if live and residual.parcels[t.cand_node[t.cand_start[o] + i]] < 1:
        return 0
    able = 0
    for p in range(t.grouped[o]):
        row = t.row[t.row_start[o] + i * lines + p]
        if row != NO_STOCK and not (live and row >= 0 and residual.row[row] < t.quantity[first + p]):
            able |= 1 << p
    return able


@njit(cache=True, nogil=True)
def _price_lines(t: Tables, o: int, i: int, duals: Duals, out: Choice) -> None:
    """Write what the stock and unit prices add to every subset of lines at candidate i to `out.added`."""
    first, lines, bits = t.line_start[o], t.line_start[o + 1] - t.line_start[o], t.grouped[o]
    per_unit = duals.units[t.cand_node[t.cand_start[o] + i]]
    for p in range(bits):
        row = t.row[t.row_start[o] + i * lines + p]
        price = per_unit + duals.row[row] if row >= 0 else per_unit
        out.line_price[p] = price * t.quantity[first + p]
    for p in range(bits):
        bit = 1 << p
        for mask in range(bit):
            out.added[bit | mask] = out.added[mask] + out.line_price[p]


@njit(cache=True, nogil=True)
def _count_units(t: Tables, o: int, out: Choice) -> None:
    for p in range(t.grouped[o]):
        bit = 1 << p
        for mask in range(bit):
            out.units[bit | mask] = out.units[mask] + t.quantity[t.line_start[o] + p]


@njit(cache=True, nogil=True)
def best_parcels(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> None:
    """Write the cheapest parcel of every subset and its candidate: f(S)."""
    bits = t.grouped[o]
    size = 1 << bits
    out.parcel[:size] = BIG
    if live:
        _count_units(t, o, out)
    for i in range(t.cand_start[o + 1] - t.cand_start[o]):
        offer(t, o, i, duals, residual, live, out, out.parcel)


@njit(cache=True, nogil=True, inline="always")
def offer(
    t: Tables, o: int, i: int, duals: Duals, residual: Residual, live: bool, out: Choice, parcel: FloatArray
) -> None:
    """Lower the cost of every subset in `parcel` to that of candidate i, and note where it did."""
    able = _able(t, o, i, residual, live)
    if able == 0:
        return
    node = t.cand_node[t.cand_start[o] + i]
    _price_lines(t, o, i, duals, out)
    base = t.table_start[o] + (i << t.grouped[o])
    mask = able
    while mask:
        cents = t.parcel_cents[base + mask]
        if cents < INFEASIBLE and not (live and out.units[mask] > residual.units[node]):
            value = cents * duals.unit + out.added[mask] + duals.parcels[node]
            if value < parcel[mask]:
                parcel[mask], out.parcel_cand[mask] = value, i
        mask = (mask - 1) & able
