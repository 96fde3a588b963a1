"""Releasing orders by themselves, so long after a run has decided: time in which customers may think again.

By looking through the orders that runs have decided on, by when they did; an order that waits for something else is
released by whoever lets it go on, or with its next decision. Not here: what releasing is (releasing.py).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from engine.clock import Clock
from engine.errors import IllegalState, NotFound
from engine.fulfillment.releasing import can_be_released
from engine.fulfillment.service import FulfillmentService
from engine.orders.store import OrderStore

PAGE, _AT_ONCE = 500, 32
_OLDEST = timedelta(days=14)
_LATE = timedelta(minutes=1)
"""By how much clocks of partitions may differ: orders of so long ago are looked at again."""
_AGAIN = timedelta(hours=1)
"""How often orders that were passed by, as of an order hold, are looked at again."""


class TimedReleases:
    """Releases the orders of a tenant, `minutes` after they were decided on; None leaves it to others."""

    def __init__(self, orders: OrderStore, fulfillment: FulfillmentService, clock: Clock, minutes: int | None) -> None:
        self._orders, self._fulfillment, self._clock, self._minutes = orders, fulfillment, clock, minutes
        self._looked_ms, self._whole_ms = 0.0, 0.0

    async def step(self) -> int:
        """Release what is due; return how many orders. To be done by one process at a time; no harm if two do."""
        if self._minutes is None:
            return 0
        now = self._clock.now()
        newest = (now - timedelta(minutes=self._minutes)).timestamp() * 1000
        now_ms = now.timestamp() * 1000
        if now_ms - self._whole_ms > _AGAIN.total_seconds() * 1000:
            self._whole_ms, self._looked_ms = now_ms, (now - _OLDEST).timestamp() * 1000
        at, found, has_more = self._looked_ms, 0, True
        while has_more and at < newest:
            page = await self._orders.allocated(PAGE, after_ms=at)
            has_more = len(page) >= PAGE
            due = [order_id for order_id, decided_ms in page if decided_ms <= newest]
            for start in range(0, len(due), _AT_ONCE):
                found += sum(await asyncio.gather(*map(self._release, due[start : start + _AT_ONCE])))
            at = page[-1][1] if page else at
        self._looked_ms = max(self._looked_ms, newest - _LATE.total_seconds() * 1000)
        return found

    async def _release(self, order_id: str) -> bool:
        with suppress(IllegalState, NotFound):  # somebody else has, or it was cancelled meanwhile
            if can_be_released(await self._orders.get(order_id)):
                await self._fulfillment.release(order_id)
                return True
        return False
