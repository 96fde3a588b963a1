"""What an order is billed for: worked out anew with every change of it, as its money is (balancing.py). Pure.

* What has left its node is on an invoice, shipping on the first; what was lost, or costs less by now, on a credit note.
  So the bills of an order sum to what it is charged for, to the cent.
* Money that is given back of goodwill is on a credit note. Returns have their own (engine/returns/crediting.py).

A bill waits as an effect until it has its number (engine/payments/numbering.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from engine.orders.facts.bills import Bill, BillCause, BillKind, BillLine
from engine.orders.facts.effects import Effect
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.orders.paying.ledger import REFUND, latest_at
from engine.orders.paying.pricing import shipping_total_cents
from engine.orders.paying.values import demand_taxes, demand_values

NUMBER = "bill.number"
"""The kind of the effect that allots a bill its number."""
SHIPPING, SHIPPING_CODE, GOODWILL = "Shipping", "shipping", "Refund"
_OF_UNITS = frozenset({BillCause.SHIPPED, BillCause.CORRECTED})
Sum = tuple[int, int, int]
"""Units, cents, and the tax in these."""
_NONE: Sum = (0, 0, 0)


def bills_of(order: Order) -> tuple[Bill, ...]:
    """Return the bills of an order, those that wait for their number last."""
    return (*order.life.bills, *(each.bill for each in order.life.effects if each.bill is not None))


def billed_cents(order: Order) -> int:
    """Return what an order was billed for units that left, less what of it is not owed any more; without returns."""
    return sum(cents for _, cents, _ in _billed(order).values())


def bill_effect(
    order: Order, cause: BillCause, lines: Iterable[BillLine], at: datetime, *, kind: BillKind, subject: str = ""
) -> Effect:
    """Return the effect by which an order's next bill gets its number."""
    bill_id = f"{order.order_id}:bill:{len(bills_of(order)) + 1}"
    bill = Bill(bill_id=bill_id, kind=kind, cause=cause, lines=tuple(lines), subject=subject)
    return Effect(effect_id=bill_id, kind=NUMBER, due_at=at, subject=subject, amount_cents=bill.total_cents, bill=bill)


def with_bills(seen: Order, order: Order) -> Order:
    """Return an order, seen before as `seen`, with bills for all that has left, and for what is not owed any more."""
    if order.life.money.prices is None or not any(each.has_left for each in order.life.shipments):
        return order
    if any(not each.has_receipt for each in order.life.returns):
        return order  # it stands for a sale that nobody knows, which was billed then
    order = _with_invoices(order)
    order = _with_corrections(seen, order)
    return _with_goodwill(seen, order)


def _with_invoices(order: Order) -> Order:
    """Add an invoice for each shipment that has left and has none."""
    known = {bill.subject for bill in bills_of(order) if bill.cause is BillCause.SHIPPED}
    gone = [each for each in order.life.shipments if _counts(each)]
    new = [each for each in gone if each.shipment_id not in known]
    units = _units(each for each in gone if each.shipment_id in known)
    for shipment in sorted(new, key=lambda each: each.shipped_at or each.released_at):
        units = _units([shipment], units)
        owed, billed = _owed(order, units), _billed(order)
        place_ids = [*(line.line_id for line in shipment.lines), ""]
        lines = _lines(order, {each: owed.get(each, _NONE) for each in place_ids}, billed, 1)
        order = _asking(order, BillCause.SHIPPED, lines, kind=BillKind.INVOICE, subject=shipment.shipment_id)
    return order


def _with_corrections(seen: Order, order: Order) -> Order:
    """Add a credit note for what was billed and is not owed, and an invoice for what is owed beyond that."""
    owed = _owed(order, _units(each for each in order.life.shipments if _counts(each)))
    billed = _billed(order)
    both = {each: owed.get(each, _NONE) for each in {**owed, **billed}}
    lost_before = {each.shipment_id for each in seen.life.shipments if each.state is ShipmentState.LOST}
    lost = [each.shipment_id for each in order.life.shipments if each.state is ShipmentState.LOST]
    subject = next((each for each in lost if each not in lost_before), "")
    for sign, kind in ((-1, BillKind.CREDIT_NOTE), (1, BillKind.INVOICE)):
        changed = {each: sums for each, sums in both.items() if sign * (sums[1] - billed.get(each, _NONE)[1]) > 0}
        lines = _lines(order, changed, billed, sign)
        order = _asking(order, BillCause.CORRECTED, lines, kind=kind, subject=subject)
    return order


