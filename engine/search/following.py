"""Keeping the index in line with the store: it reads on in the feed, and writes down every order that has changed.

What was read is noted with what was written, so a process that dies leaves nothing out. An index that is lost, of
another version, or too far behind the feed is made again from all orders, beside the one in use. Not here: what is kept
of an order (entries.py), and of which process it is the work (files.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.archive.model import Kept
from engine.archive.service import Archive
from engine.clock import Clock
from engine.errors import CursorExpired, NotFound
from engine.feed.model import ARCHIVED, RESTORED, CustomerData, Event, OrderData, Wanted, wanted
from engine.feed.service import NOW, EventFeed
from engine.orders.model import HistoryEntry, Order
from engine.search.contacts import Contact, ContactOf
from engine.search.entries import entry_of
from engine.search.every_order import EveryOrder
from engine.search.files import IndexFolder
from engine.search.index import VERSION, IndexWriter
from engine.search.terms import Kind, Terms

log = logging.getLogger("allot.search")

_AT_ONCE, _PATIENCE_SECONDS = 200, 5.0
_CURSOR, _VERSION = "cursor", "version"
"""What is noted in the index."""


class Orders(Protocol):
    """What reads orders of the store."""

    async def get(self, order_id: str) -> Order:
        """Return an order; raises NotFound."""
        ...

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return its steps; raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """An order, its customer, and when it was changed."""

    order: Order
    contact: Contact
    at: datetime
    is_archived: bool = False


class IndexFollower:
    """Keeps the index of one tenant, if no other process does."""

    def __init__(
        self,
        folder: IndexFolder,
        feed: EventFeed,
        orders: Orders,
        every: EveryOrder,
        archive: Archive,
        contact_of: ContactOf,
        clock: Clock,
    ) -> None:
        self.folder, self._feed, self._orders, self._every = folder, feed, orders, every
        self._archive, self._contact_of, self._clock = archive, contact_of, clock
        self._wanted: Wanted = wanted(["order.*", "customer.erased"], "types")
        self._writer: IndexWriter | None = None
        self._cursor = ""

    async def step(self) -> bool:
        """Take what has happened into the index, if it is ours to write; return whether there is more at once."""
        if not self.folder.take():
            return False
        terms = await self._every.terms()
        writer = await self._opened(terms)
        asked_at = self._clock.now()
        try:
            page = await self._feed.page(self._cursor, limit=_AT_ONCE, wanted=self._wanted, is_without_stock=True)
        except CursorExpired:
            await self._make(terms)
            return True
        events = {event.data.order_id: event for event in page.events if isinstance(event.data, OrderData)}
        for event in page.events:
            if isinstance(event.data, CustomerData):
                await asyncio.to_thread(writer.forget, terms.of(Kind.CUSTOMER, event.data.customer_id))
        if events:
            await self._write(writer, terms, await self._of_events(events), page.next_cursor)
        self._cursor = page.next_cursor
        if not page.has_more:
            self.folder.caught_up(asked_at)
        return page.has_more

    async def catch_up(self) -> None:
        """Take all that has happened until now into the index, or wait for who does it, a few seconds at most."""
        began, ends = self._clock.now(), time.monotonic() + _PATIENCE_SECONDS
        while await self.step() or (self.folder.as_of() < began and time.monotonic() < ends):
            if not self.folder.take():
                await asyncio.sleep(_PATIENCE_SECONDS / 50)

    def stop(self) -> None:
        """Let another process do it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.folder.release()

    async def _opened(self, terms: Terms) -> IndexWriter:
        if self._writer is None:
            path = self.folder.current()
            writer = None if path is None else IndexWriter(path)
            if writer is None or writer.meta(_VERSION) != str(VERSION):
                if writer is not None:
                    writer.close()
                return await self._make(terms)
            self._writer, self._cursor = writer, writer.meta(_CURSOR) or ""
        return self._writer

    async def _make(self, terms: Terms) -> IndexWriter:
        """Make the index from all orders, and use it from then on."""
        began, count = time.monotonic(), 0
        cursor = (await self._feed.page(NOW, limit=1, wanted=self._wanted)).next_cursor
        path = self.folder.begin()
        writer = IndexWriter(path, is_new=True)
        async for found in self._every.ids():
            for start in range(0, len(found), _AT_ONCE):
                some = found[start : start + _AT_ONCE]
                changed = await self._read(dict.fromkeys(some))
                await self._write(writer, terms, changed, cursor)
                count += len(changed)
        async for orders in self._archive.every():
            await self._write(writer, terms, await self._of_archive(orders), cursor)
            count += len(orders)
        await asyncio.to_thread(writer.finish, **{_CURSOR: cursor, _VERSION: str(VERSION)})
        if self._writer is not None:
            self._writer.close()
        self.folder.use(path)
        self._writer, self._cursor = IndexWriter(path), cursor
        log.info("made the index of %d orders in %.1f s", count, time.monotonic() - began)
        return self._writer

    async def _of_events(self, events: Mapping[str, Event]) -> list[_Changed]:
        """Read the orders that events are of, each by the last."""
        gone = [order_id for order_id, event in events.items() if event.type == ARCHIVED]
        times: dict[str, datetime | None] = {
            order_id: None if event.type == RESTORED else event.time
            for order_id, event in events.items()
            if event.type != ARCHIVED
        }
        return [*await self._read(times), *await self._of_archive((await self._archive.find(gone)).values())]

    async def _of_archive(self, orders: Iterable[Kept]) -> list[_Changed]:
        """Return archived orders as they are there."""
        found = [(kept.order, kept.changed_at) for kept in orders]
        return [
            _Changed(order=order, contact=await self._contact_of(order), at=at, is_archived=True) for order, at in found
        ]

    async def _read(self, times: Mapping[str, datetime | None]) -> list[_Changed]:
        """Read orders that have changed; those that are not there any more are left out."""
        found = await asyncio.gather(*(self._read_one(order_id, at) for order_id, at in times.items()))
        return [each for each in found if each is not None]

    async def _read_one(self, order_id: str, at: datetime | None) -> _Changed | None:
        try:
            order = await self._orders.get(order_id)
            if at is None:
                at = (await self._orders.history(order_id))[-1].at
        except NotFound:
            return None
        return _Changed(order=order, contact=await self._contact_of(order), at=at)

    async def _write(self, writer: IndexWriter, terms: Terms, changed: Sequence[_Changed], cursor: str) -> None:
        await asyncio.to_thread(_apply, writer, terms, changed, cursor)


def _apply(writer: IndexWriter, terms: Terms, changed: Sequence[_Changed], cursor: str) -> None:
    entries = [entry_of(each.order, each.contact, each.at, terms, is_archived=each.is_archived) for each in changed]
    writer.apply(entries, **{_CURSOR: cursor})
