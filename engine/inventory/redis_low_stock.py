"""The LowStockStore on Redis or Valkey: what is low changes by one function, lua/low_stock.lua."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import numpy as np

from engine.clock import instant_of
from engine.inventory.changes import Entry
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
from engine.inventory.model import CONFIRMED, HELD, KINDS, ON_HAND, SAFETY_STOCK, VERSION, StockView
from engine.inventory.partitions import Partitions
from engine.inventory.redis_reads import StockReads, node_names
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_entry = msgspec.msgpack.Decoder(Entry)


class RedisLowStock:
    """What is low in one partition of a tenant; needs the inventory's LIBRARY loaded.

    `keys` are those of the partition. Where there are several, `kept` are those of the one that keeps what is low in
    all of them, and `partition` is the number of this one.
    """

    def __init__(
        self, client: StoreClient, keys: Keys, *, kept: Keys | None = None, partition: int = 0, partitions: int = 1
    ) -> None:
        self._client, self._keys, self._kept = client, keys, kept or keys
        self._partition, self._hashing = partition, Partitions(number=partitions)
        self._cursor = self._kept.low_stock_cursor + (f":{partition}" if partition else "")
        self._reads = StockReads(client, keys)
        self._node_ids: tuple[str, ...] = ()

    async def cursor(self) -> Cursor | None:
        """Return how far the journal was read."""
        packed = await self._client.call("GET", self._cursor)
        if packed is None:
            return None
        event, _, documents = packed.decode().partition(" ")
        return Cursor(event=int(event), documents=documents)

    async def last_event(self) -> int:
        """Return the number of the last event."""
        return int(await self._client.call("GET", self._keys.stock_epoch) or 0)

    async def changes(self, after: int, last: int) -> Changes | None:
        """Return what some events did, by the cells of their rows."""
        found = await self._client.call("XRANGE", self._keys.journal, f"0-{after + 1}", f"0-{last}")
        if len(found) < last - after:
            return None
        entries = [(int(name.split(b"-")[1]), _entry.decode(fields[1])) for name, fields in found]
        cells = np.frombuffer(b"".join(fields[3] for _, fields in found), dtype=">u4").astype(np.int64)
        pairs = cells.reshape(-1, 2, KINDS)
        available = pairs[:, :, ON_HAND] - pairs[:, :, SAFETY_STOCK] - pairs[:, :, HELD] - pairs[:, :, CONFIRMED]
        counted = pairs[:, :, VERSION] > 0
        rows = [(sku, slot) for _, (_, _, _, of) in entries for sku, slot, _, _ in of]
        events = [(event, at_ms) for event, (at_ms, _, _, of) in entries for _ in of]
        await self._know_slots(max((slot for _, slot in rows), default=0))
        kept = np.flatnonzero(counted[:, 1])
        when = np.array(events, dtype=np.int64).reshape(-1, 2)[kept]
        return Changes(
            places=[(rows[i][0], self._node_ids[rows[i][1]]) for i in kept.tolist()],
            events=when[:, 0],
            at_ms=when[:, 1],
            before=np.where(counted[kept, 0], available[kept, 0], PLENTY),
            after=available[kept, 1],
        )

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU."""
        return await self._reads.snapshot()

    async def low_places(self) -> Collection[Place]:
        """Return every position of the partition that is low."""
        found = map(_place, await self._client.call("ZRANGE", self._kept.low_stock, 0, -1))
        return [place for place in found if self._hashing.of(place[0]) == self._partition]

    async def advance(self, cursor: Cursor | None, to: Cursor, readings: Sequence[Reading]) -> bool:
        """Move the cursor and write what came of reading, in one call."""
        rows = [
            (
                reading.sku,
                reading.node_id,
                reading.available,
                False if reading.threshold is None else reading.threshold,
                reading.at_ms,
                reading.event,
            )
            for reading in readings
        ]
        found = "" if cursor is None else _text(cursor)
        moved = await self._client.fcall(
            "allot_watch_low_stock_v1", [self._kept.deadlines, self._cursor], [found, _text(to), _pack(rows)]
        )
        return bool(moved)

    async def low(self, *, limit: int, after: int) -> Sequence[LowPosition]:
        """Return positions that are low, by number."""
        pairs = await self._client.call(
            "ZRANGE", self._kept.low_stock, f"({after}", "+inf", "BYSCORE", "LIMIT", 0, limit, "WITHSCORES"
        )
        scored = _scored(pairs)
        if not scored:
            return []
        details = await self._client.call("HMGET", self._kept.low_stock_details, *(member for member, _ in scored))
        found = []
        for (member, number), packed in zip(scored, details, strict=True):
            if packed is not None:  # it recovered between the two reads
                (sku, node_id), (threshold, at_ms) = _place(member), _unpack(packed)
                found.append(
                    LowPosition(
                        number=number,
                        sku=sku,
                        node_id=node_id,
                        available=threshold,
                        threshold=threshold,
                        since=instant_of(at_ms),
                    )
                )
        return found

    async def events(self, *, limit: int, before: int | None) -> Sequence[LowStockEvent]:
        """Return events, newest first."""
        start = "+" if before is None else f"(0-{before}"
        found = await self._client.call("XREVRANGE", self._kept.low_stock_events, start, "-", "COUNT", limit)
        return [_event(int(name.split(b"-")[1]), *_unpack(packed)) for name, (_, packed) in found]

    async def _know_slots(self, last: int) -> None:
        """Read the names of nodes again if there are new ones."""
        if last >= len(self._node_ids):
            self._node_ids = node_names(await self._client.call("HGETALL", self._keys.slots))


def _event(
    number: int, state: str, sku: str, node_id: str, available: int, threshold: Any, at_ms: int, event: int
) -> LowStockEvent:
    return LowStockEvent(
        number=number,
        state=LowStockState(state),
        sku=sku,
        node_id=node_id,
        available=available,
        threshold=None if threshold is False else threshold,
        at=instant_of(at_ms),
        event=event,
    )


def _scored(pairs: Sequence[Any]) -> list[tuple[bytes, int]]:
    """Return members with their scores: pairs in RESP 3, one flat list in RESP 2."""
    if pairs and not isinstance(pairs[0], bytes):
        return [(member, int(float(score))) for member, score in pairs]
    return [(member, int(float(score))) for member, score in zip(pairs[::2], pairs[1::2], strict=True)]


def _place(member: bytes) -> Place:
    sku, _, node_id = member.decode().partition("\n")
    return sku, node_id


def _text(cursor: Cursor) -> str:
    return f"{cursor.event} {cursor.documents}"
