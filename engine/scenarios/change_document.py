"""The changes that a scenario makes to its world: one key each, such as `- close_node: {node_id: east, from_day: 3}`.

Here: their shapes. Not here: what they come to (changes.py, network_changes.py, demand_changes.py).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from engine.catalog.document import Quantity, Sku
from engine.network.document import Identifier, Latitude, Longitude, PolicyDocument, PostalPrefix, TimeOfDay
from engine.scenarios.moments import StoryDay
from engine.scenarios.world_document import Part, StoryNodeDocument

NodeIds = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)]
Skus = Annotated[tuple[Sku, ...], Field(min_length=1, max_length=100_000)]
Services = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=200)]
Span = Annotated[int, Field(strict=True, ge=1, le=3_660)]
Factor = Annotated[float, Field(strict=True, ge=0, le=1_000)]


class Lasting(Part):
    """A change that holds from an instant on, for some days or to the end."""

    from_day: StoryDay = 0
    at: TimeOfDay = Field(default="00:00", description="Of `from_day`, in the story's time zone.")
    days: Span | None = Field(default=None, description="For so many days; null is to the end.")


class CloseNodeDocument(Lasting):
    """A node does not work: switched off at that instant without notice, or as days off that everybody knows."""

    node_id: Identifier
    announced: bool = Field(default=False, description="Known beforehand, as `closures` of the network; whole days.")
    told_day: StoryDay = Field(default=0, description="From when on it is known, if it is announced.")
    reason: Annotated[str, Field(max_length=200)] = "closed"


class OpenNodeDocument(Part):
    """A node that a change has closed works again."""

    node_id: Identifier
    from_day: StoryDay
    at: TimeOfDay = "00:00"


class AddNodeDocument(Lasting):
    """A new node opens, with stock."""

    node: StoryNodeDocument
    stock: Annotated[tuple[NewStockDocument, ...], Field(max_length=100_000)] = ()


class NewStockDocument(Part):
    """Units of a product that a new node opens with."""

    sku: Sku
    quantity: Quantity


class StockChangeDocument(Part):
    """Units that come to, or leave, a position without being sold."""

    node_id: Identifier
    sku: Sku
    quantity: Quantity
    day: StoryDay = 0
    at: TimeOfDay = "00:00"
    reason: Annotated[str, Field(min_length=1, max_length=200)] = "scenario"


class MoveStockDocument(Part):
    """Units that leave one node and are on hand at another some days later."""

    sku: Sku
    quantity: Quantity
    from_node_id: Identifier
    to_node_id: Identifier
    day: StoryDay = 0
    at: TimeOfDay = "00:00"
    transit_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0


class DelaySuppliesDocument(Part):
    """Supplies come later than they are expected: those that every condition fits."""

    days: Annotated[int, Field(strict=True, ge=-365, le=3_660)] = Field(description="Negative: earlier.")
    supply_ids: NodeIds | None = Field(default=None, description="null is all.")
    node_ids: NodeIds | None = Field(default=None, description="null is at every node.")
    skus: Skus | None = Field(default=None, description="null is of every product.")
    told_day: StoryDay | None = Field(default=None, description="From when on it is known; null: never beforehand.")


class NearDocument(Part):
    """Customers around a place, as the crow flies."""

    latitude: Latitude
    longitude: Longitude
    radius_km: Annotated[float, Field(strict=True, gt=0, le=20_000)]


class DemandPart(Part):
    """Which orders a change is about: those that every condition fits; `near` and `country` are one, either will do."""

    near: NearDocument | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    postal_prefixes: Annotated[tuple[PostalPrefix, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="Of `country`; null is all of it."
    )
    skus: Skus | None = Field(default=None, description="Lines of these products only.")
    channels: Services | None = None


class ScaleDemandDocument(DemandPart):
    """So many times the orders, on those days."""

    factor: Factor
    from_day: StoryDay = 0
    days: Span | None = Field(default=None, description="null is to the end.")


class AddOrdersDocument(DemandPart):
    """A spike: so many orders more within some hours of a day, like those that there are."""

    orders: Annotated[int, Field(strict=True, ge=1, le=10**6)]
    day: StoryDay
    from_: TimeOfDay = Field(default="09:00", alias="from")
    to: TimeOfDay = "21:00"


class SetCapacityDocument(Lasting):
    """Nodes can do more or less a day; a capacity that is not named stays."""

    node_ids: NodeIds | None = Field(default=None, description="null is every node.")
    factor: Factor | None = Field(default=None, description="Times what it is, rounded down.")
    capacity_units: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None
    capacity_parcels: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


class SetCutOffDocument(Lasting):
    """Nodes take orders for the same day until another time."""

    cut_off: TimeOfDay
    node_ids: NodeIds | None = Field(default=None, description="null is every node.")


class ChangeRatesDocument(Lasting):
    """Carriers cost more or less: by percent first, then by cents."""

    services: Services | None = Field(default=None, description="null is every service.")
    carriers: Services | None = Field(default=None, description="null is every carrier.")
    percent: Annotated[float, Field(strict=True, ge=-100, le=10_000)] = 0.0
    cents: Annotated[int, Field(strict=True, ge=-(10**9), le=10**9)] = Field(
        default=0, description="For each parcel; no rate falls below 0."
    )


class ChangeTransitDocument(Lasting):
    """Parcels take more or fewer days: in fact only, as in a strike, or as the carrier has told everybody."""

    extra_days: Annotated[int, Field(strict=True, ge=-60, le=365)]
    services: Services | None = Field(default=None, description="null is every service.")
    carriers: Services | None = Field(default=None, description="null is every carrier.")
    node_ids: NodeIds | None = Field(default=None, description="Parcels from these nodes; null is from everywhere.")
    told: bool = Field(default=False, description="The rates say so; then of all nodes.")


class MiscountDocument(Part):
    """Counts are wrong as the story begins: what the books say is not what lies there."""

    share: Annotated[float, Field(strict=True, ge=0, le=1)] = Field(description="Of positions.")
    units: Annotated[float, Field(strict=True, gt=0, le=10**6)] = Field(
        default=1.0, description="By how many on average; up as often as down."
    )


class SetPolicyDocument(Lasting, PolicyDocument):
    """The network's own policy changes, for every policy that does not say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True)

    def fields(self) -> dict[str, Any]:
        """Return the fields of the network's policy that are stated."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set & set(PolicyDocument.model_fields))}


class ChangeDocument(Part):
    """One change; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    close_node: CloseNodeDocument | None = None
    open_node: OpenNodeDocument | None = None
    add_node: AddNodeDocument | None = None
    add_stock: StockChangeDocument | None = None
    remove_stock: StockChangeDocument | None = None
    move_stock: MoveStockDocument | None = None
    delay_supplies: DelaySuppliesDocument | None = None
    scale_demand: ScaleDemandDocument | None = None
    add_orders: AddOrdersDocument | None = None
    set_capacity: SetCapacityDocument | None = None
    set_cut_off: SetCutOffDocument | None = None
    change_rates: ChangeRatesDocument | None = None
    change_transit: ChangeTransitDocument | None = None
    miscount_stock: MiscountDocument | None = None
    set_policy: SetPolicyDocument | None = None

    def one(self) -> tuple[str, Any]:
        """Return the key that is stated, and its value."""
        return next((name, value) for name, value in self if value is not None)


KINDS = tuple(ChangeDocument.model_fields)
AddNodeDocument.model_rebuild()
