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
from solvers.near_patterns import MOST_PATTERNS, USEFUL_PARCELS, near_patterns, walk
from solvers.offers import Duals, Residual, choice
from solvers.parts import adopt, shares
from solvers.pattern_model import choose_patterns
from solvers.pattern_sets import Patterns, taken
from solvers.prices import Map, Multipliers, nothing_left
from solvers.problem import IntArray
from solvers.tables import Compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTerms:
    """How hard one block is solved."""

    slack_cents: float
    """Patterns whose reduced cost is above this are left out."""
    columns_per_order: float
    nodes: int
    """Branch-and-bound nodes."""
    seconds: Callable[[], float | None]
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
    near, _ = near_patterns(
        compiled.tables,
        orders,
        duals,
        nothing_left(compiled),
        terms.slack_cents,
        MOST_PATTERNS,
        choice(),
        walk(USEFUL_PARCELS),
    )
    most = int(terms.columns_per_order * len(orders))
    if len(near.order) > most:
        near = taken(near, np.sort(np.argsort(near.reduced, kind="stable")[:most]))
    chosen = choose_patterns(compiled, orders, near, plan, free, nodes=terms.nodes, seconds=terms.seconds())
    return chosen.changed
