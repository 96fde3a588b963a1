"""The wire form of what happened to a position."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Identifier, Limit, Reply


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which position, and which page of its history."""

    sku: Identifier
    node_id: Identifier
    limit: Limit = 50
    starting_after: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None


class QuantitiesReply(Reply, frozen=True, kw_only=True):
    """The quantities of a position at one moment."""

    on_hand: int
    safety_stock: int
    held: int
    confirmed: int
    version: int


class ScheduleChangeReply(Reply, frozen=True, kw_only=True):
    """What a supply, or dated demand (negative; with the supply_id it is pegged to), was before and is after."""

    day: date
    supply_id: str | None
    before: int
    after: int


class ConditionMoveReply(Reply, frozen=True, kw_only=True):
    """What the units in a condition other than sellable were before and are after."""

    condition: str
    before: int
    after: int


class EventReply(Reply, frozen=True, kw_only=True):
    """One change: who made it, what they did, which reservations, orders or reasons for, and what it changed."""

    event: int
    at: datetime
    act: str
    who: str
    whys: list[str]
    before: QuantitiesReply
    after: QuantitiesReply
    schedule: list[ScheduleChangeReply]
    conditions: list[ConditionMoveReply]


class EventsReply(Reply, frozen=True, kw_only=True):
    """Events, newest first; `is_cut_off` says that older ones are no longer kept."""

    data: list[EventReply]
    has_more: bool
    is_cut_off: bool
