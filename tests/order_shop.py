"""A shop to test order stores with: an order store on an inventory store, and the shortest ways to use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from engine.inventory.model import (
    Hold,
    HoldLine,
)
from engine.inventory.store import InventoryStore
from engine.orders.destination import Destination
from engine.orders.model import Captured, Order
from engine.orders.store import OrderStore
from engine.routing.model import (
    AllocationRow,
    NodeCapacity,
    OrderAllocation,
    OrderLine,
    Verdict,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
TOMORROW = TODAY + timedelta(days=1)
HOME = Destination(latitude=44.0, longitude=-93.0)
DAYS = {"north": TODAY, "south": TODAY}
ORDINALS = {node_id: day.toordinal() for node_id, day in DAYS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An order store on an inventory store, with a stock of 10 MUG in the north and 5 in the south."""

    orders: OrderStore
    inventory: InventoryStore
    wait: Callable[[float], Awaitable[None]]

    async def place(self, order_id: str, quantity: int = 1, *, sku: str = "MUG", **fields: object) -> Order:
        line = OrderLine(line_id="1", sku=sku, quantity=quantity)
        captured = Captured(
            order_id=order_id, channel="web", destination=HOME, lines=(line,), demand=(line,), captured_at=NOON
        )
        return (await self.orders.capture(replace(captured, **fields))).value  # type: ignore[arg-type]

    async def hold(self, reservation_id: str, quantity: int, node_id: str = "north", ttl_seconds: float = 900) -> None:
        line = HoldLine(sku="MUG", quantity=quantity, node_id=node_id)
        hold = Hold(reservation_id=reservation_id, lines=(line,), ttl_seconds=ttl_seconds)
        await self.inventory.hold(hold, today=ORDINALS)

    async def commit(self, run_id: str, *allocations: OrderAllocation, **capacities: NodeCapacity) -> list[Verdict]:
        return await self.orders.commit(run_id, allocations, capacities=capacities, today=DAYS)

    async def outcomes(self, run_id: str, *allocations: OrderAllocation, **capacities: NodeCapacity) -> list[str]:
        return [verdict.outcome for verdict in await self.commit(run_id, *allocations, **capacities)]

    async def counts(self, node_id: str, sku: str = "MUG") -> tuple[int, int, int]:
        """(on hand, held, confirmed) of a node."""
        view = await self.inventory.read([sku])
        position = view.position(0, view.node_ids.index(node_id))
        return position.on_hand, position.held, position.confirmed


def rows(order_id: str, *parts: tuple[int, str | None], ship_on: date = TODAY, sku: str = "MUG") -> OrderAllocation:
    """An allocation of line 1: so many units from such a node, None for backordered."""
    return OrderAllocation(
        order_id=order_id,
        rows=tuple(
            AllocationRow(line_id="1", sku=sku, quantity=quantity)
            if node_id is None
            else AllocationRow(
                line_id="1", sku=sku, quantity=quantity, node_id=node_id, service="ground", ship_on=ship_on
            )
            for quantity, node_id in parts
        ),
    )
