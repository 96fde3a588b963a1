"""Ruin and recreate by several explorers at the same time, each around orders of its own.

An explorer tries changes on a copy of the plan and tells those that paid, which are few. They are then repeated on the
plan itself, explorer after explorer, as far as they pay there too: an earlier one may have taken the same units. How
many explorers there are is fixed, so the plan does not depend on where, or how many at once, they work. Not here: the
changes (`improve.py`).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from solvers.assignment import Assignment
from solvers.improve import Changes, explore, repeat_changes
from solvers.offers import Duals, choice
from solvers.parts import Rivals
from solvers.prices import Map, Multipliers
from solvers.problem import IntArray
from solvers.tables import Compiled

EXPLORERS = 8


def improve_together(
    compiled: Compiled,
    plan: Assignment,
    prices: Multipliers,
    orders: IntArray,
    rival: Rivals,
    rounds: int,
    seed: int,
    spread: Map,
) -> int:
    """Try so many changes around these orders, divided among the explorers; change the plan, return the cents saved."""
    before, duals, out = int(plan.cents.sum()), prices.duals(), choice()
    parts = np.array_split(np.random.default_rng(seed).permutation(orders), EXPLORERS)
    work = partial(_explored, plan, duals, max(1, rounds // EXPLORERS), compiled=compiled, rival=rival)
    for changes in list(spread(work, parts, [(seed + k) % 2**32 for k in range(EXPLORERS)])):
        repeat_changes(compiled.tables, changes, duals, plan, out)
    return before - int(plan.cents.sum())


def _explored(
    plan: Assignment, duals: Duals, rounds: int, orders: IntArray, seed: int, *, compiled: Compiled, rival: Rivals
) -> Changes:
    return explore(compiled.tables, orders, rival, duals, plan.copy(), choice(), rounds, seed)
