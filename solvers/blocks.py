"""Improves a plan block by block: the best choice of patterns for some thousand orders, by integer programming.

A block takes its orders' patterns of small reduced cost (what they cost at the shadow prices, above the cheapest) and
chooses one for each within what the block holds now and its share of what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from solvers.assignment import Assignment
from solvers.linear import solve_integer
from solvers.near_patterns import near_patterns, walk
from solvers.offers import Duals, Residual, choice
from solvers.parts import adopt, shares
from solvers.pattern_model import pattern_model, usage
from solvers.pattern_sets import Patterns, taken, with_current
from solvers.prices import Map, Multipliers, nothing_left
from solvers.problem import IntArray
from solvers.tables import Compiled

USEFUL_PARCELS, MOST_PATTERNS = 4096, 500
"""Parcels and patterns of one order that a block looks at, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTerms:
    """How hard one block is solved."""

    slack_cents: float
    """Patterns whose reduced cost is above this are left out."""
    columns_per_order: float = 4.0
    nodes: int = 50
    """Branch-and-bound nodes."""
    seconds: Callable[[], float | None] = lambda: None
    """Says, when a block begins, how long it may take."""


def improve_blocks(
    compiled: Compiled, plan: Assignment, prices: Multipliers, blocks: list[IntArray], terms: BlockTerms, spread: Map
) -> int:
    """Solve the blocks against each other's present patterns, change the plan, and return the cents saved."""
    work = partial(_solve, compiled, plan, prices.duals(), terms)
    before = int(plan.cents.sum())
    for chosen in list(spread(work, blocks, shares(compiled, plan.residual, blocks))):
        adopt(compiled.tables, chosen, plan)
    return before - int(plan.cents.sum())


def _solve(
    compiled: Compiled, plan: Assignment, duals: Duals, terms: BlockTerms, orders: IntArray, free: Residual
) -> Patterns:
    """Return the patterns that the block's orders change to."""
    out = choice()
    near, _ = near_patterns(
        compiled.tables,
        orders,
        duals,
        nothing_left(compiled),
        terms.slack_cents,
        MOST_PATTERNS,
        out,
        walk(USEFUL_PARCELS),
    )
    most = int(terms.columns_per_order * len(orders))
    if len(near.order) > most:
        near = taken(near, np.sort(np.argsort(near.reduced, kind="stable")[:most]))
    patterns, current = with_current(compiled, orders, near, plan)
    held = np.asarray(usage(compiled, taken(patterns, current)).sum(axis=1)).ravel()
    model, _ = pattern_model(compiled, orders, patterns, free, held)
    values = solve_integer(model, current, nodes=terms.nodes, seconds=terms.seconds()).values
    chosen = values > 0.5
    chosen[current] = False
    return taken(patterns, np.flatnonzero(chosen))
