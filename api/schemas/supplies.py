"""The wire form of supplies: what is put, what that does to reservations, and receipts of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.fields import Body, Identifier, Quantity, Reply, Text
from api.schemas.inventory import MOST_CHANGES, PositionReply


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


class AffectedReply(Reply, frozen=True, kw_only=True):
    """A line of a reservation that has followed its supply, or of which `shortfall` units are not covered now.

    Without a supply_id it counts on whatever comes by its ship_on; `covered_on` is the first day that covers it.
    """

    reservation_id: str
    order_id: str | None
    state: Literal["held", "confirmed"]
    sku: str
    node_id: str
    quantity: int
    supply_id: str | None
    ship_on_before: date
    ship_on: date
    shortfall: int
    covered_on: date | None


class SuppliesReply(Reply, frozen=True, kw_only=True):
    """How many supplies were put, and the reservations that this affects."""

    supplies: Quantity
    affected: list[AffectedReply]


class ReceiptBody(Body, frozen=True, kw_only=True):
    """Units of a supply that have come."""

    supply_id: Identifier
    node_id: Identifier
    sku: Identifier
    quantity: Quantity
    reason: Text = ""


class ReceiptsBody(Body, frozen=True, kw_only=True):
    """Receipts, all or nothing; each supply once."""

    receipts: Annotated[list[ReceiptBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class SettledReply(Reply, frozen=True, kw_only=True):
    """Units of a reservation that waited for the supply, and are held or confirmed as units of today now."""

    reservation_id: str
    order_id: str | None
    state: Literal["held", "confirmed"]
    sku: str
    node_id: str
    quantity: int
    supply_id: str


class ReceiptsReply(Reply, frozen=True, kw_only=True):
    """The positions of the receipts, in their order, and the units of reservations that no longer wait."""

    positions: list[PositionReply]
    settled: list[SettledReply]
