"""The last orders of each buyer, by keyed digests: nobody with the store's files tries addresses out on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.customers.sealing import keyed_digest
from engine.orders.checking.model import RecentOrders
from engine.orders.checking.recent import Noted, RecentBook


class KeyedRecentBook:
    """A `RecentBook` in front of another one, which sees digests under a key of the tenant only."""

    def __init__(self, book: RecentBook, root: Callable[[], Awaitable[bytes]]) -> None:
        self._book, self._root = book, root

    async def note(self, noted: Noted) -> RecentOrders:
        """See `RecentBook.note`."""
        root = await self._root()
        common = {(by, keyed_digest(root, by, digest.encode())): back for (by, digest), back in noted.common.items()}
        return await self._book.note(replace(noted, common=common))
