"""What is paid back is on a credit note: of a return with its fees, whoever gets it, and of goodwill."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from engine.orders.facts.bills import Bill, BillKind
from engine.orders.model import Order
from engine.orders.paying.balancing import refund_for
from engine.orders.paying.billing import with_bills
from engine.returns.policy import ReturnPolicy, Terms, WithoutReceipt
from tests.returns.return_desk import Desk


def credit_notes(order: Order) -> list[Bill]:
    return [bill for bill in order.life.bills if bill.kind is BillKind.CREDIT_NOTE]


async def test_what_a_return_pays_back_is_on_credit_notes_with_the_fee_that_is_kept(desk: Desk) -> None:
    """Catches a credit note that leaves fees, or what was credited before, out of account (each seeded)."""
    await desk.policy(ReturnPolicy(usual=Terms(restocking_percent=10, fee_cents=200)))
    await desk.delivered("ord_1", MUG=3000, TEA=1001, is_paid=True)
    return_id = (await desk.announce("ord_1", ("1", 2), ("2", 1))).return_id
    await desk.receive(return_id, ("MUG", 2), ("TEA", 1))
    await desk.inspect(return_id, ("MUG", 1, "restock"))
    found = await desk.inspect(return_id, ("MUG", 1, "restock"), ("TEA", 1, "scrap"))
    order = await desk.engine.orders.get("ord_1")
    first, second = credit_notes(order)
    assert [(line.sku or line.text, line.quantity, line.total_cents) for line in first.lines] == [
        ("MUG", 1, 900),
        ("Fees", 1, -200),
    ]
    assert [(line.sku or line.text, line.quantity, line.total_cents) for line in second.lines] == [
        ("MUG", 1, 900),
        ("TEA", 1, 450),
    ]
    assert (first.number, second.number, first.subject) == ("CN-2026-000001", "CN-2026-000002", return_id)
    assert first.total_cents + second.total_cents == found.refund_cents


async def test_what_comes_back_without_a_receipt_is_on_no_credit_note(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(without_receipt=WithoutReceipt(pays_credit=True, needs_approval=False)))
    return_id = (await desk.take(("MUG", 1))).return_id
    await desk.receive(return_id, ("MUG", 1))
    found = await desk.inspect(return_id, ("MUG", 1, "restock"))
    assert found.refund_cents > 0
    assert (await desk.engine.returns.get(return_id))[0].life.bills == ()


async def test_goodwill_is_credited_by_tax_codes_as_the_order_was_taxed(desk: Desk) -> None:
    order = await desk.delivered("ord_1", MUG=3000, TEA=1000, is_paid=True)
    prices = order.life.money.prices
    assert prices is not None
    taxed = (
        msgspec.structs.replace(prices.lines[0], tax_code="full", tax_cents=500),
        msgspec.structs.replace(prices.lines[1], tax_code="less", tax_cents=50),
    )
    money = msgspec.structs.replace(order.life.money, prices=msgspec.structs.replace(prices, lines=taxed))
    order = with_life(order, money=money)
    asked = with_life(order, effects=refund_for(order, 1001))
    bills = [each.bill for each in with_bills(order, asked).life.effects if each.bill is not None]
    assert [(bill.cause, bill.total_cents, bill.tax_cents) for bill in bills] == [
        ("shipped", 4000, 550),
        ("refunded", 1001, 125 + 12),
    ]
    assert [(line.tax_code, line.total_cents) for line in bills[1].lines] == [("full", 750), ("less", 251)]


def with_life(order: Order, **parts: object) -> Order:
    """Return an order whose life has other parts."""
    return replace(order, life=msgspec.structs.replace(order.life, **parts))
