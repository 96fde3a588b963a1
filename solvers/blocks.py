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
    """Says, when a block is handed out, how long it may take."""


def improve_blocks(
    compiled: Compiled, plan: Assignment, prices: Multipliers, blocks: list[IntArray], terms: BlockTerms, spread: Map
) -> int:
    """Solve the blocks against each other's present patterns, change the plan, and return the cents saved."""
    hardness = (terms.slack_cents, terms.columns_per_order, terms.nodes)
    work = partial(_solve, plan, prices.duals(), hardness, compiled=compiled)
    before, seconds = int(plan.cents.sum()), (terms.seconds() for _ in blocks)
    for chosen in list(spread(work, blocks, shares(compiled, plan.residual, blocks), seconds)):
        adopt(compiled.tables, chosen, plan)
    return before - int(plan.cents.sum())


def _solve(
    plan: Assignment,
    duals: Duals,
    hardness: tuple[float, float, int],
    orders: IntArray,
    free: Residual,
    seconds: float | None,
    *,
    compiled: Compiled,
) -> Patterns:
    """Return the patterns that the block's orders change to; `hardness`: slack, columns per order, and nodes."""
    slack_cents, columns_per_order, nodes = hardness
    near, _ = near_patterns(
        compiled.tables,
        orders,
        duals,
        nothing_left(compiled),
        slack_cents,
        MOST_PATTERNS,
        choice(),
        walk(USEFUL_PARCELS),
    )
    most = int(columns_per_order * len(orders))
    if len(near.order) > most:
        near = taken(near, np.sort(np.argsort(near.reduced, kind="stable")[:most]))
    return choose_patterns(compiled, orders, near, plan, free, nodes=nodes, seconds=seconds).changed
