"""The LowStockStore of one process, on the journal of the in-memory inventory; it does what lua/low_stock.lua does.

A friend of MemoryInventoryStore. Nothing in an operation awaits, so each is one step to every caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from engine.clock import instant_of
from engine.inventory.low_stock import (
    PLENTY,
    Changes,
    Cursor,
    LowPosition,
    LowStockEvent,
    LowStockState,
    Place,
    Reading,
)
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import CONFIRMED, HELD, ON_HAND, SAFETY_STOCK, VERSION, StockView

LOW_STOCK_EVENTS = 100_000


class MemoryLowStock:
    """What is low in this process."""

    def __init__(self, inventory: MemoryInventoryStore) -> None:
        self._inventory = inventory
        self._cursor: Cursor | None = None
        self._low: dict[Place, LowPosition] = {}
        self._events: list[LowStockEvent] = []
        self._dropped = 0

    async def cursor(self) -> Cursor | None:
        """Return how far the journal was read."""
        return self._cursor

    async def last_event(self) -> int:
        """Return the number of the last event."""
        return self._inventory._stock.epoch

    async def changes(self, after: int, last: int) -> Changes | None:
        """Return what some events did."""
        places: list[Place] = []
        numbers: list[tuple[int, int, int, int]] = []
        for number in range(after + 1, last + 1):
            event = self._inventory._stock.journal.get(number)
            if event is None:
                return None
            for place, change in event.changed.items():
                if change.after[VERSION] > 0:
                    places.append(place)
                    before = _available(change.before) if change.before[VERSION] > 0 else PLENTY
                    numbers.append((number, event.now_ms, before, _available(change.after)))
        events, at_ms, earlier, later = np.array(numbers, dtype=np.int64).reshape(-1, 4).T
        return Changes(places=places, events=events, at_ms=at_ms, before=earlier, after=later)

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU."""
        return self._inventory._stock.view()

    async def low_places(self) -> Collection[Place]:
        """Return every position that is low."""
        return list(self._low)

    async def advance(self, cursor: Cursor | None, to: Cursor, readings: Sequence[Reading]) -> bool:
        """Move the cursor and keep what came of reading."""
        if cursor != self._cursor:
            return False
        for reading in readings:
            self._take(reading)
        self._cursor = to
        return True

    async def low(self, *, limit: int, after: int) -> Sequence[LowPosition]:
        """Return positions that are low, by number."""
        return [position for position in self._low.values() if position.number > after][:limit]

    async def events(self, *, limit: int, before: int | None) -> Sequence[LowStockEvent]:
        """Return events, newest first."""
        last = len(self._events) if before is None else max(0, before - 1 - self._dropped)
        return self._events[max(0, last - limit) : last][::-1]

    def _take(self, reading: Reading) -> None:
        place = (reading.sku, reading.node_id)
        threshold = reading.threshold
        is_low = threshold is not None and reading.available <= threshold
        if is_low == (place in self._low):
            return
        number, at = self._dropped + len(self._events) + 1, instant_of(reading.at_ms)
        if is_low and threshold is not None:
            self._low[place] = LowPosition(
                number=number,
                sku=reading.sku,
                node_id=reading.node_id,
                available=reading.available,
                threshold=threshold,
                since=at,
            )
        else:
            del self._low[place]
        self._events.append(
            LowStockEvent(
                number=number,
                state=LowStockState.LOW if is_low else LowStockState.RECOVERED,
                sku=reading.sku,
                node_id=reading.node_id,
                available=reading.available,
                threshold=threshold,
                at=at,
                event=reading.event,
            )
        )
        if len(self._events) > LOW_STOCK_EVENTS:
            del self._events[0]
            self._dropped += 1


def _available(cell: Sequence[int]) -> int:
    return cell[ON_HAND] - cell[SAFETY_STOCK] - cell[HELD] - cell[CONFIRMED]
