"""The network document: what `PUT /v1/network` and a network file hold, in one frozen pydantic model.

Here: the shape, units and ranges of every field. Not here: rules that span fields (checks.py), arrays
(model.py), days (days.py). Money is whole cents of `currency`, distances are kilometres, weights are grams.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.iso_day import Day

NodeKind = Literal["dc", "store", "vendor", "third_party"]
ServiceLevel = Literal["standard", "expedited", "next_day", "same_day", "pickup", "ship_to_store"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Cents = Annotated[int, Field(strict=True, ge=0, le=10**10)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Days = Annotated[int, Field(strict=True, ge=0, le=365)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
Kilometres = Annotated[float, Field(strict=True, ge=0, le=50_000, allow_inf_nan=False)]
Millimetres = Annotated[int, Field(strict=True, ge=1, le=10**5)]
Grams = Annotated[int, Field(strict=True, ge=1, le=10**9)]
PostalPrefix = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[0-9A-Z][0-9A-Z -]*$")]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["15:00"])]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True)


class ClosureDocument(_Part):
    """Days off from `from` to `to`, both included."""

    from_: Day = Field(alias="from")
    to: Day


class PickUpDocument(_Part):
    """When a carrier service picks up at one node."""

    service: Identifier
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = Field(
        default=None, description="It comes on these days only, as far as node and carrier work; null is all."
    )
    cut_off: TimeOfDay | None = Field(default=None, description="Pick-up time here; null is the service's own.")


class OpeningHoursDocument(_Part):
    """When a node is open to customers, in its time zone, on days on which its calendar works."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = Field(default=None, description="null is all.")
    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay


class StorePickupDocument(_Part):
    """When what customers pick up at a node is ready; in place of its `cut_off` and `processing_days`."""

    hours: tuple[OpeningHoursDocument, ...] = Field(min_length=1, max_length=50)
    picking_minutes: Annotated[int, Field(strict=True, ge=0, le=1440)] = Field(
        default=0, description="Minutes of opening from the order to a basket that is ready."
    )
    receiving_days: Days = Field(
        default=1, description="Days of opening until a parcel from another node is ready; 0: when it closes that day."
    )


class HubDocument(_Part):
    """A node that packs what other nodes send to it (`transfers`), and its own, into one parcel for the customer."""

    processing_days: Days = Field(default=0, description="Whole working days from the arrival of the last transfer.")
    unit_cost_cents: Cents = Field(default=0, description="For each unit that another node has sent.")


class TransferDocument(_Part):
    """How a node sends lines of an order to a hub, to be packed there."""

    from_node_id: Identifier
    to_node_id: Identifier = Field(description="A node with `hub`.")
    calendar: Identifier = Field(description="The days on which it leaves, if its node works too, and is under way.")
    cut_off: TimeOfDay | None = Field(
        default=None, description="When it leaves, in the time zone of its node; null is the node's cut-off."
    )
    transit_days: Days
    arrives_at: TimeOfDay | None = Field(
        default=None, description="When it is there, in the time zone of the hub; null is before the day's work."
    )
    cost_cents: Cents = Field(default=0, description="For what it brings of an order.")
    kg_cost_cents: Cents = Field(default=0, description="For each kilogram, rounded half up to cents.")
    unit_cost_cents: Cents = 0


class NodeAddressDocument(_Part):
    """Where a node is, as carriers and customers read it."""

    street: Annotated[str, Field(min_length=1, max_length=128)]
    street2: Annotated[str, Field(max_length=128)] | None = None
    city: Annotated[str, Field(min_length=1, max_length=64)]
    region: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="A state or province.")
    postal_code: Annotated[str, Field(max_length=16)] | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    phone: Annotated[str, Field(max_length=32)] | None = None


