"""What may be held: all or nothing, summed demand, and ATP over supplies and dated demand; on every store."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import IllegalState, InsufficientStock
from engine.inventory.model import Hold, ReservationState, Supply


async def expect(stock: Any, quantity: int, sku: str, expected_on: Any, node_id: str = "berlin") -> None:
    supply_id = f"po-{quantity}-{expected_on}"
    supply = Supply(supply_id=supply_id, node_id=node_id, sku=sku, quantity=quantity, expected_on=expected_on)
    await stock.store.put_supplies([supply], today=stock.today)


async def can_hold(stock: Any, quantity: int, day: int, reservation_id: str = "probe") -> bool:
    """Say whether so much can be held for a day; what was held is given back."""
    name = f"{reservation_id}-{quantity}-{day}"
    try:
        await stock.hold(name, stock.line(quantity, ship_on=stock.day(day)))
    except InsufficientStock:
        return False
    await stock.store.cancel(name)
    return True


async def test_a_hold_takes_its_units_and_says_until_when(stock: Any) -> None:
    await stock.count(10, safety_stock=1)
    reservation = await stock.hold("a", stock.line(4), stock.line(2))
    assert reservation.state is ReservationState.HELD
    assert reservation.expires_at is not None
    position = await stock.position()
    assert (position.held, position.confirmed, position.available) == (6, 0, 3)
    assert await stock.store.get_reservation("a") == reservation


async def test_a_reservation_keeps_its_channel_and_reference(stock: Any) -> None:
    await stock.count(10)
    hold = Hold(reservation_id="a", lines=(stock.line(1),), channel="web", reference="cart 7 – ü")
    kept = (await stock.store.hold(hold, today=stock.today)).value
    assert (kept.channel, kept.reference) == ("web", "cart 7 – ü")
    assert await stock.store.get_reservation("a") == kept


async def test_a_refusal_names_every_short_line_and_takes_nothing(stock: Any) -> None:
    """The seeded bug: taking line by line while checking keeps 3 of cup."""
    await stock.count(10)
    await stock.count(5, sku="cup")
    with pytest.raises(InsufficientStock) as refusal:
        await stock.hold(
            "a", stock.line(3, "cup"), stock.line(11), stock.line(1, "cup", "rome"), stock.line(1, "new", "oslo")
        )
    short = [(line.sku, line.node_id, line.quantity, line.available) for line in refusal.value.lines]
    assert short == [("mug", "berlin", 11, 10), ("cup", "rome", 1, 0), ("new", "oslo", 1, 0)]
    assert (await stock.position(sku="cup")).held == 0
    assert (await stock.position()).held == 0


async def test_lines_of_one_sku_are_summed_before_they_are_checked(stock: Any) -> None:
    """The seeded bug: checking each line against the cell lets 6 + 6 of 10 through."""
    await stock.count(10)
    with pytest.raises(InsufficientStock) as refusal:
        await stock.hold("a", stock.line(6), stock.line(6))
    assert [(line.quantity, line.available) for line in refusal.value.lines] == [(12, 10)]
    assert (await stock.position()).held == 0
    await stock.hold("b", stock.line(6), stock.line(4))
    assert (await stock.position()).available == 0


async def test_a_negative_available_is_told_as_it_is(stock: Any) -> None:
    await stock.count(5)
    await stock.hold("a", stock.line(5))
    await stock.count(2)
    with pytest.raises(InsufficientStock) as refusal:
        await stock.hold("b", stock.line(1))
    assert refusal.value.lines[0].available == -3


async def test_the_golden_case_of_available_to_promise_can_be_held_and_no_more(stock: Any) -> None:
    """On hand 20, 3 today, +10 on day 3, −15 on day 4, +1 on day 5, +3 on day 6: ATP 12, 12, 12, 12, 13, 16, 16."""
    await stock.count(20)
    await expect(stock, 10, "mug", stock.day(3))
    await expect(stock, 1, "mug", stock.day(5))
    await expect(stock, 3, "mug", stock.day(6))
    await stock.hold("today", stock.line(3))
    await stock.hold("later", stock.line(15, ship_on=stock.day(4)))
    for day, atp in enumerate([12, 12, 12, 12, 13, 16, 16], start=1):
        assert await can_hold(stock, atp, day), (day, atp)
        assert not await can_hold(stock, atp + 1, day), (day, atp)


async def test_dated_demand_counts_on_its_date_and_not_in_the_cells(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4, ship_on=stock.day(3)))
    await stock.hold("b", stock.line(1, ship_on=stock.day(3)))
    position = await stock.position()
    assert (position.held, position.confirmed, position.available) == (0, 0, 10)
    assert [(demand.ship_on, demand.quantity) for demand in position.dated] == [(stock.day(3), 5)]
    with pytest.raises(InsufficientStock) as refusal:
        await stock.hold("c", stock.line(6))
    assert refusal.value.lines[0].available == 5


async def test_lines_of_several_days_in_one_hold_do_not_count_on_the_same_units(stock: Any) -> None:
    """The seeded bug: checking each day by itself lets 8 now and 5 on day 3 through, of 10."""
    await stock.count(10)
    with pytest.raises(InsufficientStock) as refusal:
        await stock.hold("a", stock.line(5, ship_on=stock.day(3)), stock.line(8))
    assert [(line.quantity, line.available) for line in refusal.value.lines] == [(5, 2)]
    await expect(stock, 3, "mug", stock.day(2))
    await stock.hold("a", stock.line(5, ship_on=stock.day(3)), stock.line(8))


async def test_an_overdue_supply_does_not_count_and_one_of_today_does(stock: Any) -> None:
    await expect(stock, 5, "mug", stock.day(0))
    assert not await can_hold(stock, 1, 1)
    await expect(stock, 4, "mug", stock.day(1))
    assert await can_hold(stock, 4, 1)
    assert not await can_hold(stock, 5, 1)


async def test_supply_and_demand_of_one_day_are_set_off_against_each_other(stock: Any) -> None:
    await expect(stock, 5, "mug", stock.day(3))
    await stock.hold("a", stock.line(5, ship_on=stock.day(3)))
    await stock.count(2)
    assert await can_hold(stock, 2, 1)


async def test_a_line_that_ships_today_is_not_dated(stock: Any) -> None:
    await stock.count(3)
    await stock.hold("a", stock.line(1, ship_on=stock.day(1)), stock.line(1, ship_on=stock.day(0)))
    assert (await stock.position()).held == 2


async def test_a_dated_line_is_given_back_confirmed_and_consumed(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4, ship_on=stock.day(3)))
    await stock.store.confirm("a")
    await stock.hold("b", stock.line(2, ship_on=stock.day(3)))
    await stock.store.cancel("b")
    await stock.store.consume("a")
    position = await stock.position()
    assert (position.on_hand, position.reserved, position.dated) == (6, 0, ())
    assert not (await stock.store.read(["mug"])).schedule


async def test_the_same_hold_again_returns_the_reservation_as_it_is(stock: Any) -> None:
    await stock.count(10)
    first = await stock.hold("a", stock.line(4))
    assert await stock.hold("a", stock.line(4)) == first
    confirmed = (await stock.store.confirm("a")).value
    assert await stock.hold("a", stock.line(4)) == confirmed
    assert (await stock.position()).reserved == 4
    with pytest.raises(IllegalState, match="with other lines"):
        await stock.hold("a", stock.line(5))
