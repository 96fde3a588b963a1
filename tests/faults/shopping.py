"""Customers who buy under idempotency keys, and try again when the store does not answer."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from faults.clients import fresh_store
from store_servers import StoreServer

from engine.errors import Unavailable
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.storage.keys import Keys

T = TypeVar("T")
SKUS = ("cup", "mug", "pot")
TODAY = {"berlin": 738_000}


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Do what a careful caller does: after Unavailable, the same call again."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def shop(server: StoreServer, tenant: str) -> AsyncIterator[RedisInventoryStore]:
    """Open a store with plenty of every SKU."""
    async with fresh_store(server.url, Keys(tenant)) as store:
        await store.put_positions([PositionCount(sku=sku, node_id="berlin", on_hand=10**7) for sku in SKUS])
        yield store


async def buy(store: InventoryStore, name: str, chance: random.Random) -> Counter[str]:
    """Hold one to three lines under an idempotency key, confirm, and return the units bought."""
    lines = tuple(
        HoldLine(sku=chance.choice(SKUS), quantity=chance.randint(1, 3), node_id="berlin")
        for _ in range(chance.randint(1, 3))
    )
    keys = [Replay(digest=f"{name}-{verb}", fingerprint=name) for verb in ("hold", "confirm")]
    # Each try has an id of its own, as the service gives it: only the idempotency key says that it is the same hold.
    tries = itertools.count()
    held = await insist(
        lambda: store.hold(Hold(reservation_id=f"{name}-{next(tries)}", lines=lines), today=TODAY, replay=keys[0])
    )
    await insist(lambda: store.confirm(held.value.reservation_id, replay=keys[1]))
    bought: Counter[str] = Counter()
    for line in lines:
        bought[line.sku] += line.quantity
    return bought
