"""What has to be done with an order's money so that it agrees with the order: worked out anew with every change of it.

* What has left its node is captured, in the step by which it leaves; nothing else ever is. So nobody is charged
  without stock, and no stock leaves without a charge that is written down.
* What is still to leave is set aside before a node gets to see it: until then the order has an order hold.
* More than the order comes to is given back, and once nothing is left to ship, what is set aside is let go.

Every revision of an order goes through `with_money` (revising.py), so no rule can forget it. Not here: doing it
(engine/payments).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from engine.errors import IllegalState
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind, LedgerEntry
from engine.orders.model import Order, OrderState
from engine.orders.order_holds import with_holds, without_kind
from engine.orders.paying.ledger import (
    AUTHORISE,
    CAPTURE,
    CONFIRM,
    DEADLINE,
    GIVE_UP,
    REFUND,
    RENEW,
    VOID,
    asked_cents,
    asked_of,
    authorisations,
    free_cents,
    is_closed,
    latest_at,
    net_charged_cents,
    open_cents,
    refundable_cents,
    room_cents,
    tender_of,
)
from engine.orders.paying.values import charged_for_cents, wanted_cents
from engine.orders.remaining import units_left
from engine.orders.steering import OrderHold
from engine.tokens import new_token

PAYMENT = "payment"
"""The kind of the order hold that an order has until what it costs is set aside."""
PAY_WITHIN = timedelta(hours=1)
"""By then an order has to be paid, else it is cancelled."""
_BEFORE_EXPIRY, _WITHOUT_EXPIRY = timedelta(days=1), timedelta(days=7)


def with_money(order: Order) -> Order:
    """Return an order that asks for all that its money needs; one without prices and tenders as it is."""
    money = order.life.money
    if money.prices is None or not money.tenders:
        return order
    order = _asking(order, capture_effects(order, max(0, charged_for_cents(order) - net_charged_cents(order))))
    over_cents = net_charged_cents(order) - wanted_cents(order)
    if over_cents > 0:
        order = _asking(order, _refunds(order, min(over_cents, _all_refundable_cents(order)), _last_shipment_id(order)))
    if not is_settled(order):
        order = _asking(order, _authorise_effects(order))
    return _with_order_hold(_with_deadline(_with_renewals(_with_confirm(_with_voids(order)))))


def check_paid(order: Order) -> None:
    """Raise IllegalState if units are to leave whose price is not set aside; `order` is as it would be then."""
    if order.life.money.prices is None or not order.life.money.tenders:
        return
    due_cents = charged_for_cents(order) - net_charged_cents(order)
    at = latest_at(order)
    aside = [each for each in authorisations(order.life.money) if each.expires_at is None or each.expires_at > at]
    free = sum(free_cents(order, each) for each in aside)
    if due_cents > free:
        raise IllegalState(
            f"Order {order.order_id!r} is not paid for: {due_cents} cents fall due as this leaves, and {free} are set "
            "aside. Add a tender (POST …/tenders), or wait until the provider has answered."
        )


def is_settled(order: Order) -> bool:
    """Return whether nothing of an order is left to ship, so that no more of its money is needed than is due."""
    return order.is_cancelled or not any(units > 0 for units in units_left(order).values())


def needed_cents(order: Order) -> int:
    """Return what has to be set aside for what is still to be charged."""
    wanted = charged_for_cents(order) if is_settled(order) else wanted_cents(order)
    return max(0, wanted - net_charged_cents(order))


def aside_cents(order: Order) -> int:
    """Return what is set aside and not being captured."""
    return sum(free_cents(order, each) for each in authorisations(order.life.money))


def is_covered(order: Order) -> bool:
    """Return whether all that is still to be charged is set aside."""
    return needed_cents(order) <= aside_cents(order)


def refund_for(order: Order, amount_cents: int, subject: str = "") -> tuple[Effect, ...]:
    """Return what has to be asked for to give money back, for a return or, without a subject, of goodwill.

    The tender that paid last gets it back first. Raises IllegalState if there is not so much to give back; an order
    without tenders has nothing to be asked for.
    """
    if not order.life.money.tenders or amount_cents == 0:
        return ()
    most = _all_refundable_cents(order)
    if amount_cents > most:
        raise IllegalState(
            f"{amount_cents} cents cannot be given back of order {order.order_id!r}; {most} can. Give at most that."
        )
    return _refunds(order, amount_cents, subject)


def capture_effects(order: Order, due_cents: int) -> tuple[Effect, ...]:
    """Return the captures of an amount from what is set aside, and authorisations of what is lacking."""
    left, found, at = due_cents, list[Effect](), latest_at(order)
    for entry in authorisations(order.life.money):
        part = min(left, free_cents(order, entry))
        if part > 0:
            found.append(_effect(CAPTURE, at, target=entry.entry_id, subject=_last_shipment_id(order), cents=part))
            left -= part
    lacking = left - asked_cents(order, AUTHORISE)
    return (*found, *_spread_over_tenders(order, lacking, at)) if lacking > 0 else tuple(found)


def new_effect_id() -> str:
    """Return the id of something to be done with money: the key under which the provider does it once."""
    return f"pay_{new_token(12)}"


def _effect(kind: str, at: datetime, *, target: str, subject: str = "", cents: int = 0) -> Effect:
    return Effect(effect_id=new_effect_id(), kind=kind, due_at=at, target=target, subject=subject, amount_cents=cents)


def _authorise_effects(order: Order) -> tuple[Effect, ...]:
    lacking = needed_cents(order) - aside_cents(order) - asked_cents(order, AUTHORISE)
    return _spread_over_tenders(order, lacking, latest_at(order))


def _spread_over_tenders(order: Order, cents: int, at: datetime) -> tuple[Effect, ...]:
    left, found = cents, list[Effect]()
    for tender in order.life.money.tenders:
        part = min(left, room_cents(order, tender))
        if part > 0:
            found.append(_effect(AUTHORISE, at, target=tender.tender_id, cents=part))
            left -= part
    willing = [each for each in order.life.money.tenders if each.takes_rest and not is_closed(order.life.money, each)]
    if left > 0 and willing:
        found.append(_effect(AUTHORISE, at, target=willing[0].tender_id, cents=left))
    return tuple(found)


def _refunds(order: Order, cents: int, subject: str) -> tuple[Effect, ...]:
    left, found = cents, list[Effect]()
    for capture in _captures_last_first(order):
        part = min(left, refundable_cents(order, capture))
        if part > 0:
            found.append(_effect(REFUND, latest_at(order), target=capture.entry_id, subject=subject, cents=part))
            left -= part
    return tuple(found)


def _last_shipment_id(order: Order) -> str:
    """Return the shipment that left last: for it money is captured, or given back."""
    left = [each for each in order.life.shipments if each.has_left]
    return max(left, key=lambda each: each.shipped_at or each.released_at).shipment_id if left else ""


def _captures_last_first(order: Order) -> Sequence[LedgerEntry]:
    money = order.life.money
    place = {tender.tender_id: number for number, tender in enumerate(money.tenders)}
    captures = [entry for entry in money.ledger if entry.kind is EntryKind.CAPTURED]
    return sorted(captures, key=lambda entry: -place.get(entry.tender_id, 0))


def _all_refundable_cents(order: Order) -> int:
    return sum(refundable_cents(order, capture) for capture in _captures_last_first(order))


def _with_voids(order: Order) -> Order:
    """Let go of what is set aside and not needed: once nothing is left to ship, all of it; before, as a whole only.

    Of several tenders the last lets go first, but for an authorisation that another one replaces.
    """
    money, at = order.life.money, latest_at(order)
    renewed = {entry.subject for entry in money.ledger if entry.kind is EntryKind.AUTHORISED and entry.subject}
    is_done = is_settled(order) and needed_cents(order) == 0
    busy = {effect.target for effect in order.life.effects if effect.kind in {CAPTURE, VOID}}
    idle = [entry for entry in reversed(authorisations(money)) if entry.entry_id not in busy]
    for entry in sorted(idle, key=lambda each: each.entry_id not in renewed):
        spare = aside_cents(order) - free_cents(order, entry) >= needed_cents(order)
        if is_done or entry.entry_id in renewed or (spare and not is_settled(order)):
            order = _asking(order, [_effect(VOID, at, target=entry.entry_id, cents=open_cents(money, entry))])
    return order


def _with_renewals(order: Order) -> Order:
    """Have every authorisation looked at before it expires, and when it does; closed ones no more."""
    money = order.life.money
    voided = {effect.target for effect in asked_of(order, VOID)}
    open_now = [entry for entry in authorisations(money) if entry.entry_id not in voided]
    open_ids = {entry.entry_id for entry in open_now}
    kept = _without(order, lambda each: each.kind == RENEW and each.target not in open_ids)
    watched = {effect.target for effect in asked_of(kept, RENEW)}
    looks = [
        _effect(RENEW, look_at(order, entry), target=entry.entry_id)
        for entry in open_now
        if entry.entry_id not in watched
    ]
    return _asking(kept, looks)


def look_at(order: Order, entry: LedgerEntry) -> datetime:
    """Return when an authorisation is to be looked at: a day before it expires, and then when it does."""
    if entry.expires_at is None:
        return entry.at + _WITHOUT_EXPIRY
    if is_renewed(order, entry):
        return entry.expires_at
    return entry.expires_at - min(_BEFORE_EXPIRY, (entry.expires_at - entry.at) / 2)


def is_renewed(order: Order, entry: LedgerEntry) -> bool:
    """Return whether an authorisation is being replaced by another, or its tender is not asked any more."""
    money = order.life.money
    tender = tender_of(money, entry.tender_id)
    tried = any(each.subject == entry.entry_id for each in money.ledger)
    asked = any(each.subject == entry.entry_id for each in asked_of(order, AUTHORISE))
    return tried or asked or tender is None or is_closed(money, tender)


def _with_confirm(order: Order) -> Order:
    """Have the reservation that the order came with confirmed once the order is paid for."""
    asked = next(asked_of(order, CONFIRM), None)
    if not is_to_confirm(order) or not is_covered(order) or asked is not None or any(asked_of(order, GIVE_UP)):
        return order
    return _asking(order, [_effect(CONFIRM, latest_at(order), target=order.reservation_id or "")])


def is_to_confirm(order: Order) -> bool:
    """Return whether the stock that an order came with is not confirmed yet."""
    first = order.captured.reservation_id
    is_first = first is not None and order.reservation_id == first and order.run_id is None
    return is_first and order.life.money.confirmed != first and order.state is OrderState.CAPTURED


def _waits_for_money(order: Order) -> bool:
    return not is_settled(order) and (not is_covered(order) or is_to_confirm(order))


def _with_deadline(order: Order) -> Order:
    if is_settled(order) or is_covered(order):
        return _without(order, lambda each: each.kind == DEADLINE)
    if any(effect.kind in {DEADLINE, GIVE_UP} for effect in order.life.effects) or _has_shipped(order):
        return order
    return _asking(order, [_effect(DEADLINE, latest_at(order) + PAY_WITHIN, target=order.order_id)])


def _has_shipped(order: Order) -> bool:
    return any(shipment.has_left for shipment in order.life.shipments)


def _with_order_hold(order: Order) -> Order:
    is_held = any(hold.kind == PAYMENT for hold in order.steering.order_holds)
    if _waits_for_money(order) and not is_held:
        why = "what it costs is not set aside yet"
        hold = OrderHold(kind=PAYMENT, reason=why, at=latest_at(order), by="payments")
        return with_holds(order, [*order.steering.order_holds, hold])
    if not _waits_for_money(order) and is_held:
        return with_holds(order, without_kind(order, PAYMENT))
    return order


def _asking(order: Order, effects: Sequence[Effect]) -> Order:
    if not effects:
        return order
    life = msgspec.structs.replace(order.life, effects=(*order.life.effects, *effects))
    return replace(order, life=life)


def _without(order: Order, is_over: Callable[[Effect], bool]) -> Order:
    kept = tuple(effect for effect in order.life.effects if not is_over(effect))
    return replace(order, life=msgspec.structs.replace(order.life, effects=kept))
