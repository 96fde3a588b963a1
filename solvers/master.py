"""The restricted master: the best mixture of known patterns, and the prices it implies (Dantzig & Wolfe 1960, OR 8:1).

Its relaxation gives prices; exact pricing at those prices gives patterns that are missing; until none is. Where sweeps
only come close, this ends in the exact optimum of the relaxation, and so proves plans optimal where that is integral by
nature (lines of one unit, one line an order). For batches small enough for a linear programme a round.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solvers.assignment import Assignment, nothing_assigned
from solvers.linear import solve_relaxation
from solvers.near_patterns import MOST_PATTERNS, USEFUL_PARCELS, near_patterns, walk
from solvers.offers import Residual, choice
from solvers.pattern_model import pattern_model
from solvers.pattern_sets import Patterns, held, joined, taken
from solvers.plan import ROUNDINGS
from solvers.prices import Multipliers, limits, nothing_left, price_orders
from solvers.problem import IntArray
from solvers.tables import Compiled


class Master:
    """A growing set of patterns of some orders, each pattern once; backordering everything is among them."""

    def __init__(self, compiled: Compiled, orders: IntArray, plan: Assignment) -> None:
        self._compiled, self._orders = compiled, orders
        self._out, self._walk = choice(), walk(USEFUL_PARCELS)
        self._limit = limits(compiled)
        self._all = Residual(compiled.row_stock, compiled.node_units, compiled.node_parcels)
        self._patterns = held(compiled, orders, nothing_assigned(compiled))
        self._seen = set(_keys(self._patterns))
        self._add(held(compiled, orders, plan))

    def generate(self, prices: Multipliers) -> tuple[float, int]:
        """Add the cheapest patterns at these prices; return the bound of the orders in cents, and how many are new."""
        duals, nothing = prices.duals(), nothing_left(self._compiled)
        value, _ = price_orders(self._compiled, self._orders, duals)
        found, _ = near_patterns(
            self._compiled.tables, self._orders, duals, nothing, 0.5, MOST_PATTERNS, self._out, self._walk
        )
        return float(value.sum()) - prices.dot(self._limit), self._add(found)

    def relax(self) -> tuple[float, Multipliers] | None:
        """Return the cost of the best mixture of known patterns, and the prices of what limits it."""
        nobody = np.zeros(0, np.int64)
        model, binding = pattern_model(self._compiled, self._orders, self._patterns, self._all, nobody)
        solved = solve_relaxation(model)
        if solved is None:
            return None
        objective, _, duals = solved
        values = np.zeros(self._limit.row.size + 2 * len(self._limit.units))
        values[binding] = np.maximum(-duals[len(self._orders) :], 0.0)
        rows, nodes = self._limit.row.size, len(self._limit.units)
        row = values[:rows].reshape(-1, len(ROUNDINGS))
        units, line = values[rows : rows + nodes], np.zeros(len(self._compiled.tables.line))
        return objective, Multipliers(row=row, units=units, parcels=values[rows + nodes :], line=line)

    def _add(self, patterns: Patterns) -> int:
        fresh = []
        for place, key in enumerate(_keys(patterns)):
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(place)
        self._patterns = joined(self._patterns, taken(patterns, np.array(fresh, np.int64)))
        return len(fresh)


def _keys(patterns: Patterns) -> list[tuple[int, bytes]]:
    start = patterns.start
    return [(o, patterns.cand[start[k] : start[k + 1]].tobytes()) for k, o in enumerate(patterns.order.tolist())]


def column_generation(
    master: Master,
    prices: Multipliers,
    *,
    rounds: int,
    enough: Callable[[], bool],
) -> tuple[float, Multipliers]:
    """Return the best bound (of the master's orders, cents) and its prices after up to so many rounds.

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
