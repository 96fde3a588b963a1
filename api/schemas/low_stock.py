"""The wire form of positions that are low on stock, and of the events that say so."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Limit, Reply

Number = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class LowStockQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page: after the `number` of the last one of the page before."""

    limit: Limit = 50
    starting_after: Number | None = None


class LowPositionReply(Reply, frozen=True, kw_only=True):
    """A position whose available units are at its threshold or below since then."""

    number: int
    sku: str
    node_id: str
    available: int
    threshold: int
    since: datetime


class LowStockReply(Reply, frozen=True, kw_only=True):
    """Positions that are low on stock, longest first."""

    data: list[LowPositionReply]
    has_more: bool


class LowStockEventReply(Reply, frozen=True, kw_only=True):
    """A position that became `low`, or `recovered`, by an event of the inventory.

    There is no threshold if it was taken away.
    """

    number: int
    state: str
    sku: str
    node_id: str
    available: int
    threshold: int | None
    at: datetime
    event: int


class LowStockEventsReply(Reply, frozen=True, kw_only=True):
    """Events of low stock, newest first."""

    data: list[LowStockEventReply]
    has_more: bool
