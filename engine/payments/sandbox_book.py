"""The sandbox provider's books: what its tokens grant. Pure. Not here: keeping requests (account_book.py)."""

from __future__ import annotations

from datetime import timedelta

from engine.payments.account_book import AccountBook, Request, SetAside
from engine.payments.provider import Answer

DECLINED, DECLINED_LATER = "tok_declined", "tok_declined_later"
EXPIRES, ONE_CAPTURE, CAPTURE_DECLINED = "tok_expires", "tok_one_capture", "tok_capture_declined"
TIMEOUT, UNREACHABLE = "tok_timeout", "tok_unreachable"
MAGIC = frozenset({DECLINED, DECLINED_LATER, EXPIRES, ONE_CAPTURE, CAPTURE_DECLINED, TIMEOUT, UNREACHABLE})
GIFT = "gift_"
"""A gift card: what follows is its balance in cents, and after an underscore a name: gift_5000_anna."""
_LASTS, _LASTS_SHORT = timedelta(days=7), timedelta(minutes=10)


class SandboxBook(AccountBook):
    """One account: a gift card, or a tender of an order."""

    def authorised(self, request: Request) -> Answer:
        """Set money aside, as the token of the request says."""
        is_gift, amount = request.token.startswith(GIFT), request.amount_cents
        if request.token == DECLINED or (request.token == DECLINED_LATER and self.aside):
            return Answer(reason="card_declined", is_open=False)
        reason = ""
        if is_gift:
            free = max(0, gift_cents(request.token) - self.used_cents)
            amount, reason = min(amount, free), "" if amount <= free else "insufficient_funds"
        if amount == 0:
            return Answer(reason=reason, is_open=False)
        lasts = _LASTS_SHORT if request.token == EXPIRES else _LASTS
        expires_at = None if is_gift else request.at + lasts
        self.aside[request.key] = SetAside(
            request=request,
            amount_cents=amount,
            expires_at=expires_at,
            closes_at_capture=request.token == ONE_CAPTURE,
        )
        return Answer(provider_id=self.id_of(request.key), amount_cents=amount, reason=reason, expires_at=expires_at)

    def capture_refusal(self, _found: SetAside) -> str:
        """Return why money cannot be captured, as the token says."""
        return "capture_declined" if _found.request.token == CAPTURE_DECLINED else ""


def gift_cents(token: str) -> int:
    """Return the balance that a gift card began with; 0 for a token that names none."""
    digits = token.removeprefix(GIFT).split("_")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else 0
