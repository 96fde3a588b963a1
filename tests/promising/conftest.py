"""A world small enough to check by hand.

Two warehouses and a shop, all in New York's time zone, working every day until 15:00; today is Wednesday 4 March 2026,
noon there. `ground` reaches near places (≤ 500 km) in 2 days for 500 cents up to 1 kg and 800 up to 5 kg, far ones in 4
days for 900 and 1300; `air` takes 1 day for 2000 cents up to 2 kg, anywhere. A parcel costs 100 cents at the node, a
unit 10, a split 50.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from engine.availability.reference import Reference
from engine.bidding.document import BidPricesDocument
from engine.bidding.service import BidPriceService
from engine.calibration.learned import LearnedDocument
from engine.calibration.service import LeadTimeService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.inventory.load import Use
from engine.inventory.memory_load import MemoryLoadBook
from engine.inventory.memory_slots import MemorySlotBook
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import PositionCount, Supply
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.promising.capacity import Room
from engine.promising.model import Destination, Promise, PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import MemoryPromiseStore, PromiseStore, RedisPromiseStore
from engine.storage.client import MultiplexedClient
from engine.storage.documents import MemoryDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys

TODAY = date(2026, 3, 4)
NEAR_A = Destination(latitude=40.0, longitude=-75.0)


def days_from_today(number: int) -> date:
    """Day 0 is today."""
    return TODAY + timedelta(days=number)


@pytest.fixture
def day() -> Callable[[int], date]:
    return days_from_today


def network_document() -> dict[str, Any]:
    def node(node_id: str, latitude: float, longitude: float) -> dict[str, Any]:
        return {
            "node_id": node_id,
            "kind": "dc",
            "latitude": latitude,
            "longitude": longitude,
            "time_zone": "America/New_York",
            "calendar": "daily",
            "parcel_cost_cents": 100,
            "unit_cost_cents": 10,
        }

    def rate(zone: str, max_weight_g: int, cost_cents: int, transit_days: int) -> dict[str, Any]:
        return {
            "zone": zone,
            "max_weight_g": max_weight_g,
            "cost_cents": cost_cents,
            "transit_days": transit_days,
        }

    ground = [
        rate("near", 1000, 500, 2),
        rate("near", 5000, 800, 2),
        rate("far", 1000, 900, 4),
        rate("far", 5000, 1300, 4),
    ]
    air = [rate("near", 2000, 2000, 1), rate("far", 2000, 2000, 1)]
    shared = {"carrier": "acme", "calendar": "daily"}
    return {
        "nodes": [node("a", 40.0, -75.0), node("b", 40.0, -85.0), node("shop", 41.0, -75.0)],
        "groups": [{"group": "warehouses", "node_ids": ["a", "b"]}],
        "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": 3000}],
        "services": [
            {"service": "ground", "service_level": "standard", "rates": ground, **shared},
            {"service": "air", "service_level": "next_day", "rates": air, **shared},
        ],
        "policy": {"split_cost_cents": 50},
        "postal_codes": [
            {"country": "US", "postal_code": "190", "latitude": 40, "longitude": -75},
            {
                "country": "JP",
                "postal_code": "1",
                "latitude": 40,
                "longitude": -75,
                "time_zone": "Asia/Tokyo",
            },
        ],
    }


def catalog_document() -> dict[str, Any]:
    products = [{"sku": sku, "weight_g": 400} for sku in ("cup", "saucer", "spoon", "tray")]
    products += [{"sku": f"part-{i:02d}", "weight_g": 20} for i in range(40)]
    products.append({"sku": "anvil", "weight_g": 90_000})
    kits = [{"sku": "set", "components": [{"sku": "cup", "quantity": 2}, {"sku": "saucer", "quantity": 1}]}]
    return {"products": products, "kits": kits}


_numbers = itertools.count(1)


def no_orders() -> list[Any]:
    """Nothing was committed."""
    return []


@dataclass
class World:
    """The parts of one small business, and the shortest ways to use them."""

    clock: SettableClock
    inventory: InventoryStore
    networks: NetworkService
    catalogs: CatalogService
    lead_times: LeadTimeService
    load: MemoryLoadBook
    promises: PromiseStore
    service: PromiseService
    slots: MemorySlotBook
    reference: Reference
    bid_prices: BidPriceService
    documents: MemoryDocumentStore

    async def stock(self, *counts: tuple[str, str, int]) -> None:
        await self.inventory.put_positions(
            [PositionCount(node_id=node_id, sku=sku, on_hand=n) for node_id, sku, n in counts]
        )

    async def supply(self, node_id: str, sku: str, quantity: int, in_days: int) -> None:
        name = f"{node_id}-{sku}-{in_days}"
        supply = Supply(
            supply_id=name, node_id=node_id, sku=sku, quantity=quantity, expected_on=days_from_today(in_days)
        )
        await self.inventory.put_supplies([supply], today={node_id: TODAY.toordinal()})

    async def publish(self, *prices: tuple[str, str, int]) -> None:
        """Publish bid prices (node, SKU, cents), in place of all before."""
        rows = [{"node_id": node_id, "sku": sku, "price_cents": cents} for node_id, sku, cents in prices]
        await self.bid_prices.put(BidPricesDocument.model_validate({"prices": rows}))

    async def put_network(self, document: dict[str, Any]) -> None:
        await self.networks.put(NetworkDocument.model_validate(document))

    async def put_catalog(self, document: dict[str, Any]) -> None:
        await self.catalogs.put(CatalogDocument.model_validate(document))

    async def busy(self, node_id: str, in_days: int, units: int, parcels: int = 1) -> None:
        uses = [Use(node_id, TODAY.toordinal() + in_days, units, parcels)]
        await self.load.put(f"res_{next(_numbers)}", uses)

    async def learn(self, document: dict[str, Any]) -> None:
        await self.lead_times.put(LearnedDocument.model_validate(document))

    async def promise(self, *lines: tuple[str, int], to: Destination | None = NEAR_A, **more: Any) -> Promise:
        """Promise an order; `each` has what lines have beside, by SKU."""
        each = more.pop("each", {})
        wanted = tuple(WantedLine(sku=sku, quantity=quantity, **each.get(sku, {})) for sku, quantity in lines)
        return await self.service.promise(PromiseRequest(lines=wanted, destination=to, **more))


@pytest.fixture
def network() -> dict[str, Any]:
    """The network of the world as plain objects; a test may change and put it."""
    return network_document()


@pytest.fixture
def catalog() -> dict[str, Any]:
    """The catalog of the world as plain objects; a test may change and put it with `put_catalog`."""
    return catalog_document()


@pytest_asyncio.fixture(params=["memory"])
async def world(request: pytest.FixtureRequest, client: MultiplexedClient, keys: Keys) -> AsyncIterator[World]:
    """In memory, unless a test asks for `redis` by indirect parametrisation."""
    clock = SettableClock(datetime(2026, 3, 4, 17, tzinfo=UTC))
    inventory: InventoryStore = MemoryInventoryStore(clock)
    promises: PromiseStore = MemoryPromiseStore(clock)
    if request.param == "redis":
        await ensure(client, [LIBRARY])
        inventory, promises = RedisInventoryStore(client, keys), RedisPromiseStore(client, keys)
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    await networks.put(NetworkDocument.model_validate(network_document()))
    await catalogs.put(CatalogDocument.model_validate(catalog_document()))
    lead_times = LeadTimeService(documents)
    bid_prices = BidPriceService(documents)
    reference = Reference(documents, networks, catalogs, lead_times, bid_prices)
    load = MemoryLoadBook(clock, no_orders)
    room, slots = Room(load, lambda: 0.0, 0.0), MemorySlotBook(clock)
    service = PromiseService(
        reference=reference, inventory=inventory, promises=promises, clock=clock, room=room, slots=slots
    )
    parts = clock, inventory, networks, catalogs, lead_times, load, promises, service, slots, reference, bid_prices
    yield World(*parts, documents)
    await promises.settle()
