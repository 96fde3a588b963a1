"""The wire form of the reconciliation report's query; the report is the engine's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from api.schemas.fields import Reply


class TakenStripeEvent(Reply, frozen=True, kw_only=True):
    """What became of an event: `known` is one that was taken before, `left` one that is about no order."""

    outcome: Literal["taken", "known", "left"]


Instant = Annotated[datetime, Meta(tz=True)]


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The period of the authorisations to compare: from an instant on, and before another; a week without them."""

    since: Instant | None = field(default=None, name="from")
    until: Instant | None = field(default=None, name="to")
