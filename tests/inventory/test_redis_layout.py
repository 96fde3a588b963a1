"""What lies in Redis: the layout others read, and what the store does when the data is not as it left it."""

from __future__ import annotations

import struct

from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys

TODAY = {"berlin": 738_000, "rome": 738_000}


def count(on_hand: int, node_id: str, sku: str = "mug", safety_stock: int = 0) -> PositionCount:
    return PositionCount(node_id=node_id, sku=sku, on_hand=on_hand, safety_stock=safety_stock)


def hold(name: str, quantity: int, ttl_seconds: float = 900) -> Hold:
    line = HoldLine(sku="mug", node_id="rome", quantity=quantity)
    return Hold(reservation_id=name, lines=(line,), ttl_seconds=ttl_seconds)


async def test_a_sku_is_one_string_of_eight_big_endian_numbers_per_node(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await redis_store.put_positions([count(7, "berlin", "cup"), count(10, "rome", safety_stock=2)])
    await redis_store.hold(hold("a", 3), today=TODAY)
    await redis_store.hold(hold("b", 1), today=TODAY)
    await redis_store.confirm("b")
    packed = await client.call("GET", keys.stock("mug"))
    assert struct.unpack(">16I", packed) == (0, 0, 0, 0, 0, 0, 0, 0, 10, 2, 3, 1, 1, 0, 4, 0)
    assert len(await client.call("GET", keys.stock("cup"))) == 32
    assert await client.call("HGETALL", keys.slots) == [b"berlin", b"0", b"rome", b"1"]


async def test_only_held_reservations_have_a_deadline_and_only_closed_ones_are_forgotten(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await redis_store.put_positions([count(10, "rome")])
    for name in ("held", "confirmed", "cancelled"):
        await redis_store.hold(hold(name, 1), today=TODAY)
    await redis_store.confirm("confirmed")
    await redis_store.cancel("cancelled")
    assert await client.call("ZRANGE", keys.deadlines, 0, -1) == [b"held"]
    lifetimes = [await client.call("TTL", keys.reservation(name)) for name in ("held", "confirmed", "cancelled")]
    assert lifetimes[:2] == [-1, -1]
    assert 86_000 < lifetimes[2] <= 86_400


async def test_node_names_are_read_again_when_the_data_was_replaced(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: names kept for ever show the stock of one node under the name of another."""
    for on_hand in (1, 2, 3):
        await redis_store.put_positions([count(on_hand, "rome")])
    assert (await redis_store.read(["mug"])).node_ids == ("rome",)
    await client.call("DEL", keys.stock("mug"), keys.slots, keys.stock_epoch, keys.skus, keys.journal)
    await redis_store.put_positions([count(4, "berlin")])
    assert (await redis_store.read(["mug"])).position(0, 0).node_id == "berlin"


async def test_a_deadline_without_a_reservation_stops_nobody(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await redis_store.put_positions([count(10, "rome")])
    await client.call("ZADD", keys.deadlines, 1, "nobody")
    await redis_store.hold(hold("a", 1), today=TODAY)
    assert await redis_store.sweep() == 0
    assert await client.call("ZRANGE", keys.deadlines, 0, -1) == [b"a"]
