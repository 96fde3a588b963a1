"""The stock of every product as product pages need it: from which day on each node has a unit of it.

Read once, and then kept up with the event journal: a refresh costs what has changed since, not what there is. Not here:
what a day at a node means to a shopper (lanes.py), more than one unit, kits and quotas (get_it_by.py reads those of the
same snapshot as a promise does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine.availability.reference import Reference, View
from engine.availability.stock import AtpTable, StockReader
from engine.clock import Clock
from engine.inventory.model import EVENT, SCHEDULED, StockView
from engine.inventory.store import InventoryStore
from engine.network.days import NEVER


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shelf:
    """Stock as of one moment.

    `first_day` (SKUs, nodes) is the first ordinal on which ATP of everybody's units is 1 or more, `NEVER` if none;
    `rows` names its rows; `ruled` are the rows with quotas, for which it depends on who asks.
    """

    as_of: datetime
    view: View
    stock: StockView
    rows: Mapping[str, int]
    ruled: frozenset[int]
    local_day: NDArray[np.int64]
    first_day: NDArray[np.int32]

    def table(self, skus: Sequence[str], reader: StockReader, *, now: datetime, channel: str | None) -> AtpTable:
        """Return what a channel may take of some SKUs, each once, as of the shelf."""
        stock = _part(self.stock, [self.rows.get(sku, -1) for sku in skus])
        return reader.read(
            structs.replace(stock, skus=tuple(skus)), self.view, self.local_day, now=now, channel=channel
        )


class ShelfKeeper:
    """Keeps one shelf, refreshed when it is asked for and older than `refresh_seconds`; one refresh at a time."""

    def __init__(
        self, *, reference: Reference, inventory: InventoryStore, clock: Clock, refresh_seconds: float = 1.0
    ) -> None:
        self._reference = reference
        self._inventory = inventory
        self._clock = clock
        self._life = timedelta(seconds=refresh_seconds)
        self._reader = StockReader()
        self._shelf: Shelf | None = None
        self._refreshing = asyncio.Lock()

    async def current(self, *, is_new: bool = False) -> Shelf:
        """Return a shelf that is young enough, and of this day at every node; with `is_new`, one read from now on."""
        shelf = self._shelf
        if shelf is not None and not is_new and self._is_good(shelf, self._clock.now()):
            return shelf
        async with self._refreshing:
            found = self._shelf
            if found is None or found is shelf or is_new or not self._is_good(found, self._clock.now()):
                found = self._shelf = await self._read(found)  # else another caller has read it meanwhile
            return found

    def _is_good(self, shelf: Shelf, now: datetime) -> bool:
        is_young = shelf.as_of <= now < shelf.as_of + self._life
        return is_young and np.array_equal(shelf.view.days.at(now).local_day, shelf.local_day)

    async def _read(self, before: Shelf | None) -> Shelf:
        now = self._clock.now()
        view, stock = await asyncio.gather(
            self._reference.current(),
            self._inventory.snapshot() if before is None else self._inventory.refresh(before.stock),
        )
        local_day = view.days.at(now).local_day
        is_same = before is not None and is_alike(before.view, view) and np.array_equal(local_day, before.local_day)
        if before is not None and is_same and stock is before.stock:
            return replace(before, as_of=now)
        return await asyncio.to_thread(self._stocked, before if is_same else None, view, stock, local_day, now)

    def _stocked(
        self, before: Shelf | None, view: View, stock: StockView, local_day: NDArray[np.int64], now: datetime
    ) -> Shelf:
        changed = None if before is None else _changed(before.stock, stock)
        if before is None or changed is None:
            first_day = _first_days(self._reader.read(stock, view, local_day, now=now))
            rows: Mapping[str, int] = {sku: row for row, sku in enumerate(stock.skus)}
        else:
            first_day, rows = before.first_day.copy(), before.rows
            part = self._reader.read(_part(stock, changed), view, local_day, now=now)
            first_day[changed] = _first_days(part)
        return Shelf(
            as_of=now,
            view=view,
            stock=stock,
            rows=rows,
            ruled=frozenset(row for row, _ in stock.quotas),
            local_day=local_day,
            first_day=first_day,
        )


def is_alike(one: View, other: View) -> bool:
    """Say whether two views mean the same to product pages: documents that only others read may have moved."""
    return one.days is other.days and one.catalog is other.catalog and one.lead_times is other.lead_times


def _changed(before: StockView, after: StockView) -> list[int] | None:
    """Return the rows in which some position had an event since; None if SKUs or nodes are others."""
    if before.skus != after.skus or before.node_ids != after.node_ids:
        return None
    moved = before.cells[:, :, EVENT] != after.cells[:, :, EVENT]
    found: list[int] = np.flatnonzero(moved.any(axis=1)).tolist()
    return found


def _part(stock: StockView, rows: Sequence[int]) -> StockView:
    """Return some rows of a view, in this order; -1 stands for a SKU that was never stocked."""
    chosen = np.array(rows, dtype=np.int64)
    cells = stock.cells[chosen] if len(stock.skus) else np.zeros((len(rows), *stock.cells.shape[1:]), dtype=np.uint32)
    cells[chosen < 0] = 0
    scheduled = zip(*np.nonzero(cells[:, :, SCHEDULED]), strict=True)
    schedule = {}
    for i, slot in ((int(i), int(slot)) for i, slot in scheduled):
        if (rows[i], slot) in stock.schedule:
            schedule[i, slot] = stock.schedule[rows[i], slot]
    quotas = {}
    if stock.quotas:
        place = {row: i for i, row in enumerate(rows)}
        quotas = {(place[row], slot): found for (row, slot), found in stock.quotas.items() if row in place}
    skus = tuple(stock.skus[row] if row >= 0 else "" for row in rows)
    return StockView(
        epoch=stock.epoch,
        node_ids=stock.node_ids,
        skus=skus,
        cells=cells,
        schedule=schedule,
        supplies={},
        quotas=quotas,
    )


def _first_days(table: AtpTable) -> NDArray[np.int32]:
    """Return the first day on which each cell has a unit."""
    days = np.where(table.today > 0, table.local_day, NEVER).astype(np.int32)
    for cell, steps in table.later.items():
        if steps[0][1] < 1:
            days[cell] = next((day for day, level in steps if level > 0), NEVER)
    return days
