"""The sandbox provider's books: what it answers follows from all that it was asked about one account, in order.

A request with a key that was there before changes nothing and is answered as then. Pure. Not here: keeping the
requests (sandbox.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from engine.payments.provider import Answer, ProviderBalance

DECLINED, DECLINED_LATER = "tok_declined", "tok_declined_later"
EXPIRES, ONE_CAPTURE, CAPTURE_DECLINED = "tok_expires", "tok_one_capture", "tok_capture_declined"
TIMEOUT, UNREACHABLE = "tok_timeout", "tok_unreachable"
MAGIC = frozenset({DECLINED, DECLINED_LATER, EXPIRES, ONE_CAPTURE, CAPTURE_DECLINED, TIMEOUT, UNREACHABLE})
GIFT = "gift_"
"""A gift card: what follows is its balance in cents, and after an underscore a name: gift_5000_anna."""
_LASTS, _LASTS_SHORT = timedelta(days=7), timedelta(minutes=10)


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the sandbox was asked: `about` is the key of the authorisation, or of the capture to refund."""

    act: str
    key: str
    at: datetime
    amount_cents: int = 0
    about: str = ""
    order_id: str = ""
    token: str = ""
    currency: str = ""


@dataclass(slots=True, kw_only=True)
class _Set:
    """Money that is set aside."""

    request: Request
    amount_cents: int
    expires_at: datetime | None
    captured_cents: int = 0
    refunded_cents: int = 0
    is_closed: bool = False

    @property
    def left_cents(self) -> int:
        return 0 if self.is_closed else self.amount_cents - self.captured_cents


@dataclass(slots=True, kw_only=True)
class SandboxBook:
    """One account: a gift card, or a tender of an order."""

    account: str
    answers: dict[str, Answer] = field(default_factory=dict)
    aside: dict[str, _Set] = field(default_factory=dict)
    captures: dict[str, tuple[_Set, list[int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, account: str, requests: Iterable[Request]) -> SandboxBook:
        """Return the book after so many requests."""
        book = cls(account=account)
        acts = {"authorise": book._authorise, "capture": book._capture, "void": book._void, "refund": book._refund}
        for request in requests:
            if request.key not in book.answers:
                book.answers[request.key] = acts[request.act](request)
        return book

    def balances(self) -> list[ProviderBalance]:
        """Return what is on it, for each authorisation."""
        return [
            ProviderBalance(
                key=key,
                order_id=found.request.order_id,
                provider_id=self._id(key),
                currency=found.request.currency,
                at=found.request.at,
                authorised_cents=found.amount_cents,
                captured_cents=found.captured_cents,
                refunded_cents=found.refunded_cents,
            )
            for key, found in self.aside.items()
        ]

    def _id(self, key: str) -> str:
        return f"{self.account}#{key}"

    def _authorise(self, request: Request) -> Answer:
        is_gift, amount = request.token.startswith(GIFT), request.amount_cents
        if request.token == DECLINED or (request.token == DECLINED_LATER and self.aside):
            return Answer(reason="card_declined", is_open=False)
        reason = ""
        if is_gift:
            used = sum(each.captured_cents - each.refunded_cents + each.left_cents for each in self.aside.values())
            free = max(0, gift_cents(request.token) - used)
            amount, reason = min(amount, free), "" if amount <= free else "insufficient_funds"
        if amount == 0:
            return Answer(reason=reason, is_open=False)
        lasts = _LASTS_SHORT if request.token == EXPIRES else _LASTS
        expires_at = None if is_gift else request.at + lasts
        self.aside[request.key] = _Set(request=request, amount_cents=amount, expires_at=expires_at)
        return Answer(provider_id=self._id(request.key), amount_cents=amount, reason=reason, expires_at=expires_at)

    def _capture(self, request: Request) -> Answer:
        found = self.aside.get(request.about)
        if found is None or found.left_cents == 0:
            return Answer(reason="authorisation_closed", is_open=False, is_gone=True)
        if found.expires_at is not None and request.at >= found.expires_at:
            found.is_closed = True
            return Answer(reason="expired", is_open=False, is_gone=True)
        if request.amount_cents > found.left_cents:
            return Answer(reason="amount_too_large")
        if found.request.token == CAPTURE_DECLINED:
            return Answer(reason="capture_declined")
        found.captured_cents += request.amount_cents
        found.is_closed = found.request.token == ONE_CAPTURE
        self.captures[request.key] = (found, [request.amount_cents])
        return Answer(
            provider_id=self._id(request.key), amount_cents=request.amount_cents, is_open=found.left_cents > 0
        )

    def _void(self, request: Request) -> Answer:
        found = self.aside.get(request.about)
        if found is None or found.left_cents == 0:
            return Answer(reason="authorisation_closed", is_open=False, is_gone=True)
        found.is_closed = True
        return Answer(provider_id=self._id(request.about), is_open=False)

    def _refund(self, request: Request) -> Answer:
        found, amounts = self.captures.get(request.about, (None, []))
        if found is None or request.amount_cents > sum(amounts):
            return Answer(reason="amount_too_large")
        amounts.append(-request.amount_cents)
        found.refunded_cents += request.amount_cents
        return Answer(provider_id=self._id(request.key), amount_cents=request.amount_cents)


def gift_cents(token: str) -> int:
    """Return the balance that a gift card began with; 0 for a token that names none."""
    digits = token.removeprefix(GIFT).split("_")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else 0
