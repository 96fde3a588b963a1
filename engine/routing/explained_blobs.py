"""Where the blobs lie from which orders of past runs are explained: by name, each for a number of days.

Here: the port and its two forms. A blob is one value with its own time to live, so that nothing is left behind by a
process that dies between two calls.
"""

from __future__ import annotations

from typing import Protocol

from engine.clock import Clock
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

_DAY_SECONDS = 24 * 3600


class Blobs(Protocol):
    """Keeps blobs for some days."""

    @property
    def are_kept(self) -> bool:
        """Whether anything is kept at all."""
        ...

    async def put(self, name: str, body: bytes) -> None:
        """Keep a blob."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Return a blob, or None if it is not there any more."""
        ...


class RedisBlobs:
    """Blobs in Redis or Valkey."""

    def __init__(self, client: StoreClient, keys: Keys, days: int) -> None:
        self._client, self._keys, self._days = client, keys, days

    @property
    def are_kept(self) -> bool:
        """See `Blobs.are_kept`."""
        return self._days > 0

    async def put(self, name: str, body: bytes) -> None:
        """See `Blobs.put`."""
        await self._client.call("SET", self._keys.named("explained", name), body, "EX", self._days * _DAY_SECONDS)

    async def get(self, name: str) -> bytes | None:
        """See `Blobs.get`."""
        found = await self._client.call("GET", self._keys.named("explained", name))
        return None if found is None else bytes(found)


class MemoryBlobs:
    """Blobs in this process; for simulation and tests."""

    def __init__(self, clock: Clock, days: int) -> None:
        self._clock, self._days = clock, days
        self._kept: dict[str, tuple[float, bytes]] = {}

    @property
    def are_kept(self) -> bool:
        """See `Blobs.are_kept`."""
        return self._days > 0

    async def put(self, name: str, body: bytes) -> None:
        """See `Blobs.put`."""
        now = self._clock.now().timestamp()
        self._kept.pop(name, None)
        self._kept[name] = (now + self._days * _DAY_SECONDS, body)
        while (oldest := next(iter(self._kept))) and self._kept[oldest][0] <= now:
            del self._kept[oldest]

    async def get(self, name: str) -> bytes | None:
        """See `Blobs.get`."""
        until, body = self._kept.get(name, (0.0, b""))
        return body if until > self._clock.now().timestamp() else None
