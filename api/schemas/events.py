"""The wire form of the feed; the events themselves are those of engine/feed/model.py."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Limit, Reply
from engine.feed.model import Event

MOST_WAIT_SECONDS = 5
"""Shorter than the time limit of a request (ALLOT_REQUEST_TIMEOUT_SECONDS)."""


class FeedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where to read on, how many events at most, of which types, and how long to wait for the first."""

    after: Annotated[str, Meta(min_length=1, max_length=8192)] | None = None
    limit: Limit = 50
    types: Annotated[str, Meta(max_length=1000)] = ""
    wait_seconds: Annotated[int, Meta(ge=0, le=MOST_WAIT_SECONDS)] = 0


class FeedReply(Reply, frozen=True, kw_only=True):
    """Events, oldest first; `next` is the cursor to read on after them, also when there are none."""

    data: list[Event]
    has_more: bool
    next: str
