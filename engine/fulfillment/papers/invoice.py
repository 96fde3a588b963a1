"""Invoices and credit notes: what units come to, and the tax in that by tax code.

The bills of an order sum to what it is charged (engine/orders/paying/billing.py). What has not left yet has no number:
its paper is a pro forma invoice. Not here: what stands on them (facts.py), their numbers (engine/payments).
"""

from __future__ import annotations

from engine.fulfillment.papers.facts import BillFacts, Charge, taxes_by_code
from engine.fulfillment.papers.sheet import BOLD, GREY, Column, Sheet, shown_address
from engine.orders.facts.amounts import shown_amount


def invoice(facts: BillFacts) -> bytes:
    """Return it, or a credit note, as PDF."""
    name = f"{facts.title} {facts.number}".rstrip()
    sheet = Sheet(name, is_letter=facts.is_letter)
    sheet.down(14)
    sheet.text(facts.title, size=20, font=BOLD)
    sheet.text(facts.number or "not an invoice yet: it has not left", x=sheet.inner, size=10, right=True)
    sheet.down(26)
    half = sheet.inner / 2
    ends = [
        sheet.block("Bill to", shown_address(facts.recipient), x=0, width=half),
        sheet.block("From", shown_address(facts.sender), x=half, width=half),
    ]
    sheet.y = min(ends) - 24
    heads = [("Order", facts.reference), ("Date", facts.dated.isoformat()), *facts.about]
    width = sheet.inner / len(heads)
    for place, (head, text) in enumerate(heads):
        sheet.block(head, [text], x=place * width, width=width)
    sheet.down(50)
    _lines(sheet, facts.charges, facts.currency)
    _totals(sheet, facts.charges, facts.currency)
    return sheet.done()


def _lines(sheet: Sheet, charges: tuple[Charge, ...], currency: str) -> None:
    money, count, code = 82.0, 44.0, 70.0
    sheet.table(
        [
            Column(head="Product", width=sheet.inner - 3 * money - count - code),
            Column(head="Units", width=count, is_right=True),
            Column(head="Net", width=money, is_right=True),
            Column(head="Tax code", width=code, is_right=True),
            Column(head="Tax", width=money, is_right=True),
            Column(head="Total", width=money, is_right=True),
        ],
        [
            (
                each.text,
                str(each.quantity),
                shown_amount(each.net_cents, currency),
                each.code,
                shown_amount(each.tax_cents, currency),
                shown_amount(each.total_cents, currency),
            )
            for each in charges
        ],
    )


def _totals(sheet: Sheet, charges: tuple[Charge, ...], currency: str) -> None:
    sums = taxes_by_code(charges)
    sheet.room(70 + 14 * len(sums))
    sheet.down(22)
    left = sheet.inner / 2
    rows = [("Net", sum(each.net_cents for each in charges))]
    rows += [(f"Tax {code} on {shown_amount(net, currency)}", tax) for code, (net, tax) in sorted(sums.items())]
    for text, cents in rows:
        sheet.text(text, x=left, grey=GREY)
        sheet.text(shown_amount(cents, currency), x=sheet.inner - 2, right=True)
        sheet.down(14)
    sheet.y += 8
    sheet.rule(weight=0.8, x=left)
    sheet.down(16)
    sheet.text("Total", x=left, size=12, font=BOLD)
    total = sum(each.total_cents for each in charges)
    sheet.text(shown_amount(total, currency), x=sheet.inner - 2, size=12, font=BOLD, right=True)
