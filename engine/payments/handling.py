"""Doing what orders ask for at payment providers, and confirming their stock once they are paid for.

Nothing is worked out here: the effect says what and how much, under a key that it keeps however often it is tried, so
that a process may die at any point. Not here: what there is to do (engine/orders/paying), what becomes of it
(rules.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from engine.errors import IllegalState, NotFound, Refused, Unavailable
from engine.inventory.store import InventoryStore
from engine.orders.cancelling import NewCancellation
from engine.orders.changing import Rule
from engine.orders.effecting import Handler
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import LedgerEntry, Tender
from engine.orders.model import Order
from engine.orders.paying.ledger import (
    AUTHORISE,
    CAPTURE,
    CONFIRM,
    DEADLINE,
    GIVE_UP,
    REFUND,
    RENEW,
    VOID,
    entry_of,
    tender_of,
)
from engine.payments import rules
from engine.payments.provider import NewAuthorisation, PaymentProvider

Cancel = Callable[[str, NewCancellation], Awaitable[Any]]


_WHY = "it was not paid for"


class PaymentEffects:
    """Does the effects of payment, by the providers' names."""

    def __init__(self, providers: Mapping[str, PaymentProvider], stock: InventoryStore, cancel: Cancel) -> None:
        self._providers, self._stock, self._cancel = providers, stock, cancel

    def handlers(self) -> dict[str, Handler]:
        """Return who does which kind of effect."""
        return {
            AUTHORISE: self.authorise,
            CAPTURE: self.capture,
            VOID: self.void,
            REFUND: self.refund,
            CONFIRM: self.confirm,
            GIVE_UP: self.give_up,
            RENEW: _look_at,
            DEADLINE: _overdue,
        }

    async def authorise(self, order: Order, effect: Effect) -> Rule:
        """Set money aside on a tender."""
        money = order.life.money
        tender = tender_of(money, effect.target)
        assert tender is not None, "an order asks for its own tenders"
        assert money.prices is not None, "an order without prices asks for nothing"
        new = NewAuthorisation(
            key=effect.effect_id,
            order_id=order.order_id,
            tender_id=tender.tender_id,
            kind=tender.kind,
            token=tender.token,
            amount_cents=effect.amount_cents,
            currency=money.prices.currency,
        )
        answer = await self._of(tender).authorise(new)
        return lambda now, at: rules.authorised(now, effect, answer, at)

    async def capture(self, order: Order, effect: Effect) -> Rule:
        """Take money that was set aside."""
        provider, entry = self._about(order, effect)
        answer = await provider.capture(effect.effect_id, entry.provider_id, effect.amount_cents)
        return lambda now, at: rules.captured(now, effect, answer, at)

    async def void(self, order: Order, effect: Effect) -> Rule:
        """Let go of money that was set aside."""
        provider, entry = self._about(order, effect)
        answer = await provider.void(effect.effect_id, entry.provider_id)
        if not answer.is_done and not answer.is_gone:
            raise Unavailable(f"The payment provider does not let go of it: {answer.reason}.")
        return lambda now, at: rules.voided(now, effect, answer, at)

    async def refund(self, order: Order, effect: Effect) -> Rule:
        """Give money back."""
        provider, entry = self._about(order, effect)
        answer = await provider.refund(effect.effect_id, entry.provider_id, effect.amount_cents)
        return lambda now, at: rules.refunded(now, effect, answer, at)

    async def confirm(self, _order: Order, effect: Effect) -> Rule:
        """Confirm the reservation of an order that is paid for; one that is gone cancels the order."""
        try:
            await self._stock.confirm(effect.target)
        except (Refused, NotFound) as error:
            why = str(error)
            return lambda now, at: rules.not_confirmed(now, effect, why, at)
        return lambda now, _: rules.confirmed(now, effect)

    async def give_up(self, order: Order, effect: Effect) -> Rule:
        """Cancel an order that is not paid; its stock is given back in that step."""
        try:
            await self._cancel(order.order_id, NewCancellation(reason=_WHY))
        except IllegalState as error:
            why = str(error)
            return lambda now, at: rules.given_up(now, effect, at, why)
        return lambda now, at: rules.given_up(now, effect, at)

    def _about(self, order: Order, effect: Effect) -> tuple[PaymentProvider, LedgerEntry]:
        entry = entry_of(order.life.money, effect.target)
        assert entry is not None, "entries are only ever added"
        tender = tender_of(order.life.money, entry.tender_id)
        assert tender is not None, "a tender that was used stays"
        return self._of(tender), entry

    def _of(self, tender: Tender) -> PaymentProvider:
        provider = self._providers.get(tender.provider)
        if provider is None:
            known = ", ".join(sorted(self._providers))
            raise Unavailable(f"The payment provider {tender.provider!r} is not set up here; there are: {known}.")
        return provider


async def _look_at(_order: Order, effect: Effect) -> Rule:
    return lambda now, at: rules.looked_at(now, effect, at)


async def _overdue(_order: Order, effect: Effect) -> Rule:
    return lambda now, at: rules.overdue(now, effect, at)
