"""Where promises are kept for their life, so that a reservation can name one.

A promise holds nothing, so losing one costs a new request and no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from engine.clock import Clock
from engine.storage.client import StoreClient
from engine.storage.keys import Keys


class PromiseStore(Protocol):
    """Keeps bytes by promise id until they expire."""

    async def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
        """Keep a promise; raises Unavailable."""
        ...

    async def find(self, promise_id: str) -> bytes | None:
        """Return a promise that is kept, or None; raises Unavailable."""
        ...


class MemoryPromiseStore:
    """The promises of one process; expires by the injected clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, bytes]] = {}

    async def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
        """Keep a promise, and forget those at the front that have expired."""
        now = self._clock.now()
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest][0] > now:
                break
            del self._kept[oldest]
        self._kept[promise_id] = (now + timedelta(seconds=ttl_seconds), body)

    async def find(self, promise_id: str) -> bytes | None:
        """Return a promise that has not expired, or None."""
        expires_at, body = self._kept.get(promise_id, (self._clock.now(), None))
        return body if self._clock.now() < expires_at else None


class RedisPromiseStore:
    """Promises in the store, one key each, expired by the store."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
        """Keep a promise."""
        await self._client.call("SET", self._keys.named("promise", promise_id), body, "PX", ttl_seconds * 1000)

    async def find(self, promise_id: str) -> bytes | None:
        """Return a promise that has not expired, or None."""
        found: bytes | None = await self._client.call("GET", self._keys.named("promise", promise_id))
        return found
