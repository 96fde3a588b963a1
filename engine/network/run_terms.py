"""What the policy of a routing run asks for beside costs and limits of the network, in compiled form.

Not here: the document (engine/policies), what a run makes of it (engine/routing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.network.node_rules import NodeRule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PositionPrice:
    """Cents for units of a class of products (None: of all) at some nodes (nodes,), above or below so many units."""

    nodes: NDArray[np.bool_]
    sku_class: str | None
    units: int
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Softened:
    """What it counts, in cents, to break a limit for an order that would wait; None: it is not broken.

    For each day that a parcel is late, each parcel beyond the most, and an order that ships in part.
    """

    late_day_cents: int | None = None
    extra_node_cents: int | None = None
    incomplete_order_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunTerms:
    """The terms of a run.

    Weights rank freight and handling other than they cost. `balance` has (share of a node's load, cents for a unit
    there) ascending; `markdowns` are credits for units of positions above a number, `stock_outs` prices of units taken
    from below one.
    """

    rules: tuple[NodeRule, ...] = ()
    shipping_weight: float = 1.0
    handling_weight: float = 1.0
    balance: tuple[tuple[float, int], ...] = ()
    markdowns: tuple[PositionPrice, ...] = ()
    stock_outs: tuple[PositionPrice, ...] = ()
    ship_complete: bool = False
    max_nodes_per_line: int | None = None
    softened: Softened = Softened()

    @property
    def softens(self) -> bool:
        """Whether anything may be broken at a price."""
        return self.softened != Softened() or any(rule.relaxed_cents is not None for rule in self.rules)

    @property
    def weighs(self) -> bool:
        """Whether freight or handling rank other than they cost."""
        return (self.shipping_weight, self.handling_weight) != (1.0, 1.0)


USUAL = RunTerms()
"""The terms of a run without a policy of its own."""
