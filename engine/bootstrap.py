"""The only place that picks real parts: from settings to a running engine, and back down in order.

    async with allot_engine(Settings()) as engine:
        await engine.network.put(document)

Not here: what the parts do. `memory=True` picks the in-memory stores and takes any clock; for simulation and tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from engine.access import store as key_store
from engine.access.buckets import Buckets, MemoryBuckets, RedisBuckets
from engine.access.service import AccessService
from engine.availability.reference import Reference
from engine.availability.service import AvailabilityService
from engine.backup.restoring import refuse_half_restored
from engine.bidding.service import BidPriceService
from engine.calibration.service import LeadTimeService
from engine.catalog.service import CatalogService
from engine.clock import Clock, SystemClock
from engine.config import Settings
from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.options import ray_options
from engine.errors import Fault, InvalidInput
from engine.feed import service as feed
from engine.feed.service import EventFeed
from engine.forecasting.service import ForecastService
from engine.imports import store as import_store
from engine.imports.store import ImportStore
from engine.inventory import partition, redis_load, redis_slots
from engine.inventory import redis_store as inventory
from engine.inventory.load import LoadBook, NodeLoad
from engine.inventory.low_stock import LowStockStore
from engine.inventory.low_stock_watch import LowStockWatch
from engine.inventory.memory_load import MemoryLoadBook
from engine.inventory.memory_low_stock import MemoryLowStock
from engine.inventory.memory_slots import MemorySlotBook
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import HoldLine
from engine.inventory.partition_number import keep_number
from engine.inventory.partitioned_low_stock import PartitionedLowStockWatch
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_load import RedisLoadBook
from engine.inventory.redis_low_stock import RedisLowStock
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_slots import RedisSlotBook
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.service import InventoryService, new_reservation_id
from engine.inventory.slot_desk import SlotDesk
from engine.inventory.slots import SlotBook
from engine.inventory.store import InventoryStore
from engine.network.service import NetworkService
from engine.orders import redis_store as orders
from engine.orders.closing import NodeClosures
from engine.orders.explanations import ExplanationService
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.partitioned_store import LIBRARIES as ORDERS_OVER
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.redis_store import RedisOrderStore
from engine.orders.service import OrderService
from engine.orders.steering_service import OrderSteering
from engine.orders.store import OrderStore
from engine.orders.time_outs import TimeOuts
from engine.policies.service import PolicyService
from engine.promising.capacity import FRESH_SECONDS, Room
from engine.promising.get_it_by import GetItByService
from engine.promising.nearest import NearestStoresService
from engine.promising.service import PromiseService
from engine.promising.slot_list import SlotListService
from engine.promising.store import MemoryPromiseStore, PromiseStore, RedisPromiseStore
from engine.routing import run_store
from engine.routing.explained_blobs import Blobs, MemoryBlobs, RedisBlobs
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.memory_run_store import MemoryRunStore
from engine.routing.run_store import RedisRunStore, RunStore
from engine.routing.runs import RoutingRuns
from engine.routing.windows import RoutingWindows
from engine.storage import documents, leases
from engine.storage.client import StoreClient, connect
from engine.storage.cluster import ClusterClient, is_cluster
from engine.storage.documents import DocumentStore, MemoryDocumentStore, RedisDocumentStore
from engine.storage.durability import Durability, broken_promises
from engine.storage.embedded import ensure_server
from engine.storage.functions import Library, ensure, missing
from engine.storage.keys import Keys
from engine.storage.leases import Leases, MemoryLeases, RedisLeases
from engine.storage.replicated import connect_replicated
from engine.storage.traced import trace_calls
from engine.webhooks import store as webhook_store
from engine.webhooks.delivering import Deliveries
from engine.webhooks.service import WebhookService
from engine.webhooks.store import WebhookStore
from engine.webhooks.targets import Targets

LIBRARIES = (
    key_store.LIBRARY,
    documents.LIBRARY,
    leases.LIBRARY,
    inventory.LIBRARY,
    *orders.LIBRARIES,
    redis_load.LIBRARY,
    redis_slots.LIBRARY,
    run_store.LIBRARY,
    feed.LIBRARY,
    webhook_store.LIBRARY,
    import_store.LIBRARY,
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
    load: LoadBook
    slots: SlotBook
    runs: RunStore
    explained: Blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The wired services of one tenant; `client` is None when everything is in memory."""

    tenant: str
    durability: Durability
    clock: Clock
    client: StoreClient | None
    libraries: tuple[Library, ...]
    partitions: int
    access: AccessService
    """The keys of all tenants of the store."""
    buckets: Buckets
    """What they may still send."""
    network: NetworkService
    catalog: CatalogService
    reference: Reference
    lead_times: LeadTimeService
    bid_prices: BidPriceService
    forecast: ForecastService
    policies: PolicyService
    inventory: InventoryService
    load: NodeLoad
    slots: SlotDesk
    low_stock: LowStockWatch
    availability: AvailabilityService
    promising: PromiseService
    get_it_by: GetItByService
    nearest_stores: NearestStoresService
    slot_list: SlotListService
    orders: OrderService
    steering: OrderSteering
    closures: NodeClosures
    time_outs: TimeOuts
    leases: Leases
    explanations: ExplanationService
    routing_runs: RoutingRuns
    routing_windows: RoutingWindows | None
    """None unless orders are routed at intervals."""
    dispatcher: Dispatcher
    stock: InventoryStore
    feed: EventFeed | None
    """None when everything is in memory, as the three that follow."""
    webhooks: WebhookService | None
    deliveries: Deliveries | None
    imports: ImportStore | None
    reconciler: Reconciler | PartitionedReconciler | None
    """Compares positions with reservations; None when everything is in memory."""

    async def broken_promises(self) -> list[str]:
        """Return one sentence for each promise that the store does not keep now; empty when it is ready."""
        if self.client is None:
            return []
        broken: list[str] = []
        for server, probe_key in await self._servers(self.client):
            broken += await broken_promises(server, self.durability, probe_key=probe_key)
            broken += await missing(server, self.libraries)
        return list(dict.fromkeys(broken))

    async def _servers(self, client: StoreClient) -> Sequence[tuple[StoreClient, str]]:
        """Return a client of each server that keeps something, with a key that lies there."""
        if isinstance(client, ClusterClient):
            return await client.places_of([Keys(self.tenant, each).fence for each in range(self.partitions)])
        return [(client, Keys(self.tenant).fence)]


