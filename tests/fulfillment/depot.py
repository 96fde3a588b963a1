"""A depot to test fulfillment in: an engine in memory with a network, a catalog, stock, and orders with a node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.facts.shipments import Shipment
from engine.orders.model import NewLine, NewOrder, Order
from engine.routing.model import AllocationRow, OrderAllocation
from engine.stores import Stores, memory_stores

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
CUSTOMER = {"name": "Ada Byron", "street": "12 Mill Lane", "city": "New York", "region": "NY", "postal_code": "10003"}
NETWORK = {
    "currency": "USD",
    "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "nodes": [
        {
            "node_id": node_id,
            "kind": "dc",
            "name": f"{node_id.title()} warehouse",
            "latitude": latitude,
            "longitude": -93.0,
            "time_zone": "America/Chicago",
            "calendar": "daily",
            "address": {"street": "1 Dock Road", "city": "Duluth", "region": "MN", "country": "US"},
        }
        for node_id, latitude in (("north", 45.0), ("south", 30.0))
    ],
    "zones": [{"zone": "all", "max_km": None}],
    "services": [
        {
            "service": service,
            "carrier": carrier,
            "service_level": level,
            "calendar": "daily",
            "rates": [{"zone": "all", "max_weight_g": 30_000, "cost_cents": 500, "transit_days": 2}],
        }
        for service, carrier, level in (("ground", "acme", "standard"), ("counter", "us", "pickup"))
    ],
    "cartons": [
        {
            "carton": name,
            "length_mm": edge,
            "width_mm": edge,
            "height_mm": edge,
            "max_weight_g": 8000,
            "tare_weight_g": 90,
        }
        for name, edge in (("S", 150), ("L", 400))
    ],
}
CATALOG = {
    "products": [
        {"sku": "MUG", "name": "Mug, red", "weight_g": 350, "length_mm": 100, "width_mm": 100, "height_mm": 120},
        {"sku": "TEA", "name": "Tea, 50 bags", "weight_g": 120, "length_mm": 140, "width_mm": 70, "height_mm": 70},
        {"sku": "OAR", "name": "Oar", "weight_g": 2100, "length_mm": 1500, "width_mm": 200, "height_mm": 80},
    ],
    "kits": [{"sku": "SET", "components": [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}]}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """The engine, its stores and its clock."""

    engine: Engine
    stores: Stores
    clock: SettableClock

    async def order(
        self,
        order_id: str,
        *lines: tuple[str, int],
        node_id: str = "north",
        service: str = "ground",
        **fields: Any,
    ) -> Order:
        """Capture an order and give all of it to a node."""
        order = await self.capture(order_id, *lines, **fields)
        parts = ((line.line_id, line.quantity, node_id) for line in order.demand)
        return await self.route(order_id, *parts, service=service)

    async def capture(self, order_id: str, *lines: tuple[str, int], **fields: Any) -> Order:
        """Capture an order."""
        asked: dict[str, Any] = {"customer": CUSTOMER, "destination": Destination(latitude=40.7, longitude=-74.0)}
        asked |= {"lines": tuple(NewLine(sku=sku, quantity=units) for sku, units in lines or (("MUG", 2),))}
        new = NewOrder(order_id=order_id, channel="web", **{**asked, **fields})
        return (await self.engine.orders.capture(new)).value

    async def route(
        self, order_id: str, *parts: tuple[str, int, str | None], run_id: str = "run_1", service: str = "ground"
    ) -> Order:
        """Allocate units of lines to nodes, as a run does."""
        order = await self.engine.orders.get(order_id)
        sku_of = {line.line_id: line.sku for line in order.demand}
        rows = tuple(
            AllocationRow(line_id=line_id, sku=sku_of[line_id], quantity=units)
            if node_id is None
            else AllocationRow(
                line_id=line_id, sku=sku_of[line_id], quantity=units, node_id=node_id, service=service, ship_on=TODAY
            )
            for line_id, units, node_id in parts
        )
        allocation = OrderAllocation(order_id=order_id, rows=rows, revision=order.steering.revision)
        (verdict,) = await self.stores.orders.commit(
            f"{run_id}_{order_id}", [allocation], capacities={}, today={"north": TODAY, "south": TODAY}
        )
        assert verdict.outcome == "committed", verdict
        return await self.engine.orders.get(order_id)

    async def released(self, order_id: str, *lines: tuple[str, int], **fields: Any) -> Shipment:
        """Capture, allocate and release an order; return its first shipment."""
        await self.order(order_id, *lines, **fields)
        return (await self.engine.fulfillment.release(order_id)).value.life.shipments[0]

    async def packed(self, order_id: str, *lines: tuple[str, int], **fields: Any) -> Shipment:
        """Take an order as far as its labels; return its first shipment."""
        shipment = await self.released(order_id, *lines, **fields)
        await self.engine.fulfillment.pack(shipment.shipment_id)
        return await self.shipment(shipment.shipment_id)

    async def shipment(self, shipment_id: str) -> Shipment:
        """Return a shipment as it is now."""
        return (await self.engine.fulfillment.find(shipment_id))[1]

    async def events(self, order_id: str) -> list[str]:
        """Return what was said of an order."""
        return [each.note.event for each in await self.engine.orders.history(order_id) if each.note is not None]

    async def on_hand(self, node_id: str = "north", sku: str = "MUG") -> tuple[int, int]:
        """Return units on hand and confirmed."""
        view = await self.stores.inventory.read([sku])
        position = view.position(0, view.node_ids.index(node_id))
        return position.on_hand, position.confirmed


@asynccontextmanager
async def open_depot() -> AsyncIterator[Depot]:
    """Open one with 50 of each product at each node."""
    clock = SettableClock(NOON)
    stores = memory_stores(clock, 1)
    async with allot_engine(Settings(tenant="depot"), memory=stores, clock=clock) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate(CATALOG))
        counts = [
            PositionCount(node_id=node_id, sku=sku, on_hand=50)
            for node_id in ("north", "south")
            for sku in ("MUG", "TEA", "OAR")
        ]
        await stores.inventory.put_positions(counts)
        yield Depot(engine=engine, stores=stores, clock=clock)


def later(seconds: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=seconds)
