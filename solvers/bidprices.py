"""Bid prices: what a unit of stock at a node is worth to the demand that is expected, by a fluid linear programme.

The programme divides expected orders over nodes as if they were a liquid; the duals of its stock rows are the prices
(Talluri & van Ryzin 2004, The Theory and Practice of Revenue Management, chapter 3; for orders of several lines Jasin &
Sinha 2015, Operations Research 63:6). A class may be an order of several lines, so that prices know what is bought
together. Not here: where expectations come from, and who ranks by the prices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from solvers.linear import LinearModel, solve_relaxation
from solvers.problem import FloatArray, IntArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidProblem:
    """Expected orders by class, what each place asks for them, and the stock that they share.

    expected     (classes,) orders of the class over its period, > 0
    period       (classes,) in which period they come, from 0
    line_start   (classes + 1,) the lines of class c are line_start[c] : line_start[c + 1]
    line_sku     (lines,) row of `available`
    quantity     (lines,) units, > 0
    parcel_cost  (classes, nodes + 1) paid once for each place that an order of the class uses
    line_cost    (lines, nodes + 1) paid for the whole line; infinite where the place may not serve it
    available    (periods, skus, nodes) units there are until the end of each period, those gone before included

    Costs are in any one unit. The last place means "not served" and has no stock to run out of: its costs are finite.
    """

    expected: FloatArray
    period: IntArray
    line_start: IntArray
    line_sku: IntArray
    quantity: FloatArray
    parcel_cost: FloatArray
    line_cost: FloatArray
    available: FloatArray

    @property
    def class_of_line(self) -> IntArray:
        """Return the class of each line, (lines,)."""
        return np.repeat(np.arange(len(self.expected)), np.diff(self.line_start))


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidSolution:
    """The best division of expected orders, and its prices.

    cost    least expected cost, in the unit of the costs: a bound on what any policy can expect
    share   (lines, nodes + 1) which part of each line is served from where
    prices  (periods, skus, nodes) the value of one more unit that is there from this period on; [0] is the bid price
    """

    cost: float
    share: FloatArray
    prices: FloatArray


def solve_fluid(problem: FluidProblem, *, exact: bool = True) -> FluidSolution | None:
    """Return the optimum of the fluid programme with its duals, or None if the solver gives up.

    If it need not be exact, it is good to about 1e-4: then the cost is no bound (bidsweeps.py proves one).
    """
    line, place = np.nonzero(_allowed(problem))
    rows = stock_rows(problem)
    solved = solve_relaxation(_model(problem, line, place, rows), exact=exact)
    if solved is None:
        return None
    cost, values, duals = solved
    share = np.zeros(problem.line_cost.shape)
    share[line, place] = values[: len(line)]
    steps = np.zeros(problem.available.shape)
    steps[rows] = np.maximum(-duals[len(duals) - len(rows[0]) :], 0.0)
    return FluidSolution(cost=cost, share=share, prices=since(steps))


def since(steps: FloatArray) -> FloatArray:
    """Return what a unit is worth that is there from each period on: the sum of the prices of all later rows."""
    return np.flip(np.cumsum(np.flip(steps, 0), 0), 0)


def stock_rows(problem: FluidProblem) -> tuple[IntArray, ...]:
    """Return (period, sku, node) of the rows that can bind: those before more arrives, and the last."""
    available = problem.available
    asked = np.zeros(available.shape[1:], bool)
    line, place = np.nonzero(_allowed(problem)[:, :-1])
    asked[problem.line_sku[line], place] = True
    ends = np.ones(available.shape, bool)
    ends[:-1] = available[1:] > available[:-1]
    return np.nonzero(ends & asked)


def _allowed(problem: FluidProblem) -> BoolArray:
    return np.isfinite(problem.line_cost) & np.isfinite(problem.parcel_cost[problem.class_of_line])


def _model(problem: FluidProblem, line: IntArray, place: IntArray, rows: tuple[IntArray, ...]) -> LinearModel:
    """Return the programme: shares of lines first, then for orders of several lines which places they use at all."""
    owner = problem.class_of_line[line]
    several = np.flatnonzero(np.diff(problem.line_start)[owner] > 1)
    places, lines, entries = problem.parcel_cost.shape[1], len(problem.line_sku), np.arange(len(line))
    used, used_by = np.unique(owner[several] * places + place[several], return_inverse=True)
    weight = problem.expected[owner]
    alone = np.ones(len(line), bool)
    alone[several] = False
    cost = weight * (problem.line_cost[line, place] + np.where(alone, problem.parcel_cost[owner, place], 0.0))
    parcels = problem.expected[used // places] * problem.parcel_cost[used // places, used % places]
    row_of, taken = _uses(problem, line, place, rows)
    units = (weight * problem.quantity[line])[taken]
    links = np.arange(len(several))
    served, linked = lines, lines + len(several)
    matrix = csr_matrix(
        (
            np.concatenate([np.ones(len(line)), np.ones(len(several)), -np.ones(len(several)), units]),
            (
                np.concatenate([line, served + links, served + links, linked + row_of]),
                np.concatenate([entries, several, len(line) + used_by, taken]),
            ),
        ),
        shape=(linked + len(rows[0]), len(line) + len(used)),
    )
    return LinearModel(
        cost=np.concatenate([cost, parcels]),
        matrix=matrix,
        lower=np.concatenate([np.ones(lines), np.full(len(several) + len(rows[0]), -np.inf)]),
        upper=np.concatenate([np.ones(lines), np.zeros(len(several)), problem.available[rows]]),
    )


def _uses(
    problem: FluidProblem, line: IntArray, place: IntArray, rows: tuple[IntArray, ...]
) -> tuple[IntArray, IntArray]:
    """Return (row, entry) of every use of stock: an entry counts in the rows of its period and of all later ones."""
    periods, _, nodes = problem.available.shape
    number = np.full(problem.available.shape, -1)
    number[rows] = np.arange(len(rows[0]))
    begins = problem.period[problem.class_of_line[line]]
    found: list[tuple[IntArray, IntArray]] = []
    for period in range(periods):
        entries = np.flatnonzero((place < nodes) & (begins <= period))
        row = number[period, problem.line_sku[line[entries]], place[entries]]
        found.append((row[row >= 0], entries[row >= 0]))
    return np.concatenate([row for row, _ in found]), np.concatenate([entry for _, entry in found])
