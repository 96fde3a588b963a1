"""The wire form of orders: what captures one, how one looks, and its history."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.schemas.alerts import AlertReply
from api.schemas.fields import Body, Cents, Currency, Identifier, Latitude, Longitude, Quantity, Reply
from api.schemas.order_steering import LineUnits, OrderHold, Pin, Priority, Rejection
from api.schemas.returns import State as ReturnState
from api.schemas.shipments import ReleasedShipment
from api.schemas.tenders import TenderBody
from engine.routing.explanation import BrokenLimit, LineExplanation, OneNode, OverHub, RoutedCosts, RoutedParcel


class DestinationBody(Body, frozen=True, kw_only=True):
    """Where it goes: latitude and longitude in degrees, or postal_code and country, or both.

    A home, a post office box and the IANA time zone count as they do for a promise.
    """

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    country: (
        Annotated[str, Meta(pattern="^[A-Z]{2}(?![\\s\\S])", description="two capital letters of ISO 3166, such as US")]
        | None
    ) = None
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    residential: bool = False
    is_po_box: bool = False


class OrderLineBody(Body, frozen=True, kw_only=True):
    """One line; without a line_id it gets its number, from 1."""

    sku: Identifier
    quantity: Quantity
    line_id: Identifier | None = None
    unit_price_cents: Annotated[Cents, Meta(description="null: as in the catalog, if the order has prices")] | None = (
        None
    )
    discount_cents: Annotated[Cents, Meta(description="off all units of the line together")] = 0
    tax_code: Annotated[Identifier, Meta(description="of the tax rates")] | None = None
    unit_cost_cents: Annotated[Cents, Meta(description="what a unit costs you; null: as in the catalog")] | None = None


class OrderBody(Body, frozen=True, kw_only=True):
    """An order to capture; `customer` and `payment` are sealed.

    The channel's own id stands for the order: sent again it is the same one, whatever the idempotency key. It has
    prices if it says any of them, or a currency: lines without one have that of the catalog.
    With a pickup_node_id, its own or that of the promise behind its reservation, it needs no destination.
    """

    channel: Identifier
    lines: Annotated[list[OrderLineBody], Meta(min_length=1, max_length=1000)]
    destination: DestinationBody | None = None
    order_id: Identifier | None = None
    reservation_id: Identifier | None = None
    service_level: Identifier | None = None
    need_by: date | None = None
    pickup_node_id: Identifier | None = None
    customer: (
        Annotated[dict[str, Any], Meta(description="who it is for, in any form: name, email, phone, …")] | None
    ) = None
    payment: dict[str, Any] | None = None
    customer_class: Annotated[Identifier, Meta(description="what rules of policies go by")] | None = None
    priority: Priority = 0
    channel_order_id: Annotated[Identifier, Meta(description="in place of an order_id")] | None = None
    customer_id: Annotated[Identifier, Meta(description="whose it is; an id of yours, no e-mail address")] | None = None
    currency: Currency | None = None
    shipping_cents: Cents = 0
    total_cents: (
        Annotated[Cents, Meta(description="what the channel takes it to come to; the order policy may compare")] | None
    ) = None
    tenders: Annotated[
        list[TenderBody], Meta(max_length=20, description="by what it is paid, used in this order; needs prices")
    ] = msgspec.field(default_factory=list)


class OrderDestination(Reply, frozen=True, kw_only=True):
    """Where it goes; an order always has coordinates, at least those of its postal code."""

    latitude: float | None
    longitude: float | None
    postal_code: str | None
    country: str | None
    time_zone: str | None
    residential: bool
    is_po_box: bool


class PromisedParcel(Reply, frozen=True, kw_only=True):
    """A parcel of the option that the order's reservation was made from."""

    node_id: str
    service: str
    ship_on: date


class PromisedOption(Reply, frozen=True, kw_only=True):
    """The option that the order's reservation was made from: its level, days of arrival and parcels."""

    service_level: str
    p50: date
    p90: date
    shipments: list[PromisedParcel]


class OrderFinding(Reply, frozen=True, kw_only=True):
    """What a rule of the order policy found: its fraud `score`, and the kind of the order hold that it asked for."""

    rule: str
    message: str
    score: int
    hold_kind: str | None


class OrderApproval(Reply, frozen=True, kw_only=True):
    """Who approved, or refused, what a rule stopped, when and why."""

    rule: str
    by: str
    at: datetime
    is_approved: bool
    reason: str | None


class OrderChecks(Reply, frozen=True, kw_only=True):
    """What the order was checked for, by which version of the order policy; `awaits` are rules that need approval."""

    policy_version: int
    at: datetime
    fraud_score: int
    findings: list[OrderFinding]
    approvals: list[OrderApproval]
    awaits: list[str]


class OrderLink(Reply, frozen=True, kw_only=True):
    """Another order that this one has to do with: split_from, split_to, merged_from, merged_into, exchange_for, …."""

    kind: str
    order_id: str


class OrderLinePrice(Reply, frozen=True, kw_only=True):
    """What the customer pays for a line; tax that is included is a part of the total, other tax is in it."""

    line_id: str
    quantity: int
    unit_price_cents: int
    discount_cents: int
    tax_code: str
    tax_cents: int
    total_cents: int


class OrderPrices(Reply, frozen=True, kw_only=True):
    """What the customer pays for the order."""

    currency: str
    total_cents: int
    shipping_cents: int
    shipping_tax_cents: int
    is_tax_included: bool
    lines: list[OrderLinePrice]


class OrderLine(Reply, frozen=True, kw_only=True):
    """One line of the order, where it stands, and its units by state; those of a kit are units of its products."""

    line_id: str
    sku: str
    quantity: int
    state: str
    units: dict[str, int]


