"""Routing runs on a store that is there: the world of conftest.py in a key space, once per process that works there.

A `Desk` is what one process has; several desks on one key space are several processes. A client that dies stands for
SIGKILL: whatever comes after is never sent, and the reply of what was sent last is never read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.availability.reference import Reference
from engine.bidding.service import BidPriceService
from engine.calibration.service import LeadTimeService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import Clock, SettableClock
from engine.dispatch.dispatcher import Dispatcher
from engine.inventory.model import PositionCount
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.redis_store import RedisOrderStore
from engine.orders.service import OrderService
from engine.routing.run_store import RedisRunStore
from engine.routing.runs import RoutingRuns
from engine.storage.client import Part, StoreClient
from engine.storage.documents import RedisDocumentStore
from engine.storage.keys import Keys
from tests.routing.conftest import FRIDAY, network

LEASE_SECONDS = 0.05
READS = {"allot_read_orders_v1", "allot_renew_run_v1"}
"""What changes nothing of a run; a lease is renewed at any time."""
Gate = Callable[[str], Awaitable[None]]


class Died(BaseException):
    """The process is gone; nothing catches this."""


class GatedClient:
    """A client of a process: `before` and `after` are told of each call, and may never return."""

    def __init__(self, client: StoreClient, before: Gate, after: Gate) -> None:
        self._client, self._before, self._after = client, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def call(self, *parts: Part) -> Any:
        await self._before(str(parts[0]))
        reply = await self._client.call(*parts)
        await self._after(str(parts[0]))
        return reply

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        await self._before("pipeline")
        replies = await self._client.pipeline(commands)
        await self._after("pipeline")
        return replies

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        await self._before(function)
        reply = await self._client.fcall(function, keys, args)
        await self._after(function)
        return reply


@dataclass(slots=True)
class Death:
    """Kills a process when it has changed something for the `last` time, from 1; None: never. Reads are free."""

    last: int | None
    changes: int = 0

    async def before(self, _: str) -> None:
        if self.last is not None and self.changes >= self.last:
            raise Died

    async def after(self, function: str) -> None:
        self.changes += function.startswith("allot_") and function not in READS
        if self.changes == self.last:
            raise Died


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts of one process."""

    stock: InventoryStore
    book: RedisOrderStore | PartitionedOrderStore
    orders: OrderService
    networks: NetworkService
    catalogs: CatalogService
    run_store: RedisRunStore
    runs: RoutingRuns

    async def take_up(self) -> None:
        """Do what a server does every second, when the lease of a dead process is over."""
        await asyncio.sleep(LEASE_SECONDS * 1.2)
        await self.runs.take_up_left()
        await self.runs.finish()


def desk(
    client: Any,
    keys: Keys,
    clock: Clock | None = None,
    lease_seconds: float = LEASE_SECONDS,
    tenant: str = "",
    partitions: int = 1,
    dispatcher: Dispatcher | None = None,
) -> Desk:
    """Return a process's parts on a key space; of several partitions, that of a tenant."""
    now = clock or SettableClock(FRIDAY)
    documents = RedisDocumentStore(client, keys)
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    reference = Reference(documents, networks, catalogs, LeadTimeService(documents), BidPriceService(documents))
    stock: InventoryStore = RedisInventoryStore(client, keys)
    book: RedisOrderStore | PartitionedOrderStore = RedisOrderStore(client, keys)
    if partitions > 1:
        stock = PartitionedInventoryStore(client, tenant, partitions)
        book = PartitionedOrderStore(client, tenant, partitions)
    store = RedisRunStore(client, keys, lease_seconds)
    return Desk(
        stock=stock,
        book=book,
        orders=OrderService(book, stock, reference, now),
        networks=networks,
        catalogs=catalogs,
        run_store=store,
        runs=RoutingRuns(store, book, stock, reference, now, dispatcher=dispatcher),
    )


async def furnish(here: Desk, orders: Sequence[dict[str, int]], stock: dict[str, dict[str, int]]) -> None:
    """Put the network, the catalog, stock by node and SKU, and orders `o00`, `o01`, … of these lines."""
    await here.networks.put(NetworkDocument.model_validate(network()))
    products = [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")]
    await here.catalogs.put(CatalogDocument.model_validate({"products": products}))
    await here.stock.put_positions(
        [
            PositionCount(node_id=node_id, sku=sku, on_hand=units)
            for node_id, by_sku in stock.items()
            for sku, units in by_sku.items()
        ]
    )
    for number, lines in enumerate(orders):
        wanted = tuple(NewLine(sku=sku, quantity=quantity) for sku, quantity in lines.items())
        home = Destination(latitude=40.8 - 0.7 * (number % 9), longitude=-73.9 - 4 * (number % 11))
        await here.orders.capture(NewOrder(order_id=f"o{number:02}", channel="web", destination=home, lines=wanted))
