"""Giving bills their numbers: `INV-2026-000001` and on for invoices, `CN-2026-000001` for credit notes, by year (UTC).

The number is taken in the register first, then written on the bill in one step with the end of waiting for it, then the
register forgets that the bill waits: whoever dies between these takes no second one. Not here: what bills come to
(engine/orders/paying/billing.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from engine.clock import Clock
from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import Handler, without_effect
from engine.orders.facts.bills import BillKind
from engine.orders.facts.effects import Effect
from engine.orders.model import Note, Order
from engine.orders.paying.billing import NUMBER
from engine.orders.revising import Revision, revision_of
from engine.payments.numbers import Allotted, NumberBook

PREFIXES = {BillKind.INVOICE: "INV", BillKind.CREDIT_NOTE: "CN"}
"""With what numbers of each kind of bill begin."""
_BY = "billing"


class BillNumbers:
    """Gives bills their numbers."""

    def __init__(self, book: NumberBook, changes: OrderChanges, clock: Clock) -> None:
        self._book, self._changes, self._clock = book, changes, clock

    def handlers(self) -> dict[str, Handler]:
        """Return who does which kind of effect."""
        return {NUMBER: self.number}

    async def number(self, order: Order, effect: Effect) -> Rule:
        """Do `bill.number`, and write it down at once: only then the register may forget about it."""
        assert effect.bill is not None, "only a bill asks for a number"
        today = self._clock.now().astimezone(UTC).date()
        series = f"{PREFIXES[effect.bill.kind]}-{today.year}"
        given = await self._book.allot(series, effect.effect_id, today)
        rule = _numbered(effect, given)
        await self._changes.change(order.order_id, rule)
        await self._book.written(effect.effect_id)
        return rule


def _numbered(effect: Effect, given: Allotted) -> Rule:
    """Return the rule that writes a number on its bill, unless that is done."""

    def rule(order: Order, _: datetime) -> Revision | None:
        bill = next((each.bill for each in order.life.effects if each.effect_id == effect.effect_id), None)
        if bill is None:
            return None
        number = f"{given.series}-{given.number:06d}"
        numbered = msgspec.structs.replace(bill, number=number, dated=given.day)
        life = without_effect(order.life, effect.effect_id)
        life = msgspec.structs.replace(life, bills=(*life.bills, numbered))
        note = Note(
            event=f"{bill.kind.value}_numbered",
            by=_BY,
            subject=bill.subject or None,
            reason=number,
            amount_cents=bill.total_cents,
        )
        return revision_of(order, replace(order, life=life), note)

    return rule
