"""What is asked of a promise and what it answers; frozen structs in the shape of the wire.

In these words a shipment is a parcel (contracts.md). Days are dates, money whole cents. Not here: the rules.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.inventory.model import HoldLine
from engine.network.document import ServiceLevel

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Literal["cheapest", "fastest", "fewest_shipments"]
Reason = Literal[
    "no_stock", "insufficient_stock", "no_service", "too_far", "after_need_by", "over_max_shipments", "incomplete"
]
PICKUP = "pickup"
MOST_LINES = 40
MOST_UNITS = 10**6


class Destination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Coordinates in degrees, or a postal code that the network knows; the time zone is an IANA name."""

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    time_zone: str | None = None


class WantedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the order; without a `line_id` it gets its place, counted from 1."""

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=MOST_UNITS)]
    line_id: Name | None = None


class PromiseRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order to promise; a destination is needed unless it is picked up at `pickup_node_id`.

    `quote` limits how many options are told, the cheapest first.
    """

    lines: Annotated[tuple[WantedLine, ...], Meta(min_length=1, max_length=MOST_LINES)]
    destination: Destination | None = None
    channel: Name | None = None
    group: Name | None = None
    service_levels: Annotated[tuple[ServiceLevel, ...], Meta(min_length=1)] | None = None
    need_by: date | None = None
    ship_complete: bool = False
    max_shipments: Annotated[int, Meta(ge=1, le=1000)] | None = None
    pickup_node_id: Name | None = None
    quote: Annotated[int, Meta(ge=1, le=100)] | None = None


class PromiseLine(Struct, frozen=True, kw_only=True):
    """A line as it is promised; whole lines only."""

    line_id: str
    sku: str
    quantity: int


class Delivery(Struct, frozen=True, kw_only=True):
    """The day of arrival at its median and its ninetieth percentile; equal while there is no history to learn from."""

    p50: date
    p90: date


class ShipmentCost(Struct, frozen=True, kw_only=True):
    """What one parcel costs: the carrier, the node's parcel, the node's units."""

    shipping_cents: int
    handling_cents: int
    units_cents: int


class Shipment(Struct, frozen=True, kw_only=True):
    """One parcel: `ship_on` is a day of the node, the delivery a day of the destination."""

    node_id: str
    service: str
    service_level: str
    ship_on: date
    delivery: Delivery
    lines: tuple[PromiseLine, ...]
    cost: ShipmentCost
    carrier: str | None = None


class OptionCost(Struct, frozen=True, kw_only=True):
    """What an option costs, added up over its parcels, and for its splits."""

    shipping_cents: int
    handling_cents: int
    units_cents: int
    split_cents: int


class Option(Struct, frozen=True, kw_only=True):
    """One way to serve the order; `service_level` is the slowest of its parcels, `promised_on` the last arrival."""

    option_id: str
    labels: tuple[Label, ...]
    service_level: str
    promised_on: date
    confidence: float
    delivery: Delivery
    total_cost_cents: int
    cost: OptionCost
    shipments: tuple[Shipment, ...]


class UnavailableLine(Struct, frozen=True, kw_only=True):
    """A line in no option; `available_on` is the day it could arrive by itself, null if there is none."""

    line_id: str
    sku: str
    quantity: int
    reason: Reason
    available_on: date | None


class Promise(Struct, frozen=True, kw_only=True):
    """The answer; it holds nothing until a reservation names it."""

    promise_id: str
    as_of: datetime
    binding: bool
    expires_at: datetime
    options: tuple[Option, ...]
    unavailable: tuple[UnavailableLine, ...]
    channel: str | None = None


class PromisedHold(Struct, frozen=True, kw_only=True):
    """What a reservation of an option holds, the date that was promised for it, if any, and to which channel."""

    lines: tuple[HoldLine, ...]
    promised_on: date | None = None
    channel: str | None = None


class KeptPromise(Struct, frozen=True, kw_only=True):
    """What is kept for a reservation to name: the promise, and what its kits came down to."""

    promise: Promise
    kits: dict[str, tuple[tuple[str, int], ...]]
