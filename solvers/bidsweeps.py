"""Bid prices of many classes by sweeps: every class priced exactly, prices stepped towards what stock allows.

Prices of a relaxation need no linear solver: each sweep is a bound by itself, and a few warm sweeps are
enough to re-price a network after every part of its horizon (dual ascent with Adam-like steps per cell, as in
prices.py; Kingma & Ba 2015). Not here: the exact duals of a small programme (bidprices.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from solvers.baskets import cheapest_places
from solvers.bidprices import FluidProblem, since
from solvers.problem import FloatArray, IntArray

MEMORY, SCALE_MEMORY = 0.9, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeps:
    """How many sweeps, and the size of their steps in the unit of the costs, falling geometrically."""

    count: int
    first_step: float
    last_step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptPrices:
    """Prices by sweeps: `steps` (periods, skus, nodes) are the multipliers of the stock rows, all ≥ 0.

    `bound` is what no policy can expect to stay below, in the unit of the costs, proven by `steps`.
    """

    bound: float
    steps: FloatArray

    @property
    def prices(self) -> FloatArray:
        """Return the value of one more unit that is there from each period on, (periods, skus, nodes)."""
        return since(self.steps)


def sweep_prices(problem: FluidProblem, start: FloatArray, sweeps: Sweeps) -> SweptPrices:
    """Return the multipliers with the best bound among those met, beginning at `start` (periods, skus, nodes)."""
    steps = start.copy()
    best = SweptPrices(bound=-np.inf, steps=steps)
    drift, scale = np.zeros(steps.shape), np.zeros(steps.shape)
    for sweep in range(sweeps.count):
        prices = since(steps)
        use = np.zeros(steps.shape)
        served = _price_classes(
            problem.expected, problem.period, problem.line_start, problem.line_sku, problem.quantity,
            problem.parcel_cost, problem.line_cost, prices, use,
        )  # fmt: skip
        over = np.cumsum(use, 0) - problem.available
        bound = served - float((steps * problem.available).sum())
        if bound > best.bound:
            best = SweptPrices(bound=bound, steps=steps.copy())
        drift = MEMORY * drift + (1 - MEMORY) * over
        scale = SCALE_MEMORY * scale + (1 - SCALE_MEMORY) * over**2
        share = sweep / max(sweeps.count - 1, 1)
        size = sweeps.first_step * (sweeps.last_step / sweeps.first_step) ** share
        unbiased = drift / (1 - MEMORY ** (sweep + 1))
        length = np.sqrt(scale / (1 - SCALE_MEMORY ** (sweep + 1)))
        steps = np.maximum(steps + size * np.divide(unbiased, length, out=np.zeros(steps.shape), where=length > 0), 0.0)
    return best


@njit(cache=True)
def _price_classes(
    expected: FloatArray,
    period: IntArray,
    line_start: IntArray,
    line_sku: IntArray,
    quantity: FloatArray,
    parcel_cost: FloatArray,
    line_cost: FloatArray,
    prices: FloatArray,
    use: FloatArray,
) -> float:
    """Add the units that the classes would take at these prices to `use`; return what they would cost at them."""
    places = parcel_cost.shape[1]
    longest = 0
    for number in range(len(expected)):
        longest = max(longest, line_start[number + 1] - line_start[number])
    chosen = np.zeros(longest, np.int64)
    total = 0.0
    for number in range(len(expected)):
        begin, end, when = line_start[number], line_start[number + 1], period[number]
        priced = line_cost[begin:end].copy()
        for line in range(end - begin):
            for place in range(places - 1):
                priced[line, place] += quantity[begin + line] * prices[when, line_sku[begin + line], place]
        total += expected[number] * cheapest_places(parcel_cost[number], priced, chosen)
        for line in range(end - begin):
            if chosen[line] < places - 1:
                use[when, line_sku[begin + line], chosen[line]] += expected[number] * quantity[begin + line]
    return total
