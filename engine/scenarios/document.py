"""The scenario document: what a file in scenarios/ holds, in one frozen pydantic model.

Here: its keys. Not here: worlds written out (world_document.py), changes
(change_document.py), policies and what really happens (policy_document.py), reading (reading.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from engine.catalog.document import KitDocument, SubstituteDocument
from engine.iso_day import Day
from engine.network.document import (
    CalendarDocument,
    GroupDocument,
    PolicyDocument,
    PostalCodeDocument,
    TransferDocument,
    ZoneDocument,
)
from engine.scenarios.change_document import ChangeDocument
from engine.scenarios.generate_document import File, GenerateDocument, InFile, list_or_file
from engine.scenarios.policy_document import (
    CustomersDocument,
    ExpectationDocument,
    NamedPolicyDocument,
    OperationsDocument,
    RoutingDocument,
)
from engine.scenarios.recorded_document import RecordedOrderDocument, RecordedReturnDocument
from engine.scenarios.world_document import (
    CarrierDocument,
    Part,
    StockDocument,
    StoryNodeDocument,
    StoryProductDocument,
    SupplyDocument,
)

Products = Annotated[InFile | Annotated[tuple[StoryProductDocument, ...], Tag("<list>")], Discriminator(list_or_file)]
Stock = Annotated[InFile | Annotated[tuple[StockDocument, ...], Tag("<list>")], Discriminator(list_or_file)]
Supplies = Annotated[InFile | Annotated[tuple[SupplyDocument, ...], Tag("<list>")], Discriminator(list_or_file)]
Orders = Annotated[InFile | Annotated[tuple[RecordedOrderDocument, ...], Tag("<list>")], Discriminator(list_or_file)]
Returns = Annotated[InFile | Annotated[tuple[RecordedReturnDocument, ...], Tag("<list>")], Discriminator(list_or_file)]


class ScenarioDocument(Part):
    """One story: a world, changes to it, policies to compare on the same random numbers, and what is expected."""

    version: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    about: Annotated[str, Field(max_length=4_000)] = Field(default="", description="What it is to show, in words.")
    seed: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)] = 1
    start: Day = Field(description="The first day: a date.")
    days: Annotated[int, Field(strict=True, ge=1, le=3_660)]
    time_zone: str = Field(default="UTC", description="IANA name; days of the story begin at its midnight.")
    warm_up_days: Annotated[int, Field(strict=True, ge=0, le=3_660)] = Field(
        default=0, description="Orders of the first days count in no KPI."
    )
    drain_days: Annotated[int, Field(strict=True, ge=0, le=365)] = Field(
        default=30, description="After the last day what is under way goes on to its end, for so many days at most."
    )
    replications: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(
        default=1, description="How often it is drawn; intervals come of it."
    )

    network: File | None = Field(
        default=None,
        description="A folder as for `allot load`, or a network document (JSON or YAML), in place of `nodes`.",
    )
    generate: GenerateDocument | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    nodes: tuple[StoryNodeDocument, ...] = ()
    carriers: tuple[CarrierDocument, ...] = ()
    zones: tuple[ZoneDocument, ...] = Field(default=(), description="Distance bands; without any, one: `everywhere`.")
    calendars: tuple[CalendarDocument, ...] = ()
    groups: tuple[GroupDocument, ...] = ()
    transfers: tuple[TransferDocument, ...] = ()
    postal_codes: tuple[PostalCodeDocument, ...] = ()
    policy: PolicyDocument = Field(default=PolicyDocument(), description="The network's own, before `routing`.")
    products: Products = ()
    kits: tuple[KitDocument, ...] = ()
    substitutes: tuple[SubstituteDocument, ...] = ()
    stock: Stock = ()
    supplies: Supplies = ()
    orders: Orders = Field(default=(), description="Each with its instant; or `generate` draws them.")
    returns: Returns | None = Field(
        default=None, description="Units that come back on known days; null: drawn from deliveries, by `operations`."
    )

    changes: Annotated[tuple[ChangeDocument, ...], Field(max_length=1_000)] = ()
    operations: OperationsDocument = OperationsDocument()
    customers: CustomersDocument = CustomersDocument()
    routing: RoutingDocument = Field(default=RoutingDocument(), description="What counts for every policy.")
    policies: Annotated[tuple[NamedPolicyDocument, ...], Field(max_length=100)] = Field(
        default=(), description="Compared on the same random numbers; without any, one of what `routing` says."
    )
    expect: Annotated[tuple[ExpectationDocument, ...], Field(max_length=1_000)] = ()


class ExtendingDocument(ScenarioDocument):
    """A scenario file as it is written: with the file that it extends."""

    extends: File | None = Field(default=None, description="Another scenario; what stands here is put on top of it.")
