"""What becomes of an order by what a payment provider has answered: pure rules.

Each takes the effect off the order and writes down what came of it; what follows from that is asked for in the same
step (engine/orders/paying/balancing.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from engine.events.actor import actor
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind, LedgerEntry
from engine.orders.model import Note, Order
from engine.orders.paying.balancing import (
    is_covered,
    is_renewed,
    is_settled,
    is_to_confirm,
    look_at,
    new_effect_id,
)
from engine.orders.paying.ledger import (
    AUTHORISE,
    DEADLINE,
    GIVE_UP,
    VOID,
    entry_of,
    free_cents,
    open_cents,
)
from engine.orders.revising import Revision, revision_of
from engine.payments.provider import Answer

_LATER = timedelta(hours=1)
_MUCH_LATER = timedelta(days=1)


def authorised(order: Order, effect: Effect, answer: Answer, at: datetime) -> Revision:
    """Write down what was set aside, and what was not."""
    entries = list[LedgerEntry]()
    if answer.amount_cents > 0:
        entry = _entry(effect, EntryKind.AUTHORISED, effect.target, answer.amount_cents, at, answer)
        entries.append(msgspec.structs.replace(entry, expires_at=answer.expires_at))
    lacking = effect.amount_cents - answer.amount_cents
    if lacking > 0:
        declined = _entry(effect, EntryKind.DECLINED, effect.target, lacking, at, answer)
        entries.append(msgspec.structs.replace(declined, entry_id=f"{effect.effect_id}/declined"))
    event = "payment_authorised" if answer.amount_cents > 0 else "payment_declined"
    return _noted(order, effect, event, answer.amount_cents or lacking, entries, answer.reason)


def captured(order: Order, effect: Effect, answer: Answer, at: datetime) -> Revision:
    """Write down what was captured; what the provider lets go of with it, or that it cannot be captured."""
    authorisation = entry_of(order.life.money, effect.target)
    assert authorisation is not None, "entries are only ever added"
    left = open_cents(order.life.money, authorisation)
    if not answer.is_done:
        kind = EntryKind.DECLINED
        if answer.is_gone:
            kind = EntryKind.EXPIRED if answer.reason == "expired" else EntryKind.VOIDED
        refused = _entry(effect, kind, authorisation.tender_id, left, at, answer, authorisation.entry_id)
        event = "payment_expired" if kind is EntryKind.EXPIRED else "payment_capture_declined"
        void = Effect(effect_id=new_effect_id(), kind=VOID, due_at=at, target=effect.target, amount_cents=left)
        again = () if answer.is_gone else (void,)
        return _noted(order, effect, event, effect.amount_cents, [refused], answer.reason, again)
    taken = effect.amount_cents
    entries = [_entry(effect, EntryKind.CAPTURED, authorisation.tender_id, taken, at, answer, authorisation.entry_id)]
    if not answer.is_open and left > taken:
        let_go = _entry(
            effect, EntryKind.VOIDED, authorisation.tender_id, left - taken, at, answer, authorisation.entry_id
        )
        entries.append(msgspec.structs.replace(let_go, entry_id=f"{effect.effect_id}/released"))
    return _noted(order, effect, "payment_captured", taken, entries)


def voided(order: Order, effect: Effect, answer: Answer, at: datetime) -> Revision:
    """Write down that what was left of an authorisation was let go."""
    authorisation = entry_of(order.life.money, effect.target)
    assert authorisation is not None, "entries are only ever added"
    left = open_cents(order.life.money, authorisation)
    entry = _entry(effect, EntryKind.VOIDED, authorisation.tender_id, left, at, answer, authorisation.entry_id)
    return _noted(order, effect, "payment_voided", left, [entry], answer.reason)


def refunded(order: Order, effect: Effect, answer: Answer, at: datetime) -> Revision:
    """Write down what was given back, or that it could not be."""
    capture = entry_of(order.life.money, effect.target)
    assert capture is not None, "entries are only ever added"
    kind = EntryKind.REFUNDED if answer.is_done else EntryKind.DECLINED
    entry = _entry(effect, kind, capture.tender_id, effect.amount_cents, at, answer, capture.entry_id)
    event = "payment_refunded" if answer.is_done else "payment_refund_declined"
    return _noted(order, effect, event, effect.amount_cents, [entry], answer.reason)


def looked_at(order: Order, effect: Effect, at: datetime) -> Revision:
    """Replace an authorisation that expires soon, if its order still needs it; write down that one has expired."""
    money, done = order.life.money, replace(order, life=without_effect(order.life, effect.effect_id))
    entry = entry_of(money, effect.target)
    assert entry is not None, "entries are only ever added"
    note = Note(event="payment_looked_at", by=actor(), subject=entry.tender_id)
    if entry.expires_at is not None and at >= entry.expires_at:
        answer = Answer(provider_id=entry.provider_id, reason="expired")
        left = open_cents(money, entry)
        gone = _entry(effect, EntryKind.EXPIRED, entry.tender_id, left, at, answer, entry.entry_id)
        return _noted(order, effect, "payment_expired", left, [gone], answer.reason)
    left = min(free_cents(order, entry), entry.amount_cents)
    if at < look_at(order, entry) or is_settled(order) or is_renewed(order, entry) or left == 0:
        later = max(at + _LATER, look_at(order, entry))
        again = msgspec.structs.replace(effect, due_at=later, tries=0, last_error="")
        return revision_of(order, replace(done, life=with_effects(done.life, again)), note)
    if entry.expires_at is None:
        again = msgspec.structs.replace(effect, due_at=at + 7 * _MUCH_LATER, tries=0, last_error="")
        return revision_of(order, replace(done, life=with_effects(done.life, again)), note)
    new = Effect(
        effect_id=new_effect_id(),
        kind=AUTHORISE,
        due_at=at,
        target=entry.tender_id,
        subject=entry.entry_id,
        amount_cents=left,
    )
    watch = msgspec.structs.replace(effect, due_at=entry.expires_at, tries=0, last_error="")
    renewing = Note(event="payment_renewal_asked", by=actor(), subject=entry.tender_id, amount_cents=left)
    return revision_of(order, replace(done, life=with_effects(done.life, new, watch)), renewing)


def overdue(order: Order, effect: Effect, at: datetime) -> Revision:
    """Give an order up that was not paid in time; from then on there is no way back."""
    done = replace(order, life=without_effect(order.life, effect.effect_id))
    if is_settled(order) or is_covered(order):
        return revision_of(order, done, Note(event="payment_in_time", by=actor()))
    return _giving_up(order, done, "it was not paid in time", at)


def not_confirmed(order: Order, effect: Effect, why: str, at: datetime) -> Revision:
    """Give an order up whose stock was gone as it was to be confirmed: what was set aside for it is let go."""
    done = replace(order, life=without_effect(order.life, effect.effect_id))
    if not is_to_confirm(order):
        return revision_of(order, done, Note(event="reservation_replaced", by=actor(), subject=effect.target))
    return _giving_up(order, done, why, at)


def confirmed(order: Order, effect: Effect) -> Revision:
    """Write down that the stock of an order that is paid for is confirmed."""
    money = msgspec.structs.replace(order.life.money, confirmed=effect.target)
    life = msgspec.structs.replace(without_effect(order.life, effect.effect_id), money=money)
    note = Note(event="reservation_confirmed", by=actor(), subject=effect.target)
    return revision_of(order, replace(order, life=life), note)


def given_up(order: Order, effect: Effect, at: datetime, why: str = "") -> Revision:
    """Write down that an order was cancelled for its payment, or, with a reason, that it could not be."""
    life = without_effect(order.life, effect.effect_id)
    if why and not is_settled(order):
        again = Effect(effect_id=new_effect_id(), kind=DEADLINE, due_at=at + _MUCH_LATER, target=order.order_id)
        life = with_effects(life, again)
    event = "payment_overdue" if why else "payment_given_up"
    return revision_of(order, replace(order, life=life), Note(event=event, by=actor(), reason=why or None))


def _giving_up(order: Order, done: Order, why: str, at: datetime) -> Revision:
    asked = Effect(effect_id=new_effect_id(), kind=GIVE_UP, due_at=at, target=order.order_id)
    to = replace(done, life=with_effects(done.life, asked))
    return revision_of(order, to, Note(event="payment_overdue", by=actor(), reason=why))


def _noted(
    order: Order,
    effect: Effect,
    event: str,
    cents: int,
    entries: list[LedgerEntry],
    reason: str = "",
    more: tuple[Effect, ...] = (),
) -> Revision:
    money = msgspec.structs.replace(order.life.money, ledger=(*order.life.money.ledger, *entries))
    life = msgspec.structs.replace(without_effect(order.life, effect.effect_id), money=money)
    life = with_effects(life, *more)
    subject = effect.subject or (entries[0].tender_id if entries else None)
    note = Note(event=event, by=actor(), subject=subject, amount_cents=cents, reason=reason or None)
    return revision_of(order, replace(order, life=life), note)


def _entry(
    effect: Effect,
    kind: EntryKind,
    tender_id: str,
    cents: int,
    at: datetime,
    answer: Answer,
    authorisation_id: str = "",
) -> LedgerEntry:
    return LedgerEntry(
        entry_id=effect.effect_id,
        kind=kind,
        tender_id=tender_id,
        amount_cents=cents,
        at=at,
        provider_id=answer.provider_id,
        authorisation_id=authorisation_id,
        subject=effect.subject,
        reason=answer.reason,
    )
