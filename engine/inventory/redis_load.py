"""The load book in the store; the rules are in lua/load/load.lua."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from engine.inventory.load import Use
from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("load", 1, [files("engine.inventory") / "lua" / "load" / "load.lua"])

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Use]).decode


class RedisLoadBook:
    """A `LoadBook` in one partition; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._key = keys.named("load_uses")

    async def put(
        self, reservation_id: str, uses: Sequence[Use], *, deadline_ms: int = 0, has_left: bool = False
    ) -> None:
        """Write the uses of a reservation in place of those before."""
        packed = _pack([tuple(use) for use in uses])
        await self._client.fcall("allot_put_load_v1", [self._key], [reservation_id, deadline_ms, int(has_left), packed])

    async def read(self, first_day: int, days: int) -> Sequence[Use]:
        """Return what is used on some days."""
        return _unpack(await self._client.fcall("allot_read_load_v1", [self._key], [first_day, days]))

    async def oldest(self, limit: int, seconds: float) -> Sequence[str]:
        """Return reservations that were put longest ago."""
        found = await self._client.fcall("allot_oldest_load_v1", [self._key], [limit, round(seconds * 1000)])
        return [reservation_id.decode() for reservation_id in found]
