"""The wire form of stock: counts, adjustments, supplies, and the positions of a SKU."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Count, Delta, Identifier, Quantity, Reply, Text

MOST_CHANGES = 10_000


class PositionBody(Body, frozen=True, kw_only=True):
    """A count of one SKU at one node; with expected_version it is refused if the position moved since."""

    node_id: Identifier
    sku: Identifier
    on_hand: Count
    safety_stock: Count = 0
    expected_version: Count | None = None


class PositionsBody(Body, frozen=True, kw_only=True):
    """Counts, all or nothing; each (node_id, sku) once."""

    positions: Annotated[list[PositionBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class AdjustmentBody(Body, frozen=True, kw_only=True):
    """Units that came (`delta` > 0) or went (< 0), and why."""

    node_id: Identifier
    sku: Identifier
    delta: Delta
    reason: Text


class AdjustmentsBody(Body, frozen=True, kw_only=True):
    """Adjustments, all or nothing."""

    adjustments: Annotated[list[AdjustmentBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class SupplyBody(Body, frozen=True, kw_only=True):
    """A scheduled receipt; the same supply_id again replaces it, quantity 0 removes it."""

    supply_id: Identifier
    node_id: Identifier
    sku: Identifier
    quantity: Annotated[int, Meta(ge=0, le=10**6)]
    expected_on: date


class SuppliesBody(Body, frozen=True, kw_only=True):
    """Supplies, all or nothing."""

    supplies: Annotated[list[SupplyBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class SupplyReply(Reply, frozen=True, kw_only=True):
    """A scheduled receipt."""

    supply_id: str
    quantity: int
    expected_on: date


class DatedDemandReply(Reply, frozen=True, kw_only=True):
    """Units promised to leave on a later day; they count once, on that day."""

    ship_on: date
    quantity: int


class PositionReply(Reply, frozen=True, kw_only=True):
    """One SKU at one node: reserved = held + confirmed, available = on_hand - safety_stock - reserved."""

    node_id: str
    sku: str
    on_hand: int
    reserved: int
    held: int
    confirmed: int
    safety_stock: int
    available: int
    version: int
    supplies: list[SupplyReply]
    dated_demand: list[DatedDemandReply]


class PositionsReply(Reply, frozen=True, kw_only=True):
    """The positions that were changed, as they are now."""

    positions: list[PositionReply]


class SkuReply(Reply, frozen=True, kw_only=True):
    """All positions of one SKU."""

    sku: str
    positions: list[PositionReply]


class SuppliesReply(Reply, frozen=True, kw_only=True):
    """How many supplies were put."""

    supplies: Quantity