class NodeDocument(_Part):
    """A place that can ship or hand over."""

    node_id: Identifier
    kind: NodeKind
    name: str | None = None
    latitude: Latitude
    longitude: Longitude
    time_zone: str = Field(description="IANA name, such as America/Chicago; node days and cut-offs are in it.")
    calendar: Identifier = Field(description="The days on which the node works and hands parcels over.")
    cut_off: TimeOfDay = Field(default="15:00", description="An order at or after it counts as the next day's.")
    processing_days: Days = Field(default=0, description="Whole working days between taking and handing over.")
    parcel_cost_cents: Cents = 0
    unit_cost_cents: Cents = 0
    capacity_units: Count | None = Field(default=None, description="Units a day; null is unlimited.")
    capacity_parcels: Count | None = Field(default=None, description="Parcels a day; null is unlimited.")
    priority: Count | None = Field(default=None, description="Rank for ranked routing; null comes last.")
    services: tuple[Identifier, ...] | None = Field(
        default=None, description="The services that pick up here; null is all of them."
    )
    pick_ups: tuple[PickUpDocument, ...] = Field(
        default=(), description="Services that come on some days, or at a time of their own; others come as they do."
    )
    closures: tuple[ClosureDocument, ...] = Field(
        default=(), max_length=1_000, description="Days off here, beside those of the calendar."
    )
    handles: tuple[Identifier, ...] | None = Field(
        default=None, description="The only handling classes of products that the node handles; null is any."
    )
    refuses: tuple[Identifier, ...] = Field(default=(), description="Handling classes that the node does not handle.")
    lead_time_days: Days = Field(
        default=0, description="A vendor's whole working days from our order, beside `processing_days`."
    )
    acceptance: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=1.0, description="The probability that a vendor takes an order; it lowers the confidence of promises."
    )
    acceptance_minutes: Annotated[int, Field(strict=True, ge=1, le=60 * 24 * 14)] | None = Field(
        default=None, description="Orders that it does not accept for so long go elsewhere; null: it need not accept."
    )
    store_pickup: StorePickupDocument | None = Field(
        default=None, description="Opening hours; null: pick-ups are ready on the day of hand-over to carriers."
    )
    hub: HubDocument | None = Field(default=None, description="It packs what `transfers` bring; null: it does not.")
    address: NodeAddressDocument | None = Field(
        default=None, description="What labels and documents have as the sender's address; null: only the name."
    )


class GroupDocument(_Part):
    """A distribution group: a named set of nodes that one channel or promise may use."""

    group: Identifier
    node_ids: tuple[Identifier, ...] = Field(min_length=1)


class ChannelDocument(_Part):
    """A sales channel, as orders, quotas and promises name it."""

    channel: Identifier


class CalendarDocument(_Part):
    """The days on which a node or a carrier service works."""

    calendar: Identifier
    working_days: tuple[Weekday, ...] = Field(min_length=1)
    country: str | None = Field(default=None, description="ISO 3166 alpha-2: its public holidays are days off.")
    region: str | None = Field(default=None, description="Subdivision of `country`, such as CA or BY.")
    holidays: tuple[Day, ...] = ()
    closures: tuple[ClosureDocument, ...] = ()


class ZoneDocument(_Part):
    """A distance band; a destination lies in the first whose `max_km` is not below the distance."""

    zone: Identifier
    max_km: Kilometres | None = Field(default=None, description="null is unbounded, and comes last.")


class RateDocument(_Part):
    """One weight step of one zone: price and transit days of a parcel up to `max_weight_g`."""

    zone: Identifier
    max_weight_g: Annotated[int, Field(strict=True, ge=1, le=10**12)]
    cost_cents: Cents
    transit_days: Days


class OversizeDocument(_Part):
    """A surcharge for each carton beyond any of its limits."""

    longest_mm: Millimetres | None = Field(default=None, description="Its longest edge.")
    length_and_girth_mm: Annotated[int, Field(strict=True, ge=1, le=10**6)] | None = Field(
        default=None, description="Its longest edge and twice the sum of the other two."
    )
    weight_g: Grams | None = None
    cents: Cents


class RemoteAreaDocument(_Part):
    """A surcharge for each carton to postal codes that begin so; the longest prefix of a service counts."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_prefixes: tuple[PostalPrefix, ...] = Field(min_length=1, max_length=10_000)
    cents: Cents


class AreaDocument(_Part):
    """Addresses in a country whose postal codes begin so."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_prefixes: Annotated[tuple[PostalPrefix, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="null is the whole country."
    )


