"""Where promises are kept for their life, so that a reservation can name one.

A promise holds nothing: losing one costs a new request and no more. So `keep` does not wait. In the store every write
is synced to disk before anything else is answered; promises made within a few milliseconds are written together.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Protocol

from engine.clock import Clock
from engine.errors import AllotError
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

log = logging.getLogger("allot.promising")

_GATHER_SECONDS = 0.005


class PromiseStore(Protocol):
    """Keeps bytes by promise id until they expire."""

    def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
        """Begin to keep a promise; it may still be on its way to the store when this returns."""
        ...

    async def find(self, promise_id: str) -> bytes | None:
        """Return a promise that is kept, or None; raises Unavailable."""
        ...

    async def settle(self) -> None:
        """Wait until what is on its way has arrived, or failed."""
        ...


class MemoryPromiseStore:
    """The promises of one process; expires by the injected clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, bytes]] = {}

    def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
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

    async def settle(self) -> None:
        """Nothing is ever on its way."""


class RedisPromiseStore:
    """Promises in the store, one key each, expired by the store; those not yet written are found in this process."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._waiting: dict[str, tuple[bytes, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writes: dict[asyncio.Task[None], dict[str, tuple[bytes, int]]] = {}

    def keep(self, promise_id: str, body: bytes, ttl_seconds: int) -> None:
        """Have a promise written with the next ones; a failure is logged, and reservations will not know it."""
        self._waiting[promise_id] = (body, ttl_seconds * 1000)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_SECONDS, self._send)

    async def find(self, promise_id: str) -> bytes | None:
        """Return a promise that has not expired, or None.

        An unknown one is asked for twice, since another process may be about to write it.
        """
        for batch in (self._waiting, *self._writes.values()):
            if promise_id in batch:
                return batch[promise_id][0]
        return await self._get(promise_id) or await self._get_later(promise_id)

    async def settle(self) -> None:
        """Write what is waiting, and wait until it has arrived, or failed."""
        if self._timer is not None:
            self._timer.cancel()
            self._send()
        if self._writes:
            await asyncio.gather(*self._writes)

    async def _get(self, promise_id: str) -> bytes | None:
        found: bytes | None = await self._client.call("GET", self._keys.named("promise", promise_id))
        return found

    async def _get_later(self, promise_id: str) -> bytes | None:
        await asyncio.sleep(2 * _GATHER_SECONDS)
        return await self._get(promise_id)

    def _send(self) -> None:
        batch, self._waiting, self._timer = self._waiting, {}, None
        write = asyncio.get_running_loop().create_task(self._write(batch))
        self._writes[write] = batch
        write.add_done_callback(self._writes.pop)

    async def _write(self, batch: dict[str, tuple[bytes, int]]) -> None:
        named = self._keys.named
        try:
            await self._client.pipeline(
                [("SET", named("promise", key), body, "PX", life) for key, (body, life) in batch.items()]
            )
        except AllotError as error:
            log.warning("%d promises are not kept: %s", len(batch), error)
