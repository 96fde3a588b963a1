"""The bid prices that a server goes on with while newer ones are read beside its requests.

There may be millions, which take seconds to read, and requests do not wait for them. Here: the last that are known, and
for how long they still count. Not here: keeping and reading them (service.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from msgspec import MsgspecError

from engine.bidding.document import BidPrices
from engine.bidding.service import BidPriceService
from engine.errors import AllotError

log = logging.getLogger("allot.bid_prices")

RETRY_SECONDS = 1.0
MOST_STALE_SECONDS = 60.0
"""If what was published cannot be read for so long, what was known before does not count any more."""


class KnownPrices:
    """Reads what is published in a task of its own, and calls `changed` when that is done."""

    def __init__(
        self,
        service: BidPriceService,
        changed: Callable[[], None],
        *,
        retry_seconds: float = RETRY_SECONDS,
        most_stale_seconds: float = MOST_STALE_SECONDS,
        time: Callable[[], float] = monotonic,
    ) -> None:
        self._service, self._changed, self._time = service, changed, time
        self._retry_seconds, self._most_stale_seconds = retry_seconds, most_stale_seconds
        self._is_stale = False
        self._wanted = self._read = -1
        self._reading: asyncio.Task[None] | None = None

    @property
    def latest(self) -> BidPrices | None:
        """The prices to go on with; None if there are none, or none that are young enough."""
        return None if self._is_stale else self._service.latest

    def follow(self, epoch: int) -> None:
        """Have the prices of an epoch read, if that is not being done; returns at once."""
        self._wanted = max(epoch, self._wanted)
        if self._read < self._wanted and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._follow(), name="reading bid prices")

    async def settle(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None and not self._reading.done():
            await self._reading

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _follow(self) -> None:
        since = self._time()
        while self._read < self._wanted:
            epoch = self._wanted
            try:
                await self._service.find(epoch)
            except (AllotError, MsgspecError, ValueError) as error:
                if self._time() - since >= self._most_stale_seconds and not self._is_stale:
                    log.warning("bid prices are left out, as those published cannot be read: %s", error)
                    self._is_stale = True
                    self._changed()
                await asyncio.sleep(self._retry_seconds)
                continue
            self._read, self._is_stale = epoch, False
            since = self._time()
            self._changed()
