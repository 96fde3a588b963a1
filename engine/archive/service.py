"""The archive as a use case: orders that are over move to files, and are read, or put back, from there.

A file is written, and read again, before anything is taken out of the store; what the store then says is what counts.
A process that dies in between leaves a file of which nothing counts, or not all, and the next one tidies up. Not here:
which orders are over for how long (the index, engine/search).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from engine.archive.book import ArchiveBook
from engine.archive.files import ArchiveFolder
from engine.archive.model import Kept
from engine.clock import Clock
from engine.errors import Unavailable
from engine.orders.states import is_over
from engine.storage.leases import Leases, leased

log = logging.getLogger("allot.archive")

OverSince = Callable[[datetime, int], Awaitable[Sequence[str]]]
"""Returns ids of orders that are over and were last changed before an instant, at most so many."""
_LEASE, _LEASE_SECONDS = "archive", 60.0
_ORDERS_OF_A_FILE = 5000
_READ_AT_ONCE = 100


class Archive:
    """The archive of one tenant."""

    def __init__(self, book: ArchiveBook, folder: ArchiveFolder, over: OverSince, leases: Leases, clock: Clock) -> None:
        self._book, self._folder, self._over = book, folder, over
        self._leases, self._clock = leases, clock
        self._owner = secrets.token_hex(8)

    async def step(self, days: float, most: int = _ORDERS_OF_A_FILE) -> int:
        """Archive orders that have been over for so many days, at most a file of them; return how many.

        0 too where another process does it.
        """
        async with leased(self._leases, _LEASE, self._owner, _LEASE_SECONDS) as is_mine:
            if not is_mine:
                return 0
            before = self._clock.now() - timedelta(days=days)
            orders = await self._over_since(before, most)
            if not orders and not await asyncio.to_thread(self._folder.open_numbers):
                return 0
            numbers = await asyncio.to_thread(self._folder.numbers)
            number = await self._book.begin(max(numbers, default=0))
            await self.tidy(number)
            return await self._move(number, orders) if orders else 0

    async def tidy(self, below: int) -> None:
        """Close what other processes have left open, files below a number; remove those of which nothing counts."""
        for number in await asyncio.to_thread(self._folder.open_numbers):
            if number >= below:
                continue
            found = await self._book.numbers(await asyncio.to_thread(self._folder.ids, number))
            await asyncio.to_thread(self._folder.close if number in found else self._folder.remove, number)

    async def find(self, order_ids: Sequence[str]) -> dict[str, Kept]:
        """Return those of some orders that are archived; raises Unavailable if the file of one is missing."""
        by_number: dict[int, list[str]] = {}
        for order_id, number in zip(order_ids, await self._book.numbers(order_ids), strict=True):
            if number is not None:
                by_number.setdefault(number, []).append(order_id)
        found: dict[str, Kept] = {}
        for number, names in by_number.items():
            found |= await self._read(number, names)
        return found

    async def put_back(self, order_id: str) -> bool:
        """Put an order back into the store, so that it can be changed; False if it is not archived."""
        (number,) = await self._book.numbers([order_id])
        if number is None:
            return False
        await self._book.put_back(number, (await self._read(number, [order_id]))[order_id])
        return True

    async def rewrite(self, changed: Mapping[str, Callable[[Kept], Kept]]) -> set[str]:
        """Change archived orders where they lie, their files written anew; return which of the ids are archived.

        Raises Unavailable while another process archives.
        """
        numbers = await self._book.numbers(list(changed))
        by_number: dict[int, list[str]] = {}
        for order_id, number in zip(changed, numbers, strict=True):
            if number is not None:
                by_number.setdefault(number, []).append(order_id)
        if not by_number:
            return set()
        async with leased(self._leases, _LEASE, self._owner, _LEASE_SECONDS) as is_mine:
            if not is_mine:
                raise Unavailable("The archive is being written by another process. Try again.")
            for number, names in by_number.items():
                found = await self._read(number, names)
                kept = {name: changed[name](each) for name, each in found.items()}
                await asyncio.to_thread(self._folder.rewrite, number, kept)
        return {name for names in by_number.values() for name in names}

    async def every(self) -> AsyncIterator[list[Kept]]:
        """Yield all archived orders, some at a time."""
        for number in await asyncio.to_thread(self._folder.numbers):
            for some in await asyncio.to_thread(_listed, self._folder, number):
                numbers = await self._book.numbers([each.order_id for each in some])
                yield [each for each, found in zip(some, numbers, strict=True) if found == number]

    async def _over_since(self, before: datetime, most: int) -> list[Kept]:
        """Read orders that are over since then; what the index says of them may have changed."""
        named = await self._over(before, most)
        orders: list[Kept] = []
        for start in range(0, len(named), _READ_AT_ONCE):
            found = await self._book.read(named[start : start + _READ_AT_ONCE])
            orders += [kept for kept in found if kept.changed_at < before and is_over(kept.order)]
        return orders

    async def _move(self, number: int, orders: Sequence[Kept]) -> int:
        await asyncio.to_thread(self._folder.write, number, orders)
        verdicts = await self._book.remove(number, orders)
        count = sum(verdict == "archived" for verdict in verdicts.values())
        await asyncio.to_thread(self._folder.close if count else self._folder.remove, number)
        log.info("archived %d orders in file %d; %d stay", count, number, len(orders) - count)
        return count

    async def _read(self, number: int, order_ids: Sequence[str]) -> dict[str, Kept]:
        try:
            found = await asyncio.to_thread(self._folder.read, number, order_ids)
        except FileNotFoundError as error:
            raise Unavailable(
                f"File {number} of the archive is not in {self._folder.path}. Put it back from its backup."
            ) from error
        missing = sorted(set(order_ids) - set(found))
        if missing:
            raise Unavailable(f"File {number} of the archive lacks order {missing[0]}. Put it back from its backup.")
        return found


def _listed(folder: ArchiveFolder, number: int) -> list[list[Kept]]:
    return list(folder.every(number))
