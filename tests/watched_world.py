"""A world in memory whose orders are watched: two nodes, a ground and an air service, and a clock that stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from engine.bootstrap import Engine
from engine.calibration.learned import LearnedDocument
from engine.clock import SettableClock
from engine.exceptions.alerting import open_alerts
from engine.inventory.model import PositionCount, Supply
from engine.orders.destination import Destination
from engine.orders.facts.links import Alert
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.model import NewLine, NewOrder, Note, Order
from engine.orders.rejecting import stock_lines
from engine.orders.revising import Revision, revision_of
from engine.promising.model import Destination as PromisedTo
from engine.promising.model import PromiseRequest, WantedLine
from engine.routing.run_model import Run, RunRequest, RunStatus

FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""10 in the morning in New York, 7 in Los Angeles; Thanksgiving is the next Thursday."""
CUSTOMER = (40.8, -73.9)
"""Next to `east`, a continent away from `west`."""


def network_document(**of_east: Any) -> dict[str, Any]:
    """Return the network: both nodes work on weekdays; ground takes a day from `east` and three from `west`."""
    place = {"kind": "dc", "calendar": "weekdays", "cut_off": "15:00"}
    rates = [
        {"zone": "near", "max_weight_g": 50_000, "cost_cents": 500, "transit_days": 1},
        {"zone": "far", "max_weight_g": 50_000, "cost_cents": 900, "transit_days": 3},
    ]
    air = [{"zone": zone, "max_weight_g": 5_000, "cost_cents": 3000, "transit_days": 1} for zone in ("near", "far")]
    carrier = {"carrier": "acme", "calendar": "weekdays"}
    west = {"node_id": "west", "latitude": 34.0, "longitude": -118.2, "time_zone": "America/Los_Angeles", **place}
    east = {"node_id": "east", "latitude": 40.7, "longitude": -74.0, "time_zone": "America/New_York", **place}
    return {
        "nodes": [west, east | of_east],
        "calendars": [{"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"], "country": "US"}],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
        "services": [
            {"service": "ground", "service_level": "standard", "rates": rates, **carrier},
            {"service": "air", "service_level": "expedited", "rates": air, **carrier},
        ],
        "policy": {"backorder_cost_cents_per_unit": 5000, "split_cost_cents": 100},
    }


