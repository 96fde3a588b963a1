"""Reading live stock from the store into arrays: some SKUs, every SKU at one instant, and what has changed since.

Every SKU's cells come in pieces, put into their array while the store packs the next, and it serves others in between.
What has changed meanwhile, or since, comes from the event journal, whose rows hold each cell as it is after the change.
Not here: changes (redis_store.py), the form of a view (view.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from msgspec import structs

from engine.errors import Unavailable
from engine.inventory.changes import Entry, apply_changes, rows_with_quotas
from engine.inventory.conditions import Condition
from engine.inventory.model import KINDS, QUOTAS, SCHEDULED, Position, StockView
from engine.inventory.view import BYTES_PER_NODE, Cells, fill_cells, view_of, with_quotas
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

MOST_EVENTS, MOST_BYTES = 20_000, 2**24
"""From so many events, or bytes of them, on, reading every cell anew is faster than following them."""
_FIRST_EVENTS, _EVENTS_AT_ONCE = 8, 500
_MGET_AT_ONCE = 1000
_TRIES = 5
_NO_QUOTAS: Mapping[int, bytes] = MappingProxyType({})
_entry = msgspec.msgpack.Decoder(Entry)
_conditions = msgspec.msgpack.Decoder(list[tuple[int, str, int]])


class StockReads:
    """Reads of one tenant and partition, remembering the names of nodes and SKUs, which are append-only."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._node_ids: tuple[str, ...] = ()
        self._skus: tuple[str, ...] = ()
        self._stock_keys: list[str] = []
        self._epoch = 0
        self._with_quotas: set[str] = set()

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`: one MGET, and the node names again only if there are new ones.

        Quotas are read where a SKU was seen to have some; where one has its first, all is read again.
        """
        keys, count = self._keys, len(skus)
        parts = ["MGET", keys.stock_epoch]
        parts += [keys.stock(sku) for sku in skus]
        parts += [keys.schedule(sku) for sku in skus]
        while True:
            asked = [i for i, sku in enumerate(skus) if sku in self._with_quotas] if self._with_quotas else []
            found = await self._client.call(*parts, *(keys.quotas(skus[i]) for i in asked))
            schedules = {i: packed for i, packed in enumerate(found[count + 1 : 2 * count + 1]) if packed is not None}
            quotas = {i: packed for i, packed in zip(asked, found[2 * count + 1 :], strict=True) if packed is not None}
            view = await self._view(int(found[0] or 0), tuple(skus), found[1 : count + 1], schedules, quotas)
            new = {skus[i] for i in _quota_rows(view)} - self._with_quotas
            if not new:
                return view
            self._with_quotas |= new

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return the positions of a SKU with what cannot be sold of them: one MGET."""
        keys = self._keys
        parts = ("MGET", keys.stock_epoch, keys.stock(sku), keys.schedule(sku), keys.conditions(sku), keys.quotas(sku))
        epoch, stock, schedule, conditions, quotas = await self._client.call(*parts)
        schedules = {} if schedule is None else {0: schedule}
        view = await self._view(int(epoch or 0), (sku,), [stock], schedules, {} if quotas is None else {0: quotas})
        found: dict[str, dict[Condition, int]] = {}
        for slot, condition, units in _conditions.decode(conditions) if conditions else ():
            found.setdefault(view.node_ids[slot], {})[Condition(condition)] = units
        return tuple(
            structs.replace(position, conditions=found.get(position.node_id, {})) for position in view.positions(0)
        )

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU at one instant, that of the end of the read.

        Raises Unavailable if so much changes meanwhile, time and again, that it cannot be followed.
        """
        for _ in range(_TRIES):
            view = await self._without_quotas()
            found = None if view is None else await self._add_quotas(view, set(_quota_rows(view)))
            if found is not None:
                return found
        raise Unavailable("Stock changes faster than it can be read. Try again when it is quieter.")

    async def _without_quotas(self) -> StockView | None:
        """Return the stock of every SKU but for quotas; None if it cannot be followed."""
        first = await self._learn_names()
        skus, node_ids = self._skus, self._node_ids  # another read may learn others while this one waits
        last, cells = await self._all_cells(len(node_ids))
        if cells is None:
            return None
        scheduled = np.flatnonzero(cells[:, :, SCHEDULED].any(axis=1)).tolist()
        schedules: Mapping[int, bytes] = {}
        if scheduled:
            last, schedules = await self._packed(skus, scheduled, self._keys.schedule)
        view = view_of(epoch=first, node_ids=node_ids, skus=skus, cells=cells, schedules=schedules)
        events = await self.events_after(first, last)
        return None if events is None else apply_changes(view, events, last, scheduled_then=set(scheduled))

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now, from an earlier snapshot and the events since; raises Unavailable."""
        epoch = int(await self._client.call("GET", self._keys.stock_epoch) or 0)
        if epoch == view.epoch:
            return view
        events = await self.events_after(view.epoch, epoch)
        followed = None if events is None else apply_changes(view, events, epoch)
        if events is None or followed is None:
            return await self.snapshot()
        return await self._add_quotas(followed, rows_with_quotas(followed, events)) or await self.snapshot()

    async def _add_quotas(self, view: StockView, rows: set[int]) -> StockView | None:
        """Return the view with the quotas of some rows read anew, at a later epoch if stock with quotas moves.

        None if it cannot be followed.
        """
        known: set[int] = set()
        for _ in range(_TRIES):
            if rows <= known:
                return view
            known |= rows
            epoch, found = await self._packed(view.skus, sorted(known), self._keys.quotas)
            events = await self.events_after(view.epoch, epoch)
            followed = None if events is None else apply_changes(view, events, epoch)
            if events is None or followed is None:
                return None
            rows = rows_with_quotas(followed, events)
            view = with_quotas(followed, {row: found.get(row) for row in known})
        return view if rows <= known else None

    async def _learn_names(self) -> int:
        """Ask for the names of SKUs and nodes if there are others than those known; both are append-only.

        Returns the epoch before: what is new since is in its events, though perhaps in no name.
        """
        keys = self._keys
        found = await self._client.pipeline([("GET", keys.stock_epoch), ("SCARD", keys.skus), ("HLEN", keys.slots)])
        epoch, skus, nodes = (int(count or 0) for count in found)
        if epoch < self._epoch or skus != len(self._skus):  # an epoch that goes back: the data was replaced
            members = await self._client.call("SMEMBERS", keys.skus)
            self._skus = tuple(sorted(member.decode() for member in members))
            self._stock_keys = [keys.stock(sku) for sku in self._skus]
        if epoch < self._epoch or nodes != len(self._node_ids):
            self._node_ids = node_names(await self._client.call("HGETALL", keys.slots))
        self._epoch = epoch
        return epoch

    async def _all_cells(self, nodes: int) -> tuple[int, Cells | None]:
        """Return the epoch after, and the cells of every SKU known; None if there are more nodes."""
        keys, starts = self._stock_keys, range(0, len(self._stock_keys), _MGET_AT_ONCE)
        parts = [*(("MGET", *keys[at : at + _MGET_AT_ONCE]) for at in starts), ("GET", self._keys.stock_epoch)]
        *pieces, last = [asyncio.ensure_future(self._client.call(*each)) for each in parts]
        cells = np.empty((len(keys), nodes, KINDS), dtype=np.uint32)
        try:
            for at, piece in zip(starts, pieces, strict=True):
                if not fill_cells(cells[at : at + _MGET_AT_ONCE], await piece):
                    return 0, None
            return int(await last or 0), cells
        finally:
            for each in (*pieces, last):
                each.cancel()

    async def _packed(
        self, skus: Sequence[str], rows: Sequence[int], key_of: Callable[[str], str]
    ) -> tuple[int, dict[int, bytes]]:
        """Return the packed schedules or quotas of some rows, those that have one, and the epoch of that moment."""
        keys = [key_of(skus[row]) for row in rows]
        reads = [("MGET", *keys[at : at + _MGET_AT_ONCE]) for at in range(0, len(keys), _MGET_AT_ONCE)]
        commands = [("MULTI",), ("GET", self._keys.stock_epoch), *reads, ("EXEC",)]
        epoch, *found = (await self._client.pipeline(commands))[-1]
        packed = [value for values in found for value in values]
        return int(epoch or 0), {row: value for row, value in zip(rows, packed, strict=True) if value is not None}

    async def events_after(self, epoch: int, last: int) -> list[tuple[Entry, bytes]] | None:
        """Return the entries of the events epoch + 1 … last; None if some are gone, or there are too many."""
        if not 0 <= last - epoch <= MOST_EVENTS:
            return None
        entries: list[tuple[Entry, bytes]] = []
        size, first, count = 0, epoch + 1, _FIRST_EVENTS
        while first <= last:
            until = min(first + count - 1, last)
            found: list[Any] = await self._client.call("XRANGE", self._keys.journal, f"0-{first}", f"0-{until}")
            sizes = [len(packed) + len(cells) for _, (_, packed, _, cells) in found]
            size += sum(sizes)
            if len(found) <= until - first or size > MOST_BYTES:
                return None
            entries += [(_entry.decode(packed), cells) for _, (_, packed, _, cells) in found]
            # As many more as fit if they are as large as the largest of these, for entries of batches have megabytes.
            count = max(1, min(_EVENTS_AT_ONCE, 4 * count, (MOST_BYTES - size) // max(sizes)))
            first = until + 1
        return entries

    async def _view(
        self,
        epoch: int,
        skus: tuple[str, ...],
        stock: Sequence[bytes | None],
        schedules: Mapping[int, bytes],
        quotas: Mapping[int, bytes] = _NO_QUOTAS,
    ) -> StockView:
        """Return the view, after asking for the node names if a string has more slots than are known.

        Slots are append-only, so known names stay right; an epoch that goes back means that the data was replaced.
        """
        longest = max(map(len, filter(None, stock)), default=0) // BYTES_PER_NODE
        if longest > len(self._node_ids) or epoch < self._epoch:
            self._node_ids = node_names(await self._client.call("HGETALL", self._keys.slots))
        self._epoch = epoch
        cells = np.empty((len(skus), len(self._node_ids), KINDS), dtype=np.uint32)
        fill_cells(cells, stock)
        return view_of(epoch=epoch, node_ids=self._node_ids, skus=skus, cells=cells, schedules=schedules, quotas=quotas)


def _quota_rows(view: StockView) -> list[int]:
    """Return the SKU indices of a view with a position that has quotas."""
    counts = view.cells[:, :, QUOTAS]
    return np.flatnonzero(counts.any(axis=1)).tolist() if counts.any() else []


def node_names(pairs: Sequence[bytes]) -> tuple[str, ...]:
    """Return the node ids of HGETALL slots, in slot order."""
    by_slot = {int(slot): node_id.decode() for node_id, slot in zip(pairs[::2], pairs[1::2], strict=True)}
    return tuple(by_slot[slot] for slot in range(len(by_slot)))
