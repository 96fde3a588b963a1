"""What units that come back are worth, what of it is paid back, and what is kept as a fee: pure.

Values of units are differences of running totals of their line, so that whatever comes back, in however many returns,
never comes to more than was paid for it. Not here: paying it back (refunding.py).
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from engine.orders.facts.returns import Return, ReturnLine
from engine.orders.model import Order
from engine.orders.paying.pricing import shipping_total_cents
from engine.orders.paying.values import demand_values
from engine.returns.terms import with_customer


def units_value_cents(order: Order, line_id: str, units: int) -> int:
    """Return what the next units of a line are worth that are paid back; 0 of an order without prices."""
    quantity = next((line.quantity for line in order.demand if line.line_id == line_id), 0)
    if not quantity:
        return 0
    value = demand_values(order)[line_id]
    before = min(quantity, _refunded(order, line_id))
    return value * min(quantity, before + units) // quantity - value * before // quantity


def paid_back(order: Order, changed: Return, line: ReturnLine, units: int, percent: int) -> ReturnLine:
    """Return a line of a return with so many more units paid back, at a percentage less what is kept for restocking.

    `changed` is the return as it is being changed: units that it has paid back by now count.
    """
    if not line.line_id or not units:
        return line
    value = units_value_cents(_with(order, changed), line.line_id, units)
    refund = value * percent * (100 - line.terms.restocking_percent) // 10_000
    return msgspec.structs.replace(
        line,
        refunded=line.refunded + units,
        value_cents=line.value_cents + value,
        refund_cents=line.refund_cents + refund,
    )


def shipping_refund_cents(order: Order, changed: Return) -> int:
    """Return what of the shipping is paid back: all, once, when all that was sent was taken back by such terms."""
    others = [each for each in order.life.returns if each.return_id != changed.return_id]
    prices = order.life.money.prices
    if prices is None or any(each.shipping_refund_cents for each in others):
        return 0
    after = _with(order, changed)
    is_all = all(_refunded(after, line_id) >= units for line_id, units in with_customer(order).items())
    by_terms = all(line.terms.refunds_shipping for line in changed.lines if line.line_id)
    return shipping_total_cents(prices) if is_all and by_terms else 0


def fees(changed: Return) -> int:
    """Return the fee of a return: the highest of its lines', once."""
    return max((line.terms.fee_cents for line in changed.lines), default=0)


def with_refund(order: Order, changed: Return) -> tuple[Return, int]:
    """Return a return with all that it pays back by now, and how much that is more than before."""
    shipping = changed.shipping_refund_cents or shipping_refund_cents(order, changed)
    gross = sum(line.refund_cents for line in changed.lines) + shipping
    net = gross - changed.fee_cents - changed.label_fee_cents
    if changed.most_refund_cents is not None:
        net = min(net, changed.most_refund_cents)
    due = max(changed.refund_cents, net)
    more = due - changed.refund_cents
    return msgspec.structs.replace(changed, shipping_refund_cents=shipping, refund_cents=due), more


def _refunded(order: Order, line_id: str) -> int:
    return sum(line.refunded for each in order.life.returns for line in each.lines if line.line_id == line_id)


def _with(order: Order, changed: Return) -> Order:
    returns = tuple(changed if each.return_id == changed.return_id else each for each in order.life.returns)
    return replace(order, life=msgspec.structs.replace(order.life, returns=returns))
