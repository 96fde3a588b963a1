"""The world of a scenario file, written out: nodes, carriers, products, stock and supplies, with defaults.

Entries are those of the network and catalog documents; what a hand-made story need not say has a default here. Not
here: making documents of them (world.py), worlds of files or drawn ones (files.py, generating.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from engine.catalog.document import ProductDocument, Quantity, Sku
from engine.network.document import (
    Cents,
    Days,
    Identifier,
    Latitude,
    Longitude,
    NodeDocument,
    NodeKind,
    RateDocument,
    ServiceDocument,
    ServiceLevel,
    TimeOfDay,
)
from engine.scenarios.moments import StoryDay

EVERY_DAY = "every_day"
EVERYWHERE = "everywhere"
HEAVIEST_G = 10**9


class Part(BaseModel):
    """A part of a scenario file: unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True)


class StoryNodeDocument(NodeDocument):
    """A node as in the network document, with defaults for all but its name."""

    kind: NodeKind = "dc"
    latitude: Latitude = 0.0
    longitude: Longitude = 0.0
    time_zone: str = Field(default="", description="IANA name; left out: the story's.")
    calendar: Identifier = Field(
        default=EVERY_DAY,
        description="Of `calendars`; `every_day`, `weekdays` and `six_days` (no Sundays) need not be there.",
    )


class StoryRateDocument(RateDocument):
    """One weight step of one zone."""

    zone: Identifier = Field(default="", description="Left out: every zone.")
    max_weight_g: Annotated[int, Field(strict=True, ge=1, le=10**12)] = HEAVIEST_G


class StoryServiceDocument(ServiceDocument):
    """A carrier's service as in the network document; with one price and transit time, or with `rates`."""

    carrier: Identifier = Field(default="", description="Left out: the carrier that it stands under.")
    service_level: ServiceLevel = "standard"
    calendar: Identifier = Field(default="", description="Left out: the carrier's.")
    rates: tuple[StoryRateDocument, ...] = Field(default=(), description="In place of `cost_cents`, `transit_days`.")
    cost_cents: Cents | None = Field(default=None, description="Of a parcel, whatever its zone and weight.")
    transit_days: Days | None = Field(default=None, description="Of a parcel, whatever its zone.")


class CarrierDocument(Part):
    """A carrier and its services."""

    carrier: Identifier
    calendar: Identifier = Field(default=EVERY_DAY, description="The days on which it operates.")
    services: tuple[StoryServiceDocument, ...] = Field(min_length=1)


class StoryProductDocument(ProductDocument):
    """A product as in the catalog document; 500 g unless it says otherwise."""

    weight_g: Annotated[int, Field(strict=True, ge=0, le=10**9)] = 500


class StockDocument(Part):
    """What lies at a node as the story begins."""

    node_id: Identifier
    sku: Sku
    on_hand: Annotated[int, Field(strict=True, ge=0, le=2**31 - 2)] | None = Field(
        default=None, description="Units; left out with `unlimited`."
    )
    safety_stock: Annotated[int, Field(strict=True, ge=0, le=2**31 - 2)] = 0
    unlimited: bool = Field(default=False, description="A vendor who always has more.")


class SupplyDocument(Part):
    """A scheduled receipt."""

    node_id: Identifier
    sku: Sku
    quantity: Quantity
    expected_on: StoryDay = Field(description="The day on which it is expected, as everybody knows.")
    supply_id: Identifier | None = Field(default=None, description="Left out: its place in the list.")
    arrives_on: StoryDay | None = Field(
        default=None, description="When it really comes; left out: as expected, or by `operations.supply_delay_days`."
    )
    arrives_at: TimeOfDay = Field(default="06:00", description="In the story's time zone.")
    told_on: StoryDay | None = Field(
        default=None, description="From when on its real day is known; left out: not before it is overdue."
    )
