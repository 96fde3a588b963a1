"""A store of each kind, with a way to let time pass in it.

`stock`   memory, Redis, Redis in four partitions, and those on three primaries of a cluster: `stock.store`,
          `await stock.wait(seconds)`, and `stock.today`, the day at every node
`shops`   opens shops in four partitions, partitioned_shop.py
`opened`  opens stores on several connections at once
`redis_store`   the Redis one alone, in a key space of its own; `partitioned_store` the one in four partitions
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio

from engine.clock import SettableClock
from engine.inventory import partition
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Adjustment, Hold, HoldLine, Position, PositionCount, Reservation
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.storage.client import MultiplexedClient, connect
from engine.storage.cluster import ClusterClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from tests.cluster_servers import PARTITIONS, StoreCluster
from tests.inventory.partitioned_shop import CLIENTS, NUMBER, Open, Shop, Shops, SlowClient, open_shop

TODAY = date(2026, 3, 2)


class Days(dict[str, int]):
    """The same day at every node; a test may let days go by."""

    number = TODAY.toordinal()

    def __missing__(self, _: str) -> int:
        return self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A store under test, with the shortest ways to use it."""

    store: InventoryStore
    wait: Callable[[float], Awaitable[None]]
    today: Days

    async def count(self, on_hand: int, *, sku: str = "mug", node_id: str = "berlin", safety_stock: int = 0) -> None:
        """Set one position."""
        count = PositionCount(node_id=node_id, sku=sku, on_hand=on_hand, safety_stock=safety_stock)
        await self.store.put_positions([count])

    async def adjust(self, delta: int, *, sku: str = "mug", node_id: str = "berlin") -> None:
        """Change on_hand."""
        await self.store.adjust([Adjustment(node_id=node_id, sku=sku, delta=delta, reason="test")])

    async def hold(self, reservation_id: str, *lines: HoldLine, ttl_seconds: float = 900) -> Reservation:
        """Hold lines."""
        wanted = Hold(reservation_id=reservation_id, lines=lines, ttl_seconds=ttl_seconds)
        return (await self.store.hold(wanted, today=self.today)).value

    @staticmethod
    def line(quantity: int, sku: str = "mug", node_id: str = "berlin", ship_on: date | None = None) -> HoldLine:
        """Return a line of a hold."""
        return HoldLine(sku=sku, quantity=quantity, node_id=node_id, ship_on=ship_on)

    @staticmethod
    def day(number: int) -> date:
        """Return a day; today is day 1."""
        return date(2026, 3, 1) + timedelta(days=number)

    async def position(self, *, sku: str = "mug", node_id: str = "berlin") -> Position:
        """Return one position, zeros if there is none."""
        view = await self.store.read([sku])
        if node_id not in view.node_ids:
            return Position(node_id=node_id, sku=sku, on_hand=0, held=0, confirmed=0, safety_stock=0, version=0)
        return view.position(0, view.node_ids.index(node_id))


@pytest_asyncio.fixture
async def redis_store(client: MultiplexedClient, keys: Keys) -> RedisInventoryStore:
    await ensure(client, [LIBRARY])
    return RedisInventoryStore(client, keys)


@pytest_asyncio.fixture
async def partitioned_store(client: MultiplexedClient, tenant: str) -> PartitionedInventoryStore:
    await ensure(client, [LIBRARY, *partition.LIBRARIES])
    return PartitionedInventoryStore(client, tenant, 4)


@pytest_asyncio.fixture
async def cluster_store(store_cluster: StoreCluster) -> AsyncIterator[PartitionedInventoryStore]:
    client = ClusterClient(store_cluster.url)
    await client.prepare([LIBRARY, *partition.LIBRARIES])
    yield PartitionedInventoryStore(client, next(store_cluster.tenants), PARTITIONS)
    await client.close()


@pytest_asyncio.fixture
async def shops(client: MultiplexedClient, tenant: str) -> Shops:
    await ensure(client, [LIBRARY, *partition.LIBRARIES])
    numbers = itertools.count()

    async def another(patience_seconds: float) -> Shop:
        return await open_shop(client, f"{tenant}-{next(numbers)}", patience_seconds=patience_seconds)

    return another


@pytest_asyncio.fixture
async def opened(store_address: str, tenant: str) -> AsyncIterator[Open]:
    """Gives a store on each of several connections, by how many seconds an attempt to hold is not taken for dead."""
    async with AsyncExitStack() as stack:
        clients = [connect(store_address) for _ in range(CLIENTS)]
        for connection in clients:
            stack.push_async_callback(connection.close)
        await ensure(clients[0], [LIBRARY, *partition.LIBRARIES])
        slow = [SlowClient(connection, random.Random(number)) for number, connection in enumerate(clients)]
        yield lambda patience_seconds: [
            PartitionedInventoryStore(each, tenant, NUMBER, patience_seconds=patience_seconds) for each in slow
        ]


@pytest.fixture(params=["memory", "redis", "redis in 4 partitions", "cluster"])
def stock(request: pytest.FixtureRequest) -> Stock:
    return stock_of(request)


def stock_of(request: pytest.FixtureRequest) -> Stock:
    """Return the kind of stock that a fixture's parameter names."""
    if request.param == "memory":
        clock = SettableClock(datetime(2026, 3, 2, 9, tzinfo=UTC))

        async def advance(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        return Stock(store=MemoryInventoryStore(clock), wait=advance, today=Days())
    name = {"redis": "redis_store", "cluster": "cluster_store"}.get(request.param, "partitioned_store")
    return Stock(store=request.getfixturevalue(name), wait=asyncio.sleep, today=Days())
