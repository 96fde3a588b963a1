"""The world of tests of low stock, on every kind of store.

Watches run on a world of their own: `east` and `west` are stores, `depot` is a dc; a mug is fragile, a tea has its own
threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.catalog.model import Catalog, compile_catalog
from engine.clock import SettableClock
from engine.inventory.low_stock import LowStockEvent, LowStockStore
from engine.inventory.low_stock_watch import LowStockWatch
from engine.inventory.memory_low_stock import MemoryLowStock
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.partitioned_low_stock import PartitionedLowStockWatch
from engine.inventory.partitions import Partitions
from engine.inventory.redis_low_stock import RedisLowStock
from engine.inventory.redis_store import RedisInventoryStore
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys
from tests.inventory.conftest import Stock

STORES = {"node_kind": "store", "units": 3}
FRAGILE = {"node_kind": "store", "sku_class": "fragile", "units": 5}
PRODUCTS = (
    {"sku": "mug", "weight_g": 1, "class": "fragile"},
    {"sku": "tea", "weight_g": 1, "low_stock_units": 0},
    {"sku": "pot", "weight_g": 1},
)


def network(version: int, *rules: dict[str, Any]) -> Network:
    node = {"latitude": 50, "longitude": 10, "time_zone": "UTC", "calendar": "daily"}
    kinds = {"east": "store", "west": "store", "depot": "dc"}
    document = {
        "nodes": [node | {"node_id": node_id, "kind": kind} for node_id, kind in kinds.items()],
        "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
        "policy": {"low_stock": list(rules)},
    }
    return compile_network(NetworkDocument.model_validate(document), version)


def catalog(version: int, *products: dict[str, Any]) -> Catalog:
    return compile_catalog(CatalogDocument.model_validate({"products": list(products or PRODUCTS)}), version)


@dataclass
class Known:
    """A network and a catalog that a test may change."""

    network: Network = field(default_factory=lambda: network(1, STORES, FRAGILE))
    catalog: Catalog = field(default_factory=lambda: catalog(1))

    @property
    def days(self) -> NetworkDays:
        return NetworkDays(self.network)


@dataclass
class Shop:
    """A store of stock, one of what is low, and the shortest ways to use them."""

    stock: Stock
    low_stocks: Sequence[LowStockStore]
    known: Known

    @property
    def low_stock(self) -> LowStockStore:
        """The one that follows the journal of mugs."""
        return self.low_stocks[Partitions(number=len(self.low_stocks)).of("mug")]

    def watch(self, kind: Callable[[LowStockStore], LowStockStore] = lambda store: store) -> LowStockWatch:
        async def world() -> Known:
            return self.known

        clock = SettableClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        watches = [LowStockWatch(kind(each), self.stock.store, world=world, clock=clock) for each in self.low_stocks]
        return watches[0] if len(watches) == 1 else PartitionedLowStockWatch(watches)

    async def read_on(self, kind: Callable[[LowStockStore], LowStockStore] = lambda store: store) -> None:
        """Let a watch that has just been started read all there is."""
        watch = self.watch(kind)
        while await watch.step():
            pass

    async def count(self, on_hand: int, sku: str = "mug", node_id: str = "east") -> None:
        await self.stock.count(on_hand, sku=sku, node_id=node_id)

    async def low(self) -> list[tuple[str, str, int, int]]:
        found, _ = await self.watch().low(limit=100)
        return [(one.sku, one.node_id, one.available, one.threshold) for one in found]

    async def events(self) -> list[LowStockEvent]:
        found, has_more = await self.watch().events(limit=100)
        assert not has_more
        return found[::-1]

    async def told(self) -> list[tuple[str, str, int]]:
        """Return (state, SKU, available) of every event, oldest first."""
        return [(event.state, event.sku, event.available) for event in await self.events()]


def shop_of(stock: Stock, request: pytest.FixtureRequest) -> Shop:
    """Return a store of stock with what keeps what is low in it."""
    if isinstance(stock.store, MemoryInventoryStore):
        return Shop(stock=stock, low_stocks=[MemoryLowStock(stock.store)], known=Known())
    client: MultiplexedClient = request.getfixturevalue("client")
    tenant: str = request.getfixturevalue("tenant")
    number = 1 if isinstance(stock.store, RedisInventoryStore) else 4
    keys = [Keys(tenant, each) for each in range(number)]
    stores = [
        RedisLowStock(client, of, kept=keys[0], partition=each, partitions=number) for each, of in enumerate(keys)
    ]
    return Shop(stock=stock, low_stocks=stores, known=Known())