def read_settings(data_dir: Path | None = None) -> Settings:
    """Return the settings of the environment, with `data_dir` before its own; InvalidInput names each bad variable."""
    try:
        return Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        raise InvalidInput(
            [
                Fault(
                    path=f"ALLOT_{'_'.join(map(str, fault['loc'])).upper()}",
                    message=f"{_shown(fault['loc'], fault['input'])}: {fault['msg']}",
                )
                for fault in error.errors(include_url=False)
            ]
        ) from None


def _shown(names: Sequence[str | int], value: object) -> str:
    """Return a value that is wrong as it was given, unless it is a secret."""
    return "what it holds" if str(names[0]).endswith("_secret") else repr(value)


@asynccontextmanager
async def allot_engine(
    settings: Settings | None = None,
    *,
    memory: bool = False,
    clock: Clock | None = None,
    beside: Engine | None = None,
) -> AsyncIterator[Engine]:
    """Start an engine and stop it at the end: on `redis_url`, else on the embedded server of `data_dir`.

    With `memory` nothing is started and nothing is kept. An engine that runs `beside` another one, for another tenant,
    shares its connection, and must not outlive it. Raises Unavailable if the store does not answer,
    IncompatibleStore if it is too old or too new.
    """
    chosen = settings or read_settings()
    ticking = clock or SystemClock()
    async with AsyncExitStack() as stack:
        client = None if beside is None else beside.client
        stores = _memory_stores(ticking, chosen.explanation_days)
        if not memory:
            if client is None:
                client = await _connected(stack, chosen)
                if chosen.traces != "off":
                    trace_calls(client)
                await refuse_half_restored(client)
                await _load(client, _libraries(chosen.partitions))
            await keep_number(client, chosen.tenant, chosen.partitions)
            stores = _redis_stores(client, chosen)
        engine = _wired(chosen, ticking, stores, client)
        stack.push_async_callback(engine.reference.stop)
        stack.push_async_callback(asyncio.to_thread, engine.dispatcher.close)
        stack.push_async_callback(stores.promises.settle)
        stack.push_async_callback(engine.routing_runs.finish)
        if engine.deliveries is not None:
            stack.push_async_callback(engine.deliveries.stop)
        yield engine


