"""What a return asks to be paid back, in the step by which it comes to that: pure.

What goes towards an exchange is not paid back; the rest is an effect, which waits until there is something captured
that can be given back (refunding.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import Return
from engine.orders.model import Order
from engine.returns.amounts import with_refund
from engine.returns.steps import REFUND


def asked_for_refund(order: Order, changed: Return, at: datetime) -> tuple[Return, Sequence[Effect]]:
    """Return a return with all that it pays back by now, and the effect that pays what is new of it."""
    changed, more = with_refund(order, changed)
    exchange = changed.exchange
    if exchange is not None:
        credit = min(more, exchange.agreed_cents - exchange.credit_cents)
        more -= credit
        exchange = msgspec.structs.replace(exchange, credit_cents=exchange.credit_cents + credit)
        changed = msgspec.structs.replace(changed, exchange=exchange)
    if more <= 0:
        return changed, ()
    effect_id = f"{changed.return_id}:refund:{changed.refund_cents}"
    effect = Effect(effect_id=effect_id, kind=REFUND, due_at=at, subject=changed.return_id, amount_cents=more)
    return changed, (effect,)
