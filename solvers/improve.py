"""Improves a plan by ruin and recreate: free a few orders that compete for stock, and serve them again, each exactly.

The freed orders are linked by contested cells (Schrimpf et al. 2000, Journal of Computational Physics 159:2). They come
back in random order, priced at a random share of the shadow prices: at full prices an order leaves scarce stock to
those who need it more, at none it takes what is best for itself. A change that costs more is undone.

`explore` also tells which changes paid, and `repeat_changes` makes the same on another plan, as far as they pay there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.assignment import Assignment, restore, serve, take_back
from solvers.kernels import inner
from solvers.offers import Choice, Duals
from solvers.parts import Rivals
from solvers.problem import FloatArray, IntArray
from solvers.tables import Tables

MOST_FREED = 8
"""Orders freed at once."""


class Changes(NamedTuple):
    """Changes that paid, in the order in which they were made."""

    freed: IntArray
    """The orders freed, in the order in which they came back, then −1; shape (changes, `MOST_FREED`)."""
    share: FloatArray
    """The share of the shadow prices at which they came back."""


@njit(cache=True, nogil=True)
def ruin_and_recreate(
    t: Tables, coupled: IntArray, rival: Rivals, duals: Duals, plan: Assignment, out: Choice, rounds: int, seed: int
) -> int:
    """Try so many changes of the plan and keep those that do not cost more; return the cents saved."""
    np.random.seed(seed)
    saved = 0
    scaled = Duals(duals.unit, duals.row.copy(), duals.units.copy(), duals.parcels.copy())
    freed = np.empty(MOST_FREED, np.int64)
    for _ in range(rounds):
        count = _free(t, coupled, rival, freed)
        if count:
            saved += _reinsert(t, freed[:count], np.random.random(), duals, scaled, plan, out)
    return saved


@njit(cache=True, nogil=True)
def explore(
    t: Tables, orders: IntArray, rival: Rivals, duals: Duals, plan: Assignment, out: Choice, rounds: int, seed: int
) -> Changes:
    """Try so many changes of the plan, each around one of `orders`, and return those that cost less."""
    np.random.seed(seed)
    scaled = Duals(duals.unit, duals.row.copy(), duals.units.copy(), duals.parcels.copy())
    freed, shares, found = np.full((rounds, MOST_FREED), -1), np.empty(rounds), 0
    for _ in range(rounds):
        count = _free(t, orders, rival, freed[found])
        shares[found] = np.random.random()
        if _reinsert(t, freed[found, :count], shares[found], duals, scaled, plan, out):
            found += 1
        else:
            freed[found] = -1
    return Changes(freed[:found].copy(), shares[:found].copy())


@njit(cache=True, nogil=True)
def repeat_changes(t: Tables, changes: Changes, duals: Duals, plan: Assignment, out: Choice) -> int:
    """Make these changes of the plan that do not cost more here; return the cents saved."""
    saved = 0
    scaled = Duals(duals.unit, duals.row.copy(), duals.units.copy(), duals.parcels.copy())
    for k in range(len(changes.share)):
        count = int((changes.freed[k] >= 0).sum())
        saved += _reinsert(t, changes.freed[k, :count], changes.share[k], duals, scaled, plan, out)
    return saved


@inner
def _free(t: Tables, coupled: IntArray, rival: Rivals, freed: IntArray) -> int:
    """Choose a random order and others that compete with it or with each other for stock."""
    freed[0] = coupled[np.random.randint(len(coupled))]
    count, wanted = 1, np.random.randint(2, MOST_FREED + 1)
    for _ in range(3 * wanted):
        if count == wanted:
            break
        o = freed[np.random.randint(count)]
        size = t.row_start[o + 1] - t.row_start[o]
        if size == 0:
            continue
        row = t.row[t.row_start[o] + np.random.randint(size)]
        if row < 0:
            continue
        other = rival.order[rival.start[row] + np.random.randint(rival.start[row + 1] - rival.start[row])]
        if not np.any(freed[:count] == other):
            freed[count] = other
            count += 1
    np.random.shuffle(freed[:count])
    return count


@inner
def _reinsert(
    t: Tables, freed: IntArray, share: float, duals: Duals, scaled: Duals, plan: Assignment, out: Choice
) -> int:
    """Serve the freed orders anew; undo and return 0 if that costs more, else return the cents saved."""
    lines = 0
    for o in freed:
        lines += t.line_start[o + 1] - t.line_start[o]
    before: NDArray[np.int32] = np.empty(lines, np.int32)
    at, old, new = 0, 0, 0
    for o in freed:
        first, last = t.line_start[o], t.line_start[o + 1]
        before[at : at + last - first] = plan.cand[first:last]
        at += last - first
        old += plan.cents[o]
        take_back(t, o, plan)
        _scale(t, o, duals, scaled, share)
    for o in freed:
        new += serve(t, o, scaled, plan, out)
    if new <= old:
        return old - new
    for o in freed:
        take_back(t, o, plan)
    at = 0
    for o in freed:
        size = t.line_start[o + 1] - t.line_start[o]
        restore(t, o, before[at : at + size], plan)
        at += size
    return 0


@inner
def _scale(t: Tables, o: int, duals: Duals, scaled: Duals, share: float) -> None:
    """Set the scaled prices of everything order o could use."""
    for at in range(t.row_start[o], t.row_start[o + 1]):
        row = t.row[at]
        if row >= 0:
            for k in range(duals.row.shape[1]):
                scaled.row[row, k] = share * duals.row[row, k]
    for c in range(t.cand_start[o], t.cand_start[o + 1]):
        node = t.cand_node[c]
        scaled.units[node] = share * duals.units[node]
        scaled.parcels[node] = share * duals.parcels[node]