@asynccontextmanager
async def allot_access(settings: Settings) -> AsyncIterator[AccessService]:
    """Open the API keys of a store without an engine; raises as `allot_engine` does."""
    async with AsyncExitStack() as stack:
        client = await _connected(stack, settings)
        await _load(client, [key_store.LIBRARY])
        yield AccessService(key_store.RedisKeyStore(client), SystemClock())


def _memory_stores(clock: Clock, explanation_days: int) -> Stores:
    stock = MemoryInventoryStore(clock)
    orders = MemoryOrderStore(stock, clock)
    return Stores(
        documents=MemoryDocumentStore(),
        leases=MemoryLeases(lambda: clock.now().timestamp()),
        inventory=stock,
        low_stock=[MemoryLowStock(stock)],
        promises=MemoryPromiseStore(clock),
        orders=orders,
        load=MemoryLoadBook(clock, orders.used_capacity),
        slots=MemorySlotBook(clock),
        runs=MemoryRunStore(clock),
        explained=MemoryBlobs(clock, explanation_days),
    )


def _redis_stores(client: StoreClient, settings: Settings) -> Stores:
    """Return the stores of a tenant; all but stock lies in partition 0, and orders need stock to lie there too."""
    tenant, partitions = settings.tenant, settings.partitions
    keys, is_one = Keys(tenant), partitions == 1
    return Stores(
        documents=RedisDocumentStore(client, keys),
        leases=RedisLeases(client, keys),
        inventory=RedisInventoryStore(client, keys)
        if is_one
        else PartitionedInventoryStore(client, tenant, partitions),
        low_stock=[
            RedisLowStock(client, Keys(tenant, each), kept=keys, partition=each, partitions=partitions)
            for each in range(partitions)
        ],
        promises=RedisPromiseStore(client, keys),
        orders=RedisOrderStore(client, keys) if is_one else PartitionedOrderStore(client, tenant, partitions),
        load=RedisLoadBook(client, keys),
        slots=RedisSlotBook(client, keys),
        runs=RedisRunStore(client, keys, settings.run_lease_seconds),
        explained=RedisBlobs(client, keys, settings.explanation_days),
    )


def _new_ids(store: InventoryStore) -> Callable[[Sequence[HoldLine]], str]:
    """Return what makes reservation ids that suit the store."""
    if isinstance(store, PartitionedInventoryStore):
        return partial(store.new_id, make=new_reservation_id)
    return new_reservation_id


async def _load(client: StoreClient, libraries: Sequence[Library]) -> None:
    """Load function libraries on the server, or on every primary of a cluster."""
    if isinstance(client, ClusterClient):
        await client.prepare(libraries)
    else:
        await ensure(client, libraries)


def _libraries(partitions: int) -> tuple[Library, ...]:
    return LIBRARIES if partitions == 1 else (*LIBRARIES, *partition.LIBRARIES, *ORDERS_OVER)


def _reconciler(client: StoreClient, settings: Settings) -> Reconciler | PartitionedReconciler:
    if settings.partitions == 1:
        return Reconciler(client, Keys(settings.tenant))
    return PartitionedReconciler(client, settings.tenant, settings.partitions)


