"""What gives a reason for a notice: pure, by what is known of an order before a step and after it.

A notice is asked for in the step that gives the reason, as an effect of the order, so that it is sent if and only if
that has happened. Not here: writing and sending it (sending.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Alert
from engine.orders.facts.money import EntryKind
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import NewOrder, Order
from engine.orders.revising import Revision

SEND = "notice.send"
TEMPLATES = ("order_confirmed", "shipped", "delayed", "delivered", "refunded", "cancelled")
"""What customers are told of."""
LATER = timedelta(seconds=1)
"""So long after its reason a notice is due: whoever made the step does not wait for a mail server."""
Reason = tuple[str, str]
"""A template, and the id of the shipment, or of the refund, that it is about."""
Following = Callable[[Revision, datetime], Revision]
"""What else a step of an order asks for."""


def reasons(order: Order) -> set[Reason]:
    """Return what a customer may be told of an order as it is."""
    if order.is_cancelled:
        found = {("cancelled", "")}
    elif order.steering.order_holds:  # it waits for people, or for its payment
        found = set[Reason]()
    else:
        found = {("order_confirmed", "")}
    for shipment in order.life.shipments:
        if shipment.has_left and shipment.state is not ShipmentState.LOST:
            found.add(("shipped", shipment.shipment_id))
        if shipment.state is ShipmentState.DELIVERED:
            found.add(("delivered", shipment.shipment_id))
    refunds = (entry for entry in order.life.money.ledger if entry.kind is EntryKind.REFUNDED)
    return found | {("refunded", entry.entry_id) for entry in refunds}


def with_notices(seen: Order | None, to: Order, at: datetime) -> Order:
    """Return an order that asks for the notices that a step gives reasons for; each is asked for once."""
    if not to.life.customer_id:
        return to
    asked = {each.effect_id for each in to.life.effects} | {each.notice_id for each in to.life.notices}
    fresh = sorted(reasons(to) - (set() if seen is None else reasons(seen)))
    effects = [notice_effect(to.order_id, template, subject, at) for template, subject in fresh]
    wanted = [effect for effect in effects if effect.effect_id not in asked]
    return replace(to, life=with_effects(to.life, *wanted)) if wanted else to


def following(revision: Revision, at: datetime) -> Revision:
    """Return a revision that asks for notices too; see `with_notices`."""
    if revision.refusal is not None:
        return revision
    to = with_notices(revision.seen, revision.to, at)
    return revision if to is revision.to else replace(revision, to=to)


def beginning(order: NewOrder, begun: Order, at: datetime) -> Order:
    """Return a new order that asks for its first notice, once somebody is there to be told."""
    if order.customer is None and order.customer_id is None:
        return begun
    if ("order_confirmed", "") not in reasons(begun):
        return begun
    return replace(begun, life=with_effects(begun.life, notice_effect(begun.order_id, "order_confirmed", "", at)))


def delayed(order: Order, _alert: Alert, day: date, at: datetime) -> Effect | None:
    """Return the notice that an order comes on another day than promised; None if nobody is there to be told."""
    return notice_effect(order.order_id, "delayed", day.isoformat(), at) if order.life.customer_id else None


def notice_effect(order_id: str, template: str, subject: str, at: datetime) -> Effect:
    """Return the effect that sends a notice; its id is that of the notice."""
    digest = sha256(f"{order_id}\0{template}\0{subject}".encode()).hexdigest()[:24]
    return Effect(effect_id=f"ntc_{digest}", kind=SEND, due_at=at + LATER, subject=f"{template}:{subject}")
