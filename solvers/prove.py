"""A stronger bound for small batches: an exact search over every pattern that a better plan could hold.

At any prices a plan costs at least their bound plus the reduced costs of its patterns. So a plan that holds a pattern
whose reduced cost is above s costs more than bound + s, and every other plan is among those that the integer programme
over the patterns up to s bounds. The lower of the two is a bound for the problem as given, and with s at the present
gap it is exact (variable fixing by reduced cost; Geoffrion 1974, Mathematical Programming Study 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.assignment import Assignment
from solvers.linear import solve_integer
from solvers.near_patterns import near_patterns, walk
from solvers.offers import choice
from solvers.parts import adopt
from solvers.pattern_model import pattern_model, usage
from solvers.pattern_sets import Patterns, taken, with_current
from solvers.prices import Multipliers, longest, nothing_left
from solvers.problem import IntArray
from solvers.tables import Compiled

USEFUL_PARCELS = 16_384
"""Parcels of one order that are looked at, at most."""
FIRST_SHARE, GROWTH = 0.1, 1.5
"""The first limit on reduced costs, as a share of a typical order's cost, and how it grows while patterns are few."""
TOLERANCE_CENTS = 0.01
"""What floating-point sums may be off by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much work a proof may take."""

    columns: int
    """Patterns that the integer programme may have."""
    nodes: int
    seconds: float | None


def search_bound(
    compiled: Compiled, orders: IntArray, prices: Multipliers, bound_cents: float, plan: Assignment, effort: Effort
) -> float:
    """Return a lower bound in cents that no prices prove, and change the plan to a better one if the search finds it.

    `bound_cents` is what `prices` prove for the whole problem; `orders` are the coupled ones, all of grouped lines.
    """
    gap = float(plan.cents.sum()) - bound_cents
    near, within = _near(compiled, orders, prices, gap, float(plan.cents[orders].mean()), effort.columns)
    patterns, current = with_current(compiled, orders, near, plan)
    held = np.asarray(usage(compiled, taken(patterns, current)).sum(axis=1)).ravel()
    model, _ = pattern_model(compiled, orders, patterns, plan.residual, held)
    solution = solve_integer(model, current, nodes=effort.nodes, seconds=effort.seconds)
    chosen = solution.values > 0.5
    chosen[current] = False
    apart = float(plan.cents.sum() - plan.cents[orders].sum())
    adopt(compiled.tables, taken(patterns, np.flatnonzero(chosen)), plan)
    if not np.isfinite(solution.bound):  # it had no time for a bound
        return bound_cents
    return min(solution.bound + apart, bound_cents + within) - TOLERANCE_CENTS


def _near(
    compiled: Compiled, orders: IntArray, prices: Multipliers, gap: float, typical: float, columns: int
) -> tuple[Patterns, float]:
    """Return all patterns up to some reduced cost, and that cost: the gap, or as far as so many columns reach."""
    t, duals, nothing = compiled.tables, prices.duals(), nothing_left(compiled)
    out, scratch = choice(longest(compiled)), walk(USEFUL_PARCELS)
    within = min(FIRST_SHARE * typical, gap)
    found = near_patterns(t, orders, duals, nothing, within, out, scratch)
    while within < gap:
        wider = min(GROWTH * within, gap)
        more = near_patterns(t, orders, duals, nothing, wider, out, scratch)
        if len(more.order) > columns:
            break
        found, within = more, wider
    return found, within if len(np.unique(found.order)) == len(orders) else 0.0