def _wired(settings: Settings, clock: Clock, stores: Stores, client: StoreClient | None) -> Engine:
    """Hand every service the parts it needs."""
    network, catalog = NetworkService(stores.documents), CatalogService(stores.documents)
    lead_times, policies = LeadTimeService(stores.documents), PolicyService(stores.documents, network)
    bid_prices = BidPriceService(stores.documents)
    reference = Reference(stores.documents, network, catalog, lead_times, bid_prices)
    load = NodeLoad(
        book=stores.load,
        reservation=stores.inventory.get_reservation,
        world=reference.current,
        latest=lambda: reference.latest,
        clock=clock,
    )
    explained = ExplainedRuns(stores.explained)
    slots = SlotDesk(book=stores.slots, stock=stores.inventory, order=stores.orders.get, clock=clock)
    dispatcher = dispatcher_of(settings)
    runs = RoutingRuns(stores.runs, stores.orders, stores.inventory, reference, clock, explained, policies, dispatcher)
    steering = OrderSteering(stores.orders, reference, clock, settings.most_rejections)
    webhooks = None if client is None else _webhooks(settings, clock, client)
    room = partial(Room, stores.load, time.monotonic, 0.0 if client is None else FRESH_SECONDS)
    return Engine(
        tenant=settings.tenant,
        durability=settings.durability,
        clock=clock,
        client=client,
        libraries=_libraries(settings.partitions),
        partitions=settings.partitions,
        access=AccessService(key_store.MemoryKeyStore() if client is None else key_store.RedisKeyStore(client), clock),
        buckets=MemoryBuckets() if client is None else RedisBuckets(client),
        network=network,
        catalog=catalog,
        reference=reference,
        lead_times=lead_times,
        bid_prices=bid_prices,
        forecast=ForecastService(
            stores.documents,
            reference,
            stores.inventory,
            bid_prices,
            clock,
            timedelta(minutes=settings.bid_price_minutes),
            stores.leases,
        ),
        policies=policies,
        inventory=InventoryService(
            stores.inventory,
            world=reference.current,
            clock=clock,
            new_id=_new_ids(stores.inventory),
            most_open_holds=settings.most_open_holds,
            load=load,
            slots=slots,
        ),
        load=load,
        slots=slots,
        low_stock=_watch(
            [LowStockWatch(each, stores.inventory, world=reference.current, clock=clock) for each in stores.low_stock]
        ),
        availability=AvailabilityService(reference=reference, inventory=stores.inventory, clock=clock),
        promising=PromiseService(
            reference=reference,
            inventory=stores.inventory,
            promises=stores.promises,
            clock=clock,
            room=room(),
            slots=stores.slots,
        ),
        get_it_by=GetItByService(reference=reference, inventory=stores.inventory, clock=clock, room=room()),
        nearest_stores=NearestStoresService(reference=reference, inventory=stores.inventory, clock=clock),
        slot_list=SlotListService(reference=reference, book=stores.slots, clock=clock),
        orders=OrderService(stores.orders, stores.inventory, reference, clock, slots),
        steering=steering,
        closures=NodeClosures(stores.documents, stores.orders, steering, runs, reference, clock),
        time_outs=TimeOuts(stores.orders, steering, reference, clock),
        leases=stores.leases,
        explanations=ExplanationService(stores.orders, explained, settings.explanation_days),
        routing_runs=runs,
        routing_windows=_windows(settings, runs, clock),
        dispatcher=dispatcher,
        stock=stores.inventory,
        feed=None if webhooks is None else webhooks.feed,
        webhooks=webhooks,
        deliveries=None if webhooks is None else Deliveries(webhooks, stores.leases),
        imports=None if client is None else ImportStore(client, Keys(settings.tenant)),
        reconciler=None if client is None else _reconciler(client, settings),
    )


def _webhooks(settings: Settings, clock: Clock, client: StoreClient) -> WebhookService:
    secret = settings.webhooks_secret
    return WebhookService(
        WebhookStore(client, Keys(settings.tenant)),
        EventFeed(client, settings.tenant, settings.partitions),
        Targets(allow_private=settings.webhooks_allow_private),
        clock,
        settings.tenant,
        None if secret is None else secret.get_secret_value().encode(),
    )


def _windows(settings: Settings, runs: RoutingRuns, clock: Clock) -> RoutingWindows | None:
    every = settings.route_every_seconds
    if every is None:
        return None
    return RoutingWindows(runs=runs, clock=clock, every_seconds=every, policy=settings.route_policy)


def dispatcher_of(settings: Settings) -> Dispatcher:
    """Return what spreads solves as the settings say."""
    ray = ray_options(workers=settings.ray_workers, address=settings.ray_address, from_orders=settings.ray_from_orders)
    return Dispatcher(settings.workers, ray)


def _watch(watches: Sequence[LowStockWatch]) -> LowStockWatch:
    return watches[0] if len(watches) == 1 else PartitionedLowStockWatch(watches)


async def _connected(stack: AsyncExitStack, settings: Settings) -> StoreClient:
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
