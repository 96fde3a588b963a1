"""All orders that may be under way, a page at a time: what a watch begins with that knows of none.

They are those that a run has decided on, from the oldest that is looked at on, those that are open, and those with
alerts. Not here: what happens to orders from then on (news.py).
"""

from __future__ import annotations

from datetime import datetime

from engine.exceptions.index import AlertIndex
from engine.orders.store import OrderStore

_OLDEST_MS = 90 * 86_400_000.0
"""Of what was decided longer ago only orders with alerts are looked at."""


class EveryOrder:
    """Goes through them once; some come more than once."""

    def __init__(self, orders: OrderStore, index: AlertIndex, now: datetime) -> None:
        self._orders, self._index = orders, index
        self._decided_ms, self._number = max(0.0, now.timestamp() * 1000 - _OLDEST_MS), 0.0
        self._alarmed: list[str] | None = None
        self._has_decided, self._has_open = True, True

    async def page(self, limit: int) -> list[str]:
        """Return about `limit` more, none at the end."""
        if self._has_decided:
            found = await self._orders.allocated(limit, after_ms=self._decided_ms)
            if found:
                self._decided_ms = found[-1][1]
                return [order_id for order_id, _ in found]
            self._has_decided = False
        if self._has_open:
            found = await self._orders.open_ids(limit, after=self._number)
            if found:
                self._number = found[-1][1]
                return [order_id for order_id, _ in found]
            self._has_open = False
        if self._alarmed is None:
            self._alarmed = await self._index.orders()
        page, self._alarmed = self._alarmed[:limit], self._alarmed[limit:]
        return page
