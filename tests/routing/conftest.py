"""A small world in memory: two nodes, two services, three products, and a clock that stands on a Friday morning."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.availability.reference import Reference
from engine.bidding.service import BidPriceService
from engine.calibration.learned import LearnedDocument
from engine.calibration.service import LeadTimeService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Hold, HoldLine, Position, PositionCount
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.orders.destination import Destination
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.model import NewLine, NewOrder, Order
from engine.orders.service import OrderService
from engine.policies.document import RunPolicyDocument
from engine.policies.service import PolicyService
from engine.promising.model import Destination as PromisedTo
from engine.promising.model import Promise, PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import MemoryPromiseStore
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.memory_run_store import MemoryRunStore
from engine.routing.model import OrderBook
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.runs import RoutingRuns
from engine.storage.documents import MemoryDocumentStore

FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""10 in the morning in New York, 7 in Los Angeles; Thanksgiving is the next Thursday."""


def network() -> dict[str, Any]:
    """Return the network: `east` is next to the customers, `west` a continent away; both work on weekdays."""
    place = {"kind": "dc", "calendar": "weekdays", "cut_off": "15:00"}
    rates = [
        {"zone": "near", "max_weight_g": 50_000, "cost_cents": 500, "transit_days": 1},
        {"zone": "far", "max_weight_g": 50_000, "cost_cents": 900, "transit_days": 3},
    ]
    air = [{"zone": zone, "max_weight_g": 5_000, "cost_cents": 3000, "transit_days": 1} for zone in ("near", "far")]
    carrier = {"carrier": "acme", "calendar": "weekdays"}
    return {
        "nodes": [
            {"node_id": "west", "latitude": 34.0, "longitude": -118.2, "time_zone": "America/Los_Angeles", **place},
            {"node_id": "east", "latitude": 40.7, "longitude": -74.0, "time_zone": "America/New_York", **place},
        ],
        "calendars": [{"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"], "country": "US"}],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
        "services": [
            {"service": "ground", "service_level": "standard", "rates": rates, **carrier},
            {"service": "air", "service_level": "expedited", "rates": air, **carrier},
        ],
        "policy": {"backorder_cost_cents_per_unit": 5000, "split_cost_cents": 100},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every part that a routing run touches."""

    clock: SettableClock
    networks: NetworkService
    catalogs: CatalogService
    lead_times: LeadTimeService
    bid_prices: BidPriceService
    promising: PromiseService
    reference: Reference
    stock: MemoryInventoryStore
    book: MemoryOrderStore
    orders: OrderService
    run_store: MemoryRunStore
    documents: MemoryDocumentStore

    def runs(self, book: OrderBook | None = None) -> RoutingRuns:
        """Return the routing runs, on another order book if one is given."""
        return RoutingRuns(self.run_store, book or self.book, self.stock, self.reference, self.clock)

    async def count(self, **on_hand: dict[str, int]) -> None:
        """Count stock: `await world.count(east={"MUG": 3})`."""
        counts = [
            PositionCount(node_id=node_id, sku=sku, on_hand=units)
            for node_id, by_sku in on_hand.items()
            for sku, units in by_sku.items()
        ]
        await self.stock.put_positions(counts)

    async def order(self, order_id: str, lines: dict[str, int], **terms: Any) -> Order:
        """Capture an order of a customer near `east`."""
        wanted = tuple(NewLine(sku=sku, quantity=quantity) for sku, quantity in lines.items())
        new = NewOrder(
            order_id=order_id,
            channel="web",
            destination=Destination(latitude=40.8, longitude=-73.9),
            lines=wanted,
            **terms,
        )
        return (await self.orders.capture(new)).value

    async def learn(self, days: float, **more: Any) -> None:
        """Learn that `ground` takes so many days from order to delivery, nine times of ten."""
        document = {
            "version": 1,
            "shipments": 500,
            "service_ids": ["ground"],
            "levels": [0.5, 0.9],
            "center_days": days,
            "scale_days": 1.0,
            "spread_ratio": 0.8,
            "bins": {"distance_km": [], "weight_g": [], "location_days": []},
            "location": [],
            "scale": [],
            "shapes": [[-1.0, 0.0]],
            "shape_of": [],
        }
        await self.lead_times.put(LearnedDocument.model_validate(document | more))

    async def promise(self, lines: dict[str, int], **terms: Any) -> Promise:
        """Promise the same order that `order` would capture."""
        wanted = tuple(WantedLine(sku=sku, quantity=quantity) for sku, quantity in lines.items())
        terms.setdefault("destination", PromisedTo(latitude=40.8, longitude=-73.9))
        return await self.promising.promise(PromiseRequest(lines=wanted, **terms))

    async def hold(self, reservation_id: str, node_id: str, **units: int) -> None:
        """Hold units at a node."""
        lines = tuple(HoldLine(sku=sku, quantity=quantity, node_id=node_id) for sku, quantity in units.items())
        hold = Hold(reservation_id=reservation_id, lines=lines)
        await self.stock.hold(hold, today={node_id: date(2026, 11, 20).toordinal()})

    async def position(self, node_id: str, sku: str) -> Position:
        """Return the stock of a SKU at a node."""
        view = await self.stock.read([sku])
        return next(position for position in view.positions(0) if position.node_id == node_id)

    async def route_under(
        self, explained: ExplainedRuns | None = None, time_limit_seconds: float | None = None, **fields: Any
    ) -> Run:
        """Route all open orders under a policy of these fields."""
        policies = PolicyService(MemoryDocumentStore(), self.networks)
        await policies.put("peak", RunPolicyDocument.model_validate(fields))
        parts = (self.run_store, self.book, self.stock, self.reference, self.clock)
        request = RunRequest(policy="peak", time_limit_seconds=time_limit_seconds)
        run = await RoutingRuns(*parts, explained=explained, policies=policies).execute(request)
        assert run.status == RunStatus.COMMITTED, run.failure
        return run

    async def sources(self, order_id: str) -> list[str | None]:
        """Return the node of every row of an order's allocation."""
        return [node for node, _, _ in await self.sourced(order_id)]

    async def sourced(self, order_id: str) -> list[tuple[str | None, str | None, str]]:
        """Return node, service and hand-over day of every row of an order's allocation."""
        rows = (await self.orders.get(order_id)).allocation
        return [(row.node_id, row.service, "" if row.ship_on is None else row.ship_on.isoformat()) for row in rows]


@pytest.fixture
def network_document() -> dict[str, Any]:
    return network()


@pytest.fixture
async def world(network_document: dict[str, Any]) -> World:
    """Return the world on its network; a test changes the network by `world.networks.put`."""
    clock, documents = SettableClock(FRIDAY), MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    stock = MemoryInventoryStore(clock)
    book = MemoryOrderStore(stock, clock)
    await networks.put(NetworkDocument.model_validate(network_document))
    products = [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")]
    await catalogs.put(CatalogDocument.model_validate({"products": products}))
    lead_times, bid_prices = LeadTimeService(documents), BidPriceService(documents)
    reference = Reference(documents, networks, catalogs, lead_times, bid_prices)
    promising = PromiseService(reference=reference, inventory=stock, promises=MemoryPromiseStore(clock), clock=clock)
    return World(
        clock=clock,
        networks=networks,
        catalogs=catalogs,
        lead_times=lead_times,
        bid_prices=bid_prices,
        promising=promising,
        reference=reference,
        stock=stock,
        book=book,
        orders=OrderService(book, stock, reference, clock),
        run_store=MemoryRunStore(clock),
        documents=documents,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """Return the paths of new folders."""
    numbers = itertools.count()
    return lambda: tmp_path / str(next(numbers))
