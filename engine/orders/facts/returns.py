"""The returns of an order: what may come back, what came, in which condition, and what became of it.

Not here: the rules (engine/returns).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class ReturnState(StrEnum):
    """How far a return has come."""

    AUTHORISED = "authorised"
    RECEIVED = "received"
    INSPECTED = "inspected"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Disposition(StrEnum):
    """What becomes of units that came back."""

    RESTOCK = "restock"
    REFURBISH = "refurbish"
    SCRAP = "scrap"


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of an order's demand that come back, and why; `received` of them have come."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    received: int = 0
    restocked: int = 0
    refurbished: int = 0
    scrapped: int = 0
    refund_cents: int = 0


class Return(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A return; `return_id` begins with `ret_`. An exchange is an order of its own, `exchange_order_id`."""

    return_id: str
    node_id: str
    state: ReturnState
    lines: tuple[ReturnLine, ...]
    authorised_at: datetime
    by: str
    valid_until: date | None = None
    received_at: datetime | None = None
    closed_at: datetime | None = None
    tracking_number: str = ""
    label_cents: int = 0
    fee_cents: int = 0
    refund_cents: int = 0
    exchange_order_id: str = ""
