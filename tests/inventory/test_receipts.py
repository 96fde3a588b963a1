"""Receipts: a supply goes down, on_hand goes up, and what waited for it waits no longer; on every store."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from msgspec import structs

from engine.errors import NotFound, Refused, SupplyUnavailable
from engine.inventory.model import MAX_ON_HAND, Hold, Replay, Supply
from engine.inventory.receipts import Receipt
from tests.inventory.conftest import Stock
from tests.inventory.supplies import expect, hold, pegged, receive


async def settled(stock: Stock, quantity: int) -> list[tuple[str, str, int]]:
    """Receive units of po-1, and return (reservation, state, units) of what no longer waits."""
    found = await receive(stock, quantity)
    return [(units.reservation_id, units.state, units.quantity) for units in found.settled]


async def test_a_receipt_moves_units_from_the_supply_to_on_hand_and_the_version(stock: Stock) -> None:
    await stock.count(3)
    await expect(stock, 10, 5)
    received = await receive(stock, 4, reason="truck 7")
    assert [(p.on_hand, p.version, p.supplies[0].quantity) for p in received.positions] == [(7, 2, 6)]
    event = (await stock.store.history("mug", "berlin")).events[0]
    assert (event.act, event.whys) == ("receive", ("po-1", "truck 7"))
    await receive(stock, 6)
    position = await stock.position()
    assert (position.on_hand, position.supplies) == (13, ())


async def test_units_that_waited_are_held_or_confirmed_today(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4))
    await hold(stock, "b", pegged(3))
    await stock.store.confirm("b")
    assert await settled(stock, 10) == [("a", "held", 4), ("b", "confirmed", 3)]
    position = await stock.position()
    assert (position.on_hand, position.held, position.confirmed, position.dated) == (10, 4, 3, ())
    assert (await stock.store.get_reservation("a")).lines == (pegged(4, ship_on=stock.day(1)),)
    await stock.store.consume("b")
    await stock.store.cancel("a")
    position = await stock.position()
    assert (position.on_hand, position.reserved) == (7, 0)


async def test_a_part_of_a_supply_goes_to_who_ships_first_then_to_who_came_first(stock: Stock) -> None:
    """The seeded bug: in order of names, c would wait."""
    await expect(stock, 10, 5)
    await hold(stock, "later", pegged(2, ship_on=stock.day(6)))
    await hold(stock, "c", pegged(3))
    await hold(stock, "a", pegged(4))
    assert await settled(stock, 5) == [("c", "held", 3), ("a", "held", 2)]
    assert (await stock.store.get_reservation("a")).lines == (
        pegged(2, ship_on=stock.day(1)),
        pegged(2, ship_on=stock.day(5)),
    )
    assert (await stock.position()).supplies[0].pegged == 4
    assert await settled(stock, 5) == [("a", "held", 2), ("later", "held", 2)]
    assert (await stock.store.get_reservation("later")).lines[0].ship_on == stock.day(6)
    assert (await stock.position()).held == 9


async def test_a_receipt_changes_nothing_of_what_may_be_promised(stock: Stock) -> None:
    """By hand: 10 come, 6 are pegged, 2 more are promised for day 5; 2 are left before and after."""
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(6))
    await hold(stock, "b", stock.line(2, ship_on=stock.day(5)))
    await receive(stock, 10)
    position = await stock.position()
    assert (position.available, [(d.quantity, d.pegged) for d in position.dated]) == (4, [(2, 0)])
    await hold(stock, "c", stock.line(2))
    assert (await stock.position()).available == 2


async def test_an_overdue_supply_is_received_like_any_other(stock: Stock) -> None:
    await expect(stock, 5, 3)
    await hold(stock, "a", pegged(5))
    stock.today.number += 9
    assert await settled(stock, 5) == [("a", "held", 5)]
    assert (await stock.store.get_reservation("a")).lines[0].ship_on == stock.day(10)


async def test_a_receipt_that_does_not_fit_is_named_and_none_is_taken_in(stock: Stock) -> None:
    await stock.count(MAX_ON_HAND - 5)
    await expect(stock, 10, 5)
    await expect(stock, 10, 5, "po-2")
    receipts = [
        Receipt(supply_id=supply_id, node_id="berlin", sku="mug", quantity=quantity)
        for supply_id, quantity in (("po-1", 5), ("po-2", 11), ("po-3", 1))
    ]
    with pytest.raises(SupplyUnavailable) as refusal:
        await stock.store.receive(receipts, today=stock.today)
    faults = {fault.path: fault.message for fault in refusal.value.faults}
    assert list(faults) == ["$.receipts[1]", "$.receipts[2]"]
    assert "11 received of supply 'po-2' of mug at berlin, 10 expected" in faults["$.receipts[1]"]
    assert "no supply 'po-3'" in faults["$.receipts[2]"]
    with pytest.raises(SupplyUnavailable, match="at most 2147483646 fit"):
        await receive(stock, 6)
    position = await stock.position()
    assert (position.on_hand, [s.quantity for s in position.supplies]) == (MAX_ON_HAND - 5, [10, 10])


async def test_two_receipts_of_one_position_fill_it_together(stock: Stock) -> None:
    """The seeded bug: checking each against the cell lets 4 + 4 into room for 5."""
    await stock.count(MAX_ON_HAND - 5)
    await expect(stock, 4, 5)
    await expect(stock, 4, 5, "po-2")
    receipts = [Receipt(supply_id=name, node_id="berlin", sku="mug", quantity=4) for name in ("po-1", "po-2")]
    with pytest.raises(SupplyUnavailable, match=r"\$\.receipts\[1\]"):
        await stock.store.receive(receipts, today=stock.today)
    assert (await stock.position()).on_hand == MAX_ON_HAND - 5


async def test_a_receipt_that_comes_twice_is_taken_in_once(stock: Stock) -> None:
    """With its key it is answered as before; without, the supply that has come in full stops it."""
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4))
    receipt = Receipt(supply_id="po-1", node_id="berlin", sku="mug", quantity=10)
    replay = Replay(digest="receipt-1", fingerprint="f")
    first = await stock.store.receive([receipt], today=stock.today, replay=replay)
    again = await stock.store.receive([receipt], today=stock.today, replay=replay)
    assert (first.replayed, again.replayed, again.value) == (False, True, first.value)
    with pytest.raises(SupplyUnavailable, match="come in full"):
        await stock.store.receive([receipt], today=stock.today)
    assert (await stock.position()).on_hand == 10


async def test_units_are_named_by_their_supply_before_and_after_they_have_come(stock: Stock) -> None:
    """A cancel of a part, sent before the receipt and arriving after it, still finds its units."""
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(6), stock.line(1, ship_on=stock.day(6)))
    await receive(stock, 4)
    kept = (await stock.store.cancel("a", lines=[pegged(5, ship_on=stock.day(5))])).value
    assert kept.lines == (pegged(1, ship_on=stock.day(5)), stock.line(1, ship_on=stock.day(6)))
    assert (await stock.position()).held == 0


async def test_a_receipt_gives_nothing_to_a_hold_past_its_deadline(stock: Stock) -> None:
    await expect(stock, 10, 5)
    await hold(stock, "a", pegged(4), ttl_seconds=0.05)
    await hold(stock, "b", pegged(4))
    await stock.wait(0.1)
    assert await settled(stock, 5) == [("b", "held", 4)]
    assert (await stock.position()).held == 4


async def test_a_removed_supply_that_comes_after_all_is_put_and_received(stock: Stock) -> None:
    await expect(stock, 5, 5)
    await stock.store.hold(Hold(reservation_id="a", lines=(pegged(5),)), today=stock.today)
    await expect(stock, 0, 5)
    with pytest.raises(SupplyUnavailable):
        await receive(stock, 5)
    await expect(stock, 5, 5)
    assert await settled(stock, 5) == [("a", "held", 5)]


async def test_calls_on_a_backorder_in_any_order_leave_nothing_behind(stock: Stock) -> None:
    """Every sequence to length 4 of put, hold, cancel, receive and remove, each on a supply and a hold of its own.

    Then it is cancelled and removed, and nothing is reserved or scheduled. The seeded bug: without the tombstone,
    `put cancel hold receive` ends with 2 units held.
    """
    received = 0

    async def call(verb: str, name: str, day: int) -> int:
        supply = Supply(supply_id=name, node_id="berlin", sku="mug", quantity=2, expected_on=stock.day(day))
        with contextlib.suppress(Refused, NotFound):
            if verb == "hold":
                await hold(stock, name, pegged(2, name))
            elif verb == "cancel":
                await stock.store.cancel(name)
            elif verb == "receive":
                await receive(stock, 2, name)
                return 2
            else:
                put = structs.replace(supply, quantity=2 if verb == "put" else 0)
                await stock.store.put_supplies([put], today=stock.today)
        return 0

    verbs = ["put", "hold", "cancel", "receive", "remove"]
    for sequence in (each for length in range(1, 5) for each in itertools.product(verbs, repeat=length)):
        name = "-".join(sequence)
        for day, verb in enumerate(sequence, start=2):
            received += await call(verb, name, day)
        if "cancel" in sequence:
            position = await stock.position()
            assert (position.held, position.dated) == (0, ()), sequence
        for verb in ("cancel", "remove"):
            await call(verb, name, 9)
        position = await stock.position()
        assert (position.reserved, position.dated, position.supplies) == (0, (), ()), sequence
        assert position.on_hand == received
