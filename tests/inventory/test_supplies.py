"""Lines pegged to supplies, and what becomes of reservations when supplies change; on every store."""

from __future__ import annotations

import pytest

from engine.errors import IdempotencyConflict, IllegalState, InsufficientStock, NotFound, SupplyUnavailable
from engine.inventory.model import DatedDemand, Hold, HoldLine, Replay, ReservationState, Supply
from tests.inventory.conftest import Stock
from tests.inventory.supplies import expect, hold, pegged, told


async def test_a_pegged_line_ships_on_the_day_its_supply_is_expected(stock: Stock) -> None:
    await stock.count(0)
    await expect(stock, 10, 5)
    held = await hold(stock, "a", pegged(4))
    assert held.lines == (pegged(4, ship_on=stock.day(5)),)
    assert await stock.store.get_reservation("a") == held
    position = await stock.position()
    assert (position.held, position.dated) == (0, (DatedDemand(ship_on=stock.day(5), quantity=4, pegged=4),))
    assert [(s.quantity, s.pegged, s.unpegged) for s in position.supplies] == [(10, 4, 6)]


async def test_a_pegged_line_may_ship_later_than_its_supply_comes_but_not_earlier(stock: Stock) -> None:
    await expect(stock, 10, 5)
    assert (await hold(stock, "a", pegged(1, ship_on=stock.day(8)))).lines[0].ship_on == stock.day(8)
    assert (await hold(stock, "b", pegged(1, ship_on=stock.day(3)))).lines[0].ship_on == stock.day(5)


async def test_a_supply_that_is_not_there_or_overdue_or_too_small_is_refused_and_nothing_is_held(stock: Stock) -> None:
    await stock.count(20)
    await expect(stock, 10, 5)
    await expect(stock, 10, 0, "po-late")
    await hold(stock, "a", pegged(7))
    with pytest.raises(SupplyUnavailable) as refusal:
        await hold(stock, "b", stock.line(1), pegged(2), pegged(1, "po-x"), pegged(1, "po-late"), pegged(2))
    faults = {fault.path: fault.message for fault in refusal.value.faults}
    assert list(faults) == ["$.lines[1].supply_id", "$.lines[2].supply_id", "$.lines[3].supply_id"]
    assert "4 of mug at berlin asked from supply 'po-1', 3 of it unpegged" in faults["$.lines[1].supply_id"]
    assert "no supply 'po-x' of mug at berlin" in faults["$.lines[2].supply_id"]
    assert "expected on 2026-03-01 and has not come" in faults["$.lines[3].supply_id"]
    assert (await stock.position()).held == 0
    await hold(stock, "b", pegged(3))


async def test_a_supply_belongs_to_its_node_and_sku(stock: Stock) -> None:
    await expect(stock, 10, 5)
    for line in (pegged(1, node_id="rome"), pegged(1, sku="cup")):
        with pytest.raises(SupplyUnavailable):
            await hold(stock, "a", line)


async def test_units_that_others_count_on_cannot_be_pegged(stock: Stock) -> None:
    """All 10 units of day 5 are promised to a line without a supply_id; the supply itself is unpegged."""
    await expect(stock, 10, 5)
    await hold(stock, "a", stock.line(8, ship_on=stock.day(5)))
    with pytest.raises(InsufficientStock) as refusal:
        await hold(stock, "b", pegged(3))
    assert [(line.quantity, line.available) for line in refusal.value.lines] == [(3, 2)]
    await hold(stock, "b", pegged(2))
    with pytest.raises(InsufficientStock):
        await hold(stock, "c", stock.line(1, ship_on=stock.day(9)))


async def test_a_pegged_line_is_confirmed_cancelled_in_part_and_given_back(stock: Stock) -> None:
    """The seeded bug: giving back dated demand that is not pegged instead, which there is none of."""
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4), pegged(2, ship_on=stock.day(7)))
    await stock.store.confirm("a")
    kept = (await stock.store.cancel("a", lines=[pegged(5)])).value
    assert kept.lines == (pegged(1, ship_on=stock.day(7)),)
    assert (await stock.position()).supplies[0].unpegged == 9
    with pytest.raises(IllegalState, match="2 asked, 1 reserved"):
        await stock.store.cancel("a", lines=[pegged(2)])
    with pytest.raises(IllegalState, match="1 asked, 0 reserved"):
        await stock.store.cancel("a", lines=[stock.line(1, ship_on=stock.day(7))])
    await stock.store.cancel("a")
    position = await stock.position()
    assert (position.dated, position.supplies[0].pegged) == ((), 0)