class ServiceDocument(_Part):
    """A carrier's product with its rate card."""

    service: Identifier
    carrier: Identifier
    service_level: ServiceLevel
    calendar: Identifier = Field(description="The carrier's operating days: pick-up, transit and delivery.")
    cut_off: TimeOfDay | None = Field(
        default=None, description="Pick-up time at the node, in the node's time zone, if before the node's own."
    )
    rates: tuple[RateDocument, ...] = Field(min_length=1)
    carries: tuple[Identifier, ...] | None = Field(
        default=None, description="The only handling classes of products that it carries; null is any."
    )
    refuses: tuple[Identifier, ...] = Field(default=(), description="Handling classes that it does not carry.")
    dim_divisor: Annotated[int, Field(strict=True, ge=1, le=10**6)] | None = Field(
        default=None, description="Cubic centimetres that count as a kilogram, such as 5000; null: volume is free."
    )
    fuel_basis_points: Annotated[int, Field(strict=True, ge=0, le=10_000)] = Field(
        default=0, description="Hundredths of a percent of rates and surcharges, rounded half up."
    )
    residential_cents: Cents = Field(default=0, description="For each carton to a residential address.")
    oversize: OversizeDocument | None = None
    remote_areas: tuple[RemoteAreaDocument, ...] = Field(default=(), max_length=1_000)
    served_areas: Annotated[tuple[AreaDocument, ...], Field(max_length=1_000)] | None = Field(
        default=None, description="The only areas that it delivers to; null is everywhere."
    )
    unserved_areas: tuple[AreaDocument, ...] = Field(
        default=(), max_length=1_000, description="Areas that it does not deliver to; the longest prefix counts."
    )
    delivers_to_po_boxes: bool = True
    delivers_on_days_off: bool = Field(
        default=False, description="It delivers on days off of delivery areas too, if it operates on them."
    )
    max_km: Kilometres | None = Field(
        default=None, description="How far it delivers from a node, as the crow flies; null is as far as its rates."
    )


class SlotDocument(_Part):
    """A window of each week that takes so many orders: for pick-ups at a node, or for deliveries by a service."""

    slot: Identifier = Field(description="Its name; a day of it is `<slot>@<day>`.")
    node_id: Identifier | None = Field(
        default=None, description="Pick-ups there; with a `service`, deliveries from there only. null: from any node."
    )
    service: Identifier | None = Field(default=None, description="Deliveries by this service; null: pick-ups.")
    areas: Annotated[tuple[AreaDocument, ...], Field(min_length=1, max_length=1_000)] | None = Field(
        default=None, description="Deliveries to these addresses only; null is everywhere."
    )
    time_zone: str | None = Field(default=None, description="Of deliveries; null is that of the node.")
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = Field(default=None, description="null is all.")
    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay
    capacity: Count = Field(description="Orders on each of its days.")
    fee_cents: Cents = Field(default=0, description="What the customer pays for it; it is no cost of an option.")
    lead_minutes: Annotated[int, Field(strict=True, ge=0, le=60 * 24 * 14)] = Field(
        default=0, description="It is booked so many minutes before it begins at the latest."
    )
    cut_off: TimeOfDay | None = Field(default=None, description="And before this time, of `cut_off_days` earlier.")
    cut_off_days: Annotated[int, Field(strict=True, ge=0, le=14)] = 0
    open_days: Annotated[int, Field(strict=True, ge=0, le=60)] = Field(
        default=14, description="It may be booked so many days ahead."
    )


class CartonDocument(_Part):
    """A box that nodes pack into: its size inside, the most it holds, what it weighs and costs itself."""

    carton: Identifier
    length_mm: Millimetres
    width_mm: Millimetres
    height_mm: Millimetres
    max_weight_g: Grams
    tare_weight_g: Annotated[int, Field(strict=True, ge=0, le=10**6)] = 0
    cost_cents: Cents = 0


