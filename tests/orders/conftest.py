"""A small network and catalog for orders: two nodes, two products and a kit of them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from order_shop import Shop

from engine.catalog.document import CatalogDocument
from engine.catalog.model import Catalog, compile_catalog
from engine.clock import SettableClock
from engine.inventory import partition
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import PositionCount
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.partitions import Partitions
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.partitioned_store import LIBRARIES as ORDERS_OVER_LIBRARIES
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.redis_store import LIBRARIES as ORDERS_LIBRARIES
from engine.orders.redis_store import RedisOrderStore
from engine.orders.store import OrderStore
from engine.storage.client import StoreClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from tests.inventory.partitioned_shop import NUMBER, sku
from tests.orders.partitioned_orders import Shop as PartitionedShop
from tests.orders.partitioned_orders import Shops

PARTITIONS = 4
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture(scope="session")
def network_document() -> NetworkDocument:
    place = {"kind": "dc", "time_zone": "America/Chicago", "calendar": "daily"}
    rate = {"zone": "all", "max_weight_g": 10_000, "cost_cents": 500, "transit_days": 2}
    return NetworkDocument.model_validate(
        {
            "nodes": [
                {"node_id": "north", "latitude": 45.0, "longitude": -93.0, **place},
                {"node_id": "south", "latitude": 30.0, "longitude": -95.0, **place},
            ],
            "calendars": [{"calendar": "daily", "working_days": WEEK}],
            "zones": [{"zone": "all", "max_km": None}],
            "services": [
                {"service": "ground", "carrier": "C", "service_level": "standard", "calendar": "daily", "rates": [rate]}
            ],
            "postal_codes": [{"country": "US", "postal_code": "554", "latitude": 44.9, "longitude": -93.2}],
        }
    )


@pytest.fixture(scope="session")
def catalog_document() -> CatalogDocument:
    return CatalogDocument.model_validate(
        {
            "products": [{"sku": "MUG", "weight_g": 300}, {"sku": "TEA", "weight_g": 100}],
            "kits": [
                {"sku": "SET", "components": [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}]},
                {"sku": "PALLET", "components": [{"sku": "SET", "quantity": 1000}]},
            ],
        }
    )


@pytest.fixture(scope="session")
def network(network_document: NetworkDocument) -> Network:
    return compile_network(network_document, 1)


@pytest.fixture(scope="session")
def catalog(catalog_document: CatalogDocument) -> Catalog:
    return compile_catalog(catalog_document, 1)


@pytest.fixture(params=["memory", "redis", "redis in 4 partitions"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which store a test runs on."""
    return str(request.param)


@pytest.fixture
def clock() -> SettableClock:
    """The clock of the in-memory store."""
    return SettableClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
async def inventory(kind: str, client: StoreClient, keys: Keys, tenant: str, clock: SettableClock) -> InventoryStore:
    if kind == "memory":
        return MemoryInventoryStore(clock)
    await ensure(client, [INVENTORY_LIBRARY, *ORDERS_LIBRARIES])
    if kind == "redis":
        return RedisInventoryStore(client, keys)
    await ensure(client, [*partition.LIBRARIES, *ORDERS_OVER_LIBRARIES])
    return PartitionedInventoryStore(client, tenant, PARTITIONS)


@pytest.fixture
async def orders(
    client: StoreClient, keys: Keys, tenant: str, clock: SettableClock, inventory: InventoryStore
) -> OrderStore:
    if isinstance(inventory, MemoryInventoryStore):
        return MemoryOrderStore(inventory, clock)
    if isinstance(inventory, PartitionedInventoryStore):
        return PartitionedOrderStore(client, tenant, PARTITIONS)
    return RedisOrderStore(client, keys)


@pytest.fixture
def wait(kind: str, clock: SettableClock) -> Callable[[float], Awaitable[None]]:
    """Let seconds pass: by the store's own clock, or by the clock the in-memory store was given."""

    async def pass_by_setting(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return pass_by_setting if kind == "memory" else asyncio.sleep


@pytest.fixture
def forget(kind: str, client: StoreClient, tenant: str, clock: SettableClock) -> Callable[[str], Awaitable[None]]:
    """Let a reservation that is over be forgotten, as it is a day later."""

    async def forget_now(reservation_id: str) -> None:
        if kind != "memory":
            number = 1 if kind == "redis" else PARTITIONS
            key = Keys(tenant, Partitions(number=number).of(reservation_id)).reservation(reservation_id)
            assert 86_000 < await client.call("TTL", key) <= 86_400
            await client.call("DEL", key)
        clock.advance(timedelta(days=2))

    return forget_now


@pytest.fixture
async def shop(orders: OrderStore, inventory: InventoryStore, wait: Callable[[float], Awaitable[None]]) -> Shop:
    await inventory.put_positions(
        [
            PositionCount(node_id="north", sku="MUG", on_hand=10),
            PositionCount(node_id="south", sku="MUG", on_hand=5),
        ]
    )
    return Shop(orders=orders, inventory=inventory, wait=wait)


@pytest.fixture
async def shops(client: StoreClient, tenant: str) -> Shops:
    """Opens another shop."""
    await ensure(client, [INVENTORY_LIBRARY, *ORDERS_LIBRARIES, *partition.LIBRARIES, *ORDERS_OVER_LIBRARIES])
    numbers = itertools.count()

    async def another() -> PartitionedShop:
        shop = PartitionedShop(client=client, tenant=f"{tenant}-{next(numbers)}")
        await shop.stock.put_positions(
            [
                PositionCount(node_id=node_id, sku=sku(each), on_hand=on_hand)
                for each in range(NUMBER)
                for node_id, on_hand in (("north", 10), ("south", 5))
            ]
        )
        return shop

    return another