async def test_a_pegged_hold_that_expires_frees_its_supply_for_who_asks(stock: Stock) -> None:
    await expect(stock, 10, 5)
    for number in range(10):
        await hold(stock, f"{number}", pegged(1), ttl_seconds=0.05)
    await stock.wait(0.1)
    assert (await hold(stock, "late", pegged(10))).state is ReservationState.HELD


async def test_the_same_pegged_hold_again_is_the_same_reservation_also_after_its_supply_moved(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4))
    await expect(stock, 10, 9)
    again = await hold(stock, "a", pegged(4))
    assert again.lines == (pegged(4, ship_on=stock.day(9)),)
    assert (await stock.position()).supplies[0].pegged == 4


async def test_a_cancel_that_comes_before_its_pegged_hold_forestalls_it(stock: Stock) -> None:
    await expect(stock, 10, 5)
    with pytest.raises(NotFound):
        await stock.store.cancel("a")
    with pytest.raises(IllegalState, match="cancelled before"):
        await hold(stock, "a", pegged(4))
    assert (await stock.position()).supplies[0].pegged == 0


async def test_pegs_follow_their_supply_and_its_other_day_is_told(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4))
    await hold(stock, "b", pegged(3, ship_on=stock.day(8)))
    await stock.store.confirm("a")
    affected = await expect(stock, 10, 7)
    assert told(affected, stock) == [("a", 5, 7, 0, 7)]
    assert (affected[0].supply_id, affected[0].quantity, affected[0].state) == ("po-1", 4, "confirmed")
    assert (await stock.store.get_reservation("a")).lines == (pegged(4, ship_on=stock.day(7)),)
    assert told(await expect(stock, 10, 9), stock) == [("a", 7, 9, 0, 9), ("b", 8, 9, 0, 9)]
    assert told(await expect(stock, 10, 6), stock) == [("a", 9, 6, 0, 6), ("b", 9, 8, 0, 8)]
    dated = (await stock.position()).dated
    assert dated == (
        DatedDemand(ship_on=stock.day(6), quantity=4, pegged=4),
        DatedDemand(ship_on=stock.day(8), quantity=3, pegged=3),
    )


async def test_a_supply_that_shrinks_or_goes_leaves_the_last_to_come_uncovered_and_nothing_is_oversold(
    stock: Stock,
) -> None:
    await stock.count(2)
    await expect(stock, 10, 5)
    for name in ("c", "a", "b"):
        await hold(stock, name, pegged(3))
    assert told(await expect(stock, 5, 5), stock) == [("a", 5, 5, 1, None), ("b", 5, 5, 3, None)]
    position = await stock.position()
    assert (position.supplies[0].pegged, position.supplies[0].unpegged) == (9, -4)
    with pytest.raises(InsufficientStock) as refusal:
        await hold(stock, "d", stock.line(1))
    assert refusal.value.lines[0].available == -2
    with pytest.raises(SupplyUnavailable):
        await hold(stock, "d", pegged(1))
    assert told(await expect(stock, 0, 5), stock) == [(name, 5, 5, 3, None) for name in ("c", "a", "b")]
    assert (await stock.store.get_reservation("a")).lines == (pegged(3, ship_on=stock.day(5)),)
    with pytest.raises(SupplyUnavailable, match="no supply"):
        await hold(stock, "d", pegged(1))
    assert await expect(stock, 9, 5) == ()