class UnitRuleDocument(_Part):
    """A number of units for each position at nodes of a kind, of products of a class, or both."""

    node_kind: NodeKind | None = Field(default=None, description="null is every kind.")
    sku_class: Identifier | None = Field(default=None, description="The `class` of products; null is every product.")
    units: Count


class PolicyDocument(_Part):
    """What splits, lateness and backorders cost, and the hard limits."""

    split_cost_cents: Cents = 0
    backorder_cost_cents_per_unit: Cents = 6000
    late_day_cost_cents: Cents | None = None
    line_split: Literal["never", "allowed"] = "never"
    max_nodes_per_order: Count | None = None
    max_distance_km: Kilometres | None = None
    dates_from: Literal["history", "rate_card"] = Field(
        default="history", description="Promised dates: as learned (PUT /v1/lead-times), or transit days of rates only."
    )
    promise_quantile: Annotated[float, Field(ge=0.5, le=0.99, allow_inf_nan=False)] = Field(
        default=0.9, description="The share of parcels that is to arrive by the promised date, where it is learned."
    )
    min_acceptance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        default=0.0, description="Promises use no vendor whose `acceptance` is below it."
    )
    move_cost_cents: Cents = Field(
        default=0, description="For a line that does not ship from the node where its order's reservation has it."
    )
    unprofitable: Literal["allow", "flag", "refuse"] = Field(
        default="allow", description="What to do with options whose margin is below a minimum."
    )
    min_margin_cents: Annotated[int, Field(strict=True, ge=-(10**12), le=10**12)] | None = None
    min_margin_basis_points: Annotated[int, Field(strict=True, ge=-(10**6), le=10_000)] | None = Field(
        default=None, description="Hundredths of a percent of the price of the goods."
    )
    buffers: tuple[UnitRuleDocument, ...] = Field(
        default=(),
        max_length=1_000,
        description="Units kept back. The largest that fits counts, if it is above the safety stock.",
    )
    low_stock: tuple[UnitRuleDocument, ...] = Field(
        default=(),
        max_length=1_000,
        description="Stock is low from so many available units down. The largest that fits counts, unless the product "
        "has its own low_stock_units.",
    )


class PostalCodeDocument(_Part):
    """Where addresses whose postal code starts with `postal_code` are; the longest prefix wins."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_code: Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[0-9A-Z][0-9A-Z -]*$")]
    latitude: Latitude
    longitude: Longitude
    time_zone: str | None = None


class DeliveryAreaDocument(_Part):
    """Destinations at which nothing is delivered on the days off of a calendar; the longest prefix counts."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_prefixes: Annotated[tuple[PostalPrefix, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="null is all of the country that no other area names."
    )
    calendar: Identifier = Field(description="The days on which parcels are delivered, if their service operates.")


class NetworkDocument(_Part):
    """The whole network: nodes, groups, calendars, zones, carrier services and policy."""

    name: str | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    nodes: tuple[NodeDocument, ...] = Field(min_length=1, max_length=10_000)
    groups: tuple[GroupDocument, ...] = ()
    channels: tuple[ChannelDocument, ...] = Field(
        default=(), max_length=1_000, description="If any is named, availability and promises know no other."
    )
    calendars: tuple[CalendarDocument, ...] = Field(min_length=1, max_length=1_000)
    zones: tuple[ZoneDocument, ...] = Field(default=(), max_length=1_000)
    services: tuple[ServiceDocument, ...] = Field(default=(), max_length=200)
    cartons: tuple[CartonDocument, ...] = Field(
        default=(), max_length=100, description="Without any, a parcel is one box of the volume of what is in it."
    )
    slots: tuple[SlotDocument, ...] = Field(
        default=(), max_length=50_000, description="Windows that customers book; without any, promises have days only."
    )
    policy: PolicyDocument = PolicyDocument()
    postal_codes: tuple[PostalCodeDocument, ...] = ()
    transfers: tuple[TransferDocument, ...] = Field(default=(), max_length=20_000)
    delivery_areas: tuple[DeliveryAreaDocument, ...] = Field(
        default=(),
        max_length=1_000,
        description="Where nothing is delivered on public holidays and other days off.",
    )
