"""The weight steps of every candidate: what a parcel costs by its weight, as far as it can weigh that at all.

Service + late cost is a step function of the weight, and steps need not rise. A step that costs less than a lighter
one has a least weight, so that a light parcel cannot pass for a heavy one; a step that another makes superfluous is
left out. Not here: the model that chooses among the steps (`textbook.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE, best_service
from solvers.kernels import inner
from solvers.problem import IntArray
from solvers.tables import NO_STOCK, Tables

FEW_LINES = 10
"""Of an order of up to so many lines, all weights that a parcel can have are listed."""
_ENDLESS = 2**62


class Steps(NamedTuple):
    """The steps of all candidates, those of one candidate next to each other and by ascending weight."""

    cand: IntArray
    least_g: IntArray
    """A parcel on this step weighs at least so much; 0 where a lighter one costs no more."""
    most_g: IntArray
    cents: IntArray
    """Service plus late cost."""


class _Scratch(NamedTuple):
    """Room for the steps of one candidate and for the weights that its parcel can have."""

    least_g: IntArray
    most_g: IntArray
    cents: IntArray
    sums_g: IntArray
    kept: NDArray[np.bool_]


def weight_steps(t: Tables, line_split: bool) -> Steps:
    """Return the steps of all candidates; a candidate without one cannot ship anything."""
    deepest = len(t.freight.max_weight_g) + 2
    scratch = _Scratch(
        least_g=np.empty(deepest, np.int64),
        most_g=np.empty(deepest, np.int64),
        cents=np.empty(deepest, np.int64),
        sums_g=np.empty(1 << FEW_LINES, np.int64),
        kept=np.empty(deepest, np.bool_),
    )
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(_count_steps(t, line_split, scratch))])
    return _fill_steps(t, line_split, scratch, start)


@njit(cache=True, nogil=True)
def _count_steps(t: Tables, line_split: bool, scratch: _Scratch) -> IntArray:
    """Return how many steps each candidate has."""
    counts = np.zeros(len(t.cand_node), np.int64)
    for o in range(len(t.cand_start) - 1):
        for c in range(t.cand_start[o], t.cand_start[o + 1]):
            for k in range(_find_steps(t, o, c, line_split, scratch)):
                counts[c] += scratch.kept[k]
    return counts


@njit(cache=True, nogil=True)
def _fill_steps(t: Tables, line_split: bool, scratch: _Scratch, start: IntArray) -> Steps:
    """Return the steps; those of candidate c are `start[c]:start[c + 1]`."""
    steps = Steps(
        np.empty(start[-1], np.int64),
        np.empty(start[-1], np.int64),
        np.empty(start[-1], np.int64),
        np.empty(start[-1], np.int64),
    )
    for o in range(len(t.cand_start) - 1):
        for c in range(t.cand_start[o], t.cand_start[o + 1]):
            at = start[c]
            for k in range(_find_steps(t, o, c, line_split, scratch)):
                if scratch.kept[k]:
                    steps.cand[at], steps.cents[at] = c, scratch.cents[k]
                    steps.least_g[at], steps.most_g[at] = scratch.least_g[k], scratch.most_g[k]
                    at += 1
    return steps


@inner
def _find_steps(t: Tables, o: int, c: int, line_split: bool, scratch: _Scratch) -> int:
    """Write the steps of a candidate to `scratch`, and which are kept; return how many there are."""
    lightest, heaviest, sums = _weights(t, o, c, line_split, scratch.sums_g)
    count, from_g = 0, lightest
    while from_g <= heaviest:
        end = min(_end_of_step(t, c, from_g), heaviest)
        if end < 0:
            break
        terms = (t.due_days[o], t.service_level[o])
        cents = best_service(t.freight, t.cand_node[c], t.cand_place[c], t.cand_place_end[c], from_g, terms, False)[0]
        most_g = end if sums == 0 else _heaviest_between(scratch.sums_g[:sums], from_g, end)
        from_g = end + 1
        if most_g < 0:
            continue
        if count == 0 or scratch.cents[count - 1] != cents:
            count += 1
        scratch.most_g[count - 1], scratch.cents[count - 1] = most_g, cents
    for k in range(count):
        scratch.least_g[k] = 0
        for lighter in range(k):
            if scratch.cents[lighter] > scratch.cents[k]:
                scratch.least_g[k] = scratch.most_g[lighter] + 1
    for k in range(count):
        scratch.kept[k] = scratch.cents[k] < INFEASIBLE
        for heavier in range(k + 1, count):
            if scratch.cents[heavier] <= scratch.cents[k] and scratch.least_g[heavier] <= scratch.least_g[k]:
                scratch.kept[k] = False
    return count


@inner
def _weights(t: Tables, o: int, c: int, line_split: bool, sums_g: IntArray) -> tuple[int, int, int]:
    """Return the least and the most that a parcel of the candidate can weigh, and how many `sums_g` were written.

    Those are all weights that it can have, if there are few enough lines and none may be split; else none is written.
    """
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    row = t.row_start[o] + (c - t.cand_start[o]) * lines
    few = lines <= FEW_LINES and not line_split
    lightest, heaviest, sums = _ENDLESS, 0, 0
    for p in range(lines):
        if t.row[row + p] == NO_STOCK:
            continue
        grams = t.weight_g[first + p]
        lightest = min(lightest, grams // t.quantity[first + p] if line_split else grams)
        heaviest += grams
        if few:
            for known in range(sums):
                sums_g[sums + 1 + known] = sums_g[known] + grams
            sums_g[sums] = grams
            sums = 2 * sums + 1
    return lightest, heaviest, sums


@inner
def _end_of_step(t: Tables, c: int, weight_g: int) -> int:
    """Return the weight up to which a parcel of at least this weight costs the same; -1 if it is too heavy for all."""
    if t.freight.explicit_lanes:
        return _ENDLESS
    end = -1
    for service in range(len(t.freight.service_level)):
        at = service * t.freight.zone_count + t.cand_place[c]
        for step in range(t.freight.start[at], t.freight.start[at + 1]):
            if t.freight.max_weight_g[step] >= weight_g:
                end = t.freight.max_weight_g[step] if end < 0 else min(end, t.freight.max_weight_g[step])
                break
    return end


@inner
def _heaviest_between(sums_g: IntArray, from_g: int, end: int) -> int:
    """Return the largest weight from `from_g` to `end`, or -1."""
    best = -1
    for grams in sums_g:
        if from_g <= grams <= end:
            best = max(best, grams)
    return best
