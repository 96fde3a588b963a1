"""Whoever works over several partitions may die after any single call; the sweeper of another process then finishes it.

After it nothing is held or left in some partitions only, no unit is lost or there twice, and a new call can be made.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from engine.errors import AllotError, IllegalState
from engine.inventory.model import Adjustment, PositionCount, Replay, ReservationState, Supply
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.storage.client import Part, StoreClient
from tests.inventory.partitioned_shop import (
    NUMBER,
    ON_HAND,
    TODAY,
    DyingClient,
    Shop,
    Shops,
    hold_of,
    line,
    named,
    sku,
)

Act = Callable[[PartitionedInventoryStore], Awaitable[object]]
SOON, NEVER = 0.01, 600.0
"""How long an attempt is not taken for dead: so that the sweeper comes to it, or has to find it in another way."""
HOMES = [pytest.param(0, id="home first"), pytest.param(2, id="home last"), pytest.param(3, id="home without lines")]
LINES = (line(2, 2), line(0, 3), line(1, 1), line(0, 1, date(2026, 3, 9)))
MOST_CALLS = 40


async def each_crash(
    shops: Shops, prepare: Act, act: Act, *, patience_seconds: float = SOON
) -> AsyncIterator[tuple[Shop, bool]]:
    """Yield shops in which `act` died after 0, 1, 2 … calls, as they are after a sweep, until it lives to its end."""
    for calls in range(MOST_CALLS):
        shop = await shops(patience_seconds)
        await prepare(shop.store)
        has_died = await shop.dies_after(calls, act)
        await shop.recover()
        yield shop, has_died
        if not has_died:
            assert calls > 2
            return
    raise AssertionError("it never ends")


async def nothing(store: PartitionedInventoryStore) -> None:
    """Prepare nothing."""


@pytest.mark.parametrize("home", HOMES)
async def test_a_hold_that_dies_anywhere_holds_everything_or_nothing(shops: Shops, home: int) -> None:
    """The seeded bugs: a home that commits before its parts are held; parts that nobody asks the home about."""
    name = named("res", home)
    hold = hold_of(name, *LINES)
    made = []
    async for shop, has_died in each_crash(shops, nothing, lambda store: store.hold(hold, today=TODAY)):
        await shop.check(name)
        reservation = await shop.reservation(name)
        made.append(reservation is not None)
        assert reservation is None or reservation.lines == LINES
        assert has_died or reservation is not None
        again = (await shop.store.hold(hold, today=TODAY)).value
        assert (again.state, again.lines) == (ReservationState.HELD, LINES)
        await shop.check(name)
    assert made == sorted(made)
    assert not made[0]


@pytest.mark.parametrize("home", HOMES)
async def test_a_hold_that_dies_anywhere_gives_everything_back_when_it_expires(shops: Shops, home: int) -> None:
    """The seeded bugs: a sweeper that asks nobody about due parts, or a part that keeps the lines it gave back."""
    name = named("res", home)
    hold = hold_of(name, *LINES, ttl_seconds=0.05)
    async for shop, _ in each_crash(shops, nothing, lambda store: store.hold(hold, today=TODAY)):
        await asyncio.sleep(0.06)
        await shop.store.sweep()
        await shop.store.sweep()
        await shop.check()
        assert await shop.parts_due() == 0


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("verb", ["confirm", "cancel", "extend"])
async def test_a_change_that_dies_anywhere_is_made_in_every_partition_or_in_none(
    shops: Shops, home: int, verb: str
) -> None:
    """The seeded bug: a home that does not note that its parts have to follow."""
    name = named("res", home)

    async def prepare(store: PartitionedInventoryStore) -> None:
        await store.hold(hold_of(name, *LINES), today=TODAY)

    async def act(store: PartitionedInventoryStore) -> None:
        await (store.extend(name, 600) if verb == "extend" else getattr(store, verb)(name))

    async for shop, _ in each_crash(shops, prepare, act, patience_seconds=NEVER):
        await shop.check(name)
        await act(shop.store)
        await shop.check(name)


@pytest.mark.parametrize("home", HOMES)
async def test_a_part_is_cancelled_once_wherever_the_call_died(shops: Shops, home: int) -> None:
    """The seeded bug: a part that keeps the lines it gave back, and gives them back again at the next change."""
    name = named("res", home)
    part = [line(0, 2), line(2, 1)]

    async def prepare(store: PartitionedInventoryStore) -> None:
        await store.hold(hold_of(name, *LINES), today=TODAY)
        await store.confirm(name)

    async def act(store: PartitionedInventoryStore) -> None:
        await store.cancel(name, lines=part)

    async for shop, has_died in each_crash(shops, prepare, act, patience_seconds=NEVER):
        await shop.check(name)
        left = (await shop.store.get_reservation(name)).lines
        assert left in (LINES, (line(2, 1), line(0, 1), line(1, 1), LINES[3]))
        assert has_died or left != LINES
        await shop.store.cancel(name, lines=[line(1, 1)])
        await shop.check(name)


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("is_whole", [True, False])
async def test_what_leaves_has_left_in_every_partition_or_in_none(shops: Shops, home: int, is_whole: bool) -> None:
    """The seeded bug: parts that leave before the home decides, and are not brought back when it did not."""
    name = named("res", home)
    part = None if is_whole else [line(0, 2), line(1, 1)]
    units = [4, 1, 2, 0] if is_whole else [2, 1, 0, 0]

    async def prepare(store: PartitionedInventoryStore) -> None:
        await store.hold(hold_of(name, *LINES), today=TODAY)
        await store.confirm(name)

    async for shop, has_died in each_crash(shops, prepare, lambda store: store.consume(name, lines=part)):
        has_left = (await shop.store.get_reservation(name)).lines != LINES or (
            (await shop.store.get_reservation(name)).state is ReservationState.CONSUMED
        )
        await shop.check(name, consumed=units if has_left else [0] * NUMBER)
        assert has_died or has_left
        if not has_left:
            await shop.store.consume(name, lines=part)
            await shop.check(name, consumed=units)
        with suppress(AllotError):
            await shop.store.cancel(name)
        await shop.check(name, consumed=units)


async def test_a_key_that_comes_back_after_a_crash_has_one_effect(shops: Shops) -> None:
    """The retry has an id of its own, as a new request has. The seeded bug: without the claim it holds once more."""
    first, second = named("res", 3), named("other", 0)
    key = Replay(digest="k", fingerprint="f")

    async def act(store: PartitionedInventoryStore) -> None:
        await store.hold(hold_of(first, *LINES), today=TODAY, replay=key)

    async for shop, _ in each_crash(shops, nothing, act):
        outcome = await shop.store.hold(hold_of(second, *LINES), today=TODAY, replay=key)
        await shop.check(first, second)
        assert (await shop.store.get_reservation(outcome.value.reservation_id)).lines == LINES
        assert sum(held for _, held, _, _ in await shop.units()) == 6
        again = await shop.store.hold(hold_of("third", *LINES), today=TODAY, replay=key)
        assert (again.replayed, again.value) == (True, outcome.value)


@pytest.mark.parametrize("has_key", [True, False])
async def test_adjustments_reach_every_partition_or_none(shops: Shops, has_key: bool) -> None:
    """The seeded bug: a client that adjusts one partition after another, and dies between them."""
    key = Replay(digest="k", fingerprint="f") if has_key else None
    deltas = [Adjustment(node_id="berlin", sku=sku(each), delta=each - 5, reason="found") for each in (3, 0, 1)]

    async def act(store: PartitionedInventoryStore) -> None:
        await store.adjust(deltas, replay=key)

    async for shop, has_died in each_crash(shops, nothing, act):
        done = [on_hand - ON_HAND for on_hand, *_ in await shop.units()]
        assert done in ([0, 0, 0, 0], [-5, -4, 0, -2])
        assert has_died or any(done)
        if key is not None:
            outcome = await shop.store.adjust(deltas, replay=key)
            assert [position.on_hand for position in outcome.value] == [8, 5, 6]
            assert [on_hand - ON_HAND for on_hand, *_ in await shop.units()] == [-5, -4, 0, -2]
        await shop.check(consumed=[0, 0, 0, 0] if not any(done) and key is None else [5, 4, 0, 2])


async def test_adjustments_that_come_again_before_the_sweeper_are_answered_as_done(shops: Shops) -> None:
    """The seeded bug: a check that refuses what the first request has done in part, and keeps that answer."""
    key = Replay(digest="k", fingerprint="f")
    deltas = [Adjustment(node_id="berlin", sku=sku(each), delta=-ON_HAND, reason="lost") for each in (3, 0, 1)]
    for calls in range(MOST_CALLS):
        shop = await shops(SOON)
        has_died = await shop.dies_after(calls, lambda store: store.adjust(deltas, replay=key))
        outcome = await shop.store.adjust(deltas, replay=key)
        assert [position.on_hand for position in outcome.value] == [0, 0, 0]
        await shop.recover()
        assert [on_hand for on_hand, *_ in await shop.units()] == [0, 0, ON_HAND, 0]
        if not has_died:
            return
    raise AssertionError("it never ends")


async def test_counts_and_supplies_reach_every_partition_or_none(shops: Shops) -> None:
    """The seeded bug: as above."""
    counts = [PositionCount(node_id="berlin", sku=sku(each), on_hand=7) for each in range(NUMBER)]
    supplies = [
        Supply(supply_id="po", node_id="berlin", sku=sku(each), quantity=5, expected_on=date(2026, 3, 9))
        for each in range(NUMBER)
    ]
    async for shop, has_died in each_crash(shops, nothing, lambda store: store.put_positions(counts)):
        done = {on_hand for on_hand, *_ in await shop.units()}
        assert done in ({7}, {ON_HAND})
        assert has_died or done == {7}
    async for shop, has_died in each_crash(shops, nothing, lambda store: store.put_supplies(supplies, today=TODAY)):
        found = len((await shop.store.read([each.sku for each in supplies])).supplies)
        assert found in {0, NUMBER}
        assert has_died or found == NUMBER


async def test_many_holds_that_die_anywhere_hold_each_everything_or_nothing(
    shops: Shops,
) -> None:
    """The seeded bug: parts of a batch that nobody asks the home about."""
    names = [named(f"r{number}", number) for number in range(NUMBER)]
    holds = [hold_of(name, line(0, 1), line(number, 1), line(2, 1)) for number, name in enumerate(names)]
    async for shop, has_died in each_crash(shops, nothing, lambda store: store.hold_many(holds, today=TODAY)):
        await shop.check(*names)
        found = [await shop.reservation(name) for name in names]
        assert has_died or all(found)


async def test_a_late_commit_of_an_attempt_that_was_given_up_is_refused(shops: Shops) -> None:
    """A process stands still between its parts and its commit, and is taken for dead meanwhile.

    The seeded bug: giving back its parts without barring its attempt leaves a reservation whose units others can hold.
    """
    shop = await shops(SOON)
    name = named("res", 3)
    pausing = _Pausing(shop.client, "allot_commit_hold_v1", shop.recover)
    slow = PartitionedInventoryStore(pausing, shop.tenant, NUMBER, patience_seconds=0)
    held = (await slow.hold(hold_of(name, *LINES), today=TODAY)).value
    assert held.lines == LINES
    await shop.check(name)


async def test_a_late_decision_to_consume_after_the_units_came_back_is_not_taken(shops: Shops) -> None:
    """A process stands still before its decision; the sweeper brings back what has left, and a count finds less.

    The seeded bug: a home that consumes at any version has consumed what its parts cannot let go.
    """
    shop = await shops(SOON)
    name = named("res", 3)
    await shop.store.hold(hold_of(name, *LINES), today=TODAY)
    await shop.store.confirm(name)

    async def recount() -> None:
        await shop.recover()
        await shop.store.put_positions([PositionCount(node_id="berlin", sku=sku(2), on_hand=1)])

    pausing = _Pausing(shop.client, "allot_consume_v1", recount, calls=2)
    slow = PartitionedInventoryStore(pausing, shop.tenant, NUMBER, patience_seconds=SOON)
    with pytest.raises(IllegalState, match="2 leave, 1 on hand"):
        await slow.consume(name)
    await shop.recover()
    assert (await shop.store.get_reservation(name)).lines == LINES
    assert [units[2] for units in await shop.units()] == [3, 1, 2, 0]
    await shop.check(name, consumed=[0, 0, 9, 0])


class _Pausing(DyingClient):
    """A client that lets something else happen before its n-th call of a function."""

    def __init__(
        self, client: StoreClient, function: str, meanwhile: Callable[[], Awaitable[None]], *, calls: int = 1
    ) -> None:
        super().__init__(client, math.inf)
        self._function, self._meanwhile, self._calls = function, meanwhile, calls

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function, after what else happens."""
        if function == self._function:
            self._calls -= 1
            if self._calls == 0:
                await self._meanwhile()
        return await super().fcall(function, keys, args)
