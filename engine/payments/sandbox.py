"""The payment provider that comes with it: offline, with books of its own in the store, for trying out and for tests.

It takes every token but the magic ones of sandbox_book.py. Not here: what is answered (account_book.py).
"""

from __future__ import annotations

from datetime import datetime

from engine.clock import Clock
from engine.errors import Unavailable
from engine.orders.facts.money import TenderKind
from engine.payments.account_book import KeptRequests, Request
from engine.payments.provider import Answer, NewAuthorisation, ProviderBalance
from engine.payments.sandbox_book import GIFT, MAGIC, TIMEOUT, UNREACHABLE, SandboxBook
from engine.storage.documents import DocumentStore

COLLECTION = "sandbox_payments"


class SandboxProvider:
    """Cards and gift cards that cost nobody anything."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._kept, self._clock = KeptRequests(documents, COLLECTION), clock

    async def authorise(self, new: NewAuthorisation) -> Answer:
        """Set money aside; a card that cannot be reached raises Unavailable."""
        if new.token == UNREACHABLE:
            raise Unavailable("The sandbox provider does not answer, as this token asks for.")
        is_gift = new.kind is TenderKind.GIFT_CARD or new.token.startswith(GIFT)
        account = f"gift:{new.token}" if is_gift else f"card:{new.order_id}:{new.tender_id}"
        request = Request(
            act="authorise",
            key=new.key,
            at=self._clock.now(),
            amount_cents=new.amount_cents,
            order_id=new.order_id,
            token=new.token if is_gift or new.token in MAGIC else "",
            currency=new.currency,
        )
        return await self._answer(account, request)

    async def capture(self, key: str, authorisation_id: str, amount_cents: int) -> Answer:
        """Take money that was set aside."""
        return await self._about("capture", key, authorisation_id, amount_cents)

    async def void(self, key: str, authorisation_id: str) -> Answer:
        """Let go of what is left."""
        return await self._about("void", key, authorisation_id)

    async def refund(self, key: str, capture_id: str, amount_cents: int) -> Answer:
        """Give money back."""
        return await self._about("refund", key, capture_id, amount_cents)

    async def balances(self, since: datetime, until: datetime) -> list[ProviderBalance] | None:
        """Return what is on its books for authorisations of a period."""
        books = [SandboxBook.of(account, await self._kept.of(account)) for account in await self._kept.accounts()]
        return [each for book in books for each in book.balances() if since <= each.at < until]

    async def _about(self, act: str, key: str, provider_id: str, amount_cents: int = 0) -> Answer:
        account, _, about = provider_id.rpartition("#")
        request = Request(act=act, key=key, at=self._clock.now(), amount_cents=amount_cents, about=about)
        return await self._answer(account, request)

    async def _answer(self, account: str, request: Request) -> Answer:
        requests = await self._kept.add(account, request)
        sent = [each for each in requests if each.key == request.key]
        if requests[0].token == TIMEOUT and len(sent) == 1:
            raise Unavailable("The sandbox provider has done it and answers too late, as this token asks for.")
        return SandboxBook.of(account, requests).answers[request.key]
