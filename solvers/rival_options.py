"""What the rules `cascade` and `weighted` can be told; the rules themselves are in cascade.py and weighted.py."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.problem import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Filters and limits of `cascade`."""

    daily_orders: int | None = None
    """A node that has so many orders gets no more while another one can do; None: none has a limit."""
    near_km: float = float("inf")
    """Nodes within this distance come before all others."""
    rank: IntArray | None = None
    """Of each node of the problem, the first lowest; None: all alike."""
    orders_before: IntArray | None = None
    """Orders that each node of the problem was given on this day before; None: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the goals of `weighted` count; only their proportions do. None is negative, and one at least is above 0."""

    cost: float = 4.0
    distance: float = 2.0
    split: float = 2.0
    stock: float = 1.0
    load: float = 1.0
