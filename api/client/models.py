"""What goes over the wire: bodies and replies. Times are texts in RFC 3339, days are dates.

Written by `python -m api.client_writer` out of the OpenAPI document; not to be edited by hand.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field


class AcceptanceBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which node ships what it was given."""

    node_id: str
    by: str | None = None


class AcceptanceOfAlternative(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who accepts it."""

    by: str | None = None


class AcceptedImport(Struct, frozen=True, kw_only=True):
    """An import that was taken, and how many rows it has."""

    import_id: str
    status: str


class AcceptedSimulation(Struct, frozen=True, kw_only=True):
    """A simulation that was taken."""

    simulation_id: str
    status: str


class AddressBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address of a customer; `country` has two capital letters of ISO 3166."""

    address_id: str
    name: str = ""
    company: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


class AdjustmentBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that came (`delta` > 0) or went (< 0), in which condition, and why."""

    node_id: str
    sku: str
    delta: int
    reason: str
    condition: Literal["damaged", "in_transit", "quality_hold", "sellable"] = "sellable"


class AdjustmentsBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Adjustments, all or nothing."""

    adjustments: Sequence[AdjustmentBody]


class AffectedReply(Struct, frozen=True, kw_only=True):
    """A line of a reservation that has followed its supply, or of which `shortfall` units are not covered now.

    Without a supply_id it counts on whatever comes by its ship_on; `covered_on` is the first day that covers it.
    """

    reservation_id: str
    order_id: str | None
    state: str
    sku: str
    node_id: str
    quantity: int
    supply_id: str | None
    ship_on_before: datetime.date
    ship_on: datetime.date
    shortfall: int
    covered_on: datetime.date | None


class AlertPolicyVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class AlertReply(Struct, frozen=True, kw_only=True):
    """What stands in the way of a promise.

    `subject` is the shipment that it is about, or the node before it has left, null for units without a node. They
    arrive on `predicted_on` as likely as not, by `latest_on` nine times of ten, null if nobody can tell. `told_on`
    is the day that the customer was told instead; `outcome` what became of it, `over` if nothing had to be done.
    """

    alert_id: str
    severity: str
    cause: str
    at: str
    subject: str | None
    promised_on: datetime.date | None
    predicted_on: datetime.date | None
    latest_on: datetime.date | None
    delay_days: int | None
    late_probability: float
    message: str
    told_on: datetime.date | None
    closed_at: str | None
    outcome: str | None


class AlertsReply(Struct, frozen=True, kw_only=True):
    """Open alerts, the worst first, then the oldest."""

    data: tuple[OpenAlert, ...]
    has_more: bool


class Allocation(Struct, frozen=True, kw_only=True):
    """Units of one line from one node by one carrier service on one day; without a node they are backordered.

    The line of a kit's product is `<line_id>/<sku>`. With a `hub` the node sends them there on `ship_on`, and the
    service takes the hub's parcel on the hub's `ship_on`.
    """

    line_id: str
    sku: str
    quantity: int
    node_id: str | None
    service: str | None
    ship_on: datetime.date | None
    hub: AllocationHub | None = None


class AllocationHub(Struct, frozen=True, kw_only=True):
    """The hub that packs units of other nodes into one parcel.

    From `available_on` on they are there; the parcel leaves on `ship_on`.
    """

    node_id: str
    available_on: datetime.date
    ship_on: datetime.date


class AlternativeLine(Struct, frozen=True, kw_only=True):
    """Units of a line in a parcel, and the SKU that they would be sent instead of."""

    line_id: str
    sku: str
    quantity: int
    substitute_for: str | None


class AlternativeParcel(Struct, frozen=True, kw_only=True):
    """A parcel that would leave a node by a service."""

    node_id: str
    service: str
    service_level: str
    ship_on: datetime.date
    lines: tuple[AlternativeLine, ...]


class AlternativeReply(Struct, frozen=True, kw_only=True):
    """A way out. `promised_on` is what is promised if it is accepted; `wait` leaves all else as it is.

    `cost_cents` is what it costs to send so what can still be sent otherwise, `extra_cents` how much more that is
    than as things stand; null where that is not known.
    """

    alternative_id: str
    kind: str
    promised_on: datetime.date
    predicted_on: datetime.date | None
    latest_on: datetime.date | None
    late_probability: float
    cost_cents: int | None
    extra_cents: int | None
    parcels: tuple[AlternativeParcel, ...]


class AlternativesReply(Struct, frozen=True, kw_only=True):
    """Ways out for an order as it is now: those that keep the promise by cost, then the others by their day."""

    data: tuple[AlternativeReply, ...]


class ApprovalBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who approves an order, or does not, and the rule that stopped it; without one all that wait."""

    by: str
    is_approved: bool = True
    rule: str | None = None
    reason: str = ""


class AskedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A SKU, product or kit; the quantity is only a hint and changes nothing in the answer."""

    sku: str
    quantity: int | None = None


class Availability(Struct, frozen=True, kw_only=True):
    """The answer; it holds nothing."""

    as_of: str
    binding: bool
    lines: tuple[LineAvailability, ...]
    channel: str | None = None


class AvailabilityRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which SKUs, at which nodes (all, a group, some of them, or both: those in both), for how many days from today.

    Without `by_node` only sums are told.
    """

    lines: Sequence[AskedLine]
    node_ids: Sequence[str] | None = None
    group: str | None = None
    channel: str | None = None
    horizon_days: int = 7
    by_node: bool = True


class BasketLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many units of a SKU, product or kit."""

    sku: str
    quantity: int = 1


class BatchBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Up to 1,000 reservations, each held or refused by itself."""

    reservations: Sequence[NamedReservationBody]


class BatchReply(Struct, frozen=True, kw_only=True):
    """A verdict for each reservation, in the order of the request."""

    held: int
    refused: int
    verdicts: tuple[BatchVerdict, ...]


class BatchVerdict(Struct, frozen=True, kw_only=True):
    """What became of one reservation: it is held, or `code` and `detail` say why not."""

    reservation_id: str
    reservation: Reservation | None
    code: str | None = None
    detail: str | None = None
    short: tuple[ShortLineReply, ...] = ()


class BidPricesVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many positions have a price."""

    version: int
    prices: int


class BillLine(Struct, frozen=True, kw_only=True):
    """What a bill charges, or gives credit for; `tax_cents` of `total_cents` are tax."""

    line_id: str | None
    sku: str | None
    text: str | None
    quantity: int
    total_cents: int
    tax_cents: int
    tax_code: str | None


class BookedSlot(Struct, frozen=True, kw_only=True):
    """The window that a reservation has booked, as it was when it was booked."""

    slot_id: str
    from_: str = field(name="from")
    to_: str = field(name="to")
    fee_cents: int = 0


class BrokenLimit(Struct, frozen=True, kw_only=True):
    """A soft limit of the policy that was broken for the order, which would have waited, and what that counted.

    A rule is broken by a line at a node, days by the parcel of a node, the rest by the order. Nobody pays it.
    """

    constraint: str
    cost_cents: int
    line_id: str | None = None
    node_id: str | None = None


class BroughtLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a product that come back without a receipt, and why."""

    sku: str
    quantity: int
    reason: str
    comment: str = ""


class CancelBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to cancel: these lines, or all that has not left yet."""

    lines: Sequence[CancelledLineBody] | None = None
    reason: str | None = None
    by: str | None = None


class CancelledLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line, as the customer ordered it; all that can be cancelled of it if no quantity is given."""

    line_id: str
    quantity: int | None = None


class CarrierEventBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a carrier says of a parcel, when it was so, and where; `proof` is what it has of a delivery."""

    tracking_number: str
    event: Literal[
        "accepted",
        "awaiting_pickup",
        "damaged",
        "delivered",
        "failed_attempt",
        "in_transit",
        "information",
        "lost",
        "out_for_delivery",
        "returned_to_sender",
    ]
    at: str
    place: str | None = None
    detail: str | None = None
    proof: str | None = None


class CarrierEventsBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events in the order in which they are to be taken."""

    events: Sequence[CarrierEventBody]


class Carton(Struct, frozen=True, kw_only=True):
    """So many alike; `carton` is null for a product in its own packaging, `weight_g` is of one with all in it."""

    carton: str | None
    quantity: int
    weight_g: int


class CartonBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A carton; without lines it holds all of the shipment, without a weight it weighs what it holds and its tare."""

    carton: str | None = None
    lines: Sequence[CartonLineBody] | None = None
    weight_g: int | None = None


class CartonLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of the shipment in a carton."""

    line_id: str
    quantity: int


class CatalogVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int
    products: int


class Change(Struct, frozen=True, kw_only=True):
    """What would have the line shipped from a node.

    `stock`: `units` more there. `capacity`: `capacity_units` and `capacity_parcels` more there, and `units` where
    it is short of them too. `rate`: a parcel from there for more than `lower_by_cents` less. `saves_cents` is what
    the order would cost less; null for a rate.
    """

    kind: str
    node_id: str
    units: int = 0
    capacity_units: int = 0
    capacity_parcels: int = 0
    lower_by_cents: int | None = None
    saves_cents: int | None = None
    why: str


class Closure(Struct, frozen=True, kw_only=True):
    """A node that was switched off, and what became of the orders it had to ship."""

    closure_id: str
    node_id: str
    closed: bool
    reason: str
    by: str
    closed_at: str
    reopened_at: str | None
    reroute: bool
    opened_orders: int
    left_orders: int
    pickup_orders: int
    pickup_order_ids: tuple[str, ...]
    drained: bool
    run_id: str | None


class ClosureBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a node is off; with `reroute`, a run of all open orders follows when what it holds is open again."""

    reason: str
    closed: bool = True
    reroute: bool = False
    by: str | None = None


class Closures(Struct, frozen=True, kw_only=True):
    """The last closure of every node that had any, by node id."""

    data: tuple[Closure, ...]
    has_more: bool = False


class ConditionChangeBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that are in another condition from now on, and why; `sellable` units are those of on_hand."""

    node_id: str
    sku: str
    quantity: int
    from_condition: Literal["damaged", "in_transit", "quality_hold", "sellable"]
    to_condition: Literal["damaged", "in_transit", "quality_hold", "sellable"]
    reason: str


class ConditionChangesBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Changes of condition, all or nothing."""

    changes: Sequence[ConditionChangeBody]


class ConditionMove(Struct, frozen=True, kw_only=True):
    """The units that cannot be sold for one reason, before and after."""

    condition: str
    before: int
    after: int


class ConditionMoveReply(Struct, frozen=True, kw_only=True):
    """What the units in a condition other than sellable were before and are after."""

    condition: str
    before: int
    after: int


class CreatedWave(Struct, frozen=True, kw_only=True):
    """A wave, and the shipments that were to join it."""

    wave_id: str
    node_id: str
    created_at: str
    by: str
    shipment_ids: tuple[str, ...]


class Credit(Struct, frozen=True, kw_only=True):
    """A balance: `left_cents` = issued − set aside − spent, where what was given back again is not spent."""

    code: str
    currency: str
    issued_cents: int
    aside_cents: int
    spent_cents: int
    left_cents: int


class CustomerAddress(Struct, frozen=True, kw_only=True):
    """An address of a customer."""

    address_id: str
    name: str
    company: str
    street: str
    street_2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str


class CustomerBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is to be known of a customer; what is left out is forgotten."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    addresses: Sequence[AddressBody] = ()
    channels: Sequence[str] | None = None
    opt_outs: Sequence[str] = ()
    expected_version: int | None = None


class CustomerData(Struct, frozen=True, kw_only=True, tag_field="object", tag="customer"):
    """Which customer it is; nothing personal is ever told."""

    customer_id: str
    who: str


class CustomerReply(Struct, frozen=True, kw_only=True):
    """A customer; of a guest, whom only orders name, nothing is known beside their orders: version 0."""

    customer_id: str
    version: int
    name: str
    company: str
    email: str
    phone: str
    language: str
    addresses: tuple[CustomerAddress, ...]
    channels: tuple[str, ...]
    opt_outs: tuple[str, ...]


class DatedCost(Struct, frozen=True, kw_only=True):
    """A day on which one unit could arrive, and what that costs in all."""

    promised_on: datetime.date
    total_cost_cents: int


class DatedDemandReply(Struct, frozen=True, kw_only=True):
    """Units promised to leave on a later day; they count once, on that day. `pegged` of them wait for their supply."""

    ship_on: datetime.date
    quantity: int
    pegged: int


class DayAtp(Struct, frozen=True, kw_only=True):
    """Units available to promise on one day of a node; may be negative at a node, never in a sum."""

    date: datetime.date
    atp: int


class DeliverBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When it arrived, and the proof of it: who signed, where it was left, the address of a picture."""

    at: str | None = None
    proof: str | None = None
    by: str | None = None


class DeliveriesReply(Struct, frozen=True, kw_only=True):
    """The last requests, newest first."""

    data: tuple[DeliveryReply, ...]
    has_more: bool


class Delivery(Struct, frozen=True, kw_only=True):
    """The day of arrival at its median and its ninetieth percentile; equal where there is no history to learn from."""

    p50: datetime.date
    p90: datetime.date


class DeliveryReply(Struct, frozen=True, kw_only=True):
    """One request: the status that came back, or what went wrong, and what the answer began with."""

    event_id: str
    type: str
    at: str
    attempt: int
    duration_ms: int
    is_taken: bool
    status: int | None
    error: str | None
    answer: str


class Destination(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Coordinates in degrees, or a postal code that the network knows; the time zone is an IANA name.

    A postal code beside coordinates counts for surcharges and areas that services do not serve only.
    """

    latitude: float | None = None
    longitude: float | None = None
    postal_code: str | None = None
    country: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


class DestinationBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it goes: latitude and longitude in degrees, or postal_code and country, or both.

    A home, a post office box and the IANA time zone count as they do for a promise.
    """

    latitude: float | None = None
    longitude: float | None = None
    postal_code: str | None = None
    country: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


class Disagreement(Struct, frozen=True, kw_only=True):
    """Where books differ: `what` is authorised, captured or refunded, by the order's ledger and by the provider."""

    order_id: str
    provider: str
    provider_id: str
    what: str
    ledger_cents: int
    provider_cents: int
    reason: str


class DocumentActBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done with a document of a shipment; `detail` says how, and names nobody: it is not sealed."""

    document: Literal["invoice", "label", "packing_slip", "zpl"]
    act: Literal["printed", "sent"]
    detail: str | None = None
    by: str | None = None


class DocumentData(Struct, frozen=True, kw_only=True, tag_field="object", tag="document"):
    """Which document has which version now."""

    name: str
    version: int
    who: str


class DocumentEntry(Struct, frozen=True, kw_only=True):
    """Who made, saw, sent or printed which document of which shipment, and when; `sha256` is that of its bytes."""

    document: str
    shipment_id: str
    act: str
    by: str
    at: str
    sha256: str | None
    detail: str | None


class DocumentLog(Struct, frozen=True, kw_only=True):
    """The log of an order's documents, the newest last; of more than 200 entries the newest."""

    data: tuple[DocumentEntry, ...]


class DropShipLine(Struct, frozen=True, kw_only=True):
    """Units of a line."""

    line_id: str
    sku: str
    quantity: int


class DropShipOrder(Struct, frozen=True, kw_only=True):
    """A parcel that a vendor ships to the customer of an order; the same parcel always has the same id."""

    drop_ship_id: str
    node_id: str
    order_id: str
    service: str
    ship_on: datetime.date
    lines: tuple[DropShipLine, ...]


class EraseBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether to erase a customer some of whose orders are not over."""

    even_with_open_orders: bool = False


class ErasedReply(Struct, frozen=True, kw_only=True):
    """That a customer was erased, when, and how many orders still name their id."""

    customer_id: str
    erased_at: str
    orders: int


class Event(Struct, frozen=True, kw_only=True):
    """One event: the same `id` whenever and however it is told; `type` says what happened, `data.object` to what."""

    id: str
    type: str
    time: str
    data: (
        InventoryData | ReservationData | OrderData | RunData | CustomerData | DocumentData | LowStockData | WebhookData
    )


class EventReply(Struct, frozen=True, kw_only=True):
    """One change: who made it, what they did, which reservations, orders or reasons for, and what it changed."""

    event: int
    at: str
    act: str
    who: str
    whys: tuple[str, ...]
    before: QuantitiesReply
    after: QuantitiesReply
    schedule: tuple[ScheduleChangeReply, ...]
    conditions: tuple[ConditionMoveReply, ...]


class EventsReply(Struct, frozen=True, kw_only=True):
    """Events, newest first; `is_cut_off` says that older ones are no longer kept."""

    data: tuple[EventReply, ...]
    has_more: bool
    is_cut_off: bool


class ExchangeBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer wants instead: an order of its own, under `order_id` if one is given.

    What it costs beyond what the return is to pay back is paid by `tenders`.
    """

    lines: Sequence[ExchangeLineBody]
    order_id: str | None = None
    service_level: str | None = None
    tenders: Sequence[TenderBody] = ()


class ExchangeLine(Struct, frozen=True, kw_only=True):
    """Units of a product."""

    sku: str
    quantity: int


class ExchangeLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that the customer wants instead; without a price they have that of the catalog."""

    sku: str
    quantity: int
    unit_price_cents: int | None = None


class ExplainedOrder(Struct, frozen=True, kw_only=True):
    """Why an order was routed as it was by one run; `cost_cents` is the sum of `costs`.

    `is_in_force` is false for a dry run, where another run has decided since, and once the order is cancelled.
    `from_one_node` is what the whole order in one parcel would have cost; only for orders of several parcels.
    `value_cents` is what its units count for beside costs, to later demand (bid prices) or by rules: nobody pays
    it. Of an order that goes `over_hub`, all else tells how it would go without hubs.
    """

    order_id: str
    state: str
    run_id: str
    decided_at: str
    is_in_force: bool
    currency: str
    cost_cents: int
    costs: RoutedCosts
    shipments: tuple[RoutedParcel, ...]
    lines: tuple[LineExplanation, ...]
    from_one_node: tuple[OneNode, ...]
    relaxed: tuple[BrokenLimit, ...] = ()
    order_hold: OrderHold | None = None
    rejections: tuple[Rejection, ...] = ()
    value_cents: int = 0
    over_hub: OverHub | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """Every node of the network, those that ship first, then the eligible ones by cost; at most `MOST_NODES`.

    `hubs` is there for deliveries in a network with hubs.
    """

    nodes: tuple[NodeExplanation, ...]
    has_more: bool
    hubs: tuple[HubExplanation, ...] | None = None


class ExportReply(Struct, frozen=True, kw_only=True):
    """All that is kept of a customer, orders oldest first."""

    exported_at: str
    profile: CustomerReply
    orders: tuple[ExportedOrder, ...]


class ExportedLine(Struct, frozen=True, kw_only=True):
    """A line of an order of theirs."""

    line_id: str
    sku: str
    quantity: int


class ExportedNotice(Struct, frozen=True, kw_only=True):
    """A message that was sent to them, or was not, and why."""

    template: str
    channel: str
    at: str
    subject: str
    outcome: str


class ExportedOrder(Struct, frozen=True, kw_only=True):
    """An order of theirs: what they told, and what they were told."""

    order_id: str
    channel: str
    captured_at: str
    state: str
    postal_code: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    lines: tuple[ExportedLine, ...]
    customer: dict[str, Any] | None
    payment: dict[str, Any] | None
    notices: tuple[ExportedNotice, ...]


class ExtendBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long from now the reservation shall still be held."""

    ttl_seconds: int = 900


class FeedReply(Struct, frozen=True, kw_only=True):
    """Events, oldest first; `next` is the cursor to read on after them, also when there are none."""

    data: tuple[Event, ...]
    has_more: bool
    next: str


class FindBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What customers are found by; both: those who have both."""

    email: str | None = None
    phone: str | None = None


class ForecastVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many rows it has."""

    version: int
    rows: int


class FoundCustomers(Struct, frozen=True, kw_only=True):
    """The ids of customers, guests too."""

    data: tuple[str, ...]
    has_more: bool


class FoundOrder(Struct, frozen=True, kw_only=True):
    """An order as a list shows it; nothing of its customer is in it.

    `lines` and `units` are those of the customer; `changed_at` is when its history has its last step.
    """

    order_id: str
    channel: str
    state: str
    captured_at: str
    changed_at: str
    lines: int
    units: int
    skus: tuple[str, ...]
    channel_order_id: str = ""
    promised_on: datetime.date | None = None
    total_cents: int | None = None
    currency: str = ""
    is_archived: bool = False


class FoundOrders(Struct, frozen=True, kw_only=True):
    """Orders, the newest first.

    `next` is what to give as `starting_after` for those that follow: where few of many are wanted, `data` may be
    short, or empty, though there are more. What has happened until `as_of` is found.
    """

    data: tuple[FoundOrder, ...]
    has_more: bool
    next: str | None
    as_of: str


class GetItBy(Struct, frozen=True, kw_only=True):
    """The answer, from stock as it was at `as_of`; it holds nothing."""

    as_of: str
    binding: bool
    lines: tuple[GetItByLine, ...]


class GetItByLine(Struct, frozen=True, kw_only=True):
    """One SKU: the earliest day, and the cheapest way; both null, with the reason, if nobody can bring a unit."""

    sku: str
    earliest: DatedCost | None
    cheapest: DatedCost | None
    reason: str | None = None


class GetItByRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which SKUs, to which place; for whom, from which nodes and by which service levels, as of a promise."""

    lines: Sequence[PageLine]
    destination: Destination
    channel: str | None = None
    group: str | None = None
    service_levels: (
        Sequence[Literal["expedited", "next_day", "pickup", "same_day", "ship_to_store", "standard"]] | None
    ) = None


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """One step of an order: the state it entered, when, and which routing run did it, or what was said, and by whom.

    Events: rejected, short_pick, damaged, time_out and closed (of a node that does not ship lines), accepted,
    override, order_hold, order_hold_released, and those of the rest of its life. `subject` is the id of the
    shipment, tender or return that it is about, `amount_cents` the money that moved, `moves` the units that went
    from a state to another.
    """

    at: str
    state: str
    run_id: str | None
    event: str | None = None
    reason: str | None = None
    by: str | None = None
    node_id: str | None = None
    lines: tuple[LineUnits, ...] = ()
    subject: str | None = None
    amount_cents: int | None = None
    moves: tuple[UnitsMoved, ...] = ()


class HoldLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of one SKU at one node; a later ship_on takes them from what is there on that day.

    With a supply_id they come from that supply, on the day it is expected, or on ship_on if that is later.
    """

    sku: str
    quantity: int
    node_id: str
    ship_on: datetime.date | None = None
    supply_id: str | None = None


class HubExplanation(Struct, frozen=True, kw_only=True):
    """Why a hub packs a parcel of what other nodes send it, or not; fields as of a node.

    `cost_difference_cents` is what the cheapest plan in which it does costs more than the cheapest option.
    """

    node_id: str
    standing: str
    option_ids: tuple[str, ...]
    cost_difference_cents: int | None
    binding: str | None
    why: str
    ranked_difference_cents: int | None = None


class HubReceiptBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has come to the hub from a node: units of lines, or all that it still sends."""

    node_id: str
    lines: Sequence[CartonLineBody] | None = None
    by: str | None = None


class HubTransfer(Struct, frozen=True, kw_only=True):
    """What one node sends to a hub: when it leaves, from when it is there, and what the transfer takes."""

    node_id: str
    ship_on: datetime.date
    available_on: datetime.date
    line_ids: tuple[str, ...]
    transfer_cents: int


class HubUnits(Struct, frozen=True, kw_only=True):
    """Units of a line that a node sends to a shipment's hub."""

    node_id: str
    line_id: str
    quantity: int


class ImportReply(Struct, frozen=True, kw_only=True):
    """How far an import has come, in rows: `queued`, `running` or `done`."""

    import_id: str
    kind: str
    status: str
    created_at: str
    rows: int
    rows_done: int
    rows_refused: int


class InventoryData(Struct, frozen=True, kw_only=True, tag_field="object", tag="inventory_position"):
    """One change of a position: as `GET /v1/inventory-events` tells it, with the numbers before and after."""

    sku: str
    node_id: str
    event: int
    act: str
    who: str
    whys: tuple[str, ...]
    before: Quantities
    after: Quantities
    schedule: tuple[ScheduleChange, ...]
    conditions: tuple[ConditionMove, ...]


class Lack(Struct, frozen=True, kw_only=True):
    """Units of a SKU that a node would have had to have more."""

    sku: str
    units: int


class LeadTimesVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many shipments were learned from."""

    version: int
    shipments: int


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """What was done with a tender, as the provider has answered it."""

    entry_id: str
    kind: str
    tender_id: str
    amount_cents: int
    at: str
    provider_id: str | None
    authorisation_id: str | None
    subject: str | None
    reason: str | None
    expires_at: str | None


class LineAvailability(Struct, frozen=True, kw_only=True):
    """One SKU summed over the nodes asked for, and at each of them; nodes that never held it are left out."""

    sku: str
    available_now: int
    by_day: tuple[DayAtp, ...]
    nodes: tuple[NodeAvailability, ...]


class LineExplanation(Struct, frozen=True, kw_only=True):
    """Where one line went, and every node that it could have come from; the best first.

    What is not `shipped` is backordered, for `backorder_reason`. `held_node_id` is where the order had reserved it,
    `pinned_node_id` the only node that may ship it, `current_node_id` where an earlier plan has it.
    `backorder_difference_cents` is what the order would cost more if the line waited. `nodes_without_units` have
    none, and nothing is known of them.
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


class LineUnits(Struct, frozen=True, kw_only=True):
    """Units of a line."""

    line_id: str
    quantity: int


class Live(Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "live"


class LossBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What does not arrive whole, and what becomes of its units: they are routed anew, or cancelled."""

    reason: str
    kind: Literal["damaged", "lost"] = "lost"
    remedy: Literal["cancel", "send_again"] = "send_again"
    carton_ids: Sequence[str] | None = None
    by: str | None = None


class LowPositionReply(Struct, frozen=True, kw_only=True):
    """A position whose available units are at its threshold or below since then."""

    number: int
    sku: str
    node_id: str
    available: int
    threshold: int
    since: str


class LowStockData(Struct, frozen=True, kw_only=True, tag_field="object", tag="low_stock"):
    """A position that became low, or recovered; `threshold` is null if it has none any more."""

    sku: str
    node_id: str
    state: str
    available: int
    threshold: int | None


class LowStockEventReply(Struct, frozen=True, kw_only=True):
    """A position that became `low`, or `recovered`, by an event of the inventory.

    There is no threshold if it was taken away.
    """

    number: int
    state: str
    sku: str
    node_id: str
    available: int
    threshold: int | None
    at: str
    event: int


class LowStockEventsReply(Struct, frozen=True, kw_only=True):
    """Events of low stock, newest first."""

    data: tuple[LowStockEventReply, ...]
    has_more: bool


class LowStockReply(Struct, frozen=True, kw_only=True):
    """Positions that are low on stock, longest first."""

    data: tuple[LowPositionReply, ...]
    has_more: bool


class Margin(Struct, frozen=True, kw_only=True):
    """What is left of the price of the goods after their cost and that of the option.

    `is_unprofitable` says that it is below a minimum of the policy.
    """

    price_cents: int
    cost_cents: int
    margin_cents: int
    is_unprofitable: bool


class MergeBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order that this one is to join."""

    into: str
    reason: str | None = None
    by: str | None = None


class ModificationPreview(Struct, frozen=True, kw_only=True):
    """What a modification would come to; money is null, or 0, where the order has no prices or is not paid for.

    `opened_units` have a node now and would be routed anew; `promised_on` is by when it can be there, null if that
    is not known before it is routed.
    """

    difference_cents: int | None
    refund_cents: int
    authorise_cents: int
    opened_units: int
    promised_on: datetime.date | None


class ModifiedLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line as it is to be: one of the order by its `line_id`, or one of another SKU, which is added.

    A price that is left out stays, or is that of the catalog; a discount shrinks and grows with the quantity.
    """

    quantity: int
    line_id: str | None = None
    sku: str | None = None
    unit_price_cents: int | None = None
    discount_cents: int | None = None
    tax_code: str | None = None
    unit_cost_cents: int | None = None


class ModifiedOrder(Struct, frozen=True, kw_only=True):
    """An order as it was modified, or as it would be: then with a preview."""

    dry_run: bool
    order: Order
    preview: ModificationPreview | None


class ModifyBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be changed of an order; what is left out stays as it is.

    With `dry_run` nothing is changed, and the answer says what it would come to. With `expected_total_cents` it is
    refused if the order would come to anything else.
    """

    lines: Sequence[ModifiedLineBody] | None = None
    destination: DestinationBody | None = None
    service_level: str | None = None
    need_by: datetime.date | None = None
    shipping_cents: int | None = None
    expected_total_cents: int | None = None
    dry_run: bool = False
    reason: str | None = None
    by: str | None = None


class NamedReservationBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reservation of many, under an id of the caller: the same id and lines again take nothing more."""

    reservation_id: str
    lines: Sequence[HoldLineBody]
    ttl_seconds: int = 900
    channel: str | None = None
    reference: str | None = None


class NearStore(Struct, frozen=True, kw_only=True):
    """A node that has the whole basket; `ready_on` is the day, there, on which it could be picked up.

    `ready_at` is the time, at a node with opening hours, unless something has to be made first.
    """

    node_id: str
    kind: str
    name: str | None
    distance_km: float
    ready_on: datetime.date | None
    lines: tuple[StockedLine, ...]
    ready_at: str | None = None


class NearestStores(Struct, frozen=True, kw_only=True):
    """The answer, nearest first; it holds nothing."""

    as_of: str
    binding: bool
    stores: tuple[NearStore, ...]


class NearestStoresRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which basket, near which place; `kinds` of nodes, `radius_km` as the crow flies, at most `limit` stores."""

    lines: Sequence[BasketLine]
    destination: Destination
    radius_km: float = 50.0
    kinds: Sequence[Literal["dc", "store", "third_party", "vendor"]] = ("store",)
    limit: int = 10
    channel: str | None = None
    group: str | None = None


class NetworkVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int
    nodes: int


class NewWebhook(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to send events, which types (none: all), and how many requests at once (1 keeps them in order)."""

    url: str
    types: Sequence[str] | None = None
    in_flight: int = 1


class NewWebhookReply(Struct, frozen=True, kw_only=True):
    """A webhook and its secret, which is not shown again."""

    webhook_id: str
    url: str
    types: tuple[str, ...]
    in_flight: int
    created_at: str
    secret: str


class NodeAvailability(Struct, frozen=True, kw_only=True):
    """One SKU at one node; `available_now` is ATP(today), `by_day` starts today in the node's time zone."""

    node_id: str
    available_now: int
    by_day: tuple[DayAtp, ...]


class NodeChoice(Struct, frozen=True, kw_only=True):
    """One node as a source of one line.

    `available` are the units that the line could have there when the run began, `left` those that its plan left; a
    line's own reserved units are both. `cost_difference_cents` is what the order would cost more with this whole
    line there and the others where they are, null where it cannot be. `shadow_price_cents` is what the line's units
    and capacity there are worth to other orders, by the run's prices: the sum of the three that follow. `binding`
    is what stands in its way, or what made others better; `why` says it in words. `value_cents` is what the line's
    units count there beside costs, to later demand (bid prices) or by rules of the policy; it ranks only, and
    nobody pays it.
    """

    node_id: str
    standing: str
    available: int
    left: int
    distance_km: float | None
    cost_difference_cents: int | None
    shadow_price_cents: float
    stock_price_cents: float
    units_price_cents: float
    parcels_price_cents: float
    binding: str | None
    why: str
    value_cents: int = 0


class NodeExplanation(Struct, frozen=True, kw_only=True):
    """Why a node was chosen or not.

    `option_ids` are the options in which it ships, or sends to a hub. `line_ids` are the lines that it could ship
    in time by themselves. `cost_difference_cents` is what the cheapest plan in which it ships any of them costs
    more than the cheapest option; null if it can ship none, for orders of many lines, and where something else than
    stock decides (substitutes). `arrives_on` is the earliest day on which any of those lines could arrive from it.
    `binding` is what stands in its way, or what made others better; `why` says it in words.

    Where bid prices are published for the order, `stock_value_cents` is what the units of those lines are worth
    there to later demand, and `ranked_difference_cents` the difference by which options are ranked, with what units
    are worth; that of costs is below 0 for a node that is left out for the sake of later demand (`value`).
    """

    node_id: str
    standing: str
    option_ids: tuple[str, ...]
    line_ids: tuple[str, ...]
    cost_difference_cents: int | None
    arrives_on: datetime.date | None
    binding: str | None
    why: str
    ranked_difference_cents: int | None = None
    stock_value_cents: int | None = None


class NotServedBy(Struct, frozen=True, kw_only=True):
    """A carrier service that does not deliver to the address, for it is a post office box, or for where it is."""

    service: str
    cause: str


class Nothing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a request that needs none: no bytes, or `{}`."""


class NoticeTemplatesVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class OneNode(Struct, frozen=True, kw_only=True):
    """The whole order from one node, in one parcel: what it would cost more, and what the node has not left for it."""

    node_id: str
    cost_difference_cents: int
    lacks: tuple[Lack, ...]
    capacity_units: int
    capacity_parcels: int


class OpenAlert(Struct, frozen=True, kw_only=True):
    """An alert that is not over, and its order."""

    alert_id: str
    severity: str
    cause: str
    at: str
    subject: str | None
    promised_on: datetime.date | None
    predicted_on: datetime.date | None
    latest_on: datetime.date | None
    delay_days: int | None
    late_probability: float
    message: str
    told_on: datetime.date | None
    closed_at: str | None
    outcome: str | None
    order_id: str
    channel: str


class OpenMatter(Struct, frozen=True, kw_only=True):
    """Money that an order waits for, or owes, and why it has not moved."""

    order_id: str
    what: str
    amount_cents: int
    reason: str


class Option(Struct, frozen=True, kw_only=True):
    """One way to serve the order; `service_level` is the slowest of its parcels.

    `promised_on` is the day by which each of its parcels arrives with probability `confidence`, as far as history
    tells: where `dates_from` is rate_card, some parcel's date is what the rate card says. Vendors that may refuse
    an order lower it by the probability that they do not. `margin` is there if price and cost of all its goods are
    known, `ready_at` for a pick-up at a node with opening hours: when all of it is there, if it is ordered now.
    From `valid_until` on, a cut-off or the end of the promise, a reservation of the option is refused, as its days
    can no longer be kept. `stock_value_cents`, where bid prices are published, is what its units are worth to later
    demand: options are ranked by it too, and no cost has it.
    """

    option_id: str
    labels: tuple[str, ...]
    service_level: str
    promised_on: datetime.date
    confidence: float
    delivery: Delivery
    total_cost_cents: int
    cost: OptionCost
    shipments: tuple[Shipment, ...]
    dates_from: str = "rate_card"
    margin: Margin | None = None
    ready_at: str | None = None
    valid_until: str | None = None
    slots: tuple[OptionSlot, ...] | None = None
    stock_value_cents: int | None = None


class OptionCost(Struct, frozen=True, kw_only=True):
    """What an option costs, added up over its parcels, and for its splits; the components sum to the total."""

    shipping_cents: int
    handling_cents: int
    units_cents: int
    split_cents: int
    packaging_cents: int = 0
    residential_cents: int = 0
    remote_area_cents: int = 0
    oversize_cents: int = 0
    fuel_cents: int = 0
    transfer_cents: int = 0


class OptionSlot(Struct, frozen=True, kw_only=True):
    """A window with a place left: `date`, `from` and `to` are of its time zone, `fee_cents` is what customers pay."""

    slot_id: str
    date: datetime.date
    from_: str = field(name="from")
    to_: str = field(name="to")
    fee_cents: int


class Order(Struct, frozen=True, kw_only=True):
    """An order and where it stands, by what waits most; `allocations` is what has a node and has not left it yet."""

    order_id: str
    state: str
    channel: str
    captured_at: str
    destination: OrderDestination
    lines: tuple[OrderLine, ...]
    allocations: tuple[Allocation, ...]
    reservation_id: str | None
    run_id: str | None
    service_level: str | None
    need_by: datetime.date | None
    promised_on: datetime.date | None
    pickup_node_id: str | None
    promised: PromisedOption | None
    customer: dict[str, Any] | None
    payment: dict[str, Any] | None
    waiting_reservation_ids: tuple[str, ...] = ()
    customer_class: str | None = None
    priority: int = 0
    order_hold: OrderHold | None = None
    order_holds: tuple[OrderHold, ...] = ()
    channel_order_id: str | None = None
    customer_id: str | None = None
    checks: OrderChecks | None = None
    links: tuple[OrderLink, ...] = ()
    prices: OrderPrices | None = None
    rejections: tuple[Rejection, ...] = ()
    pins: tuple[Pin, ...] = ()
    forbidden_node_ids: tuple[str, ...] = ()
    alerts: tuple[AlertReply, ...] = ()
    shipments: tuple[ReleasedShipment, ...] = ()
    returns: tuple[OrderReturn, ...] = ()


class OrderApproval(Struct, frozen=True, kw_only=True):
    """Who approved, or refused, what a rule stopped, when and why."""

    rule: str
    by: str
    at: str
    is_approved: bool
    reason: str | None


class OrderBill(Struct, frozen=True, kw_only=True):
    """An invoice or a credit note; `subject` is the shipment or return it is about, null if that is the order."""

    number: str | None
    kind: str
    cause: str
    subject: str | None
    dated: datetime.date | None
    lines: tuple[BillLine, ...]
    total_cents: int
    tax_cents: int


class OrderBills(Struct, frozen=True, kw_only=True):
    """The bills of an order, in the order of their numbers, those that wait for one last."""

    data: tuple[OrderBill, ...]


class OrderBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to capture; `customer` and `payment` are sealed.

    The channel's own id stands for the order: sent again it is the same one, whatever the idempotency key. It has
    prices if it says any of them, or a currency: lines without one have that of the catalog. With a pickup_node_id,
    its own or that of the promise behind its reservation, it needs no destination.
    """

    channel: str
    lines: Sequence[OrderLineBody]
    destination: DestinationBody | None = None
    order_id: str | None = None
    reservation_id: str | None = None
    service_level: str | None = None
    need_by: datetime.date | None = None
    pickup_node_id: str | None = None
    customer: dict[str, Any] | None = None
    payment: dict[str, Any] | None = None
    customer_class: str | None = None
    priority: int = 0
    channel_order_id: str | None = None
    customer_id: str | None = None
    currency: str | None = None
    shipping_cents: int = 0
    total_cents: int | None = None
    tenders: Sequence[TenderBody] = ()


class OrderChecks(Struct, frozen=True, kw_only=True):
    """What the order was checked for, by which version of the order policy; `awaits` are rules that need approval."""

    policy_version: int
    at: str
    fraud_score: int
    findings: tuple[OrderFinding, ...]
    approvals: tuple[OrderApproval, ...]
    awaits: tuple[str, ...]


class OrderData(Struct, frozen=True, kw_only=True, tag_field="object", tag="order"):
    """Where an order stands after `act`, which run decided it, and what nodes or people said (as in its history)."""

    order_id: str
    state: str
    run_id: str | None
    note: dict[str, Any] | None
    act: str
    who: str


class OrderDestination(Struct, frozen=True, kw_only=True):
    """Where it goes; an order always has coordinates, at least those of its postal code."""

    latitude: float | None
    longitude: float | None
    postal_code: str | None
    country: str | None
    time_zone: str | None
    residential: bool
    is_po_box: bool


class OrderFinding(Struct, frozen=True, kw_only=True):
    """What a rule of the order policy found: its fraud `score`, and the kind of the order hold that it asked for."""

    rule: str
    message: str
    score: int
    hold_kind: str | None


class OrderHistory(Struct, frozen=True, kw_only=True):
    """The steps of an order, oldest first."""

    data: tuple[HistoryEntry, ...]
    has_more: bool = False


class OrderHold(Struct, frozen=True, kw_only=True):
    """Why an order is stopped; `too_many_rejections` where nodes have refused it as often as may be.

    It is released by hand, at `release_at`, or by the event `release_on` of the order's history.
    """

    reason: str
    at: str
    by: str
    kind: str = "manual"
    release_at: str | None = None
    release_on: str | None = None


class OrderHoldBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why an order is stopped, by an order hold of which kind; an order has one of each kind.

    Released by hand, at `release_at`, or by the event `release_on` of its history, whichever comes first.
    """

    reason: str
    kind: str = "manual"
    release_at: str | None = None
    release_on: str | None = None
    by: str | None = None


class OrderLife(Struct, frozen=True, kw_only=True):
    """An order, all that has happened to it beside its routing, and its steps, oldest first."""

    order: Order
    life: dict[str, Any]
    history: tuple[HistoryEntry, ...]
    is_archived: bool


class OrderLine(Struct, frozen=True, kw_only=True):
    """One line of the order, where it stands, and its units by state; those of a kit are units of its products."""

    line_id: str
    sku: str
    quantity: int
    state: str
    units: dict[str, int]


class OrderLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line; without a line_id it gets its number, from 1."""

    sku: str
    quantity: int
    line_id: str | None = None
    unit_price_cents: int | None = None
    discount_cents: int = 0
    tax_code: str | None = None
    unit_cost_cents: int | None = None


class OrderLinePrice(Struct, frozen=True, kw_only=True):
    """What the customer pays for a line; tax that is included is a part of the total, other tax is in it."""

    line_id: str
    quantity: int
    unit_price_cents: int
    discount_cents: int
    tax_code: str
    tax_cents: int
    total_cents: int


class OrderLink(Struct, frozen=True, kw_only=True):
    """Another order that this one has to do with: split_from, split_to, merged_from, merged_into, exchange_for, …."""

    kind: str
    order_id: str


class OrderPayments(Struct, frozen=True, kw_only=True):
    """The money of an order.

    Of what it comes to `charged_for_cents` has left; `needed_cents` is still to be charged, and has to be set
    aside.
    """

    order_id: str
    currency: str | None
    prices: OrderPrices | None
    wanted_cents: int
    charged_for_cents: int
    captured_cents: int
    refunded_cents: int
    aside_cents: int
    needed_cents: int
    is_covered: bool
    tenders: tuple[TenderReply, ...]
    ledger: tuple[LedgerEntry, ...]
    pending: tuple[PendingPayment, ...]


class OrderPolicyVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class OrderPrices(Struct, frozen=True, kw_only=True):
    """What the customer pays for the order."""

    currency: str
    total_cents: int
    shipping_cents: int
    shipping_tax_cents: int
    is_tax_included: bool
    lines: tuple[OrderLinePrice, ...]


class OrderReturn(Struct, frozen=True, kw_only=True):
    """A return of an order, and how far it is; `GET /v1/returns/{return_id}` has all of it."""

    return_id: str
    state: str
    node_id: str
    tracking_number: str | None
    refund_cents: int


class OverHub(Struct, frozen=True, kw_only=True):
    """The parcel that a hub packs of the order.

    `saves_cents` is what the order costs less than by the best plan without hubs, to which all else of the
    explanation refers; `why` says in words why it goes so. `line_ids` are all lines in the parcel.
    """

    node_id: str
    service: str
    ship_on: datetime.date
    line_ids: tuple[str, ...]
    transfers: tuple[HubTransfer, ...]
    shipping_cents: int
    handling_cents: int
    units_cents: int
    transfer_cents: int
    late_cents: int
    saves_cents: int
    why: str


class OverrideBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people decide about an order; what is left out stays as it was."""

    reason: str
    pins: Sequence[PinBody] | None = None
    forbidden_node_ids: Sequence[str] | None = None
    priority: int | None = None
    by: str | None = None


class PackBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it was packed; as `GET …/cartons` proposes if nothing is said."""

    cartons: Sequence[CartonBody] | None = None
    by: str | None = None


class PageLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A SKU of the page, product or kit."""

    sku: str


class PartBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which lines; all of them when there are none given."""

    lines: Sequence[HoldLineBody] | None = None


class Peg(Struct, frozen=True, kw_only=True):
    """Units of a line that wait for a scheduled receipt; `sku` is the product, of a kit one of those inside."""

    sku: str
    supply_id: str
    quantity: int
    expected_on: datetime.date


class PendingPayment(Struct, frozen=True, kw_only=True):
    """What is being asked of a provider, and why it has not been done, if it was tried."""

    effect_id: str
    kind: str
    amount_cents: int
    subject: str | None
    due_at: str
    tries: int
    last_error: str | None


class PickBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who picks."""

    by: str | None = None


class PickLine(Struct, frozen=True, kw_only=True):
    """A product to fetch, how many of it, and for which shipments."""

    sku: str
    quantity: int
    shipments: tuple[PickedFor, ...]


class PickedFor(Struct, frozen=True, kw_only=True):
    """For which shipment so many units of a product are."""

    shipment_id: str
    line_id: str
    quantity: int


class Pin(Struct, frozen=True, kw_only=True):
    """The only node that may ship a line."""

    line_id: str
    node_id: str


class PinBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The only node that may ship a line; null takes an earlier pin away."""

    line_id: str
    node_id: str | None


class PoliciesPage(Struct, frozen=True, kw_only=True):
    """Policies by id."""

    data: tuple[PolicyEntry, ...]
    has_more: bool


class PolicyEntry(Struct, frozen=True, kw_only=True):
    """A policy and its latest version."""

    policy_id: str
    version: int
    about: str


class PolicyVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and what names it: `peak@2`."""

    policy_id: str
    version: int
    policy: str


class PositionBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A count of one SKU at one node, or `unlimited` instead of on_hand.

    With expected_version it is refused if the position moved since.
    """

    node_id: str
    sku: str
    on_hand: int | None = None
    safety_stock: int = 0
    expected_version: int | None = None
    unlimited: bool = False


class PositionQuotasBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All quotas of one position, those that come first where there is too little first; an empty list removes them."""

    node_id: str
    sku: str
    quotas: Sequence[QuotaBody]


class PositionQuotasReply(Struct, frozen=True, kw_only=True):
    """The quotas of one position as they are now."""

    node_id: str
    sku: str
    quotas: tuple[QuotaReply, ...]


class PositionReply(Struct, frozen=True, kw_only=True):
    """One SKU at one node: reserved = held + confirmed, available = on_hand - safety_stock - reserved.

    If `unlimited`, on_hand is 2147483647 whatever leaves the node. `conditions` are the units beside on_hand that
    cannot be sold, `buffer` is what rules keep back where that is more than safety_stock, `quotas` is what channels
    may count on; answers to counts and adjustments leave them out. Only where a request names positions with many
    supplies again and again are `supplies` and `dated_demand` left out.
    """

    node_id: str
    sku: str
    on_hand: int
    reserved: int
    held: int
    confirmed: int
    safety_stock: int
    available: int
    version: int
    unlimited: bool
    supplies: tuple[SupplyReply, ...] | None = None
    dated_demand: tuple[DatedDemandReply, ...] | None = None
    conditions: dict[str, int] | None = None
    buffer: int | None = None
    quotas: tuple[QuotaReply, ...] | None = None


class PositionsBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts, all or nothing; each (node_id, sku) once."""

    positions: Sequence[PositionBody]


class PositionsReply(Struct, frozen=True, kw_only=True):
    """The positions that were changed, as they are now."""

    positions: tuple[PositionReply, ...]


class Problem(Struct, frozen=True, kw_only=True):
    """An error as application/problem+json; programs go by `code`, people by `detail`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    errors: tuple[ProblemError, ...]
    lines: tuple[ProblemLine, ...] | None = None
    promise: Promise | None = None


class ProblemError(Struct, frozen=True, kw_only=True):
    """One thing that is wrong: where, and what and how to mend it."""

    path: str
    message: str


class ProblemLine(Struct, frozen=True, kw_only=True):
    """A line that is short: what was asked for at a node, and what is available there."""

    sku: str
    node_id: str
    quantity: int
    available: int


class Promise(Struct, frozen=True, kw_only=True):
    """The answer; it holds nothing until a reservation names it.

    `not_served_by` is there if services that were allowed do not deliver to the address.
    """

    promise_id: str
    as_of: str
    binding: bool
    expires_at: str
    options: tuple[Option, ...]
    unavailable: tuple[UnavailableLine, ...]
    channel: str | None = None
    explanation: Explanation | None = None
    not_served_by: tuple[NotServedBy, ...] | None = None


class PromiseLine(Struct, frozen=True, kw_only=True):
    """A line as it is promised; whole lines only, unless it is a product of a `kit` that may ship from several nodes.

    `substitute_for` is the SKU that was asked for, if this is another. `pegs` are the supplies that some of its
    units wait for (backorder, preorder), as things stand; a reservation of the option names those that it needs
    then.
    """

    line_id: str
    sku: str
    quantity: int
    substitute_for: str | None = None
    kit: str | None = None
    pegs: tuple[Peg, ...] = ()


class PromiseRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order to promise; a destination is needed unless it is picked up at `pickup_node_id`.

    `quote` limits how many options are told: the cheapest, then the fastest, the balanced, the fewest parcels. Of
    options with slots, those of so many days (`slot_days`) from the first free one are told.
    """

    lines: Sequence[WantedLine]
    destination: Destination | None = None
    channel: str | None = None
    group: str | None = None
    service_levels: (
        Sequence[Literal["expedited", "next_day", "pickup", "same_day", "ship_to_store", "standard"]] | None
    ) = None
    need_by: datetime.date | None = None
    ship_complete: bool = False
    max_shipments: int | None = None
    pickup_node_id: str | None = None
    quote: int | None = None
    substitutes: bool = False
    explain: bool = False
    slot_days: int = 3


class PromisedOption(Struct, frozen=True, kw_only=True):
    """The option that the order's reservation was made from: its level, days of arrival and parcels."""

    service_level: str
    p50: datetime.date
    p90: datetime.date
    shipments: tuple[PromisedParcel, ...]


class PromisedParcel(Struct, frozen=True, kw_only=True):
    """A parcel of the option that the order's reservation was made from."""

    node_id: str
    service: str
    ship_on: datetime.date


class ProposedCarton(Struct, frozen=True, kw_only=True):
    """A carton into which part of a shipment goes; null where no kind of the network takes it."""

    carton: str | None
    weight_g: int
    lines: tuple[LineUnits, ...]


class ProposedCartons(Struct, frozen=True, kw_only=True):
    """The cartons of a shipment."""

    data: tuple[ProposedCarton, ...]


class ProviderReport(Struct, frozen=True, kw_only=True):
    """What a provider told of a payment of its own, `provider_id`: all that was given back by then, or is disputed.

    It `is_unasked` if nothing of the order's had asked for it.
    """

    event_id: str
    kind: str
    provider_id: str
    amount_cents: int
    at: str
    reason: str = ""
    is_unasked: bool = False


class Quantities(Struct, frozen=True, kw_only=True):
    """The quantities of a position at one moment."""

    on_hand: int
    safety_stock: int
    held: int
    confirmed: int
    version: int


class QuantitiesReply(Struct, frozen=True, kw_only=True):
    """The quantities of a position at one moment."""

    on_hand: int
    safety_stock: int
    held: int
    confirmed: int
    version: int


class QuotaBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units for one channel: `reserve`, or `share` percent of on_hand less safety stock; one of the two.

    Without `overflow` it may take no more than that. From `release_at` on, the quota is as if it were not there.
    """

    channel: str
    reserve: int | None = None
    share: int | None = None
    overflow: bool = True
    release_at: str | None = None


class QuotaReply(Struct, frozen=True, kw_only=True):
    """What a channel may count on: `reserve` units, or `share` percent; `used` are its open units."""

    channel: str
    reserve: int | None
    share: int | None
    overflow: bool
    release_at: str | None
    used: int


class QuotasBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The quotas of positions, all or nothing; each (node_id, sku) once."""

    positions: Sequence[PositionQuotasBody]


class QuotasReply(Struct, frozen=True, kw_only=True):
    """The positions asked for, in order."""

    positions: tuple[PositionQuotasReply, ...]


class Ready(Struct, frozen=True, kw_only=True):
    """The store answers, and keeps what the stated durability promises."""

    durability: str
    status: str = "ready"


class RecallBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the node is not to ship it."""

    reason: str
    by: str | None = None


class ReceiptBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a supply that have come."""

    supply_id: str
    node_id: str
    sku: str
    quantity: int
    reason: str = ""


class ReceiptsBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Receipts, all or nothing; each supply once."""

    receipts: Sequence[ReceiptBody]


class ReceiptsReply(Struct, frozen=True, kw_only=True):
    """The positions of the receipts, in their order, and the units of reservations that no longer wait."""

    positions: tuple[PositionReply, ...]
    settled: tuple[SettledReply, ...]


class RefundBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money to be given back of goodwill, and why; the tender that paid last gets it back first."""

    amount_cents: int
    reason: str
    by: str | None = None


class RefundShares(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many percent of what units are worth is paid back, by what becomes of them."""

    restock: int = 100
    refurbish: int = 100
    scrap: int = 100


class RejectedLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line, all that the node has of it if no quantity is given."""

    line_id: str
    quantity: int | None = None


class Rejection(Struct, frozen=True, kw_only=True):
    """Lines that a node did not ship, of the decision of a run."""

    node_id: str
    kind: str
    reason: str
    lines: tuple[LineUnits, ...]
    at: str
    by: str
    run_id: str | None


class RejectionBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node does not ship: these lines, or all that it was given. `short_pick`: they are not there."""

    node_id: str
    reason: str
    kind: Literal["damaged", "rejected", "short_pick"] = "rejected"
    lines: Sequence[RejectedLineBody] | None = None
    by: str | None = None


class ReleaseBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to release of an order; all that has a node, if nothing is said."""

    node_id: str | None = None
    until: datetime.date | None = None
    by: str | None = None


class ReleasedLine(Struct, frozen=True, kw_only=True):
    """Units of a line of the order; the line of a kit's product is `<line_id>/<sku>`."""

    line_id: str
    sku: str
    quantity: int


class ReleasedShipment(Struct, frozen=True, kw_only=True):
    """A parcel that was released to a node, and how far it is.

    `problem` says why it has no label yet, or does not arrive. Of units over a hub, `node_id` is the hub, and
    `from_node_ids` the nodes that send them there.
    """

    shipment_id: str
    order_id: str
    node_id: str
    from_node_ids: tuple[str, ...]
    arrivals: tuple[HubUnits, ...]
    awaited: tuple[HubUnits, ...]
    service: str
    ship_on: datetime.date
    state: str
    lines: tuple[ReleasedLine, ...]
    cartons: tuple[ShippedCarton, ...]
    carrier: str | None
    tracking_number: str | None
    wave_id: str | None
    released_at: str
    picked_at: str | None
    packed_at: str | None
    shipped_at: str | None
    delivered_at: str | None
    predicted_on: datetime.date | None
    proof: str | None
    problem: str | None
    events: tuple[ShipmentEvent, ...]


class Report(Struct, frozen=True, kw_only=True):
    """The report of a period; `agrees` if no books differ. It names the first 1000 rows of a kind, and counts all."""

    since: str
    until: str
    orders: int
    agrees: bool
    totals: tuple[Totals, ...]
    disagreements: tuple[Disagreement, ...]
    disagreement_count: int
    open_matters: tuple[OpenMatter, ...]
    open_matter_count: int
    provider_reports: tuple[ToldReport, ...] = ()


class Reservation(Struct, frozen=True, kw_only=True):
    """A reservation; it is binding until it expires, and for good once it is confirmed.

    `slot` is there if a window is booked with it.
    """

    reservation_id: str
    state: str
    binding: bool
    expires_at: str | None
    lines: tuple[ReservationLine, ...]
    channel: str | None
    reference: str | None
    promised_on: datetime.date | None
    slot: BookedSlot | None = None


class ReservationBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Either promise_id and option_id, or lines; with a slot_id, a place of that window is booked with them."""

    promise_id: str | None = None
    option_id: str | None = None
    lines: Sequence[HoldLineBody] | None = None
    ttl_seconds: int = 900
    channel: str | None = None
    reference: str | None = None
    slot_id: str | None = None


class ReservationData(Struct, frozen=True, kw_only=True, tag_field="object", tag="reservation"):
    """Where a reservation stands after `act`; null where it has no such thing, or is new and has not told it yet."""

    reservation_id: str
    state: str
    expires_at: str | None
    reference: str | None
    channel: str | None
    order_id: str | None
    act: str
    who: str


class ReservationLine(Struct, frozen=True, kw_only=True):
    """Units of one SKU that are reserved at one node; with a supply_id they come, or have come, from that supply."""

    sku: str
    quantity: int
    node_id: str
    ship_on: datetime.date | None
    supply_id: str | None


class Return(Struct, frozen=True, kw_only=True):
    """A return, what came of it, and what it pays back.

    `refund_cents` is what its lines' units come to and `shipping_refund_cents`, less `fee_cents` and
    `label_fee_cents`.
    """

    return_id: str
    order_id: str
    state: str
    node_id: str
    lines: tuple[ReturnLine, ...]
    differences: str
    authorised_at: str
    by: str
    policy_version: int
    valid_until: datetime.date | None
    needs_approval: str
    approved_by: str
    reason: str
    received_at: str | None
    closed_at: str | None
    carrier: str
    service: str
    tracking_number: str
    label_url: str
    label_cents: int
    problem: str
    events: tuple[ReturnEvent, ...]
    fee_cents: int
    label_fee_cents: int
    shipping_refund_cents: int
    refund_cents: int
    store_credit_cents: int
    store_credit: str | None
    has_receipt: bool
    stock: tuple[ReturnStockMove, ...]
    exchange: ReturnExchange | None


class ReturnBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A return of units of an order, to `node_id` or to the best node.

    With `is_exception` it is not refused for its window or its terms, and somebody has to approve it.
    """

    lines: Sequence[ReturnLineBody]
    node_id: str | None = None
    is_exception: bool = False
    exchange: ExchangeBody | None = None
    by: str | None = None


class ReturnDecisionBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who decides so, and why."""

    reason: str = ""
    by: str | None = None


class ReturnEvent(Struct, frozen=True, kw_only=True):
    """What the carrier said of the parcel by which a return comes."""

    event: str
    at: str
    place: str | None
    detail: str | None


class ReturnExchange(Struct, frozen=True, kw_only=True):
    """The order in exchange for a return: captured once `due` has come, and then promised for a day if it can be.

    Of its `total_cents` (null: no prices) `agreed_cents` are to be settled by what comes back, and `credit_cents`
    are by now; `difference_cents` are the customer's to pay.
    """

    order_id: str
    lines: tuple[ExchangeLine, ...]
    due: str
    is_captured: bool
    promised_on: datetime.date | None
    total_cents: int | None
    agreed_cents: int
    difference_cents: int
    credit_cents: int


class ReturnInspectedBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units and what becomes of them; `refund_percent` of their worth is paid back, else the share of the policy."""

    sku: str
    quantity: int
    disposition: Literal["refurbish", "restock", "scrap"]
    refund_percent: int | None = None


class ReturnInspectionBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody found who looked at what came."""

    lines: Sequence[ReturnInspectedBody]
    reason: str | None = None
    by: str | None = None


class ReturnLine(Struct, frozen=True, kw_only=True):
    """Units of a line that come back, by which terms of the return policy, and what became of them.

    Units of no line of the order have a blank `line_id`. Of `value_cents` for the units that were taken back
    `refund_cents` are paid back.
    """

    line_id: str
    sku: str
    quantity: int
    reason: str
    comment: str
    terms: str
    restocking_percent: int
    received: int
    restocked: int
    refurbished: int
    scrapped: int
    value_cents: int
    refund_cents: int
    to_refurbish: int


class ReturnLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line that come back; that of a kit's product is `<line_id>/<sku>`. The policy names the reasons."""

    line_id: str
    quantity: int
    reason: str
    comment: str = ""


class ReturnNode(Struct, frozen=True, kw_only=True):
    """A node that units may come back to; `net_cents` is way and handling less what its stock needs them for.

    Without a service nobody brings them there, and `way_cents` is null.
    """

    node_id: str
    distance_km: float
    carrier: str | None
    service: str | None
    way_cents: int | None
    handling_cents: int
    need_cents: int
    net_cents: int


class ReturnNodes(Struct, frozen=True, kw_only=True):
    """Nodes that units may come back to, the best first."""

    data: tuple[ReturnNode, ...]
    has_more: bool = False


class ReturnPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it; without a policy in the store this one holds as it is here.

    Returns worth `approval_from_cents` or more need approval whatever else holds. They go to one of `node_ids`, to
    any node but vendors' without; each unit that a node lacks to be above its low-stock threshold counts for
    `need_cents_per_unit` against what the way there costs. Money goes back once units are `received` or
    `inspected`.
    """

    reasons: Sequence[str] = ("unwanted", "wrong_size", "damaged", "defective", "wrong_item", "late", "other")
    usual: Terms | None = None
    rules: Sequence[ReturnRule] = ()
    days_to_send: int = 14
    approval_from_cents: int | None = None
    refund_at: Literal["inspected", "received"] = "inspected"
    refund_shares: RefundShares | None = None
    exchange_at: Literal["authorised", "inspected", "received"] = "authorised"
    node_ids: Sequence[str] | None = None
    need_cents_per_unit: int = 0
    without_receipt: WithoutReceipt | None = None


class ReturnPolicyReply(Struct, frozen=True, kw_only=True):
    """A version of the return policy; of its parts only what is not as usual is told."""

    version: int
    reasons: tuple[str, ...]
    usual: Terms
    rules: tuple[ReturnRule, ...]
    days_to_send: int
    approval_from_cents: int | None
    refund_at: str
    refund_shares: RefundShares
    exchange_at: str
    node_ids: tuple[str, ...] | None
    need_cents_per_unit: int
    without_receipt: WithoutReceipt


class ReturnPolicyVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class ReturnReceiptBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came, whatever was announced; with `is_all` nothing more will. `node_id` says where, if it is elsewhere."""

    lines: Sequence[ReturnReceivedBody] = ()
    node_id: str | None = None
    is_all: bool = False
    by: str | None = None


class ReturnReceivedBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that came."""

    sku: str
    quantity: int


class ReturnRefurbishedBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that were to be refurbished: with `restock` they are sold again, with `scrap` they are gone."""

    sku: str
    quantity: int
    outcome: Literal["restock", "scrap"]


class ReturnRefurbishmentBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of units that were to be refurbished."""

    lines: Sequence[ReturnRefurbishedBody]
    reason: str | None = None
    by: str | None = None


class ReturnRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Terms of their own for lines for which all that is stated here is so; what is left out fits any."""

    is_returnable: bool = True
    window_days: int = 30
    needs_approval: bool = False
    fee_cents: int = 0
    restocking_percent: int = 0
    label_paid_by: Literal["customer", "nobody", "seller"] = "seller"
    refunds_shipping: bool = False
    rule: str
    reasons: Sequence[str] | None = None
    skus: Sequence[str] | None = None
    sku_classes: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    customer_classes: Sequence[str] | None = None


class ReturnStockMove(Struct, frozen=True, kw_only=True):
    """Units that came into stock, left it, or changed their condition (null is outside); `done_at` says since when."""

    sku: str
    quantity: int
    from_condition: str | None
    to_condition: str | None
    done_at: str | None
    is_counted: bool


class ReturnWithoutReceiptBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of which no order is known, and the node that they come to."""

    lines: Sequence[BroughtLineBody]
    node_id: str
    customer_id: str | None = None
    by: str | None = None


class ReturnsOfOrder(Struct, frozen=True, kw_only=True):
    """The returns of an order, the oldest first."""

    data: tuple[Return, ...]
    has_more: bool = False


class Rotation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For how long requests are signed by the last secret too."""

    grace_seconds: int = 86400


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
    ship_on: datetime.date | None
    units: int
    weight_g: int
    shipping_cents: int
    handling_cents: int
    units_cents: int
    late_cents: int


class RoutingRun(Struct, frozen=True, kw_only=True):
    """A routing run; `summary` has total_cost_cents, lower_bound_cents and gap once it is over.

    `policy` is the version that it keeps to, such as `peak@2`; null: the network's own policy.
    """

    run_id: str
    status: str
    policy: str | None
    created_at: str
    finished_at: str | None
    summary: dict[str, Any]
    unrouted: tuple[UnroutedLine, ...]
    failure: str | None
    drop_ship_orders: tuple[DropShipOrder, ...] = ()


class RoutingRunBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Either order_ids or `"all_open": true`, then at most `max_orders`, the oldest first.

    `dry_run` solves and changes nothing; `shadow` too, and compares with what the network's own policy would do.
    """

    order_ids: Sequence[str] | None = None
    all_open: bool = False
    time_limit_seconds: float | None = None
    dry_run: bool = False
    method: str = "auto"
    policy: str | None = None
    shadow: bool = False
    target_gap: float | None = None
    max_orders: int | None = None
    method_options: dict[str, float] | None = None


class RoutingRunStarted(Struct, frozen=True, kw_only=True):
    """The run that was queued; ask for it by its id."""

    run_id: str
    status: str


class RunData(Struct, frozen=True, kw_only=True, tag_field="object", tag="routing_run"):
    """Where a routing run stands."""

    run_id: str
    status: str


class ScheduleChange(Struct, frozen=True, kw_only=True):
    """A scheduled quantity of a day before and after: of a supply, or, negative, of dated demand.

    The `supply_id` of dated demand is that of the supply it is pegged to, None if there is none.
    """

    day: datetime.date
    supply_id: str | None
    before: int
    after: int


class ScheduleChangeReply(Struct, frozen=True, kw_only=True):
    """What a supply, or dated demand (negative; with the supply_id it is pegged to), was before and is after."""

    day: datetime.date
    supply_id: str | None
    before: int
    after: int


class SecretReply(Struct, frozen=True, kw_only=True):
    """A new secret, which is not shown again, and until when the last one is good too."""

    webhook_id: str
    secret: str
    previous_secret_until: str


class SettledReply(Struct, frozen=True, kw_only=True):
    """Units of a reservation that waited for the supply, and are held or confirmed as units of today now."""

    reservation_id: str
    order_id: str | None
    state: str
    sku: str
    node_id: str
    quantity: int
    supply_id: str


class ShipBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who takes it, and the number it is followed by; as its label says if nothing is said."""

    carrier: str | None = None
    tracking_number: str | None = None
    by: str | None = None


class Shipment(Struct, frozen=True, kw_only=True):
    """One parcel: `ship_on` is a day of the node, the delivery a day of the destination.

    `dates_from` says whether the delivery is learned from history, or by the transit days of the rate card.
    `cartons` are there if the network has any. A parcel to the node where it is picked up has that as `to_node_id`,
    and is delivered on the day on which it is ready there; `ready_at` is the time, if the node has opening hours.
    Of a parcel that a hub packs, `consolidates` is what other nodes send for it; the rest of its lines the hub has
    itself.
    """

    node_id: str
    service: str
    service_level: str
    ship_on: datetime.date
    delivery: Delivery
    lines: tuple[PromiseLine, ...]
    cost: ShipmentCost
    carrier: str | None = None
    dates_from: str = "rate_card"
    cartons: tuple[Carton, ...] | None = None
    to_node_id: str | None = None
    ready_at: str | None = None
    consolidates: tuple[Transfer, ...] | None = None


class ShipmentCost(Struct, frozen=True, kw_only=True):
    """What one parcel costs: the carrier's rates, the node's parcel and units, and what is added, left out where 0."""

    shipping_cents: int
    handling_cents: int
    units_cents: int
    packaging_cents: int = 0
    residential_cents: int = 0
    remote_area_cents: int = 0
    oversize_cents: int = 0
    fuel_cents: int = 0
    transfer_cents: int = 0


class ShipmentEvent(Struct, frozen=True, kw_only=True):
    """What the carrier said of it."""

    event: str
    at: str
    place: str | None
    detail: str | None
    carton_id: str | None


class ShipmentPage(Struct, frozen=True, kw_only=True):
    """Shipments that a node has with it, what leaves first first."""

    data: tuple[ReleasedShipment, ...]
    has_more: bool


class Shipped(Struct, frozen=True, kw_only=True):
    """Units of a line from one node."""

    node_id: str
    service: str
    quantity: int


class ShippedCarton(Struct, frozen=True, kw_only=True):
    """A carton of a shipment, closed; an edge of 0 is not known."""

    carton_id: str
    carton: str | None
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    lines: tuple[LineUnits, ...]
    tracking_number: str | None
    label_cents: int
    label_url: str | None


class ShortLineReply(Struct, frozen=True, kw_only=True):
    """A line of which too little is available."""

    sku: str
    node_id: str
    quantity: int
    available: int


class SimulationBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scenario, as an object or as the text of its file (YAML or JSON), and how to run it.

    It names no files: neither `extends` nor files of its world. `policies` are those to run, by default all;
    `replications` in place of what the scenario says.
    """

    scenario: dict[str, Any] | str
    policies: Sequence[str] = ()
    replications: int | None = None
    deadline_seconds: int | None = None


class SimulationExpectation(Struct, frozen=True, kw_only=True):
    """What the scenario expects of a KPI, and whether it holds."""

    kpi: str
    policy: str
    relation: str
    bar: float | None
    value: float | None
    holds: bool


class SimulationFlaw(Struct, frozen=True, kw_only=True):
    """What is wrong with the scenario, and where: `scenario:line:column`."""

    path: str
    message: str


class SimulationKpi(Struct, frozen=True, kw_only=True):
    """A KPI of a policy: its mean over replications, its difference from the first policy, half the 95 % intervals."""

    policy: str
    kpi: str
    unit: str
    mean: float | None
    half_width: float | None
    difference: float | None
    difference_half_width: float | None


class SimulationProgress(Struct, frozen=True, kw_only=True):
    """Days and replications of all policies together; 0 of 0 before its scenario is read."""

    replications: int
    replications_done: int
    days: int
    days_done: int


class SimulationReply(Struct, frozen=True, kw_only=True):
    """How a simulation stands: `queued`, `running`, `done`, `failed` or `cancelled`; KPIs when it is done."""

    simulation_id: str
    status: str
    name: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: SimulationProgress
    kpis: tuple[SimulationKpi, ...]
    expectations: tuple[SimulationExpectation, ...]
    failure: str | None
    code: str | None
    flaws: tuple[SimulationFlaw, ...]


class SkuReply(Struct, frozen=True, kw_only=True):
    """All positions of one SKU."""

    sku: str
    positions: tuple[PositionReply, ...]


class SlotEntry(Struct, frozen=True, kw_only=True):
    """A window that may be booked until `closes_at`, unless `free` is 0; times are of its own time zone.

    `node_id` is where it is picked up, or delivered from, `service` who delivers.
    """

    slot_id: str
    date: datetime.date
    from_: str = field(name="from")
    to_: str = field(name="to")
    closes_at: str
    fee_cents: int
    capacity: int
    free: int
    node_id: str | None
    service: str | None


class SlotList(Struct, frozen=True, kw_only=True):
    """Windows by when they begin; it holds nothing."""

    as_of: str
    data: tuple[SlotEntry, ...]
    has_more: bool


class SplitBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be an order of its own, and where that goes; without a destination where this one does."""

    lines: Sequence[SplitLineBody]
    destination: DestinationBody | None = None
    reason: str | None = None
    by: str | None = None


class SplitLineBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line, as the customer ordered it; all that are left of it if no quantity is given."""

    line_id: str
    quantity: int | None = None


class StockedLine(Struct, frozen=True, kw_only=True):
    """What a store has of a line now."""

    sku: str
    available_now: int


class SuppliesBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Supplies, all or nothing."""

    supplies: Sequence[SupplyBody]


class SuppliesReply(Struct, frozen=True, kw_only=True):
    """How many supplies were put, and the reservations that this affects."""

    supplies: int
    affected: tuple[AffectedReply, ...]


class SupplyBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scheduled receipt; the same supply_id again replaces it, quantity 0 removes it."""

    supply_id: str
    node_id: str
    sku: str
    quantity: int
    expected_on: datetime.date


class SupplyReply(Struct, frozen=True, kw_only=True):
    """A scheduled receipt; `unpegged` is negative if more is pegged to it than will come."""

    supply_id: str
    quantity: int
    expected_on: datetime.date
    pegged: int
    unpegged: int


class TakenEvent(Struct, frozen=True, kw_only=True):
    """What became of an event: `taken`, also if it was known, or `unknown_number`."""

    tracking_number: str
    outcome: str


class TakenEvents(Struct, frozen=True, kw_only=True):
    """What became of each event, in their order."""

    data: tuple[TakenEvent, ...]


class TakenStripeEvent(Struct, frozen=True, kw_only=True):
    """What became of an event: `known` is one that was taken before, `left` one that is about no order."""

    outcome: str


class TaxCountry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rates of a country; where tax is included, prices already hold it."""

    country: str
    rates: Sequence[TaxRate]
    is_tax_included: bool = False
    shipping_tax_code: str = "standard"
    regions: Sequence[TaxRegion] = ()


class TaxRate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The tax on what has a tax code, in millionths of the price: 190000 is 19 %, 88750 is 8.875 %."""

    tax_code: str
    rate_ppm: int


class TaxRatesReply(Struct, frozen=True, kw_only=True):
    """The tax rates in force."""

    version: int
    countries: tuple[TaxCountry, ...]
    default_country: str | None


class TaxRatesVersion(Struct, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class TaxRegion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a country with rates of its own, in place of the country's for the same codes."""

    region: str
    postal_code_prefixes: Sequence[str]
    rates: Sequence[TaxRate]


class TaxTable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole table; an order whose destination names no country is taxed as of the `default_country`."""

    countries: Sequence[TaxCountry]
    default_country: str = ""


class TenderBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way by which an order is paid, up to an amount; without one it takes what the others leave."""

    kind: Literal["card", "gift_card", "invoice", "store_credit"]
    token: str = ""
    provider: str | None = None
    amount_cents: int | None = None


class TenderReply(Struct, frozen=True, kw_only=True):
    """A tender, and what became of it; `aside_cents` is set aside and not captured, `is_closed` asked no more."""

    tender_id: str
    kind: str
    provider: str
    amount_cents: int
    aside_cents: int
    captured_cents: int
    refunded_cents: int
    is_closed: bool


class TendersBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """More tenders for what nothing is set aside for."""

    tenders: Sequence[TenderBody]
    by: str | None = None


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By which terms units come back.

    `window_days` from delivery on they may be announced, and as many days later they have to be there as
    `days_to_send` says. Of what they are worth `restocking_percent` is kept, and `fee_cents` once for the return.
    """

    is_returnable: bool = True
    window_days: int = 30
    needs_approval: bool = False
    fee_cents: int = 0
    restocking_percent: int = 0
    label_paid_by: Literal["customer", "nobody", "seller"] = "seller"
    refunds_shipping: bool = False


class ToldReport(Struct, frozen=True, kw_only=True):
    """What a provider told of an order's money, as the reconciliation report shows it."""

    order_id: str
    provider: str
    report: ProviderReport


class Totals(Struct, frozen=True, kw_only=True):
    """What went through one provider in one currency, as orders have it."""

    provider: str
    currency: str
    authorised_cents: int = 0
    captured_cents: int = 0
    refunded_cents: int = 0
    authorisations: int = 0


class Tracked(Struct, frozen=True, kw_only=True):
    """An order as its customer sees it; `step` is how far it has come, None if it was cancelled."""

    order: str
    state: str
    step: str | None
    captured_at: str
    promised_on: datetime.date | None
    expected_on: datetime.date | None
    is_late: bool
    lines: tuple[TrackedLine, ...]
    shipments: tuple[TrackedShipment, ...]


class TrackedEvent(Struct, frozen=True, kw_only=True):
    """What the carrier said of a shipment, and when that was."""

    at: str
    event: str
    place: str


class TrackedLine(Struct, frozen=True, kw_only=True):
    """A line of the order, or of a shipment."""

    sku: str
    name: str
    quantity: int
    state: str = ""


class TrackedShipment(Struct, frozen=True, kw_only=True):
    """A shipment of the order; `number` is its own, from 1."""

    number: int
    state: str
    carrier: str
    tracking_number: str
    shipped_at: str | None
    expected_on: datetime.date | None
    delivered_at: str | None
    lines: tuple[TrackedLine, ...]
    events: tuple[TrackedEvent, ...]


class TrackingLink(Struct, frozen=True, kw_only=True):
    """A link to an order: `path` of its page, `url` with ALLOT_PUBLIC_URL in front, and the `token` in both."""

    order_id: str
    token: str
    path: str
    url: str | None
    expires_at: str


class Transfer(Struct, frozen=True, kw_only=True):
    """What one node sends to the hub that packs the parcel: `ship_on` is a day of the node, where its units are held.

    From `available_on`, a day of the hub, it may be handed over there.
    """

    node_id: str
    ship_on: datetime.date
    available_on: datetime.date
    lines: tuple[PromiseLine, ...]
    transfer_cents: int


class UnavailableLine(Struct, frozen=True, kw_only=True):
    """A line in no option; `available_on` is the day it could arrive by itself, null if there is none."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    available_on: datetime.date | None


class UnholdBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The kind of the order hold to release; without one all, but for what waits for approval."""

    kind: str | None = None
    by: str | None = None


class UnitsMoved(Struct, frozen=True, kw_only=True):
    """Units of a line that went from a state to another; blank is outside, for what was added or taken out."""

    line_id: str
    before: str
    after: str
    quantity: int


class UnroutedLine(Struct, frozen=True, kw_only=True):
    """Units of a line that no node ships, and why."""

    order_id: str
    line_id: str
    sku: str
    quantity: int
    reason: str


class WantedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the order; without a `line_id` it gets its place, counted from 1.

    `substitutes` says whether another SKU may be offered instead, null as the whole order does; `price_cents` is
    what a unit is sold for, null as in the catalog.
    """

    sku: str
    quantity: int
    line_id: str | None = None
    substitutes: bool | None = None
    price_cents: int | None = None


class Wave(Struct, frozen=True, kw_only=True):
    """A wave as it stands: the shipments that joined it, and what is still to be fetched for them, by SKU."""

    wave_id: str
    node_id: str
    created_at: str
    by: str
    shipments: tuple[WaveShipment, ...]
    pick_list: tuple[PickLine, ...]


class WaveBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of which released shipments of a node to make a wave: those that leave first."""

    node_id: str
    services: Sequence[str] | None = None
    until: datetime.date | None = None
    most_shipments: int = 20
    by: str | None = None


class WaveShipment(Struct, frozen=True, kw_only=True):
    """A shipment of a wave, and how far it is."""

    shipment_id: str
    order_id: str
    state: str
    service: str
    ship_on: datetime.date


class WebhookData(Struct, frozen=True, kw_only=True, tag_field="object", tag="webhook"):
    """What happened to a webhook, and why."""

    webhook_id: str
    detail: str


class WebhookReply(Struct, frozen=True, kw_only=True):
    """A webhook; if it fails, since when and when it is tried again; `missed_at`: when events were lost to it."""

    webhook_id: str
    url: str
    types: tuple[str, ...]
    in_flight: int
    created_at: str
    state: str
    why: str | None
    failing_since: str | None
    next_try_at: str | None
    missed_at: str | None
    previous_secret_until: str | None


class WebhookStateReply(Struct, frozen=True, kw_only=True):
    """What became of a webhook: `active`, or `deleted`."""

    webhook_id: str
    state: str


class WebhooksReply(Struct, frozen=True, kw_only=True):
    """Webhooks, in the order of their creation."""

    data: tuple[WebhookReply, ...]
    has_more: bool


class WithoutReceipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for units of which no order is known.

    With `pays_credit` they are paid back as store credit, at `refund_percent` of the catalog's price and at most
    `most_cents` for a return.
    """

    is_allowed: bool = True
    needs_approval: bool = False
    pays_credit: bool = False
    refund_percent: int = 100
    most_cents: int | None = None
