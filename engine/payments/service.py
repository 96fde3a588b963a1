"""Payments as use cases: more tenders, money back, what an order's money is like, and the reconciliation report.

What an order asks for is done by its effects (handling.py); a call that asks for more does it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha1

from engine.clock import Clock
from engine.errors import Fault, IllegalState, InvalidInput, NotFound
from engine.events.actor import actor
from engine.inventory.model import Outcome, Replay
from engine.orders.changing import OrderChanges
from engine.orders.effecting import Effects, with_effects
from engine.orders.model import NewTender, Note, Order
from engine.orders.paying.balancing import refund_for
from engine.orders.paying.tendering import Tendering
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.store import OrderStore
from engine.payments.provider import PaymentProvider
from engine.payments.provider_reports import ProviderReports
from engine.payments.report import Reconciling, Report

_PAGE, _AT_ONCE = 1000, 100


class PaymentService:
    """What people and programs do with the money of orders."""

    def __init__(
        self,
        store: OrderStore,
        changes: OrderChanges,
        effects: Effects,
        providers: Mapping[str, PaymentProvider],
        tendering: Tendering,
        clock: Clock,
        reports: ProviderReports | None = None,
    ) -> None:
        """Take where orders and providers are; without `reports` providers tell nothing by themselves."""
        self._store, self._changes, self._effects = store, changes, effects
        self._providers, self._tendering, self._clock = providers, tendering, clock
        self._reports = reports

    async def get(self, order_id: str) -> Order:
        """Return an order; raises NotFound."""
        return await self._store.get(order_id)

    async def add_tenders(
        self, order_id: str, new: Sequence[NewTender], *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Add tenders for what nothing is set aside for, and ask their providers at once.

        Raises NotFound, InvalidInput with every fault, IllegalState if nothing is left to be paid.
        """
        found = await self._changes.change(
            order_id, lambda order, _: self._tendering.added(order, new, by or actor()), replay
        )
        return await self._settled(found, order_id)

    async def refund(
        self,
        order_id: str,
        amount_cents: int,
        reason: str,
        *,
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Give money back of goodwill. Raises NotFound, IllegalState if not so much was captured."""

        def rule(order: Order, _at: datetime) -> Revision:
            note = Note(event="refund_asked", by=by or actor(), reason=reason, amount_cents=amount_cents)
            if not order.life.money.tenders:
                return refused(order, note, f"Order {order_id!r} has no tenders; nothing was captured of it here.")
            try:
                effects = refund_for(order, amount_cents)
            except IllegalState as error:
                return refused(order, note, str(error))
            return revision_of(order, replace(order, life=with_effects(order.life, *effects)), note)

        return await self._settled(await self._changes.change(order_id, rule, replay), order_id)

    async def report(self, since: datetime, until: datetime) -> Report:
        """Compare the ledgers of orders with the books of providers, a hundred orders at a time.

        Raises InvalidInput for a period that is none.
        """
        if since >= until:
            message = f"{until.isoformat()} is not after {since.isoformat()}; give the end of the period"
            raise InvalidInput(Fault(path="to", message=message))
        names = list(self._providers)
        found = await asyncio.gather(*(self._providers[name].balances(since, until) for name in names))
        balances = dict(zip(names, found, strict=True))
        made = Reconciling(balances, since, until)
        async for order in self._orders({each.order_id for books in found for each in books or ()}):
            made.add(order)
        told = () if self._reports is None else await self._reports.between(since, until)
        return made.report(told)

    async def _settled(self, found: Outcome[Order], order_id: str) -> Outcome[Order]:
        """Do what the change has asked for; it is answered as it was made, as it is when it is sent again."""
        if not found.replayed:
            await self._effects.settle(order_id)
        return found

    async def _orders(self, named: set[str]) -> AsyncIterator[Order]:
        """Yield the orders named, those that are open, and those that runs have decided on; each once."""
        seen = set[bytes]()
        async for names in self._names(named):
            fresh = [name for name in names if _digest(name) not in seen]
            seen.update(map(_digest, fresh))
            for start in range(0, len(fresh), _AT_ONCE):
                asked = fresh[start : start + _AT_ONCE]
                for each in await asyncio.gather(*map(self._store.get, asked), return_exceptions=True):
                    if isinstance(each, Order):
                        yield each
                    elif not isinstance(each, NotFound):
                        raise each

    async def _names(self, named: set[str]) -> AsyncIterator[list[str]]:
        yield sorted(named)
        after = 0.0
        while page := await self._store.open_ids(_PAGE, after=after):
            yield [order_id for order_id, _ in page]
            after = page[-1][1]
        after = 0.0
        while page := await self._store.allocated(_PAGE, after_ms=after):
            yield [order_id for order_id, _ in page]
            after = page[-1][1]


def _digest(order_id: str) -> bytes:
    """Return what an order is remembered by while a report is made: a few bytes, though there may be a million."""
    return sha1(order_id.encode(), usedforsecurity=False).digest()[:10]
