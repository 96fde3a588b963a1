"""Where everything is kept: the function libraries and the stores of a tenant, and the client they share.

Picks the real ones for bootstrap.py, in memory or on a server. Not here: the services that use them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from engine.access import store as key_store
from engine.access.buckets import Buckets, MemoryBuckets, RedisBuckets
from engine.access.store import KeyStore, MemoryKeyStore, RedisKeyStore
from engine.archive import book
from engine.clock import Clock
from engine.config import Settings
from engine.customers import redis_store as customers
from engine.customers.memory_store import MemoryCustomerStore
from engine.customers.redis_store import RedisCustomerStore
from engine.customers.store import CustomerStore
from engine.errors import Fault, InvalidInput
from engine.exceptions.index import AlertIndex, MemoryAlertIndex, RedisAlertIndex
from engine.exceptions.news import MemoryOrderNews, OrderNews
from engine.feed import service as feed
from engine.feed.order_news import FeedOrderNews
from engine.fulfillment.answers import Answers, MemoryAnswers, RedisAnswers
from engine.fulfillment.tracking import MemoryTracking, RedisTracking, Tracking
from engine.imports import store as import_store
from engine.inventory import partition, redis_load, redis_slots
from engine.inventory import redis_store as inventory
from engine.inventory.load import LoadBook
from engine.inventory.low_stock import LowStockStore
from engine.inventory.memory_load import MemoryLoadBook
from engine.inventory.memory_low_stock import MemoryLowStock
from engine.inventory.memory_slots import MemorySlotBook
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import HoldLine
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_load import RedisLoadBook
from engine.inventory.redis_low_stock import RedisLowStock
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_slots import RedisSlotBook
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.service import new_reservation_id
from engine.inventory.slots import SlotBook
from engine.inventory.store import InventoryStore
from engine.orders import redis_store as orders
from engine.orders.checking import recent
from engine.orders.checking.recent import MemoryRecentBook, RecentBook, RedisRecentBook
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.partitioned_store import LIBRARIES as ORDERS_OVER
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.redis_store import RedisOrderStore
from engine.orders.store import OrderStore
from engine.payments import numbers
from engine.payments.numbers import MemoryNumberBook, NumberBook, RedisNumberBook
from engine.promising.store import MemoryPromiseStore, PromiseStore, RedisPromiseStore
from engine.routing import run_store
from engine.routing.explained_blobs import Blobs, MemoryBlobs, RedisBlobs
from engine.routing.memory_run_store import MemoryRunStore
from engine.routing.run_store import RedisRunStore, RunStore
from engine.search import every_order
from engine.storage import documents, leases
from engine.storage.client import StoreClient, connect
from engine.storage.cluster import ClusterClient, is_cluster
from engine.storage.documents import DocumentStore, MemoryDocumentStore, RedisDocumentStore
from engine.storage.embedded import ensure_server
from engine.storage.functions import Library, ensure
from engine.storage.keys import Keys
from engine.storage.leases import Leases, MemoryLeases, RedisLeases
from engine.storage.replicated import connect_replicated
from engine.webhooks import store as webhook_store

LIBRARIES = (
    key_store.LIBRARY,
    documents.LIBRARY,
    leases.LIBRARY,
    inventory.LIBRARY,
    *orders.LIBRARIES,
    recent.LIBRARY,
    redis_load.LIBRARY,
    redis_slots.LIBRARY,
    run_store.LIBRARY,
    feed.LIBRARY,
    webhook_store.LIBRARY,
    import_store.LIBRARY,
    every_order.LIBRARY,
    customers.LIBRARY,
    book.LIBRARY,
    numbers.LIBRARY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where everything is kept; all of one kind."""

    documents: DocumentStore
    leases: Leases
    inventory: InventoryStore
    low_stock: Sequence[LowStockStore]
    """One for the journal of each partition."""
    promises: PromiseStore
    orders: OrderStore
    recent: RecentBook
    alerts: AlertIndex
    news: OrderNews
    """What happens to orders; for one reader."""
    load: LoadBook
    slots: SlotBook
    runs: RunStore
    explained: Blobs
    customers: CustomerStore
    access: KeyStore
    """The keys of all tenants of the store."""
    buckets: Buckets
    """What they may still send."""
    tracking: Tracking
    answers: Answers
    numbers: NumberBook
    new_id: Callable[[Sequence[HoldLine]], str]
    """Makes reservation ids that suit `inventory`."""
    reconciler: Reconciler | PartitionedReconciler | None
    """None when everything is in memory."""


