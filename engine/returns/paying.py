"""What a return asks to be paid back, in the step by which it comes to that: pure.

What goes towards an exchange is not paid back; the rest is an effect, which waits until there is something captured
that can be given back (refunding.py). All of it is on a credit note.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import Return
from engine.orders.model import Order
from engine.returns.amounts import with_refund
from engine.returns.crediting import credited
from engine.returns.steps import CREDIT, REFUND


def asked_for_refund(order: Order, changed: Return, at: datetime) -> tuple[Return, Sequence[Effect]]:
    """Return a return with all that it pays back by now, and the effect that pays what is new of it."""
    changed, more = with_refund(order, changed)
    effects = list(credited(order, changed, more, at))
    exchange = changed.exchange
    if exchange is not None and more > 0:
        credit = min(more, exchange.agreed_cents - exchange.credit_cents)
        more -= credit
        exchange = msgspec.structs.replace(exchange, credit_cents=exchange.credit_cents + credit)
        changed = msgspec.structs.replace(changed, exchange=exchange)
        if credit > 0:
            effects.append(_effect(changed, CREDIT, f"credit:{exchange.credit_cents}", credit, at))
    if more > 0:
        effects.append(_effect(changed, REFUND, f"refund:{changed.refund_cents}", more, at))
    return changed, effects


def _effect(changed: Return, kind: str, name: str, cents: int, at: datetime) -> Effect:
    return Effect(
        effect_id=f"{changed.return_id}:{name}",
        kind=kind,
        due_at=at,
        subject=changed.return_id,
        amount_cents=cents,
    )
