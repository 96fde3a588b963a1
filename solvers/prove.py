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
from solvers.near_patterns import near_patterns, walk
from solvers.offers import choice
from solvers.parts import adopt
from solvers.pattern_model import choose_patterns
from solvers.pattern_sets import Patterns
from solvers.prices import Multipliers, nothing_left
from solvers.problem import IntArray
from solvers.tables import Compiled

USEFUL_PARCELS = 16_384
"""Parcels of one order that are looked at, at most."""
STEPS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of a limit on reduced cost at which patterns are counted."""
TOLERANCE_CENTS = 0.01
TOLERANCE_SHARE = 1e-12
"""What floating-point sums may be off by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much work a proof may take."""

    share: float
    """How much of the gap the search covers; 1 proves the plan optimal, or finds a better one."""
    columns: int
    """Patterns that the integer programme may have."""
    nodes: int
    seconds: float | None


def search_bound(
    compiled: Compiled, orders: IntArray, prices: Multipliers, bound_cents: float, plan: Assignment, effort: Effort
) -> float | None:
    """Return a lower bound in cents that no prices prove, or None if the patterns to be searched are too many.

    `bound_cents` is what `prices` prove for the whole problem; `orders` are the coupled ones, all of grouped lines.
    Changes the plan to a better one if the search finds it.
    """
    within = effort.share * (float(plan.cents.sum()) - bound_cents)
    near = _near(compiled, orders, prices, within, effort.columns)
    if near is None:
        return None
    enough = max(0.5, float(plan.cents.sum()) - bound_cents - within)  # there the patterns left out set the bound
    chosen = choose_patterns(
        compiled, orders, near, plan, plan.residual, nodes=effort.nodes, seconds=effort.seconds, enough=enough
    )
    if not np.isfinite(chosen.bound_cents):  # it had no time for any
        return bound_cents
    apart = float(plan.cents.sum() - plan.cents[orders].sum())
    adopt(compiled.tables, chosen.changed, plan)
    return min(chosen.bound_cents + apart, bound_cents + within) - TOLERANCE_CENTS - TOLERANCE_SHARE * bound_cents


def _near(compiled: Compiled, orders: IntArray, prices: Multipliers, within: float, columns: int) -> Patterns | None:
    """Return all patterns of reduced cost up to `within`, or None if there are more than so many.

    Asked in growing steps, since their number explodes.
    """
    t, duals, nothing = compiled.tables, prices.duals(), nothing_left(compiled)
    out, scratch = choice(), walk(USEFUL_PARCELS)
    for step in STEPS:
        found, complete = near_patterns(t, orders, duals, nothing, step * within, columns, out, scratch)
        if not complete or len(found.order) > columns:
            return None
    return found
