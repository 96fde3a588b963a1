"""Watches the journal for positions that become low on stock, or recover; what changes stock knows nothing of it.

The cursor is kept with what came of reading, in one step, so a reader that dies, or several at once, make no event
twice and miss none. When documents change, or the journal was cut off before it was read, every position is looked at.
Not here: where it runs (api/sweeper.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

import numpy as np

from engine.clock import Clock
from engine.errors import NotFound
from engine.inventory.checks import World
from engine.inventory.low_stock import Changes, Cursor, LowPosition, LowStockEvent, LowStockStore, Place, Reading
from engine.inventory.model import VERSION, StockView
from engine.inventory.replies import milliseconds
from engine.inventory.store import InventoryStore
from engine.inventory.thresholds import NEVER, Thresholds, thresholds_of

EVENTS_AT_ONCE, MOST_CHANGES = 1000, 20_000
"""A step reads so many events, fewer where they come to more changes: a batch of holds is one event of thousands."""
READINGS_AT_ONCE = 1000
UNWATCHED = "-"
"""The documents of a cursor that stands still, since there are no thresholds."""


class LowStockWatch:
    """What is low now, what became low or recovered, and the step that keeps both up to date."""

    def __init__(
        self, store: LowStockStore, stock: InventoryStore, *, world: Callable[[], Awaitable[World]], clock: Clock
    ) -> None:
        self._store, self._stock, self._world, self._clock = store, stock, world, clock
        self._events_at_once = 20

    async def low(self, *, limit: int, after: int = 0) -> tuple[list[LowPosition], bool]:
        """Return positions that are low, longest first, with what is available now; and whether there are more."""
        found = await self._store.low(limit=limit + 1, after=after)
        page = found[:limit]
        skus = sorted({position.sku for position in page})
        view = await self._stock.read(skus)
        rows, slots = ({name: i for i, name in enumerate(names)} for names in (view.skus, view.node_ids))
        available = view.available()
        return [
            replace(position, available=int(available[rows[position.sku], slots[position.node_id]]))
            for position in page
        ], len(found) > limit

    async def events(self, *, limit: int, before: int | None = None) -> tuple[list[LowStockEvent], bool]:
        """Return events, newest first; and whether there are more."""
        found = await self._store.events(limit=limit + 1, before=before)
        return list(found[:limit]), len(found) > limit

    async def step(self) -> bool:
        """Read on from where the last reader stopped, and return whether there is more to do at once."""
        try:
            world = await self._world()
        except NotFound:
            return False  # nothing can be low before there are a network and a catalog
        thresholds = thresholds_of(world.network, world.catalog)
        documents = UNWATCHED if thresholds is None else f"{world.network.version}.{world.catalog.version}"
        cursor = await self._store.cursor()
        if thresholds is None:
            if cursor is not None and cursor.documents != UNWATCHED:
                await self._look_at_everything(None, documents, None, cursor)
            return False
        if cursor is None or cursor.documents == UNWATCHED:
            await self._look_at_everything(None, documents, thresholds, cursor)
            return False
        last = await self._store.last_event()
        until = min(last, cursor.event + self._events_at_once)
        readings = await self._readings(cursor.event, until, thresholds)
        if readings is None:  # they are no longer kept
            await self._look_at_everything(None, documents, thresholds, cursor)
            return False
        moved = replace(cursor, event=until)
        if moved != cursor and not await self._store.advance(cursor, moved, readings):
            return False  # another reader was faster
        if until < last:
            return True
        if moved.documents != documents:
            await self._look_at_everything(moved, documents, thresholds, moved)
        return False

    async def _readings(self, after: int, last: int, thresholds: Thresholds) -> list[Reading] | None:
        """Return what crossed its threshold in some events, oldest first; None if they are no longer kept."""
        if last == after:
            return []
        changes = await self._store.changes(after, last) if last > after else None
        if changes is None:
            return None
        if len(changes.places) > MOST_CHANGES:
            self._events_at_once = max(1, self._events_at_once // 4)
        elif len(changes.places) < MOST_CHANGES // 8:
            self._events_at_once = min(EVENTS_AT_ONCE, self._events_at_once * 2)
        return _crossings(changes, thresholds)

    async def _look_at_everything(
        self, read_to: Cursor | None, documents: str, thresholds: Thresholds | None, cursor: Cursor | None
    ) -> None:
        """Compare every position with what is known to be low, and go on from there.

        `read_to` is how far the journal was read if all that comes after it can be read too.
        """
        view, known = await self._store.snapshot(), await self._store.low_places()
        readings = await asyncio.to_thread(_differences, view, known, thresholds, milliseconds(self._clock.now()))
        if read_to is not None and thresholds is not None:
            readings = [*(await self._readings(read_to.event, view.epoch, thresholds) or ()), *readings]
        now = Cursor(event=view.epoch, documents="" if cursor is None else cursor.documents)
        for start in range(0, len(readings), READINGS_AT_ONCE):
            if not await self._store.advance(cursor, now, readings[start : start + READINGS_AT_ONCE]):
                return
            cursor = now
        await self._store.advance(cursor, replace(now, documents=documents), ())


def _differences(
    view: StockView, low_places: Collection[Place], thresholds: Thresholds | None, now_ms: int
) -> list[Reading]:
    """Return a reading of each position that is low and not known to be, or the other way round."""
    known, available = set(low_places), view.available()
    if thresholds is None:
        table = np.full(available.shape, NEVER, dtype=np.int64)
    else:
        table = thresholds.table(view.skus, view.node_ids)
    rows, slots = ({name: i for i, name in enumerate(names)} for names in (view.skus, view.node_ids))
    is_low = (view.cells[:, :, VERSION] > 0) & (available <= table)
    low = {(view.skus[row], view.node_ids[slot]) for row, slot in np.argwhere(is_low).tolist()}
    readings = []
    for sku, node_id in sorted(low ^ known):
        row, slot = rows.get(sku), slots.get(node_id)
        is_there = row is not None and slot is not None
        threshold = int(table[row, slot]) if is_there else NEVER
        readings.append(
            Reading(
                sku=sku,
                node_id=node_id,
                available=int(available[row, slot]) if is_there else 0,
                threshold=None if threshold == NEVER else threshold,
                at_ms=now_ms,
                event=view.epoch,
            )
        )
    return readings


def _crossings(changes: Changes, thresholds: Thresholds) -> list[Reading]:
    """Return a reading of each change that crosses the threshold of its position."""
    of = {place: thresholds.of(*place) for place in set(changes.places)}
    at = np.array([of[place] for place in changes.places], dtype=np.int64)
    crossed = np.flatnonzero((changes.before <= at) != (changes.after <= at))
    return [
        Reading(
            sku=changes.places[i][0],
            node_id=changes.places[i][1],
            available=int(changes.after[i]),
            threshold=int(at[i]),
            at_ms=int(changes.at_ms[i]),
            event=int(changes.events[i]),
        )
        for i in crossed.tolist()
    ]