def catalog_document() -> dict[str, Any]:
    """Return the catalog: mugs, pots that may be sent for them, and tea."""
    return {
        "products": [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")],
        "substitutes": [{"sku": "MUG", "substitutes": ["POT"]}],
    }


def learned_document(days: float, shape: list[float], levels: list[float]) -> LearnedDocument:
    """Return a history of `ground`: so many days from order to delivery, plus those of the shape at each level."""
    document = {
        "version": 1,
        "shipments": 500,
        "service_ids": ["ground"],
        "levels": levels,
        "center_days": days,
        "scale_days": 1.0,
        "spread_ratio": 0.8,
        "bins": {"distance_km": [], "weight_g": [], "location_days": []},
        "location": [],
        "scale": [],
        "shapes": [shape],
        "shape_of": [],
    }
    return LearnedDocument.model_validate(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An engine in memory with the shortest ways to use it."""

    engine: Engine
    clock: SettableClock

    def at(self, day: int, hour: int = 15) -> None:
        """Set the clock to a day of November 2026 (UTC)."""
        self.clock.advance(datetime(2026, 11, day, hour, tzinfo=UTC) - self.clock.now())

    async def count(self, **on_hand: dict[str, int]) -> None:
        """Count stock: `await world.count(east={"MUG": 3})`."""
        counts = [
            PositionCount(node_id=node_id, sku=sku, on_hand=units)
            for node_id, by_sku in on_hand.items()
            for sku, units in by_sku.items()
        ]
        await self.engine.stock.put_positions(counts)

    async def supply(self, supply_id: str, sku: str, quantity: int, day: int) -> None:
        """Expect units in `east` on a day of November."""
        on = date(2026, 11, day)
        supply = Supply(supply_id=supply_id, node_id="east", sku=sku, quantity=quantity, expected_on=on)
        await self.engine.inventory.put_supplies([supply])

    async def order(self, order_id: str, quantity: int = 1, *, due: int | None, sku: str = "MUG", **more: Any) -> Order:
        """Capture an order that is due on a day of November, not routed yet."""
        latitude, longitude = CUSTOMER
        new = NewOrder(
            order_id=order_id,
            channel="web",
            destination=Destination(latitude=latitude, longitude=longitude),
            lines=(NewLine(sku=sku, quantity=quantity),),
            need_by=None if due is None else date(2026, 11, due),
            **more,
        )
        return (await self.engine.orders.capture(new)).value

    async def promised(self, order_id: str, quantity: int = 1, sku: str = "MUG", **terms: Any) -> Order:
        """Capture an order by the cheapest option of a promise."""
        to = PromisedTo(latitude=CUSTOMER[0], longitude=CUSTOMER[1])
        request = PromiseRequest(
            lines=(WantedLine(sku=sku, quantity=quantity),), destination=to, channel="web", **terms
        )
        promise = await self.engine.promising.promise(request)
        hold = await self.engine.promising.promised_hold(promise.promise_id, promise.options[0].option_id)
        reserved = await self.engine.inventory.hold(
            hold.lines, promised_on=hold.promised_on, channel="web", promised=hold.promised, ttl_seconds=3600
        )
        await self.engine.inventory.confirm(reserved.value.reservation_id)
        return await self.order(order_id, quantity, due=None, sku=sku, reservation_id=reserved.value.reservation_id)

    async def route(self) -> Run:
        """Route all open orders."""
        run = await self.engine.routing_runs.execute(RunRequest())
        assert run.status == RunStatus.COMMITTED, run.failure
        return run

    async def ship(self, order_id: str) -> Order:
        """Let everything that has a node leave it now."""

        def rule(order: Order, at: datetime) -> Revision:
            row = order.allocation[0]
            lines = tuple(
                ShipmentLine(line_id=each.line_id, sku=each.sku, quantity=each.quantity) for each in order.allocation
            )
            shipment = Shipment(
                shipment_id=f"shp_{order_id}.1",
                node_id=str(row.node_id),
                service=str(row.service),
                ship_on=row.ship_on or at.date(),
                lines=lines,
                state=ShipmentState.SHIPPED,
                released_at=at,
                shipped_at=at,
            )
            life = msgspec.structs.replace(order.life, shipments=(shipment,))
            gone = stock_lines(order, [each.quantity for each in order.allocation])
            to = replace(order, life=life, allocation=())
            note = Note(event="shipment_shipped", by="test")
            return revision_of(order, to, note, lost=gone, leaves=True, uses_change=True)

        await self._through_release(order_id)
        return (await self.engine.changes.change(order_id, rule)).value

    async def deliver(self, order_id: str) -> Order:
        """Let all shipments of an order arrive now."""

        def rule(order: Order, at: datetime) -> Revision:
            arrived = tuple(
                msgspec.structs.replace(each, state=ShipmentState.DELIVERED, delivered_at=at)
                for each in order.life.shipments
            )
            to = replace(order, life=msgspec.structs.replace(order.life, shipments=arrived))
            return revision_of(order, to, Note(event="shipment_delivered", by="test"))

        return (await self.engine.changes.change(order_id, rule)).value

    async def alerts(self, order_id: str) -> tuple[Alert, ...]:
        """Go round, and return the open alerts of an order."""
        await self.engine.jeopardy.round()
        return open_alerts(await self.engine.orders.get(order_id))

    async def events(self, order_id: str) -> list[str]:
        """Return what has happened to an order, as its history names it."""
        return [step.note.event for step in await self.engine.orders.history(order_id) if step.note is not None]

    async def free(self, sku: str = "MUG") -> dict[str, tuple[int, int]]:
        """Return (on hand, available) of a product by node."""
        view = await self.engine.stock.read([sku])
        return {each.node_id: (each.on_hand, each.available) for each in view.positions(0)}

    async def _through_release(self, order_id: str) -> None:
        """Release what has a node, as nothing leaves that was not released."""

        def rule(order: Order, at: datetime) -> Revision:
            row = order.allocation[0]
            lines = tuple(
                ShipmentLine(line_id=each.line_id, sku=each.sku, quantity=each.quantity) for each in order.allocation
            )
            shipment = Shipment(
                shipment_id=f"shp_{order_id}.1",
                node_id=str(row.node_id),
                service=str(row.service),
                ship_on=row.ship_on or at.date(),
                lines=lines,
                state=ShipmentState.RELEASED,
                released_at=at,
            )
            life = msgspec.structs.replace(order.life, shipments=(shipment,))
            return revision_of(order, replace(order, life=life), Note(event="shipment_released", by="test"))

        await self.engine.changes.change(order_id, rule)
