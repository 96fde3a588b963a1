"""The one adapter to linear and mixed-integer solvers, from arrays: GLOP (Google OR-Tools) and HiGHS.

Relaxations that need exact vertex duals go to GLOP, integer programmes to HiGHS, which takes a solution to begin with
(Huangfu & Hall 2018, Mathematical Programming Computation 10:1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from ortools.linear_solver.python import model_builder_helper
from scipy.sparse import csc_matrix, csr_matrix

from solvers.problem import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """min cost·x subject to lower ≤ matrix·x ≤ upper and 0 ≤ x ≤ 1."""

    cost: FloatArray
    matrix: csr_matrix
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerSolution:
    """The best 0/1 values found, and the solver's own bound on what any values cost."""

    values: FloatArray
    bound: float


FIRST_ORDER = (
    "termination_criteria { simple_optimality_criteria { eps_optimal_absolute: 1e-4 eps_optimal_relative: 1e-4 } }"
)


def solve_relaxation(model: LinearModel, *, exact: bool = True) -> tuple[float, FloatArray, FloatArray] | None:
    """Return objective, values and row duals of the linear relaxation, or None if the solver gives up.

    If it need not be exact, PDLP (Applegate et al. 2021) solves what is too large for the simplex method, to 1e-4: then
    the objective is no bound, and values and duals are no vertex.
    """
    solver = model_builder_helper.ModelSolverHelper("glop" if exact else "pdlp")
    if not exact:
        solver.set_solver_specific_parameters(FIRST_ORDER)
    solver.solve(_helper(model))
    if solver.status() != model_builder_helper.SolveStatus.OPTIMAL:
        return None
    return solver.objective_value(), np.array(solver.variable_values()), np.array(solver.dual_values())


def solve_integer(
    model: LinearModel, start: IntArray, *, nodes: int, seconds: float | None, enough: float = 0.5
) -> IntegerSolution:
    """Return the best 0/1 values found in so many branch-and-bound nodes (and seconds), never worse than the start.

    It ends when no values cost less by more than `enough`. `start` names the columns that are 1 in a feasible solution
    to begin with. Without `seconds` the work is counted, not timed. One thread, so that the same model gives the same
    values.
    """
    solver = highspy.Highs()
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": enough,
        "mip_detect_symmetry": False,
        "mip_max_nodes": nodes,
    }
    if seconds is not None:
        options["time_limit"] = max(seconds, 0.01)
    for name, value in options.items():
        solver.setOptionValue(name, value)
    columns = len(model.cost)
    matrix = csc_matrix(model.matrix)
    matrix.sort_indices()
    solver.passModel(
        columns,
        len(model.lower),
        matrix.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        model.cost,
        np.zeros(columns),
        np.ones(columns),
        model.lower,
        model.upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        np.ones(columns, np.int32),
    )
    solver.setSolution(len(start), start.astype(np.int32), np.ones(len(start)))
    solver.run()
    begun = np.zeros(columns)
    begun[start] = 1.0
    info = solver.getInfo()
    found = np.rint(np.array(solver.getSolution().col_value))
    better = len(found) == columns and info.primal_solution_status == 2 and model.cost @ found < model.cost @ begun
    better = better and _keeps_every_row(model, found)
    return IntegerSolution(values=found if better else begun, bound=float(info.mip_dual_bound))


def _keeps_every_row(model: LinearModel, values: FloatArray) -> bool:
    """Return whether rounded values do what the solver said of the unrounded ones; exact, since all data are whole."""
    use = model.matrix @ values
    return bool((model.lower <= use).all() and (use <= model.upper).all())


def _helper(model: LinearModel) -> model_builder_helper.ModelBuilderHelper:
    helper = model_builder_helper.ModelBuilderHelper()
    size = len(model.cost)
    bounds: tuple[Any, ...] = (np.zeros(size), np.ones(size), model.cost, model.lower, model.upper)
    helper.fill_model_from_sparse_data(*bounds, model.matrix)  # type: ignore[call-arg]
    return helper
