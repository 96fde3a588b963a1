"""A customer store of either kind, and customers on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.clock import SettableClock
from engine.customers.keys import CustomerKeys
from engine.customers.memory_store import MemoryCustomerStore
from engine.customers.redis_store import LIBRARY, RedisCustomerStore
from engine.customers.service import CustomerService
from engine.customers.store import CustomerStore
from engine.inventory.memory_store import MemoryInventoryStore
from engine.orders.memory_store import MemoryOrderStore
from engine.storage.client import StoreClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = b"a secret of more than thirty-two bytes"


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: SettableClock, client: StoreClient, keys: Keys) -> CustomerStore:
    if request.param == "memory":
        return MemoryCustomerStore(clock)
    await ensure(client, [LIBRARY])
    return RedisCustomerStore(client, keys)


@pytest.fixture
def orders(clock: SettableClock) -> MemoryOrderStore:
    return MemoryOrderStore(MemoryInventoryStore(clock), clock)


@pytest.fixture
def customers(store: CustomerStore, orders: MemoryOrderStore, clock: SettableClock) -> CustomerService:
    return CustomerService(store, CustomerKeys(store, "main", SECRET), orders, clock)
