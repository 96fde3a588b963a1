"""What an explanation of a routed order says; frozen structs in the shape of the wire, for folders and for live orders.

Not here: finding it (explaining.py), what a run keeps for it (decision.py).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

Standing = Literal[
    "chosen", "eligible", "policy", "distance", "quota", "no_stock", "handling", "service", "calendar", "capacity"
]
Binding = Literal[
    "cost",
    "value",
    "stock",
    "capacity",
    "gap",
    "pin",
    "acceptance",
    "barred",
    "kit",
    "reach",
    "lane",
    "quota",
    "handling",
    "service",
    "need_by",
    "parcels",
]


class RoutedCosts(Struct, frozen=True, kw_only=True):
    """What an order costs as routed, by component, in cents; they sum to its cost."""

    shipping_cents: int
    handling_cents: int
    units_cents: int
    split_cents: int
    late_cents: int
    backorder_cents: int
    moves_cents: int


class RoutedParcel(Struct, frozen=True, kw_only=True):
    """All that one node ships of the order; `ship_on` is null where days are not known (problem folders).

    `late_cents` is what being late costs it, `shipping_cents` its freight.
    """

    node_id: str
    service: str
    ship_on: date | None
    units: int
    weight_g: int
    shipping_cents: int
    handling_cents: int
    units_cents: int
    late_cents: int


class Shipped(Struct, frozen=True, kw_only=True):
    """Units of a line from one node."""

    node_id: str
    service: str
    quantity: int


class NodeChoice(Struct, frozen=True, kw_only=True):
    """One node as a source of one line.

    `available` are the units that the line could have there when the run began, `left` those that its plan left; a
    line's own reserved units are both. `cost_difference_cents` is what the order would cost more with this whole line
    there and the others where they are, null where it cannot be. `shadow_price_cents` is what the line's units and
    capacity there are worth to other orders, by the run's prices: the sum of the three that follow. `binding` is what
    stands in its way, or what made others better; `why` says it in words. `value_cents` is what the line's units count
    there beside costs, to later demand (bid prices) or by rules of the policy; it ranks only, and nobody pays it.
    """

    node_id: str
    standing: Standing
    available: int
    left: int
    distance_km: float | None
    cost_difference_cents: int | None
    shadow_price_cents: float
    stock_price_cents: float
    units_price_cents: float
    parcels_price_cents: float
    binding: Binding | None
    why: str
    value_cents: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What would have the line shipped from a node.

    `stock`: `units` more there. `capacity`: `capacity_units` and `capacity_parcels` more there, and `units` where it is
    short of them too. `rate`: a parcel from there for more than `lower_by_cents` less. `saves_cents` is what the order
    would cost less; null for a rate.
    """

    kind: Literal["stock", "capacity", "rate"]
    node_id: str
    units: int = 0
    capacity_units: int = 0
    capacity_parcels: int = 0
    lower_by_cents: int | None = None
    saves_cents: int | None = None
    why: str


class LineExplanation(Struct, frozen=True, kw_only=True):
    """Where one line went, and every node that it could have come from; the best first.

    What is not `shipped` is backordered, for `backorder_reason`. `held_node_id` is where the order had reserved it,
    `pinned_node_id` the only node that may ship it, `current_node_id` where an earlier plan has it.
    `backorder_difference_cents` is what the order would cost more if the line waited. `nodes_without_units` have none,
    and nothing is known of them.
    """

    line_id: str | None
    sku: str
    quantity: int
    shipped: tuple[Shipped, ...]
    backordered: int
    backorder_reason: str | None
    backorder_difference_cents: int | None
    held_node_id: str | None
    pinned_node_id: str | None
    current_node_id: str | None
    nodes: tuple[NodeChoice, ...]
    nodes_without_units: tuple[str, ...]
    changes: tuple[Change, ...]


class Lack(Struct, frozen=True, kw_only=True):
    """Units of a SKU that a node would have had to have more."""

    sku: str
    units: int


class OneNode(Struct, frozen=True, kw_only=True):
    """The whole order from one node, in one parcel: what it would cost more, and what the node has not left for it."""

    node_id: str
    cost_difference_cents: int
    lacks: tuple[Lack, ...]
    capacity_units: int
    capacity_parcels: int


class BrokenLimit(Struct, frozen=True, kw_only=True):
    """A soft limit of the policy that was broken for the order, which would have waited, and what that counted.

    A rule is broken by a line at a node, days by the parcel of a node, the rest by the order. Nobody pays it.
    """

    constraint: str
    cost_cents: int
    line_id: str | None = None
    node_id: str | None = None


class HubTransfer(Struct, frozen=True, kw_only=True):
    """What one node sends to a hub: when it leaves, from when it is there, and what the transfer takes."""

    node_id: str
    ship_on: date
    available_on: date
    line_ids: tuple[str, ...]
    transfer_cents: int


class OverHub(Struct, frozen=True, kw_only=True):
    """The parcel that a hub packs of the order.

    `saves_cents` is what the order costs less than by the best plan without hubs, to which all else of the explanation
    refers; `why` says in words why it goes so. `line_ids` are all lines in the parcel.
    """

    node_id: str
    service: str
    ship_on: date
    line_ids: tuple[str, ...]
    transfers: tuple[HubTransfer, ...]
    shipping_cents: int
    handling_cents: int
    units_cents: int
    transfer_cents: int
    late_cents: int
    saves_cents: int
    why: str


class OrderExplanation(Struct, frozen=True, kw_only=True):
    """Why an order was routed as it was; `from_one_node` only for orders of several parcels.

    `value_cents` is what the units that it takes count beside costs, as of a node. Of an order that goes `over_hub`,
    all else tells how it would go without.
    """

    order_id: str
    currency: str
    cost_cents: int
    costs: RoutedCosts
    shipments: tuple[RoutedParcel, ...]
    lines: tuple[LineExplanation, ...]
    from_one_node: tuple[OneNode, ...]
    value_cents: int = 0
    relaxed: tuple[BrokenLimit, ...] = ()
    over_hub: OverHub | None = None
