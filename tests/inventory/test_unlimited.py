"""Stock that never runs out, of vendors who always have more, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import OnHandOutOfRange
from engine.inventory.model import MAX_ON_HAND, MAX_UNITS, Adjustment, HoldLine, PositionCount, Supply
from engine.inventory.receipts import Receipt

UNLIMITED = PositionCount(node_id="berlin", sku="mug", unlimited=True)


def delta(by: int) -> Adjustment:
    return Adjustment(node_id="berlin", sku="mug", delta=by, reason="test")


async def test_an_unlimited_position_says_so_and_any_number_of_holds_fits(stock: Any) -> None:
    put = (await stock.store.put_positions([UNLIMITED]))[0]
    assert (put.unlimited, put.on_hand, put.version) == (True, MAX_UNITS, 1)
    for number in range(3):
        await stock.hold(f"r{number}", stock.line(10**6), stock.line(10**6))
    assert (await stock.position()).available == MAX_UNITS - 6 * 10**6


async def test_what_leaves_an_unlimited_position_is_no_longer_reserved_and_lowers_nothing(stock: Any) -> None:
    """The seeded bug: on_hand goes down by what left, and the position is a very large count from then on."""
    await stock.store.put_positions([UNLIMITED])
    await stock.hold("a", stock.line(5), stock.line(3, ship_on=stock.day(4)))
    await stock.store.confirm("a")
    await stock.store.consume("a")
    position = await stock.position()
    assert (position.unlimited, position.reserved, position.dated, position.version) == (True, 0, (), 1)


@pytest.mark.parametrize("by", [1, -1])
async def test_an_adjustment_of_unlimited_stock_is_refused_until_it_is_counted(stock: Any, by: int) -> None:
    await stock.store.put_positions([UNLIMITED])
    with pytest.raises(OnHandOutOfRange, match=r"mug at berlin is unlimited, so .1 means nothing; count it first"):
        await stock.store.adjust([delta(by)])
    await stock.count(7)
    assert (await stock.store.adjust([delta(by)])).value[0].on_hand == 7 + by


async def test_no_adjustment_makes_stock_unlimited(stock: Any) -> None:
    """The seeded bug: the largest number that fits into a cell is accepted as a sum, and no unit counts any more."""
    await stock.count(MAX_ON_HAND)
    with pytest.raises(OnHandOutOfRange, match=f"it must stay within 0 and {MAX_ON_HAND}"):
        await stock.store.adjust([delta(1)])
    assert not (await stock.position()).unlimited


async def test_what_comes_to_an_unlimited_position_settles_what_waits_for_it_and_adds_nothing(stock: Any) -> None:
    """The seeded bug: the receipt is refused for good, since nothing fits on top of the largest number."""
    await stock.store.put_positions([UNLIMITED])
    supply = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=5, expected_on=stock.day(4))
    await stock.store.put_supplies([supply], today=stock.today)
    await stock.hold("a", HoldLine(sku="mug", node_id="berlin", quantity=2, supply_id="po-1"))
    receipt = Receipt(supply_id="po-1", node_id="berlin", sku="mug", quantity=5)
    await stock.store.receive([receipt], today=stock.today)
    position = await stock.position()
    assert (position.unlimited, position.held, position.supplies, position.dated) == (True, 2, (), ())


async def test_a_count_of_stock_that_was_unlimited_may_leave_less_than_is_reserved(stock: Any) -> None:
    await stock.store.put_positions([UNLIMITED])
    await stock.hold("a", stock.line(8))
    await stock.count(5)
    position = await stock.position()
    assert (position.unlimited, position.available, position.version) == (False, -3, 2)
