"""The low-stock watch of a store in several partitions: one reader for the journal of each.

What is low, and the events of it, lie in partition 0 with the cursors of all readers, so that each step of a reader is
one call there, and events have one row of numbers: in the order in which they were noticed. Not here: the watch of one
journal (low_stock_watch.py), and where all that lies (redis_low_stock.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.inventory.low_stock import LowPosition, LowStockEvent
from engine.inventory.low_stock_watch import LowStockWatch


class PartitionedLowStockWatch(LowStockWatch):
    """Watches several journals; `watches` are one each, and keep what is low at the same place."""

    def __init__(self, watches: Sequence[LowStockWatch]) -> None:
        self._watches = watches

    async def low(self, *, limit: int, after: int = 0) -> tuple[list[LowPosition], bool]:
        """Return positions that are low in any partition, longest first; and whether there are more."""
        return await self._watches[0].low(limit=limit, after=after)

    async def events(self, *, limit: int, before: int | None = None) -> tuple[list[LowStockEvent], bool]:
        """Return events of all partitions, newest first; and whether there are more."""
        return await self._watches[0].events(limit=limit, before=before)

    async def step(self) -> bool:
        """Read on in every journal, also if one cannot be read; return whether there is more to do at once."""
        found = await asyncio.gather(*(watch.step() for watch in self._watches), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return any(found)
