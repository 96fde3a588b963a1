"""The wire form of the reconciliation report's query; the report is the engine's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The period of the authorisations to compare: from an instant on, and before another; a week without them."""

    since: Instant | None = field(default=None, name="from")
    until: Instant | None = field(default=None, name="to")
