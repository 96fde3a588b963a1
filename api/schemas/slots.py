"""What a page on which a slot is picked asks in a query string; the reply is that of engine/promising."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, field

from api.schemas.fields import Identifier, Limit, SlotId
from engine.promising.slot_list import MOST_LISTED


class SlotsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose windows, and which days: with a service, or a country, deliveries to there, else pick-ups at the node."""

    node_id: Identifier | None = None
    service: Identifier | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    first_on: date | None = field(default=None, name="from")
    days: Annotated[int, Meta(ge=1, le=60)] = 7
    limit: Limit = MOST_LISTED
    starting_after: SlotId | None = None
