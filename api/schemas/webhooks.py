"""The wire form of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Identifier, Limit, Reply
from engine.webhooks.model import MOST_IN_FLIGHT
from engine.webhooks.targets import MOST_CHARACTERS

MOST_GRACE_SECONDS = 7 * 86_400


class NewWebhook(Body, frozen=True, kw_only=True):
    """Where to send events, which types (none: all), and how many requests at once (1 keeps them in order)."""

    url: Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS)]
    types: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=50)] | None = None
    in_flight: Annotated[int, Meta(ge=1, le=MOST_IN_FLIGHT)] = 1


class Rotation(Body, frozen=True, kw_only=True):
    """For how long requests are signed by the last secret too."""

    grace_seconds: Annotated[int, Meta(ge=0, le=MOST_GRACE_SECONDS)] = 86_400


class WebhooksQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of webhooks: after the id of the last one before."""

    limit: Limit = 50
    starting_after: Identifier | None = None


class NewWebhookReply(Reply, frozen=True, kw_only=True):
    """A webhook and its secret, which is not shown again."""

    webhook_id: str
    url: str
    types: list[str]
    in_flight: int
    created_at: datetime
    secret: str


class WebhookReply(Reply, frozen=True, kw_only=True):
    """A webhook; if it fails, since when and when it is tried again; `missed_at`: when events were lost to it."""

    webhook_id: str
    url: str
    types: list[str]
    in_flight: int
    created_at: datetime
    state: str
    why: str | None
    failing_since: datetime | None
    next_try_at: datetime | None
    missed_at: datetime | None
    previous_secret_until: datetime | None


class WebhooksReply(Reply, frozen=True, kw_only=True):
    """Webhooks, in the order of their creation."""

    data: list[WebhookReply]
    has_more: bool


class SecretReply(Reply, frozen=True, kw_only=True):
    """A new secret, which is not shown again, and until when the last one is good too."""

    webhook_id: str
    secret: str
    previous_secret_until: datetime


class WebhookStateReply(Reply, frozen=True, kw_only=True):
    """What became of a webhook: `active`, or `deleted`."""

    webhook_id: str
    state: str


class DeliveryReply(Reply, frozen=True, kw_only=True):
    """One request: the status that came back, or what went wrong, and what the answer began with."""

    event_id: str
    type: str
    at: datetime
    attempt: int
    duration_ms: int
    is_taken: bool
    status: int | None
    error: str | None
    answer: str


class DeliveriesReply(Reply, frozen=True, kw_only=True):
    """The last requests, newest first."""

    data: list[DeliveryReply]
    has_more: bool
