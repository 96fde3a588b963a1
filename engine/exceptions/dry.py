"""What promises would say of the rest of an order as if it held nothing: the units that it holds are there for it.

The engine's own promise answers, and nothing is held or kept. Not here: what is made of the options (proposing.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence

import msgspec
import numpy as np

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.inventory.model import CONFIRMED, HELD, StockView
from engine.inventory.store import InventoryStore
from engine.orders.model import Order
from engine.orders.revising import StockLine
from engine.promising.capacity import Room
from engine.promising.model import MOST_LINES, Destination, Option, PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import MemoryPromiseStore
from engine.routing.model import OrderLine


class _StockWithOwn:
    """Live stock in which some units that are reserved are free, and some nodes have none."""

    def __init__(self, stock: InventoryStore) -> None:
        self._stock = stock
        self.own: Sequence[StockLine] = ()
        self.without: Collection[str] = ()

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of some SKUs."""
        return with_own(await self._stock.read(skus), self.own, self.without)


class DryPromises:
    """Asks for promises one after another, each with the units that its order holds."""

    def __init__(self, reference: Reference, stock: InventoryStore, clock: Clock, room: Room | None = None) -> None:
        self._stock, self._asking = _StockWithOwn(stock), asyncio.Lock()
        kept = MemoryPromiseStore(clock)
        self._promising = PromiseService(
            reference=reference, inventory=self._stock, promises=kept, clock=clock, room=room, ttl_seconds=1
        )

    async def options(
        self,
        order: Order,
        lines: Sequence[OrderLine],
        own: Sequence[StockLine] = (),
        *,
        without: Collection[str] = (),
        substitutes: bool = False,
    ) -> tuple[Option, ...]:
        """Return the ways in which lines of an order could be sent from now on, not from nodes that it goes `without`.

        Raises InvalidInput for what no promise can be asked for: its destination or products are not known any more.
        """
        if not 0 < len(lines) <= MOST_LINES:
            return ()
        async with self._asking:
            self._stock.own, self._stock.without = own, without
            found = await self._promising.promise(_request(order, lines, substitutes=substitutes))
        return found.options


def with_own(view: StockView, own: Iterable[StockLine], without: Collection[str] = ()) -> StockView:
    """Return stock in which units that are reserved are free, of dated demand on its day; some nodes have nothing."""
    rows = {sku: row for row, sku in enumerate(view.skus)}
    slots = {node_id: slot for slot, node_id in enumerate(view.node_ids)}
    cells, schedule = view.cells.copy(), dict(view.schedule)
    for sku, node_id, units, day in own:
        row, slot = rows.get(sku), slots.get(node_id)
        if row is None or slot is None:
            continue
        entries = list(schedule.get((row, slot), ()))
        dated = next((at for at, (on, delta) in enumerate(entries) if on == day and delta <= -units), None)
        if dated is not None:
            entries[dated] = (day, entries[dated][1] + units)
            schedule[row, slot] = tuple(entries)
            continue
        confirmed = min(units, int(cells[row, slot, CONFIRMED]))
        held = min(units - confirmed, int(cells[row, slot, HELD]))
        cells[row, slot, CONFIRMED] -= np.uint32(confirmed)
        cells[row, slot, HELD] -= np.uint32(held)
    gone = {slots[node_id] for node_id in without if node_id in slots}
    cells[:, sorted(gone)] = 0
    schedule = {place: entries for place, entries in schedule.items() if place[1] not in gone}
    cells.flags.writeable = False
    return msgspec.structs.replace(view, cells=cells, schedule=schedule)


def _request(order: Order, lines: Sequence[OrderLine], *, substitutes: bool) -> PromiseRequest:
    captured, to = order.captured, order.destination
    promised, at = captured.promised, captured.picked_up_at
    return PromiseRequest(
        lines=tuple(WantedLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in lines),
        destination=None
        if at is not None
        else Destination(
            latitude=to.latitude,
            longitude=to.longitude,
            postal_code=to.postal_code,
            country=to.country,
            time_zone=to.time_zone or (promised.time_zone if promised is not None else None),
            residential=to.residential or (promised is not None and promised.residential),
            is_po_box=to.is_po_box or (promised is not None and promised.is_po_box),
        ),
        channel=captured.channel,
        pickup_node_id=at,
        substitutes=substitutes,
    )
