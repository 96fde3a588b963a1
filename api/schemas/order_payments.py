"""The wire form of an order's money: prices, tenders, ledger, what is asked for, and money given back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Reply
from api.schemas.order_steering import By, Reason
from api.schemas.orders import OrderPrices
from api.schemas.tenders import TenderBody, TenderKind


class TendersBody(Body, frozen=True, kw_only=True):
    """More tenders for what nothing is set aside for."""

    tenders: Annotated[list[TenderBody], Meta(min_length=1, max_length=20)]
    by: By | None = None


class RefundBody(Body, frozen=True, kw_only=True):
    """Money to be given back of goodwill, and why; the tender that paid last gets it back first."""

    amount_cents: Annotated[int, Meta(ge=1, le=10**12)]
    reason: Reason
    by: By | None = None


class TenderReply(Reply, frozen=True, kw_only=True):
    """A tender, and what became of it; `aside_cents` is set aside and not captured, `is_closed` asked no more."""

    tender_id: str
    kind: TenderKind
    provider: str
    amount_cents: int
    aside_cents: int
    captured_cents: int
    refunded_cents: int
    is_closed: bool


class LedgerEntry(Reply, frozen=True, kw_only=True):
    """What was done with a tender, as the provider has answered it."""

    entry_id: str
    kind: str
    tender_id: str
    amount_cents: int
    at: datetime
    provider_id: str | None
    authorisation_id: str | None
    subject: str | None
    reason: str | None
    expires_at: datetime | None


class PendingPayment(Reply, frozen=True, kw_only=True):
    """What is being asked of a provider, and why it has not been done, if it was tried."""

    effect_id: str
    kind: str
    amount_cents: int
    subject: str | None
    due_at: datetime
    tries: int
    last_error: str | None


class OrderPayments(Reply, frozen=True, kw_only=True):
    """The money of an order.

    Of what it comes to `charged_for_cents` has left; `needed_cents` is still to be charged, and has to be set aside.
    """

    order_id: str
    currency: str | None
    prices: OrderPrices | None
    wanted_cents: int
    charged_for_cents: int
    captured_cents: int
    refunded_cents: int
    aside_cents: int
    needed_cents: int
    is_covered: bool
    tenders: list[TenderReply]
    ledger: list[LedgerEntry]
    pending: list[PendingPayment]
