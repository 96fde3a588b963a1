"""The restricted master: choose one known pattern per order (Dantzig & Wolfe 1960, Operations Research 8:1).

Its relaxation gives prices; exact pricing at those prices gives patterns that are missing; until none is. Its integer
form, over patterns of small reduced cost, finishes a plan. For batches whose relaxation is integral by nature (lines of
one unit, one line an order) the two meet and the plan is proven optimal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from solvers.assignment import Assignment, nothing_assigned, restore, take_back, true_cents
from solvers.linear import LinearModel, solve_integer, solve_relaxation
from solvers.offers import Choice, Duals, Residual, add_use, choice
from solvers.patterns import price_order
from solvers.plan import BACKORDER, ROUNDINGS
from solvers.prices import Multipliers, limits, longest, nothing_left
from solvers.problem import UNLIMITED, FloatArray, IntArray
from solvers.tables import Compiled, Tables


@njit(cache=True, nogil=True)
def _best_patterns(
    t: Tables, orders: IntArray, duals: Duals, residual: Residual, out: Choice, cand: NDArray[np.int32]
) -> FloatArray:
    """Write the cheapest pattern of each order at these prices to `cand`, and return their priced costs."""
    value = np.empty(len(orders))
    for k in range(len(orders)):
        o = orders[k]
        value[k] = price_order(t, o, duals, residual, False, out)
        for p in range(t.line_start[o + 1] - t.line_start[o]):
            cand[t.line_start[o] + p] = BACKORDER
            for i in range(out.size[0]):
                if out.mask[i] >> p & 1:
                    cand[t.line_start[o] + p] = out.cand[i]
    return value


@njit(cache=True, nogil=True)
def _describe(
    t: Tables, orders: IntArray, cand: NDArray[np.int32], rows: int, nodes: int
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Return true cost and fingerprint of each order's pattern, and what it uses as (pattern, resource, amount).

    Resources are numbered: contested rows (each rounding of a row), then units of each node, then its parcels.
    """
    size = 6 * t.line_start[-1]
    cents, mark = np.empty(len(orders), np.int64), np.empty(len(orders), np.int64)
    pattern, resource, amount = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    use = np.zeros((1, len(ROUNDINGS)))
    at = 0
    for k in range(len(orders)):
        o = orders[k]
        first, count = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
        cents[k] = true_cents(t, o, cand)
        mark[k] = 0
        for p in range(count):
            i = cand[first + p]
            mark[k] = (mark[k] * 1_000_003 + i + 2) & 0x3FFFFFFFFFFFFF
            if i == BACKORDER:
                continue
            node = t.cand_node[t.cand_start[o] + i]
            opens = True
            for before in range(p):
                opens = opens and cand[first + before] != i
            row = t.row[t.row_start[o] + i * count + p]
            if row >= 0:
                use[:] = 0
                add_use(use, 0, t.quantity[first + p])
                for rounding in range(use.shape[1]):
                    if use[0, rounding] > 0:
                        pattern[at], resource[at] = k, row * use.shape[1] + rounding
                        amount[at] = use[0, rounding]
                        at += 1
            pattern[at], resource[at], amount[at] = k, rows * use.shape[1] + node, t.quantity[first + p]
            at += 1
            if opens:
                pattern[at], resource[at], amount[at] = k, rows * use.shape[1] + nodes + node, 1
                at += 1
    return cents, mark, pattern[:at], resource[:at], amount[:at]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    order: IntArray
    cents: IntArray
    lines: list[NDArray[np.int32]]
    """The candidates of the order's lines, per column."""
    column: IntArray
    resource: IntArray
    amount: IntArray