async def test_dated_lines_without_a_supply_are_covered_by_day_first_come_first_served(stock: Stock) -> None:
    """5 on hand, 4 on day 4, 6 on day 6; then the 4 come on day 9 only."""
    await stock.count(5)
    await expect(stock, 4, 4, "po-4")
    await expect(stock, 6, 6, "po-6")
    await hold(stock, "z", stock.line(4, ship_on=stock.day(4)))
    await hold(stock, "a", stock.line(3, ship_on=stock.day(4)))
    await hold(stock, "m", stock.line(6, ship_on=stock.day(6)))
    await hold(stock, "n", stock.line(2, ship_on=stock.day(7)))
    affected = await expect(stock, 4, 9, "po-4")
    assert told(affected, stock) == [("a", 4, 4, 2, 6), ("m", 6, 6, 2, 9), ("n", 7, 7, 2, 9)]
    assert [line.supply_id for line in affected] == [None] * 3
    affected = await expect(stock, 0, 9, "po-4")
    assert told(affected, stock) == [("a", 4, 4, 2, 6), ("m", 6, 6, 2, None), ("n", 7, 7, 2, None)]
    assert told(await expect(stock, 4, 4, "po-4"), stock) == []


async def test_what_is_pegged_neither_covers_others_nor_takes_from_them(stock: Stock) -> None:
    """10 of po-1 are pegged and go; the 5 of po-2 still cover the line that counts on them."""
    await expect(stock, 10, 5)
    await expect(stock, 5, 6, "po-2")
    await hold(stock, "a", pegged(10))
    await hold(stock, "b", stock.line(5, ship_on=stock.day(6)))
    assert told(await expect(stock, 0, 5), stock) == [("a", 5, 5, 10, None)]
    assert told(await expect(stock, 4, 6, "po-2"), stock) == [("b", 6, 6, 1, None)]


async def test_a_new_date_for_an_overdue_supply_names_who_waits_for_it(stock: Stock) -> None:
    await expect(stock, 5, 3)
    await hold(stock, "a", pegged(2))
    await hold(stock, "b", stock.line(2, ship_on=stock.day(4)))
    stock.today.number += 4  # day 5: it has not come
    assert told(await expect(stock, 5, 8), stock) == [("a", 3, 8, 0, 8), ("b", 4, 4, 2, 8)]


async def test_expired_holds_are_neither_moved_nor_named(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4), ttl_seconds=0.05)
    await hold(stock, "b", pegged(4))
    await stock.wait(0.1)
    assert told(await expect(stock, 10, 6), stock) == [("b", 5, 6, 0, 6)]
    assert (await stock.store.get_reservation("a")).state is ReservationState.EXPIRED
    assert (await stock.position()).supplies[0].pegged == 4


async def test_several_supplies_change_in_one_call_and_each_is_followed(stock: Stock) -> None:
    for supply_id, sku in (("po-1", "mug"), ("po-2", "mug"), ("po-1", "cup")):
        await expect(stock, 5, 4, supply_id, sku=sku)
    await hold(stock, "a", pegged(1, "po-2"), pegged(2, sku="cup"), pegged(3))
    changes = [
        Supply(supply_id=supply_id, node_id="berlin", sku=sku, quantity=5, expected_on=stock.day(day))
        for supply_id, sku, day in (("po-1", "cup", 8), ("po-2", "mug", 7), ("po-1", "mug", 6))
    ]
    affected = (await stock.store.put_supplies(changes, today=stock.today)).value
    assert [(line.sku, line.supply_id, line.ship_on) for line in affected] == [
        ("cup", "po-1", stock.day(8)),
        ("mug", "po-2", stock.day(7)),
        ("mug", "po-1", stock.day(6)),
    ]
    lines = (await stock.store.get_reservation("a")).lines
    assert [line.ship_on for line in lines] == [stock.day(7), stock.day(8), stock.day(6)]


async def test_the_journal_names_the_reservations_that_a_change_of_supplies_affects(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4))
    await hold(stock, "b", pegged(6))
    await expect(stock, 4, 6)
    event = (await stock.store.history("mug", "berlin")).events[0]
    assert (event.act, event.whys) == ("put_supplies", ("po-1", "re-dated a", "uncovered b"))
    after = {(change.day, change.supply_id): change.after for change in event.schedule}
    assert after[stock.day(6), "po-1"] in {4, -10}


