"""What orders are searched by, and what a search finds.

Not here: how what is searched by is written (terms.py), the index (index.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which orders are wanted: all that are asked for together; the newest captured ones come first.

    `number` is an order's id or the channel's own; `states` are any of these; captured at `from_at` or later, and
    before `until`. `starting_after` is an order id: those that come after that order.
    """

    number: str | None = None
    customer: str | None = None
    phone: str | None = None
    email: str | None = None
    sku: str | None = None
    channel: str | None = None
    states: Sequence[str] = ()
    from_at: datetime | None = None
    until: datetime | None = None
    starting_after: str | None = None
    limit: int = 20


class FoundOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as a list shows it; nothing of its customer is in it.

    `lines` and `units` are those of the customer; `changed_at` is when its history has its last step.
    """

    order_id: str
    channel: str
    state: str
    captured_at: datetime
    changed_at: datetime
    lines: int
    units: int
    skus: tuple[str, ...]
    channel_order_id: str = ""
    promised_on: date | None = None
    total_cents: int | None = None
    currency: str = ""
    is_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrders:
    """A page of orders.

    `next_id` is what to give as `starting_after` for those that follow, None if there are none: a page may be short, or
    empty, though more follow, where few of many orders are wanted. `as_of` is until when the index has read on.
    """

    orders: tuple[FoundOrder, ...]
    next_id: str | None
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An order as the index keeps it: `terms` by which it is found, and those of them that are of its customer.

    `number` is the term of its id.
    """

    order: FoundOrder
    number: int
    terms: frozenset[int]
    personal_terms: frozenset[int]
    is_over: bool
    """Whether nothing more is to be done for it, so that it may be archived."""
    changed_ms: int
