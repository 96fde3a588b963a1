"""The referee: a plan of a small batch by the textbook model, never worse than the plan it starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers.problem import IntArray
from solvers.tables import Compiled
from solvers.textbook import ExactEffort, ExactSolver, textbook, with_order_costs
from solvers.textbook_plan import amounts, assignment, complete, point_cents
from solvers.textbook_search import search

MANY_COLUMNS = 40_000
"""With more, and a time limit, HiGHS gets one cost per order (see docs/adr/0018-the-textbook-model-as-referee.md)."""
LOADING_SECONDS = 2e-5
"""Per column: what a solver takes to read the model, before it looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The best plan, in the form of `conclude.conclude`, and what the search says that no plan can be below."""

    cand: NDArray[np.int32]
    divided: IntArray
    cents: int
    bound_cents: int | None


def solve_textbook(
    compiled: Compiled, cand: NDArray[np.int32], divided: IntArray, solver: ExactSolver, effort: ExactEffort
) -> Verdict:
    """Return the best plan that the solver finds, or the one it is given; raise TooLarge if the model would not fit.

    What the solver found counts only if it keeps every row in whole numbers, at the cost that whole numbers give it. A
    bound above the cost of such a plan would be an error of the solver, and is none.
    """
    t = compiled.tables
    model = textbook(compiled)
    start = complete(model, t, amounts(model, t, cand, divided))
    assert start is not None, "the plan to start from is feasible"
    if effort.seconds is not None:
        effort = replace(effort, seconds=effort.seconds - LOADING_SECONDS * len(model.cost))
    if solver == ExactSolver.HIGHS and effort.seconds is not None and len(model.cost) > MANY_COLUMNS:
        short_cents = np.diff(np.concatenate([np.zeros(1, np.int64), np.cumsum(t.short_cents)])[t.line_start])
        found = search(*with_order_costs(model, short_cents, start), solver, effort)
    else:
        found = search(model, start, solver, effort)
    best = start
    if found.values is not None:
        point = complete(model, t, found.values[: len(model.line)])
        if point is not None and point_cents(model, point) < point_cents(model, start):
            best = point
    cents, bound = point_cents(model, best), found.bound_cents
    cand, divided = assignment(model, t, best, compiled.problem.terms.line_split)
    return Verdict(cand=cand, divided=divided, cents=cents, bound_cents=None if (bound or 0) > cents else bound)
