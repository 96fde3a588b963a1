"""The order holds of an order, with the effects by which those with a time are released when it has come.

Not here: the rules by which there come to be some (holding.py, checking/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from engine.orders.facts.effects import Effect
from engine.orders.model import Order
from engine.orders.steering import MERGING, OrderHold

RELEASE = "order_hold.release"
"""The effect by which an order hold is released when its time has come."""


def with_holds(order: Order, holds: Sequence[OrderHold]) -> Order:
    """Return an order with these order holds, each to be released when its time has come."""
    effects = [each for each in order.life.effects if each.kind != RELEASE]
    effects += [
        Effect(
            effect_id=f"{RELEASE}:{hold.kind}:{hold.release_at.timestamp():.0f}",
            kind=RELEASE,
            due_at=hold.release_at,
            subject=hold.kind,
        )
        for hold in holds
        if hold.release_at is not None
    ]
    life = msgspec.structs.replace(order.life, effects=tuple(effects))
    return replace(order, life=life, steering=replace(order.steering, order_holds=tuple(holds)))


def without_kind(order: Order, kind: str) -> list[OrderHold]:
    """Return the order holds of other kinds."""
    return [hold for hold in order.steering.order_holds if hold.kind != kind]


def being_merged(order: Order) -> str:
    """Return why an order cannot be changed while it joins another; blank if it does not."""
    if all(hold.kind != MERGING for hold in order.steering.order_holds):
        return ""
    return f"Order {order.order_id!r} is being merged into another one. Change that one, or send it again later."


def let_go(order: Order, event: str) -> Order:
    """Return an order without the order holds that an event of its history releases."""
    holds = order.steering.order_holds
    if all(hold.release_on != event for hold in holds):
        return order
    return with_holds(order, [hold for hold in holds if hold.release_on != event])
