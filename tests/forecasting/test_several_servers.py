"""Several servers on one real store look whether bid prices are due, and one of them makes them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.network import EXAMPLE as NETWORK
from engine.availability.reference import Reference
from engine.bidding.service import BidPriceService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.forecasting.document import ForecastDocument
from engine.forecasting.service import LEASE, ForecastService
from engine.inventory.memory_store import MemoryInventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage import documents, leases
from engine.storage.client import MultiplexedClient, connect
from engine.storage.documents import RedisDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from engine.storage.leases import Leases, MemoryLeases, RedisLeases

NOW = datetime(2030, 11, 20, 15, tzinfo=UTC)
EVERY = timedelta(minutes=15)
LEASE_SECONDS = 0.6
ROOT = Path(__file__).parents[2]
ROW = {
    "sku": "MUG-RED",
    "quantity": 140.5,
    "first_on": "2030-12-01",
    "last_on": "2030-12-31",
    "latitude": 40.7,
    "longitude": -74.0,
}


class Server:
    """A server with a connection of its own."""

    def __init__(self, client: MultiplexedClient, keys: Keys, clock: SettableClock) -> None:
        store = RedisDocumentStore(client, keys)
        self.networks, self.catalogs = NetworkService(store), CatalogService(store)
        self.prices = BidPriceService(store)
        reference = Reference(store, self.networks, self.catalogs)
        stock, own = MemoryInventoryStore(clock), RedisLeases(client, keys)
        self.forecast = ForecastService(store, reference, stock, self.prices, clock, EVERY, own, LEASE_SECONDS)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
async def servers(store_address: str, keys: Keys, clock: SettableClock) -> AsyncIterator[list[Server]]:
    clients = [connect(store_address) for _ in range(3)]
    await ensure(clients[0], [documents.LIBRARY, leases.LIBRARY])
    found = [Server(client, keys, clock) for client in clients]
    await found[0].networks.put(NetworkDocument.model_validate(NETWORK))
    await found[0].catalogs.put(CatalogDocument.model_validate(CATALOG))
    await found[0].forecast.put(ForecastDocument.model_validate({"rows": [ROW]}))
    yield found
    for client in clients:
        await client.close()


async def test_of_several_servers_one_makes_them_when_they_are_due(servers: list[Server], clock: SettableClock) -> None:
    """Seeded bug: without the lease all find them due at once, and all make and publish them."""
    for round_ in range(1, 6):
        made = await asyncio.gather(*(server.forecast.make_if_due() for server in servers))
        assert sum(made) == 1
        assert not any(await asyncio.gather(*(server.forecast.make_if_due() for server in servers)))
        assert {(await server.prices.current()).version for server in servers} == {round_}
        clock.advance(EVERY)


async def test_another_takes_over_from_one_that_is_killed_while_it_makes_them(
    servers: list[Server], store_address: str, tenant: str
) -> None:
    """Seeded bugs: a lease that is not renewed is lost to the living; one without an end is never free again."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("lease_child.py")), store_address, tenant, str(LEASE_SECONDS)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"taken\n"
    for _ in range(6):
        assert not await servers[0].forecast.make_if_due()
        await asyncio.sleep(LEASE_SECONDS / 3)
    child.kill()
    await child.wait()
    for _ in range(100):
        if await servers[0].forecast.make_if_due():
            break
        await asyncio.sleep(LEASE_SECONDS / 10)
    assert (await servers[1].prices.current()).version == 1


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_lease_is_one_owner_s_until_it_is_given_back(kind: str, client: MultiplexedClient, keys: Keys) -> None:
    found: Leases = MemoryLeases(lambda: 0.0)
    if kind == "redis":
        await ensure(client, [leases.LIBRARY])
        found = RedisLeases(client, keys)
    assert await found.take(LEASE, "one", 60)
    assert await found.take(LEASE, "one", 60)
    assert not await found.take(LEASE, "other", 60)
    await found.release(LEASE, "other")
    assert not await found.take(LEASE, "other", 60)
    await found.release(LEASE, "one")
    assert await found.take(LEASE, "other", 60)


async def test_a_lease_in_memory_runs_out_too(clock: SettableClock) -> None:
    found = MemoryLeases(lambda: clock.now().timestamp())
    assert await found.take(LEASE, "one", 15)
    clock.advance(timedelta(seconds=15))
    assert await found.take(LEASE, "other", 15)
