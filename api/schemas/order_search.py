"""The wire form of searching orders; what is found is that of engine/search/model.py."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Identifier, Limit, Reply
from engine.search.model import FoundOrder

Moment = Annotated[
    str, Meta(min_length=10, max_length=40, description="a day (UTC) as 2026-11-23, or an instant with its offset")
]
Typed = Annotated[str, Meta(min_length=1, max_length=254)]


class OrderSearchQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What orders are to have, all of it; nothing: all orders.

    `number` is an order's id or its channel's own. `state` may be several, separated by commas. Captured at `from` or
    later, and before `to`, or on that day.
    """

    number: Identifier | None = None
    customer: Identifier | None = None
    phone: Typed | None = None
    email: Typed | None = None
    sku: Identifier | None = None
    channel: Identifier | None = None
    state: Annotated[str, Meta(max_length=200)] = ""
    since: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = msgspec.field(default=None, name="to")
    starting_after: Identifier | None = None
    limit: Limit = 20


class FoundOrders(Reply, frozen=True, kw_only=True):
    """Orders, the newest first.

    `next` is what to give as `starting_after` for those that follow: where few of many are wanted, `data` may be short,
    or empty, though there are more. What has happened until `as_of` is found.
    """

    data: tuple[FoundOrder, ...]
    has_more: bool
    next: str | None
    as_of: datetime
