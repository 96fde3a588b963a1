"""The wire form of reservations: stock that is held for a while, then confirmed, consumed or given back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.schemas.fields import Body, Identifier, Quantity, Reply, SlotId
from engine.inventory.slots import BookedSlot

Seconds = Annotated[int, Meta(ge=1, le=3600)]
State = Literal["held", "confirmed", "consumed", "cancelled", "expired"]


class HoldLineBody(Body, frozen=True, kw_only=True):
    """Units of one SKU at one node; a later ship_on takes them from what is there on that day.

    With a supply_id they come from that supply, on the day it is expected, or on ship_on if that is later.
    """

    sku: Identifier
    quantity: Quantity
    node_id: Identifier
    ship_on: date | None = None
    supply_id: Identifier | None = None


class ReservationBody(Body, frozen=True, kw_only=True):
    """Either promise_id and option_id, or lines; with a slot_id, a place of that window is booked with them."""

    promise_id: Identifier | None = None
    option_id: Identifier | None = None
    lines: Annotated[list[HoldLineBody], Meta(min_length=1, max_length=1000)] | None = None
    ttl_seconds: Seconds = 900
    channel: Identifier | None = None
    reference: Identifier | None = None
    slot_id: SlotId | None = None


class NamedReservationBody(Body, frozen=True, kw_only=True):
    """One reservation of many, under an id of the caller: the same id and lines again take nothing more."""

    reservation_id: Identifier
    lines: Annotated[list[HoldLineBody], Meta(min_length=1, max_length=1000)]
    ttl_seconds: Seconds = 900
    channel: Identifier | None = None
    reference: Identifier | None = None


class BatchBody(Body, frozen=True, kw_only=True):
    """Up to 1,000 reservations, each held or refused by itself."""

    reservations: Annotated[list[NamedReservationBody], Meta(min_length=1, max_length=1000)]


class PartBody(Body, frozen=True, kw_only=True):
    """Which lines; all of them when there are none given."""

    lines: Annotated[list[HoldLineBody], Meta(min_length=1, max_length=1000)] | None = None


class ExtendBody(Body, frozen=True, kw_only=True):
    """How long from now the reservation shall still be held."""

    ttl_seconds: Seconds = 900


class ReservationLine(Reply, frozen=True, kw_only=True):
    """Units of one SKU that are reserved at one node; with a supply_id they come, or have come, from that supply."""

    sku: str
    quantity: int
    node_id: str
    ship_on: date | None
    supply_id: str | None


class Reservation(Reply, frozen=True, kw_only=True):
    """A reservation; it is binding until it expires, and for good once it is confirmed.

    `slot` is there if a window is booked with it.
    """

    reservation_id: str
    state: State
    binding: bool
    expires_at: datetime | None
    lines: list[ReservationLine]
    channel: str | None
    reference: str | None
    promised_on: date | None
    slot: BookedSlot | UnsetType = UNSET


class ShortLineReply(Reply, frozen=True, kw_only=True):
    """A line of which too little is available."""

    sku: str
    node_id: str
    quantity: int
    available: int


class BatchVerdict(Reply, frozen=True, kw_only=True):
    """What became of one reservation: it is held, or `code` and `detail` say why not."""

    reservation_id: str
    reservation: Reservation | None
    code: str | None = None
    detail: str | None = None
    short: list[ShortLineReply] = msgspec.field(default_factory=list)


class BatchReply(Reply, frozen=True, kw_only=True):
    """A verdict for each reservation, in the order of the request."""

    held: int
    refused: int
    verdicts: list[BatchVerdict]
