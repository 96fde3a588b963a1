"""The life of a reservation: confirm, cancel, extend, consume, expiry, and calls that come out of order."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest

from engine.errors import IllegalState, InsufficientStock, NotFound
from engine.inventory.model import ReservationState

SOON = 0.02
"""A time to live that passes while a test waits."""
A_WHILE = 0.3
"""One that leaves a busy machine the time for a few calls before it passes."""


async def expired(stock: Any, quantity: int = 4, reservation_id: str = "a") -> None:
    """Hold units and let the deadline pass; nobody has swept yet."""
    await stock.hold(reservation_id, stock.line(quantity), ttl_seconds=SOON)
    await stock.wait(SOON + 0.01)


async def test_confirming_makes_a_hold_permanent_and_again_is_the_same(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4), ttl_seconds=A_WHILE)
    first = (await stock.store.confirm("a")).value
    assert (first.state, first.expires_at) == (ReservationState.CONFIRMED, None)
    await stock.wait(A_WHILE + 0.01)
    assert await stock.store.sweep() == 0
    assert (await stock.store.confirm("a")).value == first
    position = await stock.position()
    assert (position.held, position.confirmed) == (0, 4)


async def test_cancelling_gives_the_units_back_once(stock: Any) -> None:
    await stock.count(10)
    for reservation_id, is_confirmed in [("a", False), ("b", True)]:
        await stock.hold(reservation_id, stock.line(4))
        if is_confirmed:
            await stock.store.confirm(reservation_id)
        first = (await stock.store.cancel(reservation_id)).value
        assert first.state is ReservationState.CANCELLED
        assert (await stock.store.cancel(reservation_id)).value == first
        assert (await stock.position()).available == 10


async def test_some_lines_are_cancelled_and_the_rest_stays(stock: Any) -> None:
    await stock.count(10)
    await stock.count(5, sku="cup")
    await stock.hold("a", stock.line(4), stock.line(3, "cup"), stock.line(2))
    kept = (await stock.store.cancel("a", lines=[stock.line(5), stock.line(1, "cup")])).value
    assert kept.state is ReservationState.HELD
    assert kept.lines == (stock.line(2, "cup"), stock.line(1))
    assert (await stock.position()).held == 1
    assert (await stock.position(sku="cup")).held == 2
    done = (await stock.store.cancel("a", lines=[stock.line(2, "cup"), stock.line(1)])).value
    assert done.state is ReservationState.CANCELLED


async def test_cancelling_or_consuming_more_than_is_reserved_is_refused_and_changes_nothing(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4))
    await stock.store.confirm("a")
    for change in (stock.store.cancel, stock.store.consume):
        with pytest.raises(IllegalState, match="mug at berlin: 5 asked, 4 reserved"):
            await change("a", lines=[stock.line(3), stock.line(2)])
        with pytest.raises(IllegalState, match="cup at berlin: 1 asked, 0 reserved"):
            await change("a", lines=[stock.line(1), stock.line(1, "cup")])
    assert (await stock.position()).confirmed == 4


async def test_consuming_takes_on_hand_and_reserved_down_together(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4), stock.line(2))
    await stock.store.confirm("a")
    part = (await stock.store.consume("a", lines=[stock.line(5)])).value
    assert (part.state, part.lines) == (ReservationState.CONFIRMED, (stock.line(1),))
    position = await stock.position()
    assert (position.on_hand, position.confirmed, position.available) == (5, 1, 4)
    done = (await stock.store.consume("a")).value
    assert done.state is ReservationState.CONSUMED
    assert (await stock.store.consume("a")).value == done
    position = await stock.position()
    assert (position.on_hand, position.reserved, position.available) == (4, 0, 4)


async def test_what_is_left_of_a_consumed_reservation_may_be_cancelled(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4))
    await stock.store.confirm("a")
    await stock.store.consume("a", lines=[stock.line(1)])
    assert (await stock.store.cancel("a")).value.state is ReservationState.CONSUMED
    position = await stock.position()
    assert (position.on_hand, position.available) == (9, 9)


async def test_consuming_what_is_not_there_is_refused_with_the_count_named(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4), stock.line(2))
    await stock.store.confirm("a")
    await stock.count(5)
    with pytest.raises(IllegalState, match="mug at berlin: 6 leave, 5 on hand"):
        await stock.store.consume("a")
    position = await stock.position()
    assert (position.on_hand, position.confirmed) == (5, 6)


async def test_only_confirmed_stock_is_consumed_and_consumed_stock_stays_so(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(4))
    with pytest.raises(IllegalState, match="is held, so it cannot be consumed"):
        await stock.store.consume("a")
    await stock.store.confirm("a")
    await stock.store.consume("a")
    for change in (stock.store.confirm, stock.store.cancel, lambda name: stock.store.extend(name, 60)):
        with pytest.raises(IllegalState, match="is consumed"):
            await change("a")


async def test_an_extended_hold_lives_from_now_on(stock: Any) -> None:
    await stock.count(10)
    first = await stock.hold("a", stock.line(4), ttl_seconds=A_WHILE)
    later = (await stock.store.extend("a", 60)).value
    assert later.expires_at > first.expires_at
    await stock.wait(A_WHILE + 0.01)
    assert await stock.store.sweep() == 0
    assert (await stock.store.confirm("a")).value.state is ReservationState.CONFIRMED
    with pytest.raises(IllegalState, match="no deadline"):
        await stock.store.extend("a", 60)


async def test_a_hold_that_expires_gives_its_units_back_to_the_sweeper_once(stock: Any) -> None:
    """The seeded bug: a sweeper that leaves the state as it was gives the units back twice."""
    await stock.count(10)
    await expired(stock)
    assert (await stock.position()).held == 4
    assert await stock.store.sweep() == 1
    assert await stock.store.sweep() == 0
    assert (await stock.position()).held == 0
    assert (await stock.store.get_reservation("a")).state is ReservationState.EXPIRED
    assert (await stock.store.cancel("a")).value.state is ReservationState.EXPIRED
    assert (await stock.position()).available == 10


async def test_a_sweep_stops_at_its_limit(stock: Any) -> None:
    await stock.count(10)
    for number in range(3):
        await stock.hold(f"r{number}", stock.line(1), ttl_seconds=A_WHILE)
    await stock.wait(A_WHILE + 0.01)
    assert await stock.store.sweep(2) == 2
    assert (await stock.position()).held == 1


@pytest.mark.parametrize("verb", ["confirm", "extend", "consume"])
async def test_nothing_is_done_with_a_hold_after_its_deadline(stock: Any, verb: str) -> None:
    """The seeded bug: a confirm that trusts the stored state confirms what the sweeper has not come to yet."""
    await stock.count(10)
    await expired(stock)
    assert (await stock.store.get_reservation("a")).state is ReservationState.EXPIRED
    rest = [60] if verb == "extend" else []
    with pytest.raises(IllegalState, match="has expired"):
        await getattr(stock.store, verb)("a", *rest)
    position = await stock.position()
    assert (position.held, position.confirmed, position.available) == (0, 0, 10)


async def test_a_hold_finds_the_units_of_those_that_expired_without_a_sweeper(stock: Any) -> None:
    await stock.count(30)
    for number in range(30):
        await stock.hold(f"r{number}", stock.line(1), ttl_seconds=A_WHILE)
    with pytest.raises(InsufficientStock):
        await stock.hold("a", stock.line(30))
    await stock.wait(A_WHILE + 0.01)
    await stock.hold("a", stock.line(30))
    assert (await stock.position()).held == 30


async def test_an_expired_hold_is_not_held_again_under_its_id(stock: Any) -> None:
    await stock.count(10)
    await expired(stock)
    with pytest.raises(IllegalState, match="has expired"):
        await stock.hold("a", stock.line(4), ttl_seconds=SOON)


@pytest.mark.parametrize("verb", ["confirm", "cancel", "consume", "extend", "get_reservation"])
async def test_an_unknown_reservation_is_not_found(stock: Any, verb: str) -> None:
    rest = [60] if verb == "extend" else []
    for _ in range(2):
        with pytest.raises(NotFound, match="no reservation 'nobody'"):
            await getattr(stock.store, verb)("nobody", *rest)


async def test_a_hold_that_comes_after_its_cancel_takes_nothing(stock: Any) -> None:
    """The seeded bug: a cancel that leaves no tombstone lets the late hold keep its units till the deadline."""
    await stock.count(10)
    with pytest.raises(NotFound):
        await stock.store.cancel("a")
    with pytest.raises(IllegalState, match="was cancelled before this hold arrived"):
        await stock.hold("a", stock.line(4))
    with pytest.raises(NotFound):
        await stock.store.get_reservation("a")
    assert (await stock.position()).held == 0


async def test_calls_in_any_order_leave_no_stuck_hold(stock: Any) -> None:
    """Every sequence to length 4 of hold, confirm and cancel: after a cancel nothing is reserved, ever again.

    The seeded bug: without the tombstone, `cancel hold` ends with 2 units held.
    """
    await stock.count(1000)

    async def call(verb: str, name: str) -> None:
        with contextlib.suppress(IllegalState, NotFound):
            await (stock.hold(name, stock.line(2)) if verb == "hold" else getattr(stock.store, verb)(name))

    expected = 0
    for length in range(1, 5):
        for sequence in itertools.product(["hold", "confirm", "cancel"], repeat=length):
            name = "-".join(sequence)
            for verb in sequence:
                await call(verb, name)
            if "hold" in sequence and "cancel" not in sequence:
                expected += 2
            position = await stock.position()
            assert position.reserved == expected, sequence
            assert position.available == 1000 - expected
