"""What becomes of a return's credit when the order in exchange costs less in the end: it goes back to who has paid.

The order in exchange is paid by an invoice that the return settles. Once nothing of that order is left to ship, and
whenever its invoice changes after that, as units were cancelled, lost or came back, the order it is for is told. What
was credited and is not needed is paid back there, by the return; what comes in later is credited so far only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind, TenderKind
from engine.orders.facts.returns import Return
from engine.orders.model import Note, Order
from engine.orders.paying.balancing import is_settled
from engine.orders.paying.ledger import CAPTURE, REFUND, asked_of, entry_of
from engine.orders.revising import Revision, revision_of
from engine.returns.exchanging import with_exchange
from engine.returns.steps import REFUND as PAY_BACK
from engine.returns.steps import with_return

SETTLE = "exchange.settle"
FOR = "exchange_for"
_BY = "returns"


def invoiced_cents(order: Order, return_id: str) -> int:
    """Return what an order in exchange takes from the invoice that a return settles, less what it gave back to it."""
    money = order.life.money
    mine = {each.tender_id for each in money.tenders if each.kind is TenderKind.INVOICE and each.token == return_id}

    def asked(kind: str) -> int:
        entries = [(each, entry_of(money, each.target)) for each in asked_of(order, kind)]
        return sum(each.amount_cents for each, entry in entries if entry is not None and entry.tender_id in mine)

    def written(kind: EntryKind) -> int:
        return sum(each.amount_cents for each in money.ledger if each.kind is kind and each.tender_id in mine)

    return written(EntryKind.CAPTURED) + asked(CAPTURE) - written(EntryKind.REFUNDED) - asked(REFUND)


def settling(revision: Revision, at: datetime) -> Revision:
    """Return a revision that also tells the order that this one is in exchange for what it takes of its credit."""
    seen, to = revision.seen, revision.to
    old = next((link.order_id for link in to.life.links if link.kind == FOR), None)
    if old is None or revision.refusal is not None or not is_settled(to):
        return revision
    if is_settled(seen) and _all_invoiced(seen) == _all_invoiced(to):
        return revision
    effect_id = f"{to.order_id}:settle:{to.steering.revision}"
    effect = Effect(effect_id=effect_id, kind=SETTLE, due_at=at, target=old, amount_cents=_all_invoiced(to))
    return replace(revision, to=replace(to, life=with_effects(to.life, effect)))


class Settling:
    """Does `exchange.settle`."""

    def __init__(self, changes: OrderChanges) -> None:
        self._changes = changes

    async def settle(self, order: Order, effect: Effect) -> Rule:
        """Have the order that this one is in exchange for pay back what of its credit is not needed."""
        await self._changes.change(effect.target, lambda old, at: _settled(old, order, effect, at))
        return lambda new, _: _told(new, effect)


def _all_invoiced(order: Order) -> int:
    names = {each.token for each in order.life.money.tenders if each.kind is TenderKind.INVOICE}
    return sum(invoiced_cents(order, name) for name in names)


def _settled(old: Order, new: Order, effect: Effect, at: datetime) -> Revision | None:
    """Return an order that pays back what its return has credited beyond what the exchange takes; None if nothing."""
    found = next((each for each in old.life.returns if each.exchange_order_id == new.order_id), None)
    if found is None or found.exchange is None:
        return None
    agreed = min(found.exchange.agreed_cents, invoiced_cents(new, found.return_id))
    over = found.exchange.credit_cents - agreed
    if over <= 0 and agreed == found.exchange.agreed_cents:
        return None
    changed, effects = with_exchange(found, agreed_cents=agreed), list[Effect]()
    if over > 0:
        changed = with_exchange(changed, credit_cents=agreed)
        effects.append(_pay_back(changed, effect, over, at))
    note = Note(
        event="exchange_settled", by=_BY, subject=found.return_id, amount_cents=max(0, over), reason=new.order_id
    )
    return revision_of(old, with_return(old, changed, *effects), note)


def _pay_back(changed: Return, effect: Effect, cents: int, at: datetime) -> Effect:
    return Effect(
        effect_id=f"{changed.return_id}:back:{effect.effect_id}",
        kind=PAY_BACK,
        due_at=at,
        subject=changed.return_id,
        amount_cents=cents,
    )


def _told(new: Order, effect: Effect) -> Revision:
    life = without_effect(new.life, effect.effect_id)
    note = Note(event="exchange_settled", by=_BY, subject=effect.target, amount_cents=effect.amount_cents)
    return revision_of(new, replace(new, life=life), note)