def _with_goodwill(seen: Order, order: Order) -> Order:
    """Add a credit note for money that is to be given back, and is for no return and no shipment."""
    known = {each.effect_id for each in seen.life.effects}
    new = [each for each in order.life.effects if each.kind == REFUND and not each.subject]
    cents = sum(each.amount_cents for each in new if each.effect_id not in known)
    return _asking(order, BillCause.REFUNDED, _goodwill(order, cents), kind=BillKind.CREDIT_NOTE) if cents else order


def _goodwill(order: Order, cents: int) -> Sequence[BillLine]:
    """Return an amount divided by tax codes as the order's price is, each part with its tax."""
    prices = order.life.money.prices
    assert prices is not None, "only what has prices is billed"
    sums: dict[str, tuple[int, int]] = {}
    priced = [(each.tax_code, each.total_cents, each.tax_cents) for each in prices.lines]
    priced.append((SHIPPING_CODE, shipping_total_cents(prices), prices.shipping_tax_cents))
    for code, total, tax in priced:
        before = sums.get(code, (0, 0))
        sums[code] = (before[0] + total, before[1] + tax)
    whole = sum(total for total, _ in sums.values()) or 1
    lines, passed = list[BillLine](), 0
    for code, (total, tax) in sums.items():
        part = cents * (passed + total) // whole - cents * passed // whole
        passed += total
        if part:
            of_tax = part * tax // total if total else 0
            lines.append(BillLine(total_cents=part, tax_cents=of_tax, tax_code=code, text=GOODWILL))
    return lines


def _lines(order: Order, owed: Mapping[str, Sum], billed: Mapping[str, Sum], sign: int) -> Sequence[BillLine]:
    """Return by how much what is owed differs from what is billed, by line; the blank line is shipping."""
    prices = order.life.money.prices
    assert prices is not None, "only what has prices is billed"
    codes = {each.line_id: each.tax_code for each in prices.lines}
    skus = {line.line_id: line.sku for line in order.demand}
    found = list[BillLine]()
    for line_id, sums in owed.items():
        before = billed.get(line_id, _NONE)
        units, cents, tax = (sign * (now - then) for now, then in zip(sums, before, strict=True))
        if not line_id and cents:
            found.append(BillLine(total_cents=cents, tax_cents=tax, tax_code=SHIPPING_CODE, text=SHIPPING, quantity=1))
        elif line_id and (units or cents):
            code = codes.get(line_id) or codes.get(line_id.partition("/")[0], "")
            found.append(
                BillLine(
                    total_cents=cents,
                    tax_cents=tax,
                    tax_code=code,
                    line_id=line_id,
                    sku=skus.get(line_id, ""),
                    quantity=max(0, units),
                )
            )
    return found


def _owed(order: Order, units: Mapping[str, int]) -> dict[str, Sum]:
    """Return what so many units of each line come to, and under the blank id shipping, which any unit makes due."""
    prices = order.life.money.prices
    assert prices is not None, "only what has prices is billed"
    values, taxes = demand_values(order), demand_taxes(order)
    owed: dict[str, Sum] = {}
    for line in order.demand:
        count = min(line.quantity, units.get(line.line_id, 0))
        if count:
            cents, tax = (each[line.line_id] * count // line.quantity for each in (values, taxes))
            owed[line.line_id] = (count, cents, tax)
    if owed:
        owed[""] = (1, shipping_total_cents(prices), prices.shipping_tax_cents)
    return owed


def _billed(order: Order) -> dict[str, Sum]:
    """Return what was billed of each line, and of shipping, less what of it is not owed any more."""
    found: dict[str, Sum] = {}
    for bill in bills_of(order):
        sign = 1 if bill.kind is BillKind.INVOICE else -1
        for line in bill.lines if bill.cause in _OF_UNITS else ():
            units, cents, tax = found.get(line.line_id, _NONE)
            found[line.line_id] = (
                units + sign * line.quantity,
                cents + sign * line.total_cents,
                tax + sign * line.tax_cents,
            )
    return found


def _asking(order: Order, cause: BillCause, lines: Sequence[BillLine], *, kind: BillKind, subject: str = "") -> Order:
    if not lines:
        return order
    effect = bill_effect(order, cause, lines, latest_at(order), kind=kind, subject=subject)
    life = msgspec.structs.replace(order.life, effects=(*order.life.effects, effect))
    return replace(order, life=life)


def _counts(shipment: Shipment) -> bool:
    """Say whether a shipment is to be paid for: it has left, and was not lost."""
    return shipment.has_left and shipment.state is not ShipmentState.LOST


def _units(shipments: Iterable[Shipment], before: Mapping[str, int] | None = None) -> dict[str, int]:
    units = dict(before or {})
    for shipment in shipments:
        for line in shipment.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units
