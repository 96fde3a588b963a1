"""Which shipment, or return, a tracking number is of; kept for half a year, which is longer than any parcel travels.

It is written before the number is told to anybody, so that what a carrier says of it finds its parcel. Not here:
what becomes of it then (carrying.py, engine/returns/travelling.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.storage.client import StoreClient
from engine.storage.keys import Keys

KEPT_SECONDS = 183 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """The shipment, or return, that a number is of, and its carton; blank if the number is that of all its cartons."""

    subject: str
    carton_id: str = ""


class Tracking(Protocol):
    """Finds shipments and returns by tracking numbers."""

    async def put(self, number: str, tracked: Tracked) -> None:
        """Keep what a number is of."""
        ...

    async def find(self, number: str) -> Tracked | None:
        """Return what a number is of; None if nobody has said, or it is long ago."""
        ...


class MemoryTracking:
    """Tracking numbers of one process, gone with it."""

    def __init__(self) -> None:
        self._known: dict[str, Tracked] = {}

    async def put(self, number: str, tracked: Tracked) -> None:
        """Keep what a number is of."""
        self._known[number] = tracked

    async def find(self, number: str) -> Tracked | None:
        """Return what a number is of."""
        return self._known.get(number)


class RedisTracking:
    """Tracking numbers in the store: tracking:<number> is "<shipment or return id>\\n<carton id>"."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def put(self, number: str, tracked: Tracked) -> None:
        """Keep what a number is of."""
        text = f"{tracked.subject}\n{tracked.carton_id}"
        await self._client.call("SET", self._keys.named("tracking", number), text, "EX", KEPT_SECONDS)

    async def find(self, number: str) -> Tracked | None:
        """Return what a number is of."""
        found = await self._client.call("GET", self._keys.named("tracking", number))
        if found is None:
            return None
        subject, carton_id = found.decode().split("\n")
        return Tracked(subject=subject, carton_id=carton_id)
