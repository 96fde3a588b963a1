"""Solves the textbook model by branch and bound: the one adapter to OR-Tools' MathOpt, from arrays.

HiGHS, SCIP and CP-SAT, on one thread unless told otherwise, all from a start. The model is handed over as MathOpt's own
messages, filled from arrays: its Python classes take 16 s for what this does in 0.2 s (see docs/adr/0018). Not here:
whether a point that comes back really keeps the rows, and so whether to believe it (`textbook_plan.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
)
from ortools.math_opt.core.python import solver as mathopt

from solvers.problem import UNLIMITED, IntArray
from solvers.textbook import ExactEffort, ExactSolver, Textbook
from solvers.textbook_rows import NO_LOWER

DUAL_TOLERANCE = 1e-7
"""How far below 0 a reduced cost may be in a linear programme that counts as solved (HiGHS and SCIP, by default)."""
SHARE_TOLERANCE = 1e-12
"""What adding up may lose of the sum of all costs."""
SHARE_OF_GAP = 0.999
"""Solvers divide a gap by the total, we by the bound, which is rounded too: they are told a little less."""


_SOLVER_TYPE = {
    ExactSolver.HIGHS: parameters_pb2.SOLVER_TYPE_HIGHS,
    ExactSolver.SCIP: parameters_pb2.SOLVER_TYPE_GSCIP,
    ExactSolver.CP_SAT: parameters_pb2.SOLVER_TYPE_CP_SAT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: values of the columns, None if there are none, and a bound on every point."""

    values: IntArray | None
    bound_cents: int | None


def search(model: Textbook, start: IntArray, solver: ExactSolver, effort: ExactEffort) -> Found:
    """Search for the best point of the model; `start` is one to begin with."""
    if not len(model.cost):
        return Found(values=start, bound_cents=model.offset)
    hint = model_parameters_pb2.ModelSolveParametersProto()
    hint.solution_hints.add().variable_values.ids.extend(range(len(start)))
    hint.solution_hints[0].variable_values.values.extend(start.astype(np.float64).tolist())
    solved = mathopt.solve(
        _program(model),
        _SOLVER_TYPE[solver],
        parameters_pb2.SolverInitializerProto(),
        _parameters(solver, effort),
        hint,
        None,  # no messages
        callback_pb2.CallbackRegistrationProto(),
        None,  # no callback
        None,  # nobody interrupts
    )
    return _found(solved, model, exact=solver == ExactSolver.CP_SAT)


def _program(model: Textbook) -> model_pb2.ModelProto:
    """Return the model in the form of MathOpt."""
    matrix, cost = model.matrix.tocsr(), np.flatnonzero(model.cost)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    program = model_pb2.ModelProto()
    columns, rows, entries = program.variables, program.linear_constraints, program.linear_constraint_matrix
    columns.ids.extend(range(len(model.cost)))
    columns.lower_bounds.extend([0.0] * len(model.cost))
    columns.upper_bounds.extend(model.most.astype(np.float64).tolist())
    columns.integers.extend([True] * len(model.cost))
    program.objective.offset = float(model.offset)
    program.objective.linear_coefficients.ids.extend(cost.tolist())
    program.objective.linear_coefficients.values.extend(model.cost[cost].astype(np.float64).tolist())
    rows.ids.extend(range(matrix.shape[0]))
    rows.lower_bounds.extend(np.where(model.lower == NO_LOWER, -np.inf, model.lower).tolist())
    rows.upper_bounds.extend(np.where(model.upper == UNLIMITED, np.inf, model.upper).tolist())
    entries.row_ids.extend(row.tolist())
    entries.column_ids.extend(matrix.indices.tolist())
    entries.coefficients.extend(matrix.data.astype(np.float64).tolist())
    return program


def _parameters(solver: ExactSolver, effort: ExactEffort) -> parameters_pb2.SolveParametersProto:
    """Return what the solver is told: gap tolerances of 0 unless a gap was asked for, limits, threads, seed."""
    told = parameters_pb2.SolveParametersProto()
    told.absolute_gap_tolerance = 0.0
    told.relative_gap_tolerance = SHARE_OF_GAP * effort.target_gap / (1 + effort.target_gap)
    told.random_seed = effort.seed % 2**31
    if effort.seconds is not None:
        told.time_limit.FromNanoseconds(int(max(effort.seconds, 0.01) * 1e9))
    if solver == ExactSolver.HIGHS:
        told.highs.string_options["parallel"] = "off"
    if solver == ExactSolver.SCIP:
        told.threads = 1
    if solver == ExactSolver.CP_SAT:
        told.threads = 1 if effort.seconds is None else effort.threads
        if effort.seconds is None:
            told.cp_sat.max_deterministic_time = effort.work_seconds
    elif effort.seconds is None:
        told.node_limit = effort.nodes
    return told


def _found(solved: result_pb2.SolveResultProto, model: Textbook, *, exact: bool) -> Found:
    """Return what came back; the bound only where it is one."""
    end = solved.termination
    values = None
    if solved.solutions and end.reason in (
        result_pb2.TERMINATION_REASON_OPTIMAL,
        result_pb2.TERMINATION_REASON_FEASIBLE,
    ):
        values = np.zeros(len(model.cost), np.int64)
        point = solved.solutions[0].primal_solution.variable_values
        values[np.array(point.ids, np.int64)] = np.rint(np.array(point.values)).astype(np.int64)
    return Found(
        values=values,
        bound_cents=whole_cents(end.objective_bounds.dual_bound, model, exact=exact),
    )


def whole_cents(dual_bound: float, model: Textbook, *, exact: bool) -> int | None:
    """Return the least whole number of cents that no point can be below; None without a bound.

    CP-SAT counts in whole numbers. The others solve linear programmes in floating point: the true value of a dual
    solution with reduced costs down to −`DUAL_TOLERANCE` lies below the stated one by that times the range of all
    columns at most (Neumaier & Shcherbina 2004, Mathematical Programming 99:2), and adding up loses a share.
    """
    if not np.isfinite(dual_bound):
        return None
    margin = 1e-3 if exact else 1e-3 + DUAL_TOLERANCE * float(model.most.sum())
    margin += SHARE_TOLERANCE * float(np.abs(model.cost * model.most).sum() + model.offset)
    return max(0, math.ceil(dual_bound - margin))
