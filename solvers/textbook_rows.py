"""The rows of the textbook model: what a plan must keep. Not here: its columns and what they cost (`textbook.py`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from solvers.problem import UNLIMITED, IntArray
from solvers.tables import Compiled
from solvers.textbook_steps import Steps

NO_LOWER = -(2**62)
"""A lower limit that is not there."""


class Rows:
    """Rows of a sparse matrix in the making."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[tuple[IntArray, IntArray, IntArray]] = []
        self._limits: list[tuple[IntArray, IntArray]] = []

    def add(self, lower: IntArray | int, upper: IntArray | int, count: int, *entries: tuple[IntArray, ...]) -> None:
        """Add `count` rows; each of `entries` has row (counted from the first of these), column and coefficient."""
        for row, column, value in entries:
            self._parts.append((row + self.count, column, np.broadcast_to(value, row.shape)))
        self._limits.append((np.full(count, lower), np.full(count, upper)))
        self.count += count

    def matrix(self, columns: int) -> tuple[csr_matrix, IntArray, IntArray]:
        """Return matrix and limits, each row divided by what divides all its coefficients, limits rounded inwards."""
        row, column, value = (
            np.concatenate([part[k] for part in self._parts] or [np.zeros(0, np.int64)]) for k in range(3)
        )
        lower, upper = (np.concatenate([part[k] for part in self._limits] or [np.zeros(0, np.int64)]) for k in range(2))
        matrix = csr_matrix((value.astype(np.int64), (row, column)), shape=(self.count, columns))
        matrix.eliminate_zeros()
        filled = np.diff(matrix.indptr) > 0
        divisor = np.ones(self.count, np.int64)
        if filled.any():
            divisor[filled] = np.gcd.reduceat(np.abs(matrix.data), matrix.indptr[:-1][filled])
        matrix.data //= np.repeat(divisor, np.diff(matrix.indptr))
        lower = np.where(lower == NO_LOWER, NO_LOWER, -(-lower // divisor))
        return matrix, lower, np.where(upper == UNLIMITED, UNLIMITED, upper // divisor)


def serve_each_line(rows: Rows, compiled: Compiled, line: IntArray, x: IntArray, units: IntArray) -> None:
    """No unit is shipped twice."""
    found, row = np.unique(line, return_inverse=True)
    rows.add(NO_LOWER, compiled.tables.quantity[found], len(found), (row, x, units))


def open_what_ships(rows: Rows, cand: IntArray, most: IntArray, steps: Steps, x: IntArray, y: IntArray) -> None:
    """A line is shipped in a parcel, and a parcel is on one step."""
    first = np.searchsorted(steps.cand, cand)
    counts = np.searchsorted(steps.cand, cand, side="right") - first
    apart = np.flatnonzero((counts > 1) | (y[first] != x))
    counts = counts[apart]
    row = np.repeat(np.arange(len(apart)), counts)
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts - first[apart], counts)
    rows.add(
        NO_LOWER, 0, len(apart), (np.arange(len(apart)), apart, np.ones_like(apart)), (row, y[step], -most[apart][row])
    )
    _, of_step, size = np.unique(steps.cand, return_inverse=True, return_counts=True)
    several = size > 1
    place, chosen = np.cumsum(several) - 1, several[of_step]
    rows.add(NO_LOWER, 1, int(several.sum()), (place[of_step[chosen]], y[chosen], np.ones(int(chosen.sum()), np.int64)))


def keep_to_the_step(
    rows: Rows, grams: IntArray, cand: IntArray, most: IntArray, steps: Steps, x: IntArray, y: IntArray
) -> None:
    """A parcel weighs at most what its step carries, and at least what makes it cheaper than a lighter one."""
    found, of_step = np.unique(steps.cand, return_inverse=True)
    heaviest, tightest, strictest = (np.zeros(len(found), np.int64) for _ in range(3))
    of_x = np.searchsorted(found, cand)
    np.add.at(heaviest, of_x, grams * most)
    tightest[:] = UNLIMITED
    np.minimum.at(tightest, of_step, steps.most_g)
    np.maximum.at(strictest, of_step, steps.least_g)
    for needed, limit, lower, upper in (
        (tightest < heaviest, np.minimum(steps.most_g, heaviest[of_step]), NO_LOWER, 0),
        (strictest > 0, steps.least_g, 0, UNLIMITED),
    ):
        place = np.cumsum(needed) - 1
        in_x, in_y = needed[of_x], needed[of_step]
        rows.add(
            lower,
            upper,
            int(needed.sum()),
            (place[of_x[in_x]], x[in_x], grams[in_x]),
            (place[of_step[in_y]], y[in_y], -limit[in_y]),
        )


def limit_parcels(rows: Rows, compiled: Compiled, order: IntArray, steps: Steps, y: IntArray) -> None:
    """An order has no more parcels than it may."""
    t = compiled.tables
    cands = np.bincount(order[np.unique(steps.cand, return_index=True)[1]], minlength=len(t.max_parcels))
    needed = t.max_parcels < cands
    place, chosen = np.cumsum(needed) - 1, needed[order]
    ones = np.ones(int(chosen.sum()), np.int64)
    rows.add(NO_LOWER, t.max_parcels[needed], int(needed.sum()), (place[order[chosen]], y[chosen], ones))


def charge_splits(rows: Rows, shipped: IntArray, order: IntArray, y: IntArray, a: IntArray) -> None:
    """Only an order with a parcel is spared the split cost of one."""
    if len(shipped):
        row = np.searchsorted(shipped, order)
        rows.add(NO_LOWER, 0, len(a), (np.arange(len(a)), a, np.ones_like(a)), (row, y, -np.ones_like(y)))


def keep_stock(rows: Rows, compiled: Compiled, row: NDArray[np.int32], units: IntArray, x: IntArray) -> None:
    """No contested stock is shipped twice."""
    scarce = row >= 0
    rows.add(
        NO_LOWER, compiled.row_stock, len(compiled.row_stock), (row[scarce].astype(np.int64), x[scarce], units[scarce])
    )


def keep_capacity(
    rows: Rows, compiled: Compiled, x_node: IntArray, y_node: IntArray, units: IntArray, x: IntArray, y: IntArray
) -> None:
    """No node ships more units or parcels than it can."""
    ones = np.ones_like(y)
    for limit, node, column, value in (
        (compiled.node_units, x_node, x, units),
        (compiled.node_parcels, y_node, y, ones),
    ):
        needed = limit < UNLIMITED
        place, chosen = np.cumsum(needed) - 1, needed[node]
        rows.add(NO_LOWER, limit[needed], int(needed.sum()), (place[node[chosen]], column[chosen], value[chosen]))
