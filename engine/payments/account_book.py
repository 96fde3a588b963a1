"""The book of one account at a provider of ours: what is answered follows from all that it was asked, in order.

A request with a key that was there before changes nothing and is answered as then. Pure but for `KeptRequests`, which
keeps requests about an account one after another: the place that one gets there decides what it is answered, so two at
once are never both granted the last cent. Not here: what is granted (sandbox_book.py, store_credit.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import msgspec

from engine.payments.provider import Answer, ProviderBalance
from engine.storage.documents import DocumentStore


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an account was asked: `about` is the key of the authorisation, or of the capture to refund."""

    act: str
    key: str
    at: datetime
    amount_cents: int = 0
    about: str = ""
    order_id: str = ""
    token: str = ""
    currency: str = ""


@dataclass(slots=True, kw_only=True)
class SetAside:
    """Money that is set aside."""

    request: Request
    amount_cents: int
    expires_at: datetime | None
    captured_cents: int = 0
    refunded_cents: int = 0
    is_closed: bool = False
    closes_at_capture: bool = False

    @property
    def left_cents(self) -> int:
        """What can still be captured."""
        return 0 if self.is_closed else self.amount_cents - self.captured_cents


@dataclass(slots=True, kw_only=True)
class AccountBook:
    """One account; kinds of it say what they grant (`authorised`) and let be captured (`capture_refusal`)."""

    account: str
    answers: dict[str, Answer] = field(default_factory=dict)
    aside: dict[str, SetAside] = field(default_factory=dict)
    captures: dict[str, tuple[SetAside, list[int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, account: str, requests: Iterable[Request]) -> Self:
        """Return the book after so many requests."""
        book = cls(account=account)
        acts = book.acts()
        for request in requests:
            if request.key not in book.answers:
                book.answers[request.key] = acts[request.act](request)
        return book

    def acts(self) -> Mapping[str, Callable[[Request], Answer]]:
        """Return what can be asked of it, and who answers."""
        return {"authorise": self.authorised, "capture": self._capture, "void": self._void, "refund": self._refund}

    def authorised(self, request: Request) -> Answer:
        """Set money aside, as far as this kind of account grants it."""
        raise NotImplementedError

    def capture_refusal(self, _found: SetAside) -> str:
        """Return why money that is set aside cannot be captured, blank if it can; it may close what is left then."""
        return ""

    def balances(self) -> list[ProviderBalance]:
        """Return what is on it, for each authorisation."""
        return [
            ProviderBalance(
                key=key,
                order_id=found.request.order_id,
                provider_id=self.id_of(key),
                currency=found.request.currency,
                at=found.request.at,
                authorised_cents=found.amount_cents,
                captured_cents=found.captured_cents,
                refunded_cents=found.refunded_cents,
            )
            for key, found in self.aside.items()
        ]

    @property
    def used_cents(self) -> int:
        """What was captured and not given back, or is set aside."""
        return sum(each.captured_cents - each.refunded_cents + each.left_cents for each in self.aside.values())

    def id_of(self, key: str) -> str:
        """Return the account's name for what was asked under a key."""
        return f"{self.account}#{key}"

    def _capture(self, request: Request) -> Answer:
        found = self.aside.get(request.about)
        if found is None or found.left_cents == 0:
            return Answer(reason="authorisation_closed", is_open=False, is_gone=True)
        if found.expires_at is not None and request.at >= found.expires_at:
            found.is_closed = True
            return Answer(reason="expired", is_open=False, is_gone=True)
        if request.amount_cents > found.left_cents:
            return Answer(reason="amount_too_large")
        refusal = self.capture_refusal(found)
        if refusal:
            return Answer(reason=refusal)
        found.captured_cents += request.amount_cents
        found.is_closed = found.closes_at_capture
        self.captures[request.key] = (found, [request.amount_cents])
        return Answer(
            provider_id=self.id_of(request.key), amount_cents=request.amount_cents, is_open=found.left_cents > 0
        )

    def _void(self, request: Request) -> Answer:
        found = self.aside.get(request.about)
        if found is None or found.left_cents == 0:
            return Answer(reason="authorisation_closed", is_open=False, is_gone=True)
        found.is_closed = True
        return Answer(provider_id=self.id_of(request.about), is_open=False)

    def _refund(self, request: Request) -> Answer:
        found, amounts = self.captures.get(request.about, (None, []))
        if found is None or request.amount_cents > sum(amounts):
            return Answer(reason="amount_too_large")
        amounts.append(-request.amount_cents)
        found.refunded_cents += request.amount_cents
        return Answer(provider_id=self.id_of(request.key), amount_cents=request.amount_cents)


_decode, _encode = msgspec.json.Decoder(Request).decode, msgspec.json.Encoder().encode


class KeptRequests:
    """Keeps what accounts were asked, each in its place."""

    def __init__(self, documents: DocumentStore, collection: str) -> None:
        self._documents, self._collection = documents, collection

    async def accounts(self) -> list[str]:
        """Return all accounts, in order."""
        return sorted(await self._documents.names(self._collection))

    async def add(self, account: str, request: Request) -> list[Request]:
        """Keep a request, and return all of its account up to it."""
        return await self.of(account, await self._documents.add(self._collection, account, _encode(request)))

    async def of(self, account: str, latest: int | None = None) -> list[Request]:
        """Return what an account was asked, up to a place; none if nobody has asked it."""
        last = await self._documents.find(self._collection, account, latest)
        count = 0 if last is None else last.version
        found = await asyncio.gather(
            *(self._documents.find(self._collection, account, version) for version in range(1, count + 1))
        )
        return [_decode(each.body) for each in found if each is not None]
