"""What the ledger of an order comes to: what is set aside, captured and given back, and what is being asked for.

Not here: what follows from it (balancing.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind, LedgerEntry, Money, Tender
from engine.orders.model import Order

AUTHORISE, CAPTURE, VOID, REFUND = "payment.authorise", "payment.capture", "payment.void", "payment.refund"
RENEW = "payment.renew"
"""Looks at an authorisation before it expires, and when it does."""
DEADLINE, GIVE_UP = "payment.deadline", "payment.give_up"
"""The order is to be paid by then, else it is cancelled."""
CONFIRM = "reservation.confirm"
MOST_CAPTURES_DECLINED = 3
"""After so many captures that were declined a tender is not asked for more."""


def authorisations(money: Money) -> list[LedgerEntry]:
    """Return the authorisations that something is left of, in the order of their tenders."""
    order = {tender.tender_id: place for place, tender in enumerate(money.tenders)}
    found = [entry for entry in money.ledger if entry.kind is EntryKind.AUTHORISED and open_cents(money, entry) > 0]
    return sorted(found, key=lambda entry: order.get(entry.tender_id, len(order)))


def open_cents(money: Money, authorisation: LedgerEntry) -> int:
    """Return what is left of an authorisation, by what the provider has answered; 0 once it is closed."""
    mine = [entry for entry in money.ledger if entry.authorisation_id == authorisation.entry_id]
    if any(entry.kind is not EntryKind.CAPTURED for entry in mine):
        return 0
    return authorisation.amount_cents - sum(entry.amount_cents for entry in mine)


def free_cents(order: Order, authorisation: LedgerEntry) -> int:
    """Return what is left of an authorisation, less what is being captured; 0 if it is being voided."""
    asked = [effect for effect in order.life.effects if effect.target == authorisation.entry_id]
    if any(effect.kind == VOID for effect in asked):
        return 0
    capturing = sum(effect.amount_cents for effect in asked if effect.kind == CAPTURE)
    return open_cents(order.life.money, authorisation) - capturing


def sum_cents(money: Money, kind: EntryKind) -> int:
    """Return what entries of a kind come to."""
    return sum(entry.amount_cents for entry in money.ledger if entry.kind is kind)


def asked_cents(order: Order, kind: str) -> int:
    """Return what effects of a kind come to that are not done yet."""
    return sum(effect.amount_cents for effect in order.life.effects if effect.kind == kind)


def net_charged_cents(order: Order) -> int:
    """Return what was captured or is being captured, less what was given back for shipments.

    A refund for a shipment takes back what was captured for it; one for a return, or of goodwill, does not.
    """
    shipments = {shipment.shipment_id for shipment in order.life.shipments}
    charged = sum_cents(order.life.money, EntryKind.CAPTURED) + asked_cents(order, CAPTURE)
    back = sum(
        entry.amount_cents
        for entry in order.life.money.ledger
        if entry.kind is EntryKind.REFUNDED and entry.subject in shipments
    )
    asked = sum(each.amount_cents for each in asked_of(order, REFUND) if each.subject in shipments)
    return charged - back - asked


def refundable_cents(order: Order, capture: LedgerEntry) -> int:
    """Return what can still be given back of a capture; a refund that was declined is not tried again."""
    gone = sum(
        entry.amount_cents
        for entry in order.life.money.ledger
        if entry.authorisation_id == capture.entry_id and entry.kind in {EntryKind.REFUNDED, EntryKind.DECLINED}
    )
    asked = sum(each.amount_cents for each in asked_of(order, REFUND) if each.target == capture.entry_id)
    return capture.amount_cents - gone - asked


def asked_of(order: Order, kind: str) -> Iterator[Effect]:
    """Yield the effects of a kind that are not done yet."""
    return (effect for effect in order.life.effects if effect.kind == kind)


def is_closed(money: Money, tender: Tender) -> bool:
    """Return whether a tender is not asked for more, since it was declined."""
    declined = [
        entry for entry in money.ledger if entry.kind is EntryKind.DECLINED and entry.tender_id == tender.tender_id
    ]
    at_capture = {entry.entry_id for entry in money.ledger if entry.kind is EntryKind.AUTHORISED}
    captures = sum(entry.authorisation_id in at_capture for entry in declined)
    return any(not entry.authorisation_id for entry in declined) or captures >= MOST_CAPTURES_DECLINED


def room_cents(order: Order, tender: Tender) -> int:
    """Return for how much more a tender may be asked."""
    money = order.life.money
    if is_closed(money, tender):
        return 0
    captured = sum(
        entry.amount_cents
        for entry in money.ledger
        if entry.kind is EntryKind.CAPTURED and entry.tender_id == tender.tender_id
    )
    aside = sum(open_cents(money, each) for each in authorisations(money) if each.tender_id == tender.tender_id)
    asked = sum(each.amount_cents for each in asked_of(order, AUTHORISE) if each.target == tender.tender_id)
    return max(0, tender.amount_cents - captured - aside - asked)


def latest_at(order: Order) -> datetime:
    """Return the last instant that is known of an order's money and shipments."""
    shipped = [each.shipped_at for each in order.life.shipments if each.shipped_at is not None]
    return max([order.captured.captured_at, *shipped, *(entry.at for entry in order.life.money.ledger)])


def entry_of(money: Money, entry_id: str) -> LedgerEntry | None:
    """Return an entry by its id."""
    return next((entry for entry in money.ledger if entry.entry_id == entry_id), None)


def tender_of(money: Money, tender_id: str) -> Tender | None:
    """Return a tender by its id."""
    return next((tender for tender in money.tenders if tender.tender_id == tender_id), None)
