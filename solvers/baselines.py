"""What today's systems do, as a yardstick: one order after another by a rule, without prices.

    nearest         each line from the closest node that has it
    ranked          one node for everything if possible, by priority; else each line from the first node that has it
    fewest_splits   one node for everything if possible, the closest; else nodes by how many lines they cover

A rule never breaks a limit: a node counts only if its stock, capacity and services can take the line.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.assignment import Assignment, nothing_assigned, take, true_cents
from solvers.candidates import unit_vectors
from solvers.kernels import inner
from solvers.moves import move, move_cost
from solvers.offers import BIG, Duals, Residual
from solvers.plan import BACKORDER
from solvers.prices import no_prices
from solvers.problem import FloatArray, IntArray
from solvers.tables import Compiled, Tables


class Rule(StrEnum):
    """A baseline rule."""

    NEAREST = "nearest"
    RANKED = "ranked"
    FEWEST_SPLITS = "fewest_splits"


def serve_by_rule(compiled: Compiled, rule: Rule) -> Assignment:
    """Return the plan of a baseline rule, orders in the order of their ids."""
    plan = nothing_assigned(compiled)
    preference = _preference(compiled, rule)
    duals = no_prices(compiled).duals()
    _serve_all(compiled.tables, preference, rule != Rule.NEAREST, rule == Rule.FEWEST_SPLITS, duals, plan)
    return plan


def _preference(compiled: Compiled, rule: Rule) -> IntArray:
    """Return every order's candidates (counted from its first) from the most to the least preferred."""
    t, problem = compiled.tables, compiled.problem
    order = np.repeat(np.arange(problem.order_count), np.diff(t.cand_start))
    distance = _distance(compiled, order)
    priority = problem.nodes.priority[t.cand_node] if rule == Rule.RANKED else np.zeros(len(order), np.int64)
    ranked = np.lexsort((t.cand_node, distance, priority, order))
    return ranked - t.cand_start[order]


def _distance(compiled: Compiled, order: IntArray) -> FloatArray:
    """Return a number per candidate that grows with distance; transit days where a problem has no coordinates."""
    t, problem = compiled.tables, compiled.problem
    nodes = unit_vectors(problem.nodes.latitude, problem.nodes.longitude)[t.cand_node]
    chord = ((nodes - unit_vectors(problem.orders.latitude, problem.orders.longitude)[order]) ** 2).sum(axis=1)
    if problem.lanes is None or not np.isnan(chord).any():
        return chord
    return problem.lanes.transit_days[t.cand_place].astype(np.float64)


@njit(cache=True, nogil=True)
def _serve_all(
    t: Tables, preference: IntArray, one_node_first: bool, cover: bool, duals: Duals, plan: Assignment
) -> None:
    for o in range(len(t.line_start) - 1):
        lines, cands = t.line_start[o + 1] - t.line_start[o], t.cand_start[o + 1] - t.cand_start[o]
        trial = np.full(lines, BACKORDER, np.int32)
        load = (np.zeros(cands, np.int64), np.zeros(cands, np.int64), np.zeros(cands, np.int64))
        ranked = preference[t.cand_start[o] : t.cand_start[o + 1]]
        if not (one_node_first and _one_node(t, o, ranked, duals, plan.residual, trial, load)):
            if cover:
                _cover(t, o, ranked, duals, plan.residual, trial, load)
            else:
                _each_line(t, o, ranked, duals, plan.residual, trial, load)
        plan.cand[t.line_start[o] : t.line_start[o + 1]] = trial
        take(t, o, plan, 1)
        plan.cents[o] = true_cents(t, o, plan.cand)


@inner
def _give(
    t: Tables,
    o: int,
    i: int,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    load: tuple[IntArray, IntArray, IntArray],
) -> int:
    """Give candidate i every backordered line it can ship; return how many."""
    given = 0
    for p in range(len(trial)):
        if trial[p] == BACKORDER and move_cost(t, o, p, i, duals, residual, trial, *load) < BIG:
            move(t, o, p, i, trial, *load)
            given += 1
    return given


@inner
def _withdraw(t: Tables, o: int, i: int, trial: NDArray[np.int32], load: tuple[IntArray, IntArray, IntArray]) -> None:
    """Backorder every line that candidate i was given."""
    for p in range(len(trial)):
        if trial[p] == i:
            move(t, o, p, BACKORDER, trial, *load)


@inner
def _one_node(
    t: Tables,
    o: int,
    ranked: IntArray,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    load: tuple[IntArray, IntArray, IntArray],
) -> bool:
    """Give everything to the first candidate that can ship it all; return whether there is one."""
    for i in ranked:
        if _give(t, o, i, duals, residual, trial, load) == len(trial):
            return True
        _withdraw(t, o, i, trial, load)
    return False


@inner
def _each_line(
    t: Tables,
    o: int,
    ranked: IntArray,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    load: tuple[IntArray, IntArray, IntArray],
) -> None:
    """Give each line to the first candidate that can ship it."""
    for p in range(len(trial)):
        for i in ranked:
            if move_cost(t, o, p, i, duals, residual, trial, *load) < BIG:
                move(t, o, p, i, trial, *load)
                break


@inner
def _cover(
    t: Tables,
    o: int,
    ranked: IntArray,
    duals: Duals,
    residual: Residual,
    trial: NDArray[np.int32],
    load: tuple[IntArray, IntArray, IntArray],
) -> None:
    """Open the candidate that can ship most of the lines still open, again and again."""
    while True:
        most, chosen = 0, -1
        for i in ranked:
            if load[2][i] > 0:
                continue
            given = _give(t, o, i, duals, residual, trial, load)
            _withdraw(t, o, i, trial, load)
            if given > most:
                most, chosen = given, i
        if chosen < 0:
            return
        _give(t, o, chosen, duals, residual, trial, load)
