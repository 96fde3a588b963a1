"""What is asked of a promise and what it answers; frozen structs in the shape of the wire.

In these words a shipment is a parcel (contracts.md). Days are dates, money whole cents. What a promise is made of is
not watched by the collector of cycles (`gc=False`): frozen, and of what is frozen, it can have none. Not here: rules.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from engine.inventory.model import HoldLine
from engine.inventory.slots import WantedSlot
from engine.network.addresses import NotServedCause
from engine.network.document import ServiceLevel
from engine.promising.explanation import Explanation

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Literal["cheapest", "fastest", "fewest_shipments", "balanced"]
Reason = Literal[
    "below_minimum",
    "not_a_multiple",
    "no_stock",
    "insufficient_stock",
    "low_acceptance",
    "too_far",
    "handling",
    "not_served",
    "no_service",
    "no_slot",
    "no_capacity",
    "after_need_by",
    "over_max_shipments",
    "incomplete",
    "unprofitable",
]
DatesFrom = Literal["history", "rate_card"]
MOST_LINES = 40
MOST_UNITS = 10**6


class Destination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Coordinates in degrees, or a postal code that the network knows; the time zone is an IANA name.

    A postal code beside coordinates counts for surcharges and areas that services do not serve only.
    """

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


class WantedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the order; without a `line_id` it gets its place, counted from 1.

    `substitutes` says whether another SKU may be offered instead, null as the whole order does; `price_cents` is what a
    unit is sold for, null as in the catalog.
    """

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=MOST_UNITS)]
    line_id: Name | None = None
    substitutes: bool | None = None
    price_cents: Annotated[int, Meta(ge=0, le=10**10)] | None = None


class PromiseRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order to promise; a destination is needed unless it is picked up at `pickup_node_id`.

    `quote` limits how many options are told: the cheapest, then the fastest, the balanced, the fewest parcels. Of
    options with slots, those of so many days (`slot_days`) from the first free one are told.
    """

    lines: Annotated[tuple[WantedLine, ...], Meta(min_length=1, max_length=MOST_LINES)]
    destination: Destination | None = None
    channel: Name | None = None
    group: Name | None = None
    service_levels: Annotated[tuple[ServiceLevel, ...], Meta(min_length=1, max_length=16)] | None = None
    need_by: date | None = None
    ship_complete: bool = False
    max_shipments: Annotated[int, Meta(ge=1, le=1000)] | None = None
    pickup_node_id: Name | None = None
    quote: Annotated[int, Meta(ge=1, le=100)] | None = None
    substitutes: bool = False
    explain: bool = False
    slot_days: Annotated[int, Meta(ge=1, le=60)] = 3


class Peg(Struct, frozen=True, kw_only=True, gc=False):
    """Units of a line that wait for a scheduled receipt; `sku` is the product, of a kit one of those inside."""

    sku: str
    supply_id: str
    quantity: int
    expected_on: date


