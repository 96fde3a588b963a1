"""Sets of patterns as arrays, and what a plan's orders have among them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.assignment import Assignment
from solvers.problem import FloatArray, IntArray
from solvers.tables import Compiled


class Patterns(NamedTuple):
    """Patterns of some orders, each order's together; the lines of pattern k are `cand[start[k]:start[k + 1]]`."""

    order: IntArray
    reduced: FloatArray
    """How much each costs, prices included, above the order's cheapest; in price units."""
    cents: IntArray
    """True cost, without prices."""
    start: IntArray
    cand: NDArray[np.int32]
    """The candidate of every line, or `BACKORDER`."""


def held(compiled: Compiled, orders: IntArray, plan: Assignment) -> Patterns:
    """Return the patterns that the orders have in a plan."""
    t = compiled.tables
    start, lines = t.line_start[orders], t.line_start[orders + 1] - t.line_start[orders]
    return Patterns(
        order=orders,
        reduced=np.zeros(len(orders)),
        cents=plan.cents[orders],
        start=np.concatenate([np.zeros(1, np.int64), np.cumsum(lines)]),
        cand=plan.cand[_ranges(start, lines)],
    )


def with_current(
    compiled: Compiled, orders: IntArray, patterns: Patterns, plan: Assignment
) -> tuple[Patterns, IntArray]:
    """Return the patterns with those of the plan among them, and the place of each order's in the plan."""
    t = compiled.tables
    own = held(compiled, orders, plan)
    width = np.diff(patterns.start)
    now = plan.cand[_ranges(t.line_start[patterns.order], width)]
    column = np.repeat(np.arange(len(patterns.order)), width)
    current = np.bincount(column, weights=now != patterns.cand, minlength=len(patterns.order)) == 0
    place = np.full(len(t.line_start), -1)
    place[patterns.order[current]] = np.flatnonzero(current)
    missing = np.flatnonzero(place[orders] < 0)
    place[orders[missing]] = len(patterns.order) + np.arange(len(missing))
    return joined(patterns, taken(own, missing)), place[orders]


def taken(patterns: Patterns, which: IntArray) -> Patterns:
    """Return the patterns at the places `which`."""
    width = np.diff(patterns.start)[which]
    return Patterns(
        order=patterns.order[which],
        reduced=patterns.reduced[which],
        cents=patterns.cents[which],
        start=np.concatenate([np.zeros(1, np.int64), np.cumsum(width)]),
        cand=patterns.cand[_ranges(patterns.start[:-1][which], width)],
    )


def joined(one: Patterns, other: Patterns) -> Patterns:
    """Return the patterns of both, the second's after the first's."""
    return Patterns(
        order=np.concatenate([one.order, other.order]),
        reduced=np.concatenate([one.reduced, other.reduced]),
        cents=np.concatenate([one.cents, other.cents]),
        start=np.concatenate([one.start, one.start[-1] + other.start[1:]]),
        cand=np.concatenate([one.cand, other.cand]),
    )


def _ranges(start: IntArray, width: IntArray) -> IntArray:
    """Return start[0] … start[0] + width[0] − 1, then those of the next, and so on."""
    offset = np.cumsum(width) - width
    return np.repeat(start - offset, width) + np.arange(int(width.sum()))
