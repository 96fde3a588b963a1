"""What the index keeps of an order: how a list shows it, and the terms that it is found by."""

from __future__ import annotations

from datetime import datetime

from engine.orders.model import Order
from engine.orders.states import is_over, state_of
from engine.search.contacts import Contact
from engine.search.model import Entry, FoundOrder
from engine.search.terms import Kind, Terms

_MOST_SKUS = 3
"""So many a list shows of an order; it is found by all."""


def entry_of(order: Order, contact: Contact, changed_at: datetime, terms: Terms, *, is_archived: bool = False) -> Entry:
    """Return the entry of an order whose history has its last step at `changed_at`."""
    found = found_order(order, changed_at, is_archived=is_archived)
    personal = (
        terms.of_many(Kind.CUSTOMER, contact.ids)
        | terms.of_many(Kind.PHONE, contact.phones)
        | terms.of_many(Kind.EMAIL, contact.emails)
    )
    skus = {line.sku for line in order.lines} | {line.sku for line in order.demand}
    number = terms.of(Kind.NUMBER, order.order_id)
    public = terms.of_many(Kind.SKU, skus) | {
        number,
        terms.of(Kind.CHANNEL, found.channel),
        terms.of(Kind.STATE, found.state),
    }
    if found.channel_order_id:
        public.add(terms.of(Kind.NUMBER, found.channel_order_id))
    return Entry(
        order=found,
        number=number,
        terms=frozenset(public | personal),
        personal_terms=frozenset(personal),
        is_over=is_over(order) and not is_archived,
        changed_ms=round(changed_at.timestamp() * 1000),
    )


def found_order(order: Order, changed_at: datetime, *, is_archived: bool = False) -> FoundOrder:
    """Return an order as a list shows it."""
    prices = order.life.money.prices
    skus = dict.fromkeys(line.sku for line in order.lines)
    return FoundOrder(
        order_id=order.order_id,
        channel=order.captured.channel,
        state=state_of(order).value,
        captured_at=order.captured.captured_at,
        changed_at=changed_at,
        lines=len(order.lines),
        units=sum(line.quantity for line in order.lines),
        skus=tuple(skus)[:_MOST_SKUS],
        channel_order_id=order.life.channel_order_id,
        promised_on=order.captured.promised_on,
        total_cents=None if prices is None else prices.total_cents,
        currency="" if prices is None else prices.currency,
        is_archived=is_archived,
    )