class PromiseLine(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A line as it is promised; whole lines only, unless it is a product of a `kit` that may ship from several nodes.

    `substitute_for` is the SKU that was asked for, if this is another. `pegs` are the supplies that some of its units
    wait for (backorder, preorder), as things stand; a reservation of the option names those that it needs then.
    """

    line_id: str
    sku: str
    quantity: int
    substitute_for: str | None = None
    kit: str | None = None
    pegs: tuple[Peg, ...] = ()


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """The day of arrival at its median and its ninetieth percentile; equal where there is no history to learn from."""

    p50: date
    p90: date


class ShipmentCost(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
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


class Carton(Struct, frozen=True, kw_only=True):
    """So many alike; `carton` is null for a product in its own packaging, `weight_g` is of one with all in it."""

    carton: str | None
    quantity: int
    weight_g: int


class Transfer(Struct, frozen=True, kw_only=True):
    """What one node sends to the hub that packs the parcel: `ship_on` is a day of the node, where its units are held.

    From `available_on`, a day of the hub, it may be handed over there.
    """

    node_id: str
    ship_on: date
    available_on: date
    lines: tuple[PromiseLine, ...]
    transfer_cents: int


class Shipment(Struct, frozen=True, kw_only=True, gc=False):
    """One parcel: `ship_on` is a day of the node, the delivery a day of the destination.

    `dates_from` says whether the delivery is learned from history, or by the transit days of the rate card. `cartons`
    are there if the network has any. A parcel to the node where it is picked up has that as `to_node_id`, and is
    delivered on the day on which it is ready there; `ready_at` is the time, if the node has opening hours. Of a parcel
    that a hub packs, `consolidates` is what other nodes send for it; the rest of its lines the hub has itself.
    """

    node_id: str
    service: str
    service_level: str
    ship_on: date
    delivery: Delivery
    lines: tuple[PromiseLine, ...]
    cost: ShipmentCost
    carrier: str | None = None
    dates_from: DatesFrom = "rate_card"
    cartons: tuple[Carton, ...] | UnsetType = UNSET
    to_node_id: str | UnsetType = UNSET
    ready_at: datetime | UnsetType = UNSET
    consolidates: tuple[Transfer, ...] | UnsetType = UNSET


class OptionCost(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
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


class Margin(Struct, frozen=True, kw_only=True):
    """What is left of the price of the goods after their cost and that of the option.

    `is_unprofitable` says that it is below a minimum of the policy.
    """

    price_cents: int
    cost_cents: int
    margin_cents: int
    is_unprofitable: bool


class OptionSlot(Struct, frozen=True, kw_only=True):
    """A window with a place left: `date`, `from` and `to` are of its time zone, `fee_cents` is what customers pay."""

    slot_id: str
    day: date = field(name="date")
    begins: datetime = field(name="from")
    ends: datetime = field(name="to")
    fee_cents: int


class Option(Struct, frozen=True, kw_only=True, gc=False):
    """One way to serve the order; `service_level` is the slowest of its parcels.

    `promised_on` is the day by which each of its parcels arrives with probability `confidence`, as far as history
    tells: where `dates_from` is rate_card, some parcel's date is what the rate card says. Vendors that may refuse an
    order lower it by the probability that they do not.
    `margin` is there if price and cost of all its goods are known, `ready_at` for a pick-up at a node with opening
    hours: when all of it is there, if it is ordered now. From `valid_until` on, a cut-off or the end of the promise, a
    reservation of the option is refused, as its days can no longer be kept. `stock_value_cents`, where bid prices are
    published, is what its units are worth to later demand: options are ranked by it too, and no cost has it.
    """

    option_id: str
    labels: tuple[Label, ...]
    service_level: str
    promised_on: date
    confidence: float
    delivery: Delivery
    total_cost_cents: int
    cost: OptionCost
    shipments: tuple[Shipment, ...]
    dates_from: DatesFrom = "rate_card"
    margin: Margin | UnsetType = UNSET
    ready_at: datetime | UnsetType = UNSET
    valid_until: datetime | UnsetType = UNSET
    slots: tuple[OptionSlot, ...] | UnsetType = UNSET
    stock_value_cents: int | UnsetType = UNSET


class UnavailableLine(Struct, frozen=True, kw_only=True):
    """A line in no option; `available_on` is the day it could arrive by itself, null if there is none."""

    line_id: str
    sku: str
    quantity: int
    reason: Reason
    available_on: date | None


class NotServedBy(Struct, frozen=True, kw_only=True):
    """A carrier service that does not deliver to the address, for it is a post office box, or for where it is."""

    service: str
    cause: NotServedCause


class Promise(Struct, frozen=True, kw_only=True, gc=False):
    """The answer; it holds nothing until a reservation names it.

    `not_served_by` is there if services that were allowed do not deliver to the address.
    """

    promise_id: str
    as_of: datetime
    binding: bool
    expires_at: datetime
    options: tuple[Option, ...]
    unavailable: tuple[UnavailableLine, ...]
    channel: str | None = None
    explanation: Explanation | UnsetType = UNSET
    """Of every node, if it was asked for."""
    not_served_by: tuple[NotServedBy, ...] | UnsetType = UNSET


class PromisedHold(Struct, frozen=True, kw_only=True):
    """What a reservation of an option holds, the date that was promised for it, if any, and to which channel.

    `promised` is what the reservation keeps of the option (engine/delivery/promised.py).
    """

    lines: tuple[HoldLine, ...]
    promised_on: date | None = None
    channel: str | None = None
    promised: str | None = None
    slot: WantedSlot | None = None


class KeptPromise(Struct, frozen=True, kw_only=True):
    """What is kept for a reservation to name: the promise, what its kits came down to, and what was asked for it."""

    promise: Promise
    kits: dict[str, tuple[tuple[str, int], ...]]
    request: PromiseRequest | None = None
