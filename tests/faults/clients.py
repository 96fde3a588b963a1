"""Connections to a server, each with a store on it, that are closed however the test ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import connect
from engine.storage.functions import Library, ensure
from engine.storage.keys import Keys

PATIENCE_SECONDS = 60.0
"""The deadline where none is tested: a machine that stalls is no fault of the store."""


@asynccontextmanager
async def several_stores(address: str, keys: Keys, count: int) -> AsyncIterator[list[RedisInventoryStore]]:
    """Open as many connections, each with a store of its own; the functions are loaded already."""
    async with AsyncExitStack() as stack:
        stores = []
        for _ in range(count):
            client = connect(address, deadline_seconds=PATIENCE_SECONDS)
            stack.push_async_callback(client.close)
            stores.append(RedisInventoryStore(client, keys))
        yield stores


@asynccontextmanager
async def fresh_store(address: str, keys: Keys, functions: Library = LIBRARY) -> AsyncIterator[RedisInventoryStore]:
    """Load the functions and open a store."""
    client = connect(address, deadline_seconds=PATIENCE_SECONDS)
    try:
        await ensure(client, [functions])
        yield RedisInventoryStore(client, keys)
    finally:
        await client.close()
