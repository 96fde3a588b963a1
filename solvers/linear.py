"""The one adapter to OR-Tools' linear and mixed-integer solvers, from arrays (Google OR-Tools, model builder)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.linear_solver.python import model_builder_helper
from scipy.sparse import csr_matrix

from solvers.problem import FloatArray

_SOLVED = {model_builder_helper.SolveStatus.OPTIMAL, model_builder_helper.SolveStatus.FEASIBLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """min cost·x subject to lower ≤ matrix·x ≤ upper and 0 ≤ x ≤ 1."""

    cost: FloatArray
    matrix: csr_matrix
    lower: FloatArray
    upper: FloatArray


def solve_relaxation(model: LinearModel) -> tuple[float, FloatArray, FloatArray] | None:
    """Return objective, values and row duals of the linear relaxation, or None if the solver gives up."""
    solver = model_builder_helper.ModelSolverHelper("glop")
    solver.solve(_helper(model))
    if solver.status() != model_builder_helper.SolveStatus.OPTIMAL:
        return None
    return solver.objective_value(), np.array(solver.variable_values()), np.array(solver.dual_values())


def solve_integer(model: LinearModel, start: FloatArray, *, nodes: int, seconds: float | None) -> FloatArray | None:
    """Return the best 0/1 values found in so many branch-and-bound nodes (and seconds), or None if there are none.

    `start` is a feasible solution to begin with. Without `seconds` the work is counted, not timed.
    """
    helper = _helper(model)
    for column in range(len(model.cost)):
        helper.set_var_integrality(column, True)
        helper.add_hint(column, float(start[column]))
    solver = model_builder_helper.ModelSolverHelper("scip")
    solver.set_solver_specific_parameters(f"limits/nodes = {nodes}\nparallel/maxnthreads = 1\n")
    if seconds is not None:
        solver.set_time_limit_in_seconds(max(seconds, 0.01))
    solver.solve(helper)
    if solver.status() not in _SOLVED:
        return None
    return np.rint(np.array(solver.variable_values()))


def _helper(model: LinearModel) -> model_builder_helper.ModelBuilderHelper:
    helper = model_builder_helper.ModelBuilderHelper()
    size = len(model.cost)
    bounds: tuple[Any, ...] = (np.zeros(size), np.ones(size), model.cost, model.lower, model.upper)
    helper.fill_model_from_sparse_data(*bounds, model.matrix)  # type: ignore[call-arg]
    return helper
