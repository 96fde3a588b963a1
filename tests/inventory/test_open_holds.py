"""How many reservations one holder may keep held at once, counted in the step that holds; on every store."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
from faults.clients import several_stores

from engine.errors import IllegalState, InsufficientStock, NotFound, TooManyHolds
from engine.inventory.model import Hold, HoldLimit, HoldLine, PositionCount, Replay, Reservation
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys
from tests.inventory.conftest import Stock
from tests.inventory.test_concurrency import TODAY

ANNA, BEN = HoldLimit(holder="key_anna", most=2), HoldLimit(holder="key_ben", most=2)


async def hold(
    stock: Stock,
    name: str,
    limit: HoldLimit | None = ANNA,
    *,
    quantity: int = 1,
    ttl_seconds: float = 900,
    replay: Replay | None = None,
) -> Reservation:
    wanted = Hold(reservation_id=name, lines=(stock.line(quantity),), ttl_seconds=ttl_seconds, limit=limit)
    return (await stock.store.hold(wanted, today=stock.today, replay=replay)).value


async def test_one_hold_too_many_is_refused_with_what_is_open_and_what_to_do(stock: Stock) -> None:
    await stock.count(10)
    await hold(stock, "a")
    await hold(stock, "b")
    with pytest.raises(TooManyHolds, match=r"'key_anna' has 2 open holds, and 2 may be open at once\. Confirm"):
        await hold(stock, "c")
    assert (await stock.position()).held == 2
    await hold(stock, "d", BEN)
    await hold(stock, "e", None)
    assert (await stock.position()).held == 4


@pytest.mark.parametrize("act", ["confirm", "cancel", "expire unswept", "expire swept", "consume"])
async def test_a_hold_that_is_over_or_confirmed_makes_room_for_one_and_no_more(stock: Stock, act: str) -> None:
    """The seeded bugs: counting off a reservation in each call on it, or only where it is closed."""
    await stock.count(10)
    await hold(stock, "a")
    await hold(stock, "b", ttl_seconds=0.05 if "expire" in act else 900)
    if "expire" in act:
        await stock.wait(0.1)
        if "unswept" not in act:
            await stock.store.sweep()
    else:
        if act != "cancel":
            await stock.store.confirm("b")
            await stock.store.confirm("b")
        if act == "consume":
            await stock.store.consume("b")
        if act != "consume":
            await stock.store.cancel("b")
            await stock.store.cancel("b")
    await hold(stock, "c")
    with pytest.raises(TooManyHolds, match="has 2 open"):
        await hold(stock, "d")


async def test_what_is_refused_comes_again_or_is_cancelled_in_part_does_not_change_the_count(stock: Stock) -> None:
    await stock.count(10)
    with pytest.raises(InsufficientStock):
        await hold(stock, "a", quantity=11)
    await hold(stock, "a", quantity=3)
    await hold(stock, "a", quantity=3)
    await stock.store.cancel("a", lines=[stock.line(1)])
    await stock.store.extend("a", 60)
    await hold(stock, "b")
    assert (await hold(stock, "a", quantity=3)).lines == (stock.line(2),)
    with pytest.raises(TooManyHolds):
        await hold(stock, "c")
    with pytest.raises(NotFound):
        await stock.store.cancel("d")
    with pytest.raises(IllegalState):
        await hold(stock, "d", BEN)
    await hold(stock, "e", BEN)
    await hold(stock, "f", BEN)


async def test_a_refusal_for_open_holds_is_not_kept_for_its_key(stock: Stock) -> None:
    """The seeded bug: the refusal kept as the answer, a client that cancels and tries again is refused for a day."""
    await stock.count(10)
    await hold(stock, "a")
    await hold(stock, "b")
    replay = Replay(digest="k", fingerprint="f")
    with pytest.raises(TooManyHolds):
        await hold(stock, "c", replay=replay)
    await stock.store.cancel("a")
    assert (await hold(stock, "c", replay=replay)).reservation_id == "c"


async def test_holds_of_one_call_are_counted_one_after_another_and_expired_ones_first(stock: Stock) -> None:
    await stock.count(10)
    await hold(stock, "old", ttl_seconds=0.05)
    await hold(stock, "older", ttl_seconds=0.05)
    await stock.wait(0.1)
    holds = [Hold(reservation_id=name, lines=(stock.line(1),), limit=ANNA) for name in "abcd"]
    verdicts = (await stock.store.hold_many(holds, today=stock.today)).value
    assert [isinstance(verdict, Reservation) for verdict in verdicts] == [True, True, False, False]
    assert isinstance(verdicts[2], TooManyHolds)
    assert verdicts[2].open_holds == 2
    assert (await stock.position()).held == 2


async def test_many_clients_of_one_holder_have_exactly_as_many_open_as_may_be(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """The seeded bug: a count that is read in a call before the one that holds lets in all 200."""
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1000)])
    limit, line = HoldLimit(holder="key_anna", most=25), HoldLine(sku="mug", node_id="berlin", quantity=1)

    async def try_hold(store: RedisInventoryStore, name: str) -> bool:
        try:
            await store.hold(Hold(reservation_id=name, lines=(line,), limit=limit), today=TODAY)
        except TooManyHolds:
            return False
        return True

    async with several_stores(store_address, keys, 8) as stores:
        held = await asyncio.gather(*(try_hold(stores[i % 8], f"r{i}") for i in range(200)))
    assert sum(held) == 25
    assert (await redis_store.read(["mug"])).position(0, 0).held == 25


async def test_confirms_cancels_and_expiry_at_once_count_each_hold_off_once(
    redis_store: RedisInventoryStore, client: MultiplexedClient, store_address: str, keys: Keys
) -> None:
    """The seeded bug: a reservation that keeps its holder is counted off by a cancel after its confirm, too."""
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1000)])
    limit, line = HoldLimit(holder="key_anna", most=1000), HoldLine(sku="mug", node_id="berlin", quantity=1)
    for i in range(150):
        ttl_seconds = 0.05 if i % 5 == 0 else 900
        wanted = Hold(reservation_id=f"r{i}", lines=(line,), ttl_seconds=ttl_seconds, limit=limit)
        await redis_store.hold(wanted, today=TODAY)

    async def quietly(call: asyncio.Future[object]) -> None:
        with contextlib.suppress(IllegalState):
            await call

    async with several_stores(store_address, keys, 3) as (one, two, three):
        calls = [one.confirm(f"r{i}") for i in range(0, 150, 2)]
        calls += [two.cancel(f"r{i}") for i in range(0, 150, 3)]
        calls += [three.sweep() for _ in range(20)]
        random.Random(3).shuffle(calls)
        await asyncio.gather(*(quietly(asyncio.ensure_future(call)) for call in calls))
        await asyncio.sleep(0.06)
        await three.sweep()
    states = [(await redis_store.get_reservation(f"r{i}")).state for i in range(150)]
    still_held = sum(state == "held" for state in states)
    assert await client.call("HGETALL", keys.named("open_holds")) == [b"key_anna", str(still_held).encode()]
    for i in range(150):
        await quietly(asyncio.ensure_future(redis_store.cancel(f"r{i}")))
    assert await client.call("HGETALL", keys.named("open_holds")) == []
