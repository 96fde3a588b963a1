"""Store credit: what returns pay that no tender has paid for, as balances of our own that orders are paid with.

Each has a code that nobody guesses. Who has it spends it, in its currency, in as many orders as it lasts; what is given
back of these is on it again. Nothing expires. Not here: what gives it (engine/returns/refunding.py).
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec

from engine.clock import Clock
from engine.errors import NotFound
from engine.payments.account_book import AccountBook, KeptRequests, Request, SetAside
from engine.payments.provider import Answer, NewAuthorisation, ProviderBalance
from engine.storage.documents import DocumentStore

COLLECTION = "store_credit"
_PREFIX = "credit_"


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """A balance: `left_cents` = issued − set aside − spent, where what was given back again is not spent."""

    code: str
    currency: str
    issued_cents: int
    aside_cents: int
    spent_cents: int
    left_cents: int


@dataclass(slots=True, kw_only=True)
class CreditBook(AccountBook):
    """One balance: what was issued, less what it is used for."""

    issued_cents: int = 0
    currency: str = ""

    def acts(self) -> Mapping[str, Callable[[Request], Answer]]:
        """Return what can be asked of it: more may be issued, too."""
        return {**AccountBook.acts(self), "issue": self._issue}

    def authorised(self, request: Request) -> Answer:
        """Set aside what there is."""
        if request.currency != self.currency:
            return Answer(reason="other_currency", is_open=False)
        amount = min(request.amount_cents, self.issued_cents - self.used_cents)
        if amount <= 0:
            return Answer(reason="insufficient_funds", is_open=False)
        self.aside[request.key] = SetAside(request=request, amount_cents=amount, expires_at=None)
        reason = "" if amount == request.amount_cents else "insufficient_funds"
        return Answer(provider_id=self.id_of(request.key), amount_cents=amount, reason=reason)

    def credit(self) -> Credit:
        """Return the balance."""
        spent = sum(each.captured_cents - each.refunded_cents for each in self.aside.values())
        return Credit(
            code=self.account,
            currency=self.currency,
            issued_cents=self.issued_cents,
            aside_cents=self.used_cents - spent,
            spent_cents=spent,
            left_cents=self.issued_cents - self.used_cents,
        )

    def _issue(self, request: Request) -> Answer:
        self.currency = self.currency or request.currency
        if request.currency != self.currency:
            return Answer(reason="other_currency")
        self.issued_cents += request.amount_cents
        return Answer(provider_id=self.id_of(request.key), amount_cents=request.amount_cents)


class StoreCredit:
    """The balances of a tenant, and the provider by which orders are paid with them."""

    def __init__(self, documents: DocumentStore, clock: Clock, root: Callable[[], Awaitable[bytes]]) -> None:
        """Take where balances are kept, and the key that codes are made with."""
        self._kept, self._clock, self._root = KeptRequests(documents, COLLECTION), clock, root

    async def issue(self, key: str, given_for: str, amount_cents: int, currency: str) -> str:
        """Give credit once under a key, for a return; return its code, the same for all that one return gives."""
        said = b"store credit\0" + given_for.encode()
        code = _PREFIX + hmac.new(await self._root(), said, sha256).hexdigest()[:24]
        await self._answer(
            code, Request(act="issue", key=key, at=self._now(), amount_cents=amount_cents, currency=currency)
        )
        return code

    async def get(self, code: str) -> Credit:
        """Return a balance; raises NotFound."""
        requests = await self._kept.of(code) if code.startswith(_PREFIX) else []
        if not requests:
            raise NotFound(f"There is no store credit {code[:40]!r}. Check the code.")
        return CreditBook.of(code, requests).credit()

    async def authorise(self, new: NewAuthorisation, /) -> Answer:
        """Set money aside, as far as the balance goes; a code that was never given has none."""
        if not new.token.startswith(_PREFIX) or not await self._kept.of(new.token, 1):
            return Answer(reason="unknown_store_credit", is_open=False)
        request = Request(
            act="authorise",
            key=new.key,
            at=self._now(),
            amount_cents=new.amount_cents,
            order_id=new.order_id,
            currency=new.currency,
        )
        return await self._answer(new.token, request)

    async def capture(self, key: str, authorisation_id: str, amount_cents: int, /) -> Answer:
        """Spend what was set aside."""
        return await self._about("capture", key, authorisation_id, amount_cents)

    async def void(self, key: str, authorisation_id: str, /) -> Answer:
        """Let go of what is left."""
        return await self._about("void", key, authorisation_id)

    async def refund(self, key: str, capture_id: str, amount_cents: int, /) -> Answer:
        """Put what was spent on the balance again."""
        return await self._about("refund", key, capture_id, amount_cents)

    async def balances(self, since: datetime, until: datetime, /) -> list[ProviderBalance] | None:
        """Return what is on the books for authorisations of a period."""
        books = [CreditBook.of(code, await self._kept.of(code)) for code in await self._kept.accounts()]
        return [each for book in books for each in book.balances() if since <= each.at < until]

    async def _about(self, act: str, key: str, provider_id: str, amount_cents: int = 0) -> Answer:
        code, _, about = provider_id.rpartition("#")
        return await self._answer(
            code, Request(act=act, key=key, at=self._now(), amount_cents=amount_cents, about=about)
        )

    async def _answer(self, code: str, request: Request) -> Answer:
        return CreditBook.of(code, await self._kept.add(code, request)).answers[request.key]

    def _now(self) -> datetime:
        return self._clock.now()
