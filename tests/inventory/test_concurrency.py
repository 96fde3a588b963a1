"""Many clients on the same stock at once; on the real store, over several connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from faults.clients import several_stores

from engine.errors import IllegalState, InsufficientStock
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.keys import Keys

TODAY = {"berlin": 738_000, "rome": 738_000}


async def try_hold(store: RedisInventoryStore, name: str, *lines: tuple[str, str, int]) -> int:
    """Hold lines, and return the units got: all or none."""
    wanted = tuple(HoldLine(sku=sku, node_id=node_id, quantity=quantity) for sku, node_id, quantity in lines)
    try:
        await store.hold(Hold(reservation_id=name, lines=wanted), today=TODAY)
    except InsufficientStock:
        return 0
    return sum(line.quantity for line in wanted)


async def count(store: RedisInventoryStore, *places: tuple[str, str, int]) -> None:
    await store.put_positions(
        [PositionCount(sku=sku, node_id=node_id, on_hand=on_hand) for sku, node_id, on_hand in places]
    )


async def test_many_clients_on_a_hot_sku_sell_exactly_what_there_is(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """The seeded bug: a check by `read` before a write without one sells 8 times too much."""
    for sku, on_hand, attempts in (("mug", 300, 800), ("cup", 300, 200)):
        await count(redis_store, (sku, "berlin", on_hand))
        async with several_stores(store_address, keys, 8) as stores:
            tries = [try_hold(stores[i % 8], f"{sku}-{i}", (sku, "berlin", 1)) for i in range(attempts)]
            sold = sum(await asyncio.gather(*tries))
        assert sold == min(on_hand, attempts)
        assert (await redis_store.read([sku])).available().tolist() == [[on_hand - sold]]


async def test_carts_that_cross_each_other_never_hold_a_part(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """Two SKUs in opposite orders, scarce in one: whoever wins has both, whoever loses has none.

    The seeded bug: one call per line, without giving back what a failed cart already has, leaves cups held alone.
    """
    await count(redis_store, ("mug", "berlin", 50), ("cup", "rome", 120))
    forth, back = ("mug", "berlin", 1), ("cup", "rome", 2)
    async with several_stores(store_address, keys, 6) as stores:
        tries = [try_hold(stores[i % 6], f"c{i}", *((forth, back) if i % 2 else (back, forth))) for i in range(300)]
        units = await asyncio.gather(*tries)
    assert sum(units) == 50 * 3
    view = await redis_store.read(["mug", "cup"])
    berlin, rome = view.node_ids.index("berlin"), view.node_ids.index("rome")
    assert view.position(0, berlin).held == 50
    assert view.position(1, rome).held == 100


async def test_one_of_confirm_cancel_and_expiry_wins(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """Each reservation is confirmed, cancelled and swept at its deadline at once; its units end in one place.

    The seeded bug: a confirm that moves units before it looks at the state leaves both confirmed and given back.
    """
    await count(redis_store, ("mug", "berlin", 200))
    for i in range(200):
        line = HoldLine(sku="mug", node_id="berlin", quantity=1)
        await redis_store.hold(Hold(reservation_id=f"r{i}", lines=(line,), ttl_seconds=0.3), today=TODAY)
    await asyncio.sleep(0.28)
    async with several_stores(store_address, keys, 3) as (one, two, three):

        async def outcome(call: Callable[[], Awaitable[object]]) -> bool:
            try:
                await call()
            except IllegalState:
                return False
            return True

        async def sweep() -> None:
            for _ in range(20):
                await three.sweep()
                await asyncio.sleep(0.002)

        confirmed = [outcome(lambda i=i: one.confirm(f"r{i}")) for i in range(200)]
        cancelled = [outcome(lambda i=i: two.cancel(f"r{i}")) for i in range(0, 200, 3)]
        await asyncio.gather(*confirmed, *cancelled, sweep())
    states = [(await redis_store.get_reservation(f"r{i}")).state for i in range(200)]
    await redis_store.sweep()
    position = (await redis_store.read(["mug"])).position(0, 0)
    assert position.held == 0
    assert position.confirmed == sum(state == "confirmed" for state in states)
