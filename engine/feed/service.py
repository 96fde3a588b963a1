"""Reading on in what happened: pages of events over all partitions, from a cursor.

A reader that takes each page after the `next_cursor` of the one before gets every event once, whatever is written
meanwhile, and whichever server answers. Events of one position, reservation, order or run come in the order in which
they happened; those of different partitions by their servers' clocks. Not here: sending events (engine/webhooks).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from engine.errors import CursorExpired
from engine.feed.cursor import Cursor, Place, Reached, cursor_of, text_of
from engine.feed.entries import FeedEntry, other_entry, slots_of, stock_entry
from engine.feed.merging import Stream, merge
from engine.feed.model import Event, Page, Wanted
from engine.inventory.redis_reads import node_names
from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("feed", 1, [files("engine.feed") / "lua" / "feed.lua"])
NOW = "now"
_ENTRIES, _BYTES, _ROUNDS = 200, 2**20, 8
_LARGE, _MANY = 2**17, 64
"""So many bytes, or entries, take more than a moment to read: then another thread does it."""


class EventFeed:
    """The feed of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, tenant: str, partitions: int) -> None:
        self._client = client
        self._keys = [Keys(tenant, each) for each in range(partitions)]
        self._node_ids: dict[tuple[str, int], tuple[str, ...]] = {}

    async def page(
        self,
        after: str | None,
        *,
        limit: int,
        wanted: Wanted,
        is_ours: bool = False,
        is_without_stock: bool = False,
    ) -> Page:
        """Return the next events after a cursor: None for the oldest kept, `now` for none of those until now.

        May be empty though `has_more`, where few events are wanted. Raises InvalidInput for what is no cursor, and
        CursorExpired where events after it are no longer kept. A cursor that is ours, which lies in
        the store itself, was restored with it, and is good in its next life too. Without stock, the journal of
        positions, most of all there is, is not read but passed over to its end: for who never wants anything of it.
        """
        life = await self._life()
        cursor = self._cursor(after, life, is_ours=is_ours)
        found: list[Event] = []
        for _ in range(_ROUNDS):
            begin = NOW if after == NOW and cursor is None else ""
            streams = await self._read(cursor, life, begin, is_without_stock)
            is_many = sum(len(stream.entries) for stream in streams) > _MANY
            found += await _run(is_many, merge, streams, wanted, limit - len(found))
            reached = [stream.reached for stream in streams]
            places = tuple(Place(*pair) for pair in zip(reached[::2], reached[1::2], strict=True))
            cursor = Cursor(life, places)
            has_more = any(stream.has_more or stream.head is not None for stream in streams)
            if not has_more or len(found) >= limit:
                break
        assert cursor is not None  # there is at least one round
        return Page(events=tuple(found), next_cursor=text_of(cursor), has_more=has_more)

    async def tell_webhook(self, webhook_id: str, what: str, detail: str) -> None:
        """Write an event of a webhook."""
        await self._client.fcall("allot_tell_webhook_v1", [self._keys[0].events], [webhook_id, what, detail])

    def _cursor(self, after: str | None, life: str, *, is_ours: bool) -> Cursor | None:
        if after is None or after == NOW:
            return None
        cursor = cursor_of(after, "query.after")
        if (cursor.life != life and not is_ours) or len(cursor.places) != len(self._keys):
            raise _expired("The cursor is of another life of this store, before a restore")
        return cursor

    async def _life(self) -> str:
        """Return the name of the life of the store; a restore begins another one."""
        key = self._keys[0].named("feed_life")
        found = await self._client.call("GET", key)
        if found is None:
            await self._client.call("SET", key, secrets.token_hex(3), "NX")
            found = await self._client.call("GET", key)
        return bytes(found).decode()

    async def _read(self, cursor: Cursor | None, life: str, begin: str, is_without_stock: bool) -> list[Stream]:
        places = [None] * len(self._keys) if cursor is None else list(cursor.places)
        read = (self._partition(each, place, begin, life, is_without_stock) for each, place in enumerate(places))
        return [stream for pair in await asyncio.gather(*read) for stream in pair]

    async def _partition(
        self, partition: int, place: Place | None, begin: str, life: str, is_without_stock: bool
    ) -> tuple[Stream, Stream]:
        keys = self._keys[partition]
        after = (begin, begin) if place is None else (str(place.journal.entry), str(place.events.entry))
        after = (NOW, after[1]) if is_without_stock else after
        reply = await self._client.fcall("allot_read_feed_v1", [keys.journal, keys.events], [*after, _ENTRIES, _BYTES])
        if any(is_gone for _, is_gone, _, _ in reply):
            raise _expired("Events after this cursor are no longer kept")
        stock, others = reply
        source = f"{life}{partition}"
        size = sum(len(packed) + len(cells) for *_, entries in reply for _, packed, cells in entries)
        is_large = size > _LARGE
        node_ids = await self._nodes(life, partition, await _run(is_large, _highest_slot, stock[3]))
        stock_entries, other_entries = await _run(is_large, _entries, stock[3], others[3], node_ids, source)
        journal = Reached(stock[0]) if place is None or is_without_stock else place.journal
        events = Reached(others[0]) if place is None else place.events
        return (
            Stream(entries=stock_entries, reached=journal, has_more=bool(stock[2])),
            Stream(entries=other_entries, reached=events, has_more=bool(others[2])),
        )

    async def _nodes(self, life: str, partition: int, highest_slot: int) -> Sequence[str]:
        """Return the node of each slot; slots are only ever added, but for a restore."""
        known = self._node_ids.get((life, partition), ())
        if highest_slot >= len(known):
            known = node_names(await self._client.call("HGETALL", self._keys[partition].slots))
            self._node_ids[life, partition] = known
        return known


def _highest_slot(stock: Sequence[Any]) -> int:
    return max((slot for _, packed, _ in stock for slot in slots_of(packed)), default=-1)


def _entries(
    stock: Sequence[Any], others: Sequence[Any], node_ids: Sequence[str], source: str
) -> tuple[list[FeedEntry], list[FeedEntry]]:
    return (
        [stock_entry(number, packed, cells, node_ids, f"{source}s") for number, packed, cells in stock],
        [other_entry(number, packed, f"{source}e") for number, packed, _ in others],
    )


async def _run(in_thread: bool, function: Any, *args: Any) -> Any:
    return await asyncio.to_thread(function, *args) if in_thread else function(*args)


def _expired(what: str) -> CursorExpired:
    return CursorExpired(
        f"{what}. Begin again: take `next` of GET /v1/events?after=now, read what you keep anew (GET /v1/inventory/…, "
        "GET /v1/orders/…), then read on from that cursor."
    )
