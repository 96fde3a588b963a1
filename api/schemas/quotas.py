"""The wire form of channel quotas: what a channel may count on at a position."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Identifier, Reply
from api.schemas.inventory import MOST_CHANGES, QuotaReply
from engine.inventory.quotas import MOST_QUOTAS


class QuotaBody(Body, frozen=True, kw_only=True):
    """Units for one channel: `reserve`, or `share` percent of on_hand less safety stock; one of the two.

    Without `overflow` it may take no more than that. From `release_at` on, the quota is as if it were not there.
    """

    channel: Identifier
    reserve: Annotated[int, Meta(ge=0, le=2**31 - 2)] | None = None
    share: Annotated[int, Meta(ge=0, le=100)] | None = None
    overflow: bool = True
    release_at: Annotated[datetime, Meta(tz=True)] | None = None


class PositionQuotasBody(Body, frozen=True, kw_only=True):
    """All quotas of one position, those that come first where there is too little first; an empty list removes them."""

    node_id: Identifier
    sku: Identifier
    quotas: Annotated[list[QuotaBody], Meta(max_length=MOST_QUOTAS)]


class QuotasBody(Body, frozen=True, kw_only=True):
    """The quotas of positions, all or nothing; each (node_id, sku) once."""

    positions: Annotated[list[PositionQuotasBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class PositionQuotasReply(Reply, frozen=True, kw_only=True):
    """The quotas of one position as they are now."""

    node_id: str
    sku: str
    quotas: list[QuotaReply]


class QuotasReply(Reply, frozen=True, kw_only=True):
    """The positions asked for, in order."""

    positions: list[PositionQuotasReply]
