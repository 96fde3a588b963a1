"""The credit note of what a return pays back, whoever gets it: the customer, or the order in exchange. Pure.

Its lines are what is paid back of the return's lines, with the tax in that, and of shipping; fees that are kept are a
line that takes away from it. Not here: the amounts (amounts.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.orders.facts.bills import BillCause, BillKind, BillLine
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import Prices
from engine.orders.facts.returns import Return, ReturnLine
from engine.orders.model import Order
from engine.orders.paying.billing import SHIPPING, SHIPPING_CODE, bill_effect
from engine.orders.paying.pricing import shipping_total_cents
from engine.orders.paying.values import demand_taxes, demand_values

FEES = "Fees"


def credited(order: Order, changed: Return, cents: int, at: datetime) -> Iterator[Effect]:
    """Yield the effect that makes the credit note of so many more cents that a return pays back than in its order."""
    prices = order.life.money.prices
    if prices is None or not changed.has_receipt or cents <= 0:
        return
    before = next((each for each in order.life.returns if each.return_id == changed.return_id), None)
    lines = [*_of_units(order, before, changed), *_of_shipping(prices, before, changed)]
    kept = cents - sum(line.total_cents for line in lines)
    if kept:
        lines.append(BillLine(total_cents=kept, text=FEES, quantity=1))
    yield bill_effect(order, BillCause.RETURNED, lines, at, kind=BillKind.CREDIT_NOTE, subject=changed.return_id)


def _of_units(order: Order, before: Return | None, changed: Return) -> Iterator[BillLine]:
    prices = order.life.money.prices
    codes = {} if prices is None else {each.line_id: each.tax_code for each in prices.lines}
    values, taxes = demand_values(order), demand_taxes(order)
    known = {} if before is None else {(line.line_id, line.sku): line for line in before.lines}
    for line in changed.lines:
        earlier = known.get((line.line_id, line.sku))
        paid = 0 if earlier is None else earlier.refund_cents
        if line.line_id and line.refund_cents > paid:
            value, tax = values.get(line.line_id, 0), taxes.get(line.line_id, 0)
            of_tax = 0 if not value else line.refund_cents * tax // value - paid * tax // value
            code = codes.get(line.line_id) or codes.get(line.line_id.partition("/")[0], "")
            yield BillLine(
                total_cents=line.refund_cents - paid,
                tax_cents=of_tax,
                tax_code=code,
                line_id=line.line_id,
                sku=line.sku,
                quantity=_refunded(line) - _refunded(earlier),
            )


def _of_shipping(prices: Prices, before: Return | None, changed: Return) -> Iterator[BillLine]:
    cents = changed.shipping_refund_cents - (0 if before is None else before.shipping_refund_cents)
    if cents > 0:
        total, tax = shipping_total_cents(prices), prices.shipping_tax_cents
        of_tax = cents * tax // total if total else 0
        yield BillLine(total_cents=cents, tax_cents=of_tax, tax_code=SHIPPING_CODE, text=SHIPPING, quantity=1)


def _refunded(line: ReturnLine | None) -> int:
    return 0 if line is None else line.refunded