async def connected(stack: AsyncExitStack, settings: Settings) -> StoreClient:
    """Return a client of the store that the settings name; the stack closes it, and lets go of an embedded server."""
    client: StoreClient
    if settings.durability == "replicated":
        address = _address_with_a_replica(settings)
        if isinstance(probe := await _client_of(address), ClusterClient):
            message = "'replicated' does not work on a cluster yet; use 'standard', or one primary with a replica."
            raise InvalidInput(Fault(path="ALLOT_DURABILITY", message=message))
        await probe.close()
        client = connect_replicated(address, fence_key=Keys(settings.tenant).fence)
    elif settings.redis_url is not None:
        client = await _client_of(settings.redis_url)
    else:
        server = await asyncio.to_thread(ensure_server, settings.data_dir, settings.durability)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        client = connect(str(server.socket_path), revive=server.revive)
    stack.push_async_callback(client.close)
    return client


async def _client_of(url: str) -> StoreClient:
    """Return a client of a server, or of the cluster it belongs to."""
    client = connect(url)
    if not await is_cluster(client):
        return client
    await client.close()
    return ClusterClient(url)


def _address_with_a_replica(settings: Settings) -> str:
    """Return the address of the store; raises InvalidInput if it is our own, which has no replica."""
    if settings.redis_url is None:
        message = (
            "'replicated' needs a server with a replica, and the own server has none. Set ALLOT_REDIS_URL to a primary "
            "whose replica has its append-only file on, or use 'standard'."
        )
        raise InvalidInput(Fault(path="ALLOT_DURABILITY", message=message))
    return settings.redis_url


async def load_libraries(client: StoreClient, libraries: Sequence[Library]) -> None:
    """Load function libraries on the server, or on every primary of a cluster."""
    if isinstance(client, ClusterClient):
        await client.prepare(libraries)
    else:
        await ensure(client, libraries)


def libraries_for(partitions: int) -> tuple[Library, ...]:
    """Return the function libraries of an engine whose stock is divided into so many partitions."""
    return LIBRARIES if partitions == 1 else (*LIBRARIES, *partition.LIBRARIES, *ORDERS_OVER)


def memory_stores(clock: Clock, explanation_days: int) -> Stores:
    """Return stores that keep nothing; they take any clock."""
    stock = MemoryInventoryStore(clock)
    orders = MemoryOrderStore(stock, clock)
    return Stores(
        documents=MemoryDocumentStore(),
        leases=MemoryLeases(lambda: clock.now().timestamp()),
        inventory=stock,
        low_stock=[MemoryLowStock(stock)],
        promises=MemoryPromiseStore(clock),
        orders=orders,
        recent=MemoryRecentBook(),
        alerts=MemoryAlertIndex(),
        news=MemoryOrderNews(orders.steps),
        load=MemoryLoadBook(clock, orders.uses),
        slots=MemorySlotBook(clock),
        runs=MemoryRunStore(clock),
        explained=MemoryBlobs(clock, explanation_days),
        customers=MemoryCustomerStore(clock),
        access=MemoryKeyStore(),
        buckets=MemoryBuckets(),
        tracking=MemoryTracking(),
        answers=MemoryAnswers(),
        numbers=MemoryNumberBook(),
        new_id=new_reservation_id,
        reconciler=None,
    )


def redis_stores(client: StoreClient, settings: Settings) -> Stores:
    """Return the stores of a tenant; all but stock lies in partition 0, and orders need stock to lie there too."""
    tenant, partitions = settings.tenant, settings.partitions
    keys = Keys(tenant)
    divided = None if partitions == 1 else PartitionedInventoryStore(client, tenant, partitions)
    return Stores(
        documents=RedisDocumentStore(client, keys),
        leases=RedisLeases(client, keys),
        inventory=divided or RedisInventoryStore(client, keys),
        low_stock=[
            RedisLowStock(client, Keys(tenant, each), kept=keys, partition=each, partitions=partitions)
            for each in range(partitions)
        ],
        promises=RedisPromiseStore(client, keys),
        orders=PartitionedOrderStore(client, tenant, partitions) if divided else RedisOrderStore(client, keys),
        recent=RedisRecentBook(client, keys),
        alerts=RedisAlertIndex(client, keys),
        news=FeedOrderNews(feed.EventFeed(client, tenant, partitions)),
        load=RedisLoadBook(client, keys),
        slots=RedisSlotBook(client, keys),
        runs=RedisRunStore(client, keys, settings.run_lease_seconds),
        explained=RedisBlobs(client, keys, settings.explanation_days),
        customers=RedisCustomerStore(client, keys),
        access=RedisKeyStore(client),
        buckets=RedisBuckets(client),
        tracking=RedisTracking(client, keys),
        answers=RedisAnswers(client, keys),
        numbers=RedisNumberBook(client, keys),
        new_id=partial(divided.new_id, make=new_reservation_id) if divided else new_reservation_id,
        reconciler=PartitionedReconciler(client, tenant, partitions) if divided else Reconciler(client, keys),
    )
