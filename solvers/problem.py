"""The routing problem as arrays and integers: what every solver is given, and nothing else.

Money is integer cents, weights grams, quantities units. Ids are kept only to name things in results; every reference
between tables is an index. Who builds a problem sorts nodes, SKUs, services, orders and the lines of an order by code
point, so that the same facts give the same arrays in whatever order they were written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

UNLIMITED = 2**61
"""A capacity or a parcel limit that is not there."""
NO_DUE_DATE = -(2**40)
"""Days until an order is due that never is; an order that is overdue has negative days too."""
UNREACHABLE = 2**30
"""Days until the delivery of what a service never delivers."""
ANY_LEVEL = -1
"""The service level of an order that any service may carry."""
EARTH_RADIUS_KM = 6371.0088
DISTANCE_TOLERANCE_KM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The places that can ship; all arrays have one entry per node."""

    node_ids: tuple[str, ...]
    latitude: FloatArray
    """Degrees; NaN where the problem needs none."""
    longitude: FloatArray
    parcel_cost_cents: IntArray
    unit_cost_cents: IntArray
    capacity_units: IntArray
    """`UNLIMITED` where there is no limit."""
    capacity_parcels: IntArray
    priority: IntArray
    """Rank in ranked sourcing, lowest first; `UNLIMITED` comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is available, as compressed rows by SKU: entries `start[k]:start[k + 1]` belong to SKU k."""

    start: IntArray
    node: IntArray
    """Node index of each entry, ascending inside a SKU."""
    available: IntArray
    """Units, above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The demand; lines `line_start[o]:line_start[o + 1]` belong to order o."""

    order_ids: tuple[str, ...]
    latitude: FloatArray
    longitude: FloatArray
    due_days: IntArray
    """`NO_DUE_DATE` where there is no deadline."""
    max_parcels: IntArray
    """Most parcels of the order; `UNLIMITED` where there is no limit."""
    line_start: IntArray
    line_sku: IntArray
    line_quantity: IntArray
    line_backorder_cents: IntArray | None = None
    """What backordering a unit of each line costs; None: what the terms say."""
    line_own_node: IntArray | None = None
    """The node where the order already holds all units of a line (they are not in `Stock`), or -1."""
    line_pinned_node: IntArray | None = None
    """The only node that may ship the line, or -1."""
    line_current_node: IntArray | None = None
    """Where an earlier plan has the line, or -1; it costs `Terms.move_cost_cents` not to ship it from there."""
    service_level: IntArray | None = None
    """The level that a service must have to carry the order, or `ANY_LEVEL`; None: any for all."""
    line_value_row: IntArray | None = None
    """Which row of `RoutingProblem.unit_value_cents` is of each line; None: that of its SKU."""
    line_closed_row: IntArray | None = None
    """Which row of `RoutingProblem.closed` is of each line; None: that of its SKU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCards:
    """Zones by distance, and stepped rates per (service, zone).

    Steps `start[v * zones + z]:start[v * zones + z + 1]` belong to service v in zone z, by ascending weight.
    """

    zones: tuple[str, ...]
    zone_max_km: FloatArray
    """Ascending; infinite where unbounded."""
    start: IntArray
    max_weight_g: IntArray
    cost_cents: IntArray
    transit_days: IntArray
    delivery_days: IntArray | None = None
    """Days until delivery, shape (nodes, services, transit days): transit days with each node's calendar worked in.

    `UNREACHABLE` where the service does not serve the node. None: a parcel arrives after its transit days.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Explicit (order, node, service) offers, as compressed rows by order; they replace zones and rates."""

    start: IntArray
    node: IntArray
    """Node index, ascending inside an order."""
    service: IntArray
    cost_cents: IntArray
    transit_days: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the objective and the rules say about every order."""

    split_cost_cents: int = 0
    backorder_cost_cents_per_unit: int
    late_day_cost_cents: int | None = None
    """None: a late service is not eligible. Otherwise the cost per parcel and whole day late."""
    line_split: bool = False
    """True: the units of a line may be divided over nodes and backorder."""
    max_distance_km: float = float("inf")
    move_cost_cents: int = 0
    """For each line that has a current node and is not shipped from there, backordered lines too.

    Where lines may be split, each unit that is not shipped from there costs its share, rounded up to a whole cent.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingProblem:
    """One batch of orders to be routed."""

    name: str
    currency: str
    terms: Terms
    nodes: Nodes
    skus: tuple[str, ...]
    weight_g: IntArray
    """Grams per unit of each SKU."""
    stock: Stock
    orders: Orders
    services: tuple[str, ...]
    rates: RateCards
    lanes: Lanes | None = None
    service_level: IntArray | None = None
    """The level of each service; None where no order asks for one."""
    unit_value_cents: IntArray | None = None
    """What a unit at a node is worth to later demand, or counts more by other prices that only rank plans.

    Shape (`Orders.line_value_row`, nodes), ≥ 0; nobody pays it.
    """
    closed: NDArray[np.bool_] | None = None
    """Nodes that ship a line only if its order holds it there, shape (`Orders.line_closed_row`, nodes)."""

    @property
    def order_count(self) -> int:
        """How many orders there are."""
        return len(self.orders.order_ids)

    @property
    def line_order(self) -> IntArray:
        """The order index of every line."""
        return np.repeat(np.arange(self.order_count), np.diff(self.orders.line_start))

    def freeze(self) -> RoutingProblem:
        """Make every array read-only, and return the problem."""
        for array in _arrays(self):
            array.setflags(write=False)
        return self


def _arrays(record: object) -> Iterator[NDArray[np.generic]]:
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            yield value
        elif hasattr(value, "__dataclass_fields__"):
            yield from _arrays(value)
