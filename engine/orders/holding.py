"""Order holds: an order waits for people, for some time or for an event, as often as there are reasons. Pure rules.

An order has one order hold of each kind; runs leave it alone until it has none. Not here: which orders begin with one
(checking/), approving (approving.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import Fault, InvalidInput
from engine.events.actor import actor
from engine.orders.changing import Rule
from engine.orders.facts.effects import Effect
from engine.orders.model import Note, Order
from engine.orders.order_holds import being_merged, with_holds, without_kind
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.steering import APPROVAL, MANUAL, NOT_BY_HAND, OrderHold


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """An order hold that people ask for; without a time and an event it waits for them."""

    reason: str
    kind: str = MANUAL
    release_at: datetime | None = None
    release_on: str = ""


def stopped(order: Order, new: NewHold, at: datetime, by: str) -> Revision:
    """Return an order with an order hold, in place of one of its kind; raises InvalidInput for a time that is past."""
    note = Note(event="order_hold", by=by, reason=new.reason, subject=new.kind)
    if order.is_cancelled:
        return refused(order, note, f"Order {order.order_id!r} is cancelled; there is nothing to stop.")
    if new.kind in NOT_BY_HAND:
        message = f"{new.kind!r} is not put on by hand; name another kind, or none"
        raise InvalidInput(Fault(path="$.kind", message=message))
    if new.release_at is not None and new.release_at <= at:
        message = f"{new.release_at.isoformat()} is past; give an instant after {at.isoformat(timespec='seconds')}"
        raise InvalidInput(Fault(path="$.release_at", message=message))
    hold = OrderHold(
        kind=new.kind, reason=new.reason, at=at, by=by, release_at=new.release_at, release_on=new.release_on
    )
    return revision_of(order, with_holds(order, [*without_kind(order, new.kind), hold]), note)


def released(order: Order, by: str, kind: str | None = None) -> Revision:
    """Return an order without its order hold of a kind, or without any, and attempts counted anew.

    One that waits for approval is released by that only.
    """
    holds = order.steering.order_holds
    off = [hold for hold in holds if (hold.kind == kind if kind else hold.kind not in NOT_BY_HAND)]
    note = Note(event="order_hold_released", by=by, subject=kind or ", ".join(hold.kind for hold in off) or None)
    if not off or kind in NOT_BY_HAND:
        return refused(order, note, _nothing_to_release(order, kind))
    left = with_holds(order, [hold for hold in holds if hold not in off])
    return revision_of(order, replace(left, steering=replace(left.steering, attempts=0)), note)


async def release_in_time(_order: Order, effect: Effect) -> Rule:
    """Return the rule that releases the order hold that an effect is about."""

    def rule(now: Order, _at: datetime) -> Revision:
        note = Note(event="order_hold_released", by=actor(), reason="its time has come", subject=effect.subject)
        return revision_of(now, with_holds(now, without_kind(now, effect.subject)), note)

    return rule


def _nothing_to_release(order: Order, kind: str | None) -> str:
    kinds = [hold.kind for hold in order.steering.order_holds]
    if APPROVAL in kinds and kind in {None, APPROVAL}:
        return f"Order {order.order_id!r} waits for approval; approve it, or refuse it."
    if why := being_merged(order):
        return why
    if not kinds:
        return f"Order {order.order_id!r} has no order hold."
    return f"Order {order.order_id!r} has no order hold of the kind {kind!r}; it has: {', '.join(kinds)}."
