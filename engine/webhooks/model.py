"""What a webhook is: where events go, which, how far they were taken, and what came of the last ones."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

DAYS_OF_TRYING = 3
MOST_IN_FLIGHT = 10


class WebhookState(StrEnum):
    """Whether a webhook is sent events."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: a URL, types as they were named (none: all), and how many requests at once."""

    url: str
    types: tuple[str, ...]
    in_flight: int
    created_at: datetime


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it is kept; `delivered` are events after its cursor that were taken already."""

    webhook_id: str
    config: Config
    generation: int
    old_until_ms: int
    state: WebhookState
    why: str
    cursor: str
    delivered: tuple[str, ...]
    failing_since_ms: int
    attempts: int
    next_try_ms: int
    missed_ms: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was made for an event: the status that came back, or what went wrong."""

    event_id: str
    type: str
    at: datetime
    attempt: int
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after_seconds: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the event was taken."""
        return self.status is not None and 200 <= self.status < 300
