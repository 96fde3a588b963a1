"""The invoices and credit notes of an order: what was charged for, and what of it is not owed any more, for good.

A bill never changes: what was wrong on it, or came back, is on another one. Not here: what they come to
(engine/orders/paying/billing.py), their numbers (engine/payments/numbering.py).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec


class BillKind(StrEnum):
    """What a bill is: it charges, or gives credit."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class BillCause(StrEnum):
    """Why there is a bill: units left, are worth something else now (lost ones nothing), or came back; or goodwill."""

    SHIPPED = "shipped"
    CORRECTED = "corrected"
    RETURNED = "returned"
    REFUNDED = "refunded"


class BillLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of an order's demand, or what `text` says; `tax_cents` of `total_cents` are tax of that code."""

    total_cents: int
    tax_cents: int = 0
    tax_code: str = ""
    line_id: str = ""
    sku: str = ""
    text: str = ""
    quantity: int = 0


class Bill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice or a credit note, whose lines are what it charges or gives credit for.

    `subject` is the shipment or return that it is about, blank if it is about the order. It has no number, and no date,
    until they are allotted.
    """

    bill_id: str
    kind: BillKind
    cause: BillCause
    lines: tuple[BillLine, ...]
    subject: str = ""
    number: str = ""
    dated: date | None = None

    @property
    def total_cents(self) -> int:
        """What it comes to."""
        return sum(line.total_cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        """The tax in that."""
        return sum(line.tax_cents for line in self.lines)
