"""What happened to one position, read back along the chain of its rows in the journal (lua/journal.lua).

Each cell names the event that changed it last, and each row the event before: one entry is read after another. Entries
of batches have thousands of rows, so they are taken apart here, not in the store, and a page ends where it has read
enough of them. Not here: the events themselves (history.py).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.inventory.changes import Entry, Row
from engine.inventory.history import History, history_of
from engine.inventory.model import EVENT, MAX_UNITS
from engine.inventory.view import BYTES_PER_NODE
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

MOST_BYTES = 2**23
"""A page that has read so many bytes of entries ends, though it may have fewer events than asked for."""
_EVENT = struct.Struct(">I")
_entry = msgspec.msgpack.Decoder(Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The row of a position in the entry of an event, its cells before and after, and how large the entry is."""

    entry: Entry
    row: Row
    cells: bytes
    size: int

    def event_before(self, event: int) -> int:
        """Return the event before this one, 0 if there is none."""
        return _event_of(event, self.cells)


class HistoryReads:
    """Reads of the journal of one tenant and partition."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def read(self, sku: str, node_id: str, *, limit: int, after_event: int | None) -> History:
        """Return what happened to a position, newest first, from the event before `after_event` on."""
        slot = await self._client.call("HGET", self._keys.slots, node_id)
        event = 0 if slot is None else after_event or await self._last_event(sku, int(slot))
        rows: list[tuple[Any, ...]] = []
        cells: list[bytes] = []
        size = 0
        while event and len(rows) < limit and (size < MOST_BYTES or not rows):
            found = await self._find(event, sku, int(slot))
            if found is None:
                return history_of(rows, b"".join(cells), has_more=False, is_cut_off=True)
            if event != after_event:
                rows.append((event, *found.entry[:3], *found.row[2:]))
                cells.append(found.cells)
            event, size = found.event_before(event), size + found.size
        return history_of(rows, b"".join(cells), has_more=event > 0, is_cut_off=False)

    async def _last_event(self, sku: str, slot: int) -> int:
        """Return the event that changed a position last, 0 if none did."""
        at = slot * BYTES_PER_NODE
        # The cell first: an epoch that was read before it may be older than its event.
        reads = [("GETRANGE", self._keys.stock(sku), at, at + BYTES_PER_NODE - 1), ("GET", self._keys.stock_epoch)]
        cell, epoch = await self._client.pipeline(reads)
        return _event_of(int(epoch or 0), cell) if len(cell) == BYTES_PER_NODE else 0

    async def _find(self, event: int, sku: str, slot: int) -> _Found | None:
        """Return the row of a position in an event, None if it is no longer kept."""
        found = await self._client.call("XRANGE", self._keys.journal, f"0-{event}", f"0-{event}")
        if not found:
            return None
        _, (_, packed, _, cells) = found[0]
        entry = _entry.decode(packed)
        for place, row in enumerate(entry[3]):
            if row[0] == sku and row[1] == slot:
                at = 2 * place * BYTES_PER_NODE
                size = len(packed) + len(cells)
                return _Found(entry=entry, row=row, cells=cells[at : at + 2 * BYTES_PER_NODE], size=size)
        return None


def _event_of(epoch: int, cell: bytes) -> int:
    """Return the event that a cell names, at or before an epoch: as event_before of lua/journal.lua."""
    (number,) = _EVENT.unpack_from(cell, 4 * EVENT)
    if not number:
        return 0
    return epoch - ((epoch - 1) % MAX_UNITS + 1 - int(number)) % MAX_UNITS
