"""The payment provider that comes with it: offline, with books of its own in the store, for trying out and for tests.

It takes every token but the magic ones of sandbox_book.py. Requests about an account are kept one after another; the
place that one gets there decides what it is answered, so two at once are never both granted the last cent.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from engine.clock import Clock
from engine.errors import Unavailable
from engine.orders.facts.money import TenderKind
from engine.payments.provider import Answer, NewAuthorisation, ProviderBalance
from engine.payments.sandbox_book import GIFT, MAGIC, TIMEOUT, UNREACHABLE, Request, SandboxBook
from engine.storage.documents import DocumentStore

COLLECTION = "sandbox_payments"
_decode, _encode = msgspec.json.Decoder(Request).decode, msgspec.json.Encoder().encode


class SandboxProvider:
    """Cards and gift cards that cost nobody anything."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents, self._clock = documents, clock

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
        accounts = sorted(await self._documents.names(COLLECTION))
        books = [SandboxBook.of(account, await self._requests(account)) for account in accounts]
        return [each for book in books for each in book.balances() if since <= each.at < until]

    async def _about(self, act: str, key: str, provider_id: str, amount_cents: int = 0) -> Answer:
        account, _, about = provider_id.rpartition("#")
        request = Request(act=act, key=key, at=self._clock.now(), amount_cents=amount_cents, about=about)
        return await self._answer(account, request)

    async def _answer(self, account: str, request: Request) -> Answer:
        version = await self._documents.add(COLLECTION, account, _encode(request))
        requests = await self._requests(account, version)
        sent = [each for each in requests if each.key == request.key]
        if requests[0].token == TIMEOUT and len(sent) == 1:
            raise Unavailable("The sandbox provider has done it and answers too late, as this token asks for.")
        return SandboxBook.of(account, requests).answers[request.key]

    async def _requests(self, account: str, latest: int | None = None) -> list[Request]:
        last = await self._documents.find(COLLECTION, account, latest)
        count = 0 if last is None else last.version
        found = await asyncio.gather(
            *(self._documents.find(COLLECTION, account, version) for version in range(1, count + 1))
        )
        return [_decode(each.body) for each in found if each is not None]
