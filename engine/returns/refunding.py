"""Paying a return back: what was captured for its order is given back to the tenders that paid.

It waits while captures are under way, since what was not captured cannot be given back. What then is left over, as an
order without tenders was not paid through us or a tender was used up otherwise, is told and not paid. Not here: the
amounts (amounts.py), asking a provider (engine/payments).

What comes back without a receipt is paid as store credit, which orders are paid with (engine/payments/store_credit.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from engine.errors import Unavailable
from engine.orders.changing import Rule
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind
from engine.orders.model import Note, Order
from engine.orders.paying.balancing import refund_for
from engine.orders.paying.ledger import AUTHORISE, CAPTURE, asked_cents, refundable_cents
from engine.orders.revising import Revision, revision_of
from engine.payments.store_credit import StoreCredit
from engine.returns.steps import return_of, with_return

_BY = "returns"
UNPAID = "no tender of the order has it to give back"
"""Why a refund is told that nobody is asked for."""


class PaidBack:
    """Does `return.refund`: to the tenders that paid, or as store credit."""

    def __init__(self, credit: StoreCredit) -> None:
        self._credit = credit

    async def pay_back(self, order: Order, effect: Effect) -> Rule:
        """Return the rule that has an amount given back; the providers are asked by effects of their own."""
        prices = order.life.money.prices
        if not return_of(order, effect.subject).has_receipt and prices is not None:
            code = await self._credit.issue(effect.effect_id, effect.subject, effect.amount_cents, prices.currency)
            return _credited(effect, code)
        if payable_cents(order) < effect.amount_cents and (
            asked_cents(order, CAPTURE) or asked_cents(order, AUTHORISE)
        ):
            raise Unavailable("What the order costs is not captured yet.")
        return _paid(effect)


def payable_cents(order: Order) -> int:
    """Return what was captured for an order, and can still be given back."""
    captures = (entry for entry in order.life.money.ledger if entry.kind is EntryKind.CAPTURED)
    return sum(refundable_cents(order, entry) for entry in captures)


def _credited(effect: Effect, code: str) -> Rule:
    """Return the rule that gives an amount as store credit: of units without a receipt nobody knows who paid."""

    def rule(order: Order, _: datetime) -> Revision:
        before = return_of(order, effect.subject)
        total = before.store_credit_cents + effect.amount_cents
        changed = msgspec.structs.replace(before, store_credit_cents=total, store_credit=code)
        after = with_return(order, changed, without=(effect.effect_id,))
        note = Note(event="store_credit_given", by=_BY, subject=effect.subject, amount_cents=effect.amount_cents)
        return revision_of(order, after, note)

    return rule


def _paid(effect: Effect) -> Rule:
    """Return the rule that asks for an amount to be given back, as far as it was captured, and says so."""

    def rule(order: Order, _: datetime) -> Revision:
        amount = min(effect.amount_cents, payable_cents(order))
        money = refund_for(order, amount, effect.subject)
        life = with_effects(without_effect(order.life, effect.effect_id), *money)
        reason = UNPAID if amount < effect.amount_cents else None
        note = Note(
            event="return_refunded", by=_BY, subject=effect.subject, amount_cents=effect.amount_cents, reason=reason
        )
        return revision_of(order, replace(order, life=life), note)

    return rule