class Master:
    """A growing set of patterns of the coupled orders, each pattern once."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._orders = np.flatnonzero(compiled.coupled)
        self._place = np.cumsum(compiled.coupled) - 1
        self._seen: set[tuple[int, int]] = set()
        self._parts: list[_Columns] = []
        self._size = 0
        self._out = choice(longest(compiled))
        self._limit = limits(compiled)
        self.add(nothing_assigned(compiled).cand)

    @property
    def size(self) -> int:
        """How many patterns there are."""
        return self._size

    def add(self, cand: NDArray[np.int32], only: IntArray | None = None) -> int:
        """Add the patterns of the coupled orders (or of `only` these) in an assignment; return how many are new."""
        orders = self._orders if only is None else only
        compiled, t = self._compiled, self._compiled.tables
        nodes, rows = len(compiled.node_units), len(compiled.entry)
        cents, mark, pattern, resource, amount = _describe(t, orders, cand, rows, nodes)
        fresh = np.zeros(len(orders), np.bool_)
        for k, key in enumerate(zip(orders.tolist(), mark.tolist(), strict=True)):
            if key not in self._seen:
                self._seen.add(key)
                fresh[k] = True
        number = np.cumsum(fresh) - 1 + self._size
        kept = fresh[pattern] & self._priced(resource)
        new = np.flatnonzero(fresh)
        self._parts.append(
            _Columns(
                order=orders[new],
                cents=cents[new],
                lines=[cand[t.line_start[o] : t.line_start[o + 1]].copy() for o in orders[new]],
                column=number[pattern[kept]],
                resource=resource[kept],
                amount=amount[kept],
            )
        )
        self._size += len(new)
        return len(new)

    def generate(self, prices: Multipliers) -> tuple[float, int]:
        """Add the cheapest patterns at these prices; return the bound of the coupled orders, and how many."""
        t = self._compiled.tables
        cand = np.empty(len(t.quantity), np.int32)
        value = _best_patterns(t, self._orders, prices.duals(), nothing_left(self._compiled), self._out, cand)
        return float(value.sum()) - prices.dot(self._limit), self.add(cand)

    def relax(self) -> tuple[float, Multipliers] | None:
        """Return the cost of the best mixture of known patterns, and the prices of what limits it."""
        solved = solve_relaxation(self._model(self._cost(), np.arange(self._size))[0])
        if solved is None:
            return None
        objective, _, duals = solved
        return objective, self._multipliers(np.maximum(-duals[len(self._orders) :], 0.0))

    def finish(
        self, plan: Assignment, prices: Multipliers, *, columns: int, nodes: int, seconds: float | None
    ) -> Assignment:
        """Return the best plan over the patterns of least reduced cost, never worse than `plan`."""
        t = self._compiled.tables
        self.add(plan.cand)
        chosen = self._promising(plan, prices, columns)
        model, order = self._model(self._cost(), chosen)
        start = self._in_plan(plan)[chosen].astype(np.float64)
        values = solve_integer(model, start, nodes=nodes, seconds=seconds)
        if values is None:
            return plan
        picked = chosen[values > 0.5]
        if len(picked) != len(self._orders) or len(np.unique(order[values > 0.5])) != len(picked):
            return plan
        better = plan.copy()
        for o in self._orders:
            take_back(t, int(o), better)
        lines = [line for part in self._parts for line in part.lines]
        owner = np.concatenate([part.order for part in self._parts])
        for k in picked:
            restore(t, int(owner[k]), lines[k], better)
        fits = all(bool((left >= 0).all()) for left in better.residual)
        return better if fits and better.cents.sum() < plan.cents.sum() else plan

    def _cost(self) -> FloatArray:
        return np.concatenate([part.cents for part in self._parts]).astype(np.float64)

    def _priced(self, resource: IntArray) -> NDArray[np.bool_]:
        """Return which resources are limited."""
        compiled = self._compiled
        limited = np.concatenate(
            [
                np.ones(len(compiled.entry) * len(ROUNDINGS), np.bool_),
                compiled.node_units < UNLIMITED,
                compiled.node_parcels < UNLIMITED,
            ]
        )
        return limited[resource]

    def _multipliers(self, values: FloatArray) -> Multipliers:
        rows, nodes = len(self._compiled.entry) * len(ROUNDINGS), len(self._compiled.node_units)
        row = values[:rows].reshape(-1, len(ROUNDINGS))
        return Multipliers(row=row, units=values[rows : rows + nodes], parcels=values[rows + nodes :])

    def _usage(self) -> csr_matrix:
        """Return what every column uses, shape (resources, columns)."""
        column = np.concatenate([part.column for part in self._parts])
        resource = np.concatenate([part.resource for part in self._parts])
        amount = np.concatenate([part.amount for part in self._parts]).astype(np.float64)
        resources = len(self._compiled.entry) * len(ROUNDINGS) + 2 * len(self._compiled.node_units)
        return csr_matrix((amount, (resource, column)), shape=(resources, self._size))

    def _model(self, cost: FloatArray, chosen: IntArray) -> tuple[LinearModel, IntArray]:
        """Return the model over the chosen columns, and the order of each."""
        order = self._place[np.concatenate([part.order for part in self._parts])][chosen]
        one = csr_matrix(
            (np.ones(len(chosen)), (order, np.arange(len(chosen)))), shape=(len(self._orders), len(chosen))
        )
        limit = np.concatenate([self._limit.row.ravel(), self._limit.units, self._limit.parcels])
        matrix = csr_matrix(vstack([one, self._usage()[:, chosen]]))
        ones = np.ones(len(self._orders))
        lower = np.concatenate([ones, np.full(len(limit), -np.inf)])
        return LinearModel(cost=cost[chosen], matrix=matrix, lower=lower, upper=np.concatenate([ones, limit])), order

    def _in_plan(self, plan: Assignment) -> NDArray[np.bool_]:
        start = self._compiled.tables.line_start
        lines = (line for part in self._parts for line in part.lines)
        owner = np.concatenate([part.order for part in self._parts])
        return np.array(
            [np.array_equal(line, plan.cand[start[o] : start[o + 1]]) for line, o in zip(lines, owner, strict=True)],
            np.bool_,
        )

    def _promising(self, plan: Assignment, prices: Multipliers, columns: int) -> IntArray:
        """Return the plan's own columns and those of least reduced cost, at most so many."""
        values = np.concatenate([prices.row.ravel(), prices.units, prices.parcels])
        order = self._place[np.concatenate([part.order for part in self._parts])]
        reduced = self._cost() + self._usage().T @ values
        least = np.full(len(self._orders), np.inf)
        np.minimum.at(least, order, reduced)
        reduced -= least[order]
        reduced[self._in_plan(plan)] = -1.0
        return np.sort(np.argsort(reduced, kind="stable")[:columns])


def column_generation(
    master: Master,
    prices: Multipliers,
    *,
    rounds: int,
    enough: Callable[[], bool],
) -> tuple[float, Multipliers]:
    """Return the best bound (of the coupled orders, cents) and its prices after up to so many rounds.

    Every other round prices at a mixture of the master's prices and the best so far, which damps their swings.
    """
    best, _ = master.generate(prices)
    best_prices = prices
    for _ in range(rounds):
        solved = None if enough() else master.relax()
        if solved is None:
            break
        objective, found = solved
        if objective - best < 0.5:
            break
        fresh = 0
        for share in (0.0, 0.7):
            trial = found.each(lambda new, old, a=share: (1 - a) * new + a * old, best_prices)
            bound, new = master.generate(trial)
            fresh += new
            if bound > best:
                best, best_prices = bound, trial
        if fresh == 0:
            break
    return best, best_prices