async def test_a_view_that_follows_the_journal_knows_what_is_pegged(stock: Stock) -> None:
    """The seeded bug: a supply and what is pegged to it, of one day and one name, taken for one thing."""
    await stock.count(3)
    view = await stock.store.snapshot()
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4), stock.line(2, ship_on=stock.day(5)))
    view = await stock.store.refresh(view)
    await expect(stock, 10, 6)
    await stock.store.cancel("a", lines=[pegged(1)])
    refreshed, fresh = await stock.store.refresh(view), await stock.store.snapshot()
    assert refreshed.positions(0) == fresh.positions(0)
    assert dict(refreshed.schedule) == dict(fresh.schedule)
    assert [(s.expected_on, s.pegged) for s in fresh.positions(0)[0].supplies] == [(stock.day(6), 3)]


async def test_many_holds_are_pegged_in_one_call_each_seeing_those_before(stock: Stock) -> None:
    await expect(stock, 5, 4)
    holds = [Hold(reservation_id=name, lines=(pegged(3),)) for name in ("a", "b")]
    kept, refused = (await stock.store.hold_many(holds, today=stock.today)).value
    assert kept == await stock.store.get_reservation("a")
    assert isinstance(refused, SupplyUnavailable)


@pytest.mark.parametrize("line", [pegged(1), HoldLine(sku="mug", quantity=1, node_id="berlin")])
async def test_units_of_a_pegged_line_that_leave_the_node_leave_its_supply_alone(stock: Stock, line: HoldLine) -> None:
    await stock.count(5)
    await expect(stock, 5, 4)
    await hold(stock, "a", line)
    await stock.store.confirm("a")
    await stock.store.consume("a", lines=[line])
    position = await stock.position()
    assert (position.on_hand, position.reserved, position.dated, position.supplies[0].unpegged) == (4, 0, (), 5)


async def test_a_supply_that_is_put_as_it_was_changes_nothing_and_tells_the_same_again(stock: Stock) -> None:
    """A feed that sends all of them every night must not fill the journal, and a lost answer can be had again."""
    await expect(stock, 6, 5)
    await hold(stock, "a", pegged(4))
    assert told(await expect(stock, 3, 6), stock) == [("a", 5, 6, 1, None)]
    epoch = (await stock.store.read(["mug"])).epoch
    assert told(await expect(stock, 3, 6), stock) == [("a", 6, 6, 1, None)]
    assert await expect(stock, 0, 6, "po-x") == ()
    assert (await stock.store.read(["mug"])).epoch == epoch
    assert await expect(stock, 9, 6) == ()
    await expect(stock, 0, 6)
    assert told(await expect(stock, 0, 6), stock) == [("a", 6, 6, 4, None)]
    assert told(await expect(stock, 4, 8), stock) == [("a", 6, 8, 0, 8)]


async def test_supplies_that_are_put_again_under_their_key_change_nothing_and_tell_the_same(stock: Stock) -> None:
    """Over several partitions too; the seeded bug: a key that is not kept with supplies."""
    skus = ("mug", "cup", "plate")
    for sku in skus:
        await expect(stock, 9, 4, sku=sku)
        await hold(stock, f"r-{sku}", pegged(2, sku=sku))
    moved = [Supply(supply_id="po-1", node_id="berlin", sku=sku, quantity=9, expected_on=stock.day(6)) for sku in skus]
    replay = Replay(digest="put-1", fingerprint="a")
    first = await stock.store.put_supplies(moved, today=stock.today, replay=replay)
    assert {line.reservation_id for line in first.value} == {f"r-{sku}" for sku in skus}
    assert not first.replayed
    await expect(stock, 1, 8)
    again = await stock.store.put_supplies(moved, today=stock.today, replay=replay)
    assert (again.value, again.replayed) == (first.value, True)
    assert [supply.quantity for supply in (await stock.position()).supplies] == [1]
    other = Replay(digest="put-1", fingerprint="b")
    with pytest.raises(IdempotencyConflict):
        await stock.store.put_supplies(moved, today=stock.today, replay=other)
