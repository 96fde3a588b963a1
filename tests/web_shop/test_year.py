"""Recorded days of the real web shop, from capture to delivery and back: its totals, to the penny and to the unit.

Three weeks of the year are in the repository, one of them is lived through in CI. `ALLOT_WEB_SHOP` names a folder with
`order_lines.csv.gz` and `skus.csv.gz` of the whole year, which is then lived through: minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from pathlib import Path

from engine.orders.facts.money import EntryKind
from engine.orders.model import Order, OrderState
from engine.orders.states import state_of, units_by_state
from tests.web_shop.living import Life, opened
from tests.web_shop.sales import books

FIRST, DAYS = (date(2010, 12, 1), 374) if "ALLOT_WEB_SHOP" in os.environ else (date(2011, 2, 7), 7)


async def test_recorded_days_end_with_the_recorded_totals(tmp_path: Path) -> None:
    """Every row of the data is accounted for: sold, credited, or named apart.

    Seeded bugs this catches: a captured amount that is rounded line by line and not cumulated, a cancelled unit that is
    charged, a return that is refunded at today's price, units put back twice.
    """
    recorded = books(FIRST, DAYS)
    sold = sum(sale.total for sale in recorded.sales)
    credited = sum(sum(credit.pence.values()) for credit in recorded.credits)
    assert sold - credited + sum(recorded.beside.values()) == recorded.recorded, "no row is forgotten"
    async with opened(tmp_path / "shop", FIRST, DAYS) as life:
        on_hand = await shelves(life)
        await life.live(recorded)
        orders = [await life.engine.orders.get(order_id) for order_id in life.order_ids]
        assert len({order.order_id for order in orders}) >= len(recorded.sales)
        assert {state_of(order) for order in orders} <= {S.DELIVERED, S.RETURNED, S.CANCELLED}
        check_units(life, orders, on_hand, await shelves(life))
        check_money(life, orders, sold, credited)


S = OrderState


async def shelves(life: Life) -> Counter[str]:
    skus = [product.sku for product in (await life.engine.reference.current()).catalog.document.products]
    view = await life.engine.stock.read(skus)
    column = view.node_ids.index("warehouse")
    found = [view.position(row, column) for row in range(len(skus))]
    assert all(each.held + each.confirmed == 0 for each in found), "nothing is left reserved"
    return Counter({sku: each.on_hand for sku, each in zip(skus, found, strict=True)})


def check_units(life: Life, orders: list[Order], before: Counter[str], after: Counter[str]) -> None:
    """Assert that shelves have lost what customers have, unit by unit."""
    kept, states = Counter[str](), Counter[OrderState]()
    for order in orders:
        units = units_by_state(order)
        for line in order.demand:
            kept[line.sku] += units[line.line_id].get(S.DELIVERED, 0)
            states.update(units[line.line_id])
    assert before - after == +kept
    assert states[S.CANCELLED] == life.told.cancelled
    assert states[S.RETURNED] == life.told.returned


def check_money(life: Life, orders: list[Order], sold: int, credited: int) -> None:
    """Assert that what was charged less what was paid back is what customers keep, to the penny."""
    captured, refunded, wanted = 0, 0, 0
    for order in orders:
        entries = Counter[EntryKind]()
        for entry in order.life.money.ledger:
            entries[entry.kind] += entry.amount_cents
        captured, refunded = captured + entries[EntryKind.CAPTURED], refunded + entries[EntryKind.REFUNDED]
        assert entries[EntryKind.AUTHORISED] == entries[EntryKind.CAPTURED] + entries[EntryKind.VOIDED]
        wanted += kept_pence(order)
    told = life.told
    assert told.sold == sold
    assert captured - refunded == wanted
    assert told.credited + told.unknown == credited


def kept_pence(order: Order) -> int:
    """Return what a customer has paid for good: what left, less what came back, with postage unless nothing was sent.

    A part of a line is worth the running total of its units, rounded down, counted from the first: of those that left,
    and of those that came back.
    """
    prices = order.life.money.prices
    assert prices is not None
    units, total = units_by_state(order), 0
    for line in prices.lines:
        found = units[line.line_id]
        back = found.get(S.RETURNED, 0)
        left = found.get(S.DELIVERED, 0) + back
        assert left + found.get(S.CANCELLED, 0) == line.quantity
        total += line.total_cents * left // line.quantity - line.total_cents * back // line.quantity
    return total + (0 if state_of(order) is S.CANCELLED else prices.shipping_cents)
