"""Problems in both forms, as the solvers compile them and as the checker reads them, and plans to begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import default_rng
from tiny_problems import TinyProblem

from engine.routing.folder import read_problem
from engine.verification.problem import Problem
from engine.verification.reading import read_problem as read_for_checker
from solvers.assignment import Assignment, nothing_assigned, restore, serve_in_sequence, true_cents
from solvers.offers import choice
from solvers.plan import BACKORDER, ROUNDINGS
from solvers.prices import Multipliers, no_prices
from solvers.problem import UNLIMITED
from solvers.tables import NO_STOCK, Compiled, compile_tables

NewFolder = Callable[[], Path]


def both(problem: TinyProblem, folder: NewFolder) -> tuple[Compiled, Problem]:
    """Return a problem as the solvers compile it, and as the checker reads it."""
    path = problem.write(folder())
    return compile_tables(read_problem(path).problem), read_for_checker(path)


def without_capacities(problem: Problem) -> Problem:
    """Return the problem with every node free to ship all it has."""
    free = {n: replace(node, capacity_units=None, capacity_parcels=None) for n, node in problem.nodes.items()}
    return replace(problem, nodes=free)


def some_prices(compiled: Compiled, seed: int) -> Multipliers:
    """Return random prices of everything that may run short."""
    dice, nodes = default_rng(seed), len(compiled.node_units)
    return replace(
        no_prices(compiled),
        row=dice.exponential(60, (len(compiled.entry), len(ROUNDINGS))),
        units=np.where(compiled.node_units < UNLIMITED, dice.exponential(30, nodes), 0.0),
        parcels=np.where(compiled.node_parcels < UNLIMITED, dice.exponential(60, nodes), 0.0),
    )


def in_sequence(compiled: Compiled, prices: Multipliers) -> Assignment:
    """Return the plan that serves one order after another at these prices."""
    plan, everyone = nothing_assigned(compiled), np.arange(len(compiled.coupled))
    serve_in_sequence(compiled.tables, everyone, prices.duals(), plan, choice())
    return plan


def assert_sound(compiled: Compiled, plan: Assignment) -> None:
    """Rebuild a plan from its patterns alone: the same is left, nothing below 0, and every order costs what it says."""
    t, again = compiled.tables, nothing_assigned(compiled)
    for o in range(len(compiled.coupled)):
        first, last = int(t.line_start[o]), int(t.line_start[o + 1])
        for p, i in enumerate(plan.cand[first:last].tolist()):
            assert i == BACKORDER or t.row[t.row_start[o] + i * (last - first) + p] != NO_STOCK
        restore(t, o, plan.cand[first:last].copy(), again)
        assert len(set(plan.cand[first:last].tolist()) - {BACKORDER}) <= t.max_parcels[o]
        assert plan.cents[o] == true_cents(t, o, plan.cand)
    for left, rebuilt in zip(plan.residual, again.residual, strict=True):
        assert left.tolist() == rebuilt.tolist()
        assert (left >= 0).all()
