"""Leases: of several servers that would do the same work on a cadence, one does it, for as long as it lives.

A lease runs out by itself if who has it dies. It is no lock: who is held up for longer than it lasts goes on without,
so what is done under it must do no harm if it is done twice. Not here: the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Protocol

from engine.errors import AllotError
from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("leases", 1, [files("engine.storage") / "lua" / "leases.lua"])


class Leases(Protocol):
    """Keeps who has which lease."""

    async def take(self, name: str, owner: str, seconds: float) -> bool:
        """Take a lease, or renew one's own; False if somebody else has it."""
        ...

    async def release(self, name: str, owner: str) -> None:
        """Give a lease back; nothing if it is somebody else's."""
        ...


class RedisLeases:
    """Leases in the store; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def take(self, name: str, owner: str, seconds: float) -> bool:
        """See `Leases.take`."""
        key = self._keys.named("lease", name)
        return bool(await self._client.fcall("allot_take_lease_v1", [key], [owner, round(seconds * 1000)]))

    async def release(self, name: str, owner: str) -> None:
        """See `Leases.release`."""
        await self._client.fcall("allot_release_lease_v1", [self._keys.named("lease", name)], [owner])


class MemoryLeases:
    """Leases within one process, for tests and the simulator; `seconds` is the time of now, from any start."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._taken: dict[str, tuple[str, float]] = {}

    async def take(self, name: str, owner: str, seconds: float) -> bool:
        """See `Leases.take`."""
        now = self._seconds()
        who, until = self._taken.get(name, (owner, now))
        if who != owner and until > now:
            return False
        self._taken[name] = owner, now + seconds
        return True

    async def release(self, name: str, owner: str) -> None:
        """See `Leases.release`."""
        if self._taken.get(name, ("", 0.0))[0] == owner:
            del self._taken[name]


@asynccontextmanager
async def leased(leases: Leases, name: str, owner: str, seconds: float) -> AsyncIterator[bool]:
    """Hold a lease, renewed three times in its life; yields whether it was to be had."""
    if not await leases.take(name, owner, seconds):
        yield False
        return
    renewing = asyncio.create_task(_renew(leases, name, owner, seconds))
    try:
        yield True
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        with suppress(AllotError):  # then it runs out by itself
            await leases.release(name, owner)


async def _renew(leases: Leases, name: str, owner: str, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds / 3)
        with suppress(AllotError):
            await leases.take(name, owner, seconds)