class AllocationHub(Reply, frozen=True, kw_only=True):
    """The hub that packs units of other nodes into one parcel.

    From `available_on` on they are there; the parcel leaves on `ship_on`.
    """

    node_id: str
    available_on: date
    ship_on: date


class Allocation(Reply, frozen=True, kw_only=True):
    """Units of one line from one node by one carrier service on one day; without a node they are backordered.

    The line of a kit's product is `<line_id>/<sku>`. With a `hub` the node sends them there on `ship_on`, and the
    service takes the hub's parcel on the hub's `ship_on`.
    """

    line_id: str
    sku: str
    quantity: int
    node_id: str | None
    service: str | None
    ship_on: date | None
    hub: AllocationHub | None = None


class OrderReturn(Reply, frozen=True, kw_only=True):
    """A return of an order, and how far it is; `GET /v1/returns/{return_id}` has all of it."""

    return_id: str
    state: ReturnState
    node_id: str
    tracking_number: str | None
    refund_cents: int


class Order(Reply, frozen=True, kw_only=True):
    """An order and where it stands, by what waits most; `allocations` is what has a node and has not left it yet."""

    order_id: str
    state: str
    channel: str
    captured_at: datetime
    destination: OrderDestination
    lines: list[OrderLine]
    allocations: list[Allocation]
    reservation_id: str | None
    run_id: str | None
    service_level: str | None
    need_by: date | None
    promised_on: date | None
    pickup_node_id: str | None
    promised: PromisedOption | None
    customer: Annotated[
        dict[str, Any] | None,
        Meta(description="with customers:read, in GET and when it is captured; null once the customer is erased"),
    ]
    payment: dict[str, Any] | None
    waiting_reservation_ids: Annotated[
        list[str],
        Meta(description="in a store of several partitions: earlier reservations, which keep what the order waits for"),
    ] = msgspec.field(default_factory=list)
    customer_class: str | None = None
    priority: int = 0
    order_hold: Annotated[
        OrderHold | None, Meta(description="routing runs leave the order alone until it is released")
    ] = None
    order_holds: Annotated[list[OrderHold], Meta(description="all of them, the longest first")] = msgspec.field(
        default_factory=list
    )
    channel_order_id: str | None = None
    customer_id: str | None = None
    checks: OrderChecks | None = None
    links: list[OrderLink] = msgspec.field(default_factory=list)
    prices: OrderPrices | None = None
    rejections: list[Rejection] = msgspec.field(default_factory=list)
    pins: Annotated[list[Pin], Meta(description="what people said, by lines as in allocations")] = msgspec.field(
        default_factory=list
    )
    forbidden_node_ids: list[str] = msgspec.field(default_factory=list)
    alerts: Annotated[list[AlertReply], Meta(description="what stands, or stood, in the way of its promise")] = (
        msgspec.field(default_factory=list)
    )
    shipments: Annotated[list[ReleasedShipment], Meta(description="its parcels, once they are released to nodes")] = (
        msgspec.field(default_factory=list)
    )
    returns: Annotated[list[OrderReturn], Meta(description="what comes back of it, the oldest first")] = msgspec.field(
        default_factory=list
    )


class ExplanationQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which decision to explain; without a run_id the one that is in force."""

    run_id: Identifier | None = None


class ExplainedOrder(Reply, frozen=True, kw_only=True):
    """Why an order was routed as it was by one run; `cost_cents` is the sum of `costs`.

    `is_in_force` is false for a dry run, where another run has decided since, and once the order is cancelled.
    `from_one_node` is what the whole order in one parcel would have cost; only for orders of several parcels.
    `value_cents` is what its units count for beside costs, to later demand (bid prices) or by rules: nobody pays it. Of
    an order that goes `over_hub`, all else tells how it would go without hubs.
    """

    order_id: str
    state: str
    run_id: str
    decided_at: datetime
    is_in_force: bool
    currency: str
    cost_cents: int
    costs: RoutedCosts
    shipments: tuple[RoutedParcel, ...]
    lines: tuple[LineExplanation, ...]
    from_one_node: tuple[OneNode, ...]
    relaxed: tuple[BrokenLimit, ...] = ()
    order_hold: OrderHold | None = None
    rejections: list[Rejection] = msgspec.field(default_factory=list)
    value_cents: int = 0
    over_hub: OverHub | None = None


class UnitsMoved(Reply, frozen=True, kw_only=True):
    """Units of a line that went from a state to another; blank is outside, for what was added or taken out."""

    line_id: str
    before: str
    after: str
    quantity: int


class HistoryEntry(Reply, frozen=True, kw_only=True):
    """One step of an order: the state it entered, when, and which routing run did it, or what was said, and by whom.

    Events: rejected, short_pick, damaged, time_out and closed (of a node that does not ship lines), accepted, override,
    order_hold, order_hold_released, and those of the rest of its life. `subject` is the id of the shipment, tender or
    return that it is about, `amount_cents` the money that moved, `moves` the units that went from a state to another.
    """

    at: datetime
    state: str
    run_id: str | None
    event: str | None = None
    reason: str | None = None
    by: str | None = None
    node_id: str | None = None
    lines: list[LineUnits] = msgspec.field(default_factory=list)
    subject: str | None = None
    amount_cents: int | None = None
    moves: list[UnitsMoved] = msgspec.field(default_factory=list)


class OrderHistory(Reply, frozen=True, kw_only=True):
    """The steps of an order, oldest first."""

    data: list[HistoryEntry]
    has_more: bool = False
