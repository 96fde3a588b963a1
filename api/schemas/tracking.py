"""The wire form of tracking: a signed link to an order, and the page that it leads to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Reply


class TrackingLinkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the link is good."""

    valid_days: Annotated[int, Meta(ge=1, le=730)] = 180


class TrackingLink(Reply, frozen=True, kw_only=True):
    """A link to an order: `path` of its page, `url` with ALLOT_PUBLIC_URL in front, and the `token` in both."""

    order_id: str
    token: str
    path: str
    url: str | None
    expires_at: datetime


class CustomerPage(Reply, frozen=True, kw_only=True):
    """An HTML page for customers."""
