"""What an order costs and who pays: prices of its lines, tenders, and the ledger of what was done with them.

Amounts are whole minor units of one currency. Not here: working them out (engine/payments).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class LinePrice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer pays for a line of an order: `total_cents` = quantity × unit price − discount + tax.

    Where prices include tax, `tax_cents` is the part of the total that is tax and is not added; `unit_cost_cents` is
    what a unit costs the seller, for rules by margin.
    """

    line_id: str
    quantity: int
    unit_price_cents: int
    total_cents: int
    discount_cents: int = 0
    tax_code: str = ""
    tax_cents: int = 0
    unit_cost_cents: int | None = None


class Prices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer pays for an order; `total_cents` is that of the lines and of its shipping."""

    currency: str
    lines: tuple[LinePrice, ...]
    total_cents: int
    shipping_cents: int = 0
    shipping_tax_cents: int = 0
    is_tax_included: bool = False


class TenderKind(StrEnum):
    """By what an order is paid."""

    CARD = "card"
    GIFT_CARD = "gift_card"
    INVOICE = "invoice"
    STORE_CREDIT = "store_credit"


class Tender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way by which an order is paid, up to `amount_cents`; the provider knows it by `token`, no card number.

    One that `takes_rest` also pays what others turn out not to pay, and what the order comes to cost more.
    """

    tender_id: str
    kind: TenderKind
    provider: str
    amount_cents: int
    token: str = ""
    takes_rest: bool = False


class EntryKind(StrEnum):
    """What was done with a tender."""

    AUTHORISED = "authorised"
    DECLINED = "declined"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    VOIDED = "voided"
    EXPIRED = "expired"


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something done with a tender, as the provider has answered it; entries are only ever added.

    `entry_id` is that of the effect which did it, `provider_id` the provider's own; `authorisation_id` names the entry
    by which money was set aside that is captured, voided or expires here, or the capture that is refunded; `subject` is
    the shipment or return that it is for.
    """

    entry_id: str
    kind: EntryKind
    tender_id: str
    amount_cents: int
    at: datetime
    provider_id: str = ""
    authorisation_id: str = ""
    subject: str = ""
    reason: str = ""
    expires_at: datetime | None = None


class ReportKind(StrEnum):
    """What a provider tells of its own accord."""

    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    DISPUTED = "disputed"
    DISPUTE_CLOSED = "dispute_closed"


class ProviderReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a provider told of a payment of its own, `provider_id`: all that was given back by then, or is disputed.

    It `is_unasked` if nothing of the order's had asked for it.
    """

    event_id: str
    kind: ReportKind
    provider_id: str
    amount_cents: int
    at: datetime
    reason: str = ""
    is_unasked: bool = False


class Money(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prices, tenders and ledger of an order; `confirmed` is the reservation that was confirmed as it was paid."""

    prices: Prices | None = None
    tenders: tuple[Tender, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    confirmed: str = ""
    reports: tuple[ProviderReport, ...] = ()
