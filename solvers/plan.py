"""What a solve returns: the plan, its cost, the prices that prove its bound, and why it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from solvers.problem import IntArray

ROUNDINGS = ((1, 1), (1, 2), (1, 3), (2, 3))
"""Shares p/q of a stock row that have a price: Σ ⌊p·quantity/q⌋ over the lines served is at most ⌊p·stock/q⌋."""
BACKORDER = -1
"""The node and service index of units that no node ships."""


class SolveStatus(StrEnum):
    """Whether the bound meets the plan."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"


class BoundMethod(StrEnum):
    """What the bound rests on."""

    PRICES = "prices"
    """The prices of the result: anybody can prove it again from them."""
    SEARCH = "search"
    """An exact solver, which one has to believe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The cost of a plan by component, in cents; they sum to the total."""

    shipping: int
    handling: int
    units: int
    split: int
    late: int
    backorder: int
    moves: int = 0
    """For lines that do not ship from where an earlier plan has them."""
    value: int = 0
    """What the units shipped are worth to later demand: it ranks plans, and nobody pays it."""

    @property
    def total(self) -> int:
        """The objective, in cents."""
        paid = self.shipping + self.handling + self.units + self.split + self.late + self.backorder
        return paid + self.moves + self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPlan:
    """Which node ships how much of which line; one row per (line, node), sorted by line and node."""

    line: IntArray
    """Index of the order line."""
    node: IntArray
    """Index of the node, or `BACKORDER`."""
    quantity: IntArray
    service: IntArray
    """Index of the service that carries the row's parcel, or `BACKORDER`."""
    costs: Costs
    parcels: int
    split_orders: int
    backordered_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Shadow prices in thousandths of a cent, all ≥ 0; any such prices prove a bound (see docs/reference/bounds.md)."""

    stock: IntArray
    """Per stock entry of the problem (aligned with `problem.stock`) and rounding; shape (entries, `ROUNDINGS`)."""
    units: IntArray
    """Per node, for a unit of its unit capacity."""
    parcels: IntArray
    """Per node, for a parcel of its parcel capacity."""
    line: IntArray
    """Per order line of a long order: what it is worth (of lines that may be divided: a unit of it); else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePoint:
    """Where the solve stood after so many seconds: the best proven bound and the best plan, in cents."""

    seconds: float
    bound_cents: int | None
    best_cents: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingResult:
    """A plan, the bound that was proven for the problem as given, and how it came about."""

    plan: RoutingPlan
    lower_bound_cents: int | None
    prices: Prices | None
    method: str
    stop_reason: str
    compile_seconds: float
    solve_seconds: float
    bound_method: BoundMethod = BoundMethod.PRICES
    trace: tuple[TracePoint, ...] = field(default=())

    @property
    def total_cost_cents(self) -> int:
        """The cost of the plan."""
        return self.plan.costs.total

    @property
    def status(self) -> SolveStatus:
        """Optimal if and only if the proven bound equals the plan's cost."""
        return SolveStatus.OPTIMAL if self.lower_bound_cents == self.total_cost_cents else SolveStatus.FEASIBLE

    @property
    def gap(self) -> float | None:
        """How far the plan may be from the best possible: (total − bound) / bound; None without a positive bound."""
        return gap_of(self.total_cost_cents, self.lower_bound_cents)


def gap_of(total_cents: int, bound_cents: int | None) -> float | None:
    """Return (total − bound) / bound: 0 where they are equal, None without a positive bound."""
    if bound_cents == total_cents:
        return 0.0
    if not bound_cents:
        return None
    return (total_cents - bound_cents) / bound_cents
