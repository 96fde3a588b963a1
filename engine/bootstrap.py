"""The only place that picks real parts: from settings to a running engine, and back down in order.

    async with allot_engine(Settings()) as engine:
        await engine.network.put(document)

Not here: what the parts do. `memory=True` picks the in-memory stores and takes any clock; for simulation and tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from engine.catalog.service import CatalogService
from engine.clock import Clock, SystemClock
from engine.config import Settings
from engine.network.service import NetworkService
from engine.storage import documents
from engine.storage.client import StoreClient, connect
from engine.storage.documents import DocumentStore, MemoryDocumentStore, RedisDocumentStore
from engine.storage.durability import broken_promises
from engine.storage.embedded import ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

LIBRARIES = (documents.LIBRARY,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The wired services of one tenant; `client` is None when everything is in memory."""

    tenant: str
    durability: str
    clock: Clock
    client: StoreClient | None
    network: NetworkService
    catalog: CatalogService

    async def broken_promises(self) -> list[str]:
        """Return one sentence for each promise that the store does not keep now; empty when it is ready."""
        if self.client is None:
            return []
        return await broken_promises(self.client, "standard" if self.durability == "standard" else "memory")


@asynccontextmanager
async def allot_engine(
    settings: Settings | None = None, *, memory: bool = False, clock: Clock | None = None
) -> AsyncIterator[Engine]:
    """Start an engine and stop it at the end: on `ALLOT_REDIS_URL`, else on the embedded server of `data_dir`.

    With `memory` nothing is started and nothing is kept. Raises Unavailable if the store does not answer,
    IncompatibleStore if it is too old or too new.
    """
    chosen = settings or Settings()
    ticking = clock or SystemClock()
    if memory:
        yield _wired(chosen, ticking, None, MemoryDocumentStore())
        return
    async with AsyncExitStack() as stack:
        client = await _connected(stack, chosen)
        await ensure(client, LIBRARIES)
        keys = Keys(chosen.tenant)
        yield _wired(chosen, ticking, client, RedisDocumentStore(client, keys))


def _wired(settings: Settings, clock: Clock, client: StoreClient | None, documents: DocumentStore) -> Engine:
    """Hand every service the parts it needs."""
    return Engine(
        tenant=settings.tenant,
        durability=settings.durability,
        clock=clock,
        client=client,
        network=NetworkService(documents),
        catalog=CatalogService(documents),
    )


async def _connected(stack: AsyncExitStack, settings: Settings) -> StoreClient:
    """Return a client of the store that the settings name; the stack closes it, and lets go of an embedded server."""
    if settings.redis_url is not None:
        client = connect(settings.redis_url)
    else:
        server = await asyncio.to_thread(ensure_server, settings.data_dir, settings.durability)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        client = connect(str(server.socket_path), revive=server.revive)
    stack.push_async_callback(client.close)
    return client
