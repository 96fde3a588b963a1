"""The only place that picks real parts: from settings to a running engine, and back down in order.

    async with allot_engine(Settings()) as engine:
        await engine.network.put(document)

Not here: what the parts do, and where things are kept (stores.py). `memory=True` picks the in-memory stores and takes
any clock; for simulation and tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import partial

from engine.access import store as key_store
from engine.access.buckets import Buckets
from engine.access.service import AccessService
from engine.availability.reference import Reference, View
from engine.availability.service import AvailabilityService
from engine.backup.restoring import refuse_half_restored
from engine.bidding.service import BidPriceService
from engine.calibration.service import LeadTimeService
from engine.catalog.service import CatalogService
from engine.clock import Clock, SystemClock
from engine.config import Settings, SimulationTerms, read_settings, simulation_terms
from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.options import ray_options
from engine.feed.service import EventFeed
from engine.forecasting.service import ForecastService
from engine.imports.store import ImportStore
from engine.inventory.load import NodeLoad
from engine.inventory.low_stock_watch import LowStockWatch
from engine.inventory.partition_number import keep_number
from engine.inventory.partitioned_low_stock import PartitionedLowStockWatch
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.service import InventoryService
from engine.inventory.slot_desk import SlotDesk
from engine.inventory.store import InventoryStore
from engine.network.service import NetworkService
from engine.order_parts import Ground, OrderParts, order_parts
from engine.orders.closing import NodeClosures
from engine.orders.explanations import ExplanationService
from engine.orders.steering_service import OrderSteering
from engine.orders.time_outs import TimeOuts
from engine.policies.promotions import Promotions
from engine.policies.service import PolicyService
from engine.promising.capacity import FRESH_SECONDS, Room
from engine.promising.get_it_by import GetItByService
from engine.promising.nearest import NearestStoresService
from engine.promising.service import PromiseService
from engine.promising.slot_list import SlotListService
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.runs import RoutingRuns
from engine.routing.windows import RoutingWindows
from engine.search.contacts import contacts_under
from engine.search.desk import Desk
from engine.storage.client import StoreClient
from engine.storage.cluster import ClusterClient
from engine.storage.durability import Durability, broken_promises
from engine.storage.functions import Library, missing
from engine.storage.keys import Keys
from engine.storage.leases import Leases
from engine.storage.traced import trace_calls
from engine.stores import Stores, connected, libraries_for, load_libraries, memory_stores, redis_stores
from engine.webhooks.delivering import Deliveries
from engine.webhooks.service import WebhookService
from engine.webhooks.store import WebhookStore
from engine.webhooks.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(OrderParts):
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
    promotions: Promotions
    simulations: SimulationTerms | None
    """None when everything is in memory."""
    inventory: InventoryService
    load: NodeLoad
    slots: SlotDesk
    low_stock: LowStockWatch
    availability: AvailabilityService
    promising: PromiseService
    get_it_by: GetItByService
    nearest_stores: NearestStoresService
    slot_list: SlotListService
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
    """None when everything is in memory, as the four that follow."""
    webhooks: WebhookService | None
    deliveries: Deliveries | None
    imports: ImportStore | None
    desk: Desk | None
    """What finds orders, and archives them."""
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


@asynccontextmanager
async def allot_engine(
    settings: Settings | None = None,
    *,
    memory: bool | Stores = False,
    clock: Clock | None = None,
    beside: Engine | None = None,
) -> AsyncIterator[Engine]:
    """Start an engine and stop it at the end: on `redis_url`, else on the embedded server of `data_dir`.

    With `memory` nothing is started and nothing is kept; the caller may give the stores in memory. An engine that runs
    `beside` another one, for another tenant, shares its connection, and must not outlive it. Raises Unavailable if the
    store does not answer, IncompatibleStore if it is too old or too new.
    """
    chosen = settings or read_settings()
    ticking = clock or SystemClock()
    async with AsyncExitStack() as stack:
        client = None if beside is None else beside.client
        if memory:
            stores = memory if isinstance(memory, Stores) else memory_stores(ticking, chosen.explanation_days)
        else:
            if client is None:
                client = await connected(stack, chosen)
                if chosen.traces != "off":
                    trace_calls(client)
                await refuse_half_restored(client)
                await load_libraries(client, libraries_for(chosen.partitions))
            await keep_number(client, chosen.tenant, chosen.partitions)
            stores = redis_stores(client, chosen)
        engine = _wired(chosen, ticking, stores, client)
        stack.push_async_callback(engine.reference.stop)
        stack.push_async_callback(asyncio.to_thread, engine.dispatcher.close)
        stack.push_async_callback(stores.promises.settle)
        stack.push_async_callback(engine.routing_runs.finish)
        if engine.deliveries is not None:
            stack.push_async_callback(engine.deliveries.stop)
        if engine.desk is not None:
            stack.callback(engine.desk.stop)
        yield engine


@asynccontextmanager
async def allot_access(settings: Settings) -> AsyncIterator[AccessService]:
    """Open the API keys of a store without an engine; raises as `allot_engine` does."""
    async with AsyncExitStack() as stack:
        client = await connected(stack, settings)
        await load_libraries(client, [key_store.LIBRARY])
        yield AccessService(key_store.RedisKeyStore(client), SystemClock())


def _wired(settings: Settings, clock: Clock, stores: Stores, client: StoreClient | None) -> Engine:
    """Hand every service the parts it needs."""
    desk = None if client is None else Desk(settings, client, stores.orders, stores.leases, clock)
    stores = stores if desk is None else replace(stores, orders=desk.orders)
    network, catalog = NetworkService(stores.documents), CatalogService(stores.documents)
    lead_times, policies = LeadTimeService(stores.documents), PolicyService(stores.documents, network)
    bid_prices = BidPriceService(stores.documents)
    reference = Reference(stores.documents, network, catalog, lead_times, bid_prices)

    def latest() -> View | None:
        return reference.latest

    is_beside_stock = client is not None and settings.partitions == 1
    load = NodeLoad(
        book=stores.load,
        reservation=stores.inventory.get_reservation,
        world=reference.current,
        latest=latest,
        clock=clock,
    )
    explained = ExplainedRuns(stores.explained)
    slots = SlotDesk(book=stores.slots, stock=stores.inventory, order=stores.orders.get, clock=clock)
    dispatcher = _dispatcher(settings)
    runs = RoutingRuns(stores.runs, stores.orders, stores.inventory, reference, clock, explained, policies, dispatcher)
    inventory = InventoryService(
        stores.inventory,
        world=reference.current,
        latest=latest if is_beside_stock else lambda: None,
        clock=clock,
        new_id=stores.new_id,
        most_open_holds=settings.most_open_holds,
        load=load,
        slots=slots,
    )
    room = partial(Room, stores.load, time.monotonic, 0.0 if client is None else FRESH_SECONDS)
    promising = PromiseService(
        reference=reference,
        inventory=stores.inventory,
        promises=stores.promises,
        clock=clock,
        room=room(),
        slots=stores.slots,
    )
    ground = Ground(
        settings=settings,
        clock=clock,
        stores=stores,
        reference=reference,
        inventory=inventory,
        slots=slots,
        promising=promising,
        runs=runs,
        room=room,
    )
    parts = order_parts(ground)
    steering = OrderSteering(parts.changes, reference, settings.most_rejections, parts.effects.settle)
    webhooks = None if client is None else _webhooks(settings, clock, client)
    return Engine(
        **{field.name: getattr(parts, field.name) for field in fields(OrderParts)},
        tenant=settings.tenant,
        durability=settings.durability,
        clock=clock,
        client=client,
        libraries=libraries_for(settings.partitions),
        partitions=settings.partitions,
        access=AccessService(stores.access, clock),
        buckets=stores.buckets,
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
        promotions=Promotions(stores.documents),
        simulations=None if client is None else simulation_terms(settings),
        inventory=inventory,
        load=load,
        slots=slots,
        low_stock=_watch(
            [LowStockWatch(each, stores.inventory, world=reference.current, clock=clock) for each in stores.low_stock]
        ),
        availability=AvailabilityService(reference=reference, inventory=stores.inventory, clock=clock),
        promising=promising,
        get_it_by=GetItByService(reference=reference, inventory=stores.inventory, clock=clock, room=room()),
        nearest_stores=NearestStoresService(reference=reference, inventory=stores.inventory, clock=clock),
        slot_list=SlotListService(reference=reference, book=stores.slots, clock=clock),
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
        desk=None if desk is None else desk.follow(contacts_under(parts.customers.seal)),
        reconciler=stores.reconciler,
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


def _dispatcher(settings: Settings) -> Dispatcher:
    """Return what spreads solves as the settings say."""
    ray = ray_options(workers=settings.ray_workers, address=settings.ray_address, from_orders=settings.ray_from_orders)
    return Dispatcher(settings.workers, ray)


def _watch(watches: Sequence[LowStockWatch]) -> LowStockWatch:
    return watches[0] if len(watches) == 1 else PartitionedLowStockWatch(watches)
