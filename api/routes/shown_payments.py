"""How the money of an order goes over the wire, and how tenders come."""

from __future__ import annotations

from api.routes.shown_checks import shown_prices
from api.schemas import order_payments as wire
from api.schemas.tenders import TenderBody
from engine.orders.facts.money import EntryKind, Money, Tender, TenderKind
from engine.orders.model import NewTender, Order
from engine.orders.paying.balancing import aside_cents, is_covered, needed_cents
from engine.orders.paying.ledger import authorisations, is_closed, open_cents, sum_cents
from engine.orders.paying.values import charged_for_cents, wanted_cents


def new_tender(body: TenderBody) -> NewTender:
    """Return what is asked for by the body of a tender."""
    return NewTender(
        kind=TenderKind(body.kind), token=body.token, provider=body.provider, amount_cents=body.amount_cents
    )


def shown_payments(order: Order) -> wire.OrderPayments:
    """Return the money of an order."""
    money = order.life.money
    return wire.OrderPayments(
        order_id=order.order_id,
        currency=None if money.prices is None else money.prices.currency,
        prices=shown_prices(money.prices),
        wanted_cents=wanted_cents(order),
        charged_for_cents=charged_for_cents(order),
        captured_cents=sum_cents(money, EntryKind.CAPTURED),
        refunded_cents=sum_cents(money, EntryKind.REFUNDED),
        aside_cents=aside_cents(order),
        needed_cents=needed_cents(order),
        is_covered=is_covered(order),
        tenders=[_tender(money, tender) for tender in money.tenders],
        ledger=_ledger(money),
        pending=[
            wire.PendingPayment(
                effect_id=effect.effect_id,
                kind=effect.kind,
                amount_cents=effect.amount_cents,
                subject=effect.subject or None,
                due_at=effect.due_at,
                tries=effect.tries,
                last_error=effect.last_error or None,
            )
            for effect in order.life.effects
            if effect.kind.startswith(("payment.", "reservation."))
        ],
    )


def _ledger(money: Money) -> list[wire.LedgerEntry]:
    return [
        wire.LedgerEntry(
            entry_id=entry.entry_id,
            kind=entry.kind.value,
            tender_id=entry.tender_id,
            amount_cents=entry.amount_cents,
            at=entry.at,
            provider_id=entry.provider_id or None,
            authorisation_id=entry.authorisation_id or None,
            subject=entry.subject or None,
            reason=entry.reason or None,
            expires_at=entry.expires_at,
        )
        for entry in money.ledger
    ]


def _tender(money: Money, tender: Tender) -> wire.TenderReply:
    mine = [entry for entry in money.ledger if entry.tender_id == tender.tender_id]
    return wire.TenderReply(
        tender_id=tender.tender_id,
        kind=tender.kind.value,
        provider=tender.provider,
        amount_cents=tender.amount_cents,
        aside_cents=sum(
            open_cents(money, each) for each in authorisations(money) if each.tender_id == tender.tender_id
        ),
        captured_cents=sum(entry.amount_cents for entry in mine if entry.kind is EntryKind.CAPTURED),
        refunded_cents=sum(entry.amount_cents for entry in mine if entry.kind is EntryKind.REFUNDED),
        is_closed=is_closed(money, tender),
    )
