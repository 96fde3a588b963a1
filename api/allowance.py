"""What one caller may still send, as far as this process has taken it from the store ahead of need.

A request spends one of the tokens at hand. When half of them are gone, more are taken behind the requests, twice as
many as were spent since, up to what the limit allows in a twentieth of a second; so a process never has more at hand
than it allows in a tenth. They lapse after LAPSE_SECONDS without a request. Only the first request after a pause waits
for the store. Not here: the buckets (engine/access/buckets.py).
"""

from __future__ import annotations

import asyncio
from math import ceil
from time import monotonic

from api.errors import TooManyRequests
from engine.access.buckets import Buckets

BURST_SECONDS = 2
"""A bucket holds what its limit allows in so many seconds."""
LAPSE_SECONDS = 1.0
FEWEST = 4
SHARE = 20


class Allowance:
    """The tokens at hand of one holder; `credit`, `until` and `low` are read by api/door.py on every request."""

    __slots__ = (
        "_asked",
        "_buckets",
        "_holder",
        "_left",
        "_most",
        "_per_second",
        "_refused_until",
        "_taking",
        "_waiting",
        "credit",
        "low",
        "policy",
        "until",
    )

    def __init__(self, buckets: Buckets, holder: str, per_second: int) -> None:
        """Allow so many requests a second, and of those not used up to BURST_SECONDS' worth at once."""
        self._buckets, self._holder, self._per_second = buckets, holder, per_second
        self._most = per_second * BURST_SECONDS
        self._left, self._asked, self._refused_until, self._waiting = self._most, 0, 0.0, 0
        self._taking: asyncio.Task[None] | None = None
        self.credit, self.low, self.until = 0, -1, 0.0
        self.policy = (b"ratelimit-policy", b'"key";q=%d;w=%d' % (self._most, BURST_SECONDS))

    @property
    def per_second(self) -> int:
        """Return the limit."""
        return self._per_second

    def header(self) -> tuple[bytes, bytes]:
        """Return the `RateLimit` header: what is left, and in how many seconds all of it is there again."""
        left = self._left + (self.credit if self.credit > 0 else 0)
        return b"ratelimit", b'"key";r=%d;t=%d' % (left, (self._most - left) // self._per_second + 1)

    async def spend(self) -> None:
        """Spend one token, waiting for the store if none is at hand; raises TooManyRequests, Unavailable."""
        while True:  # others may spend what we waited for
            now = monotonic()
            if self.credit > 0 and now < self.until:
                self.credit -= 1
                if self.credit == self.low:
                    self.take_more()
                return
            if now < self._refused_until:
                raise TooManyRequests(self._per_second, max(1, ceil(self._refused_until - now)))
            self._waiting += 1
            try:
                await asyncio.shield(self.take_more())
            finally:
                self._waiting -= 1

    def take_more(self) -> asyncio.Task[None]:
        """Take more from the store, behind the requests."""
        if self._taking is None or self._taking.done():
            self._taking = asyncio.get_running_loop().create_task(self._take())
            self._taking.add_done_callback(_retrieve)
        return self._taking

    async def _take(self) -> None:
        now = monotonic()
        is_idle = now >= self.until
        spent = 0 if is_idle else self._asked - self.credit
        if is_idle:
            self.credit = 0
        wanted = min(max(FEWEST, 2 * spent, self._waiting), max(1, self._per_second // SHARE))
        taken = await self._buckets.take(self._holder, self._per_second, self._most, wanted)
        now = monotonic()
        self._left = taken.left
        if taken.granted:
            self.credit = taken.granted + (self.credit if now < self.until else 0)
            self._asked, self.until = self.credit, now + LAPSE_SECONDS
            self.low = self.credit // 2
        else:
            self._refused_until = now + taken.wait_seconds
            self.low = -1


def _retrieve(taking: asyncio.Task[None]) -> None:
    """Mark a failure as seen: a request that needed it raises it too."""
    if not taking.cancelled():
        taking.exception()
