"""A problem folder as the checker understands it: plain records keyed by the folder's own identifiers.

Here: the types. Not here: how they are read (reading.py) and what a parcel costs (tariffs.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The batch-wide rules of problem.json; money in cents, None where a rule does not apply."""

    split_cost_cents: int
    backorder_cost_cents_per_unit: int
    late_day_cost_cents: int | None
    line_split_allowed: bool
    max_nodes_per_order: int | None
    max_distance_km: float | None
    move_cost_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that can ship; a capacity of None is unlimited."""

    node_id: str
    place: Place | None
    parcel_cost_cents: int
    unit_cost_cents: int
    capacity_units: int | None
    capacity_parcels: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line: so many units of a SKU, and what earlier decisions say of it."""

    sku: str
    quantity: int
    pinned_node_id: str | None = None
    """The only node that may ship it."""
    current_node_id: str | None = None
    """Where an earlier plan has all of it."""
    move_cost_cents: int = 0
    """What it costs if nothing of it ships from there; where lines may be split, a multiple of the quantity."""

    def may_leave(self, node_id: str) -> bool:
        """Say whether no pin keeps the line from leaving a node."""
        return self.pinned_node_id in (None, node_id)

    def moved_cents(self, node_id: str, units: int) -> int:
        """Return what it costs that so many units leave a node (blank: wait) because the line is elsewhere now."""
        return 0 if node_id == self.current_node_id else self.move_cost_cents * units // self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order with its lines sorted by SKU; `max_nodes` already holds the problem's where it gives none."""

    order_id: str
    place: Place | None
    due_days: int | None
    max_nodes: int | None
    lines: tuple[Line, ...]

    @property
    def units(self) -> int:
        """The units of all lines together."""
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One step of a service: parcels up to `max_weight_g` (None: any weight) cost and take this much."""

    service: str
    max_weight_g: int | None
    cost_cents: int
    transit_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A ring around a node: the rates of every service in it, and its outer radius (infinite for the last)."""

    zone: str
    max_km: float
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A whole batch.

    `available[sku][node_id]` holds the units on stock (absent pairs are 0). With `lanes`, `lanes[order_id][node_id]`
    are the only pairs that may ship, and their rates replace `zones`; then weights may be unknown (absent).
    """

    terms: Terms
    nodes: dict[str, Node]
    orders: dict[str, Order]
    weight_g: dict[str, int]
    available: dict[str, dict[str, int]]
    zones: tuple[Zone, ...]
    lanes: dict[str, dict[str, tuple[Rate, ...]]] | None
    sha256: str
    has_current_plan: bool = False
