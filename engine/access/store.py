"""Where API keys are kept: in a key space of their own, beside those of all tenants, since a key says whose it is.

Every change bumps one `epoch` in the same step, so that each process knows by one cheap call whether what it has looked
up still holds. Not here: what a key allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Protocol

from engine.access.model import ApiKey, decoded, encoded
from engine.storage.client import StoreClient
from engine.storage.functions import library

LIBRARY = library("access", 1, [files("engine.access") / "lua" / "access.lua"], revision=2)
KEYS = "{access}:keys"
EPOCH = "{access}:epoch"


class KeyStore(Protocol):
    """Keeps API keys by their id."""

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, or None if there is none of that id."""
        ...

    async def all(self) -> list[ApiKey]:
        """Return every key, the oldest first."""
        ...

    async def change(self, before: ApiKey | None, after: ApiKey) -> bool:
        """Put `after` in the place of `before` (None: of nothing) and bump the epoch; False if that is not there."""
        ...

    async def remove(self, key_ids: list[str]) -> None:
        """Forget keys, and bump the epoch."""
        ...

    async def epoch(self) -> int:
        """Return the number of changes so far."""
        ...


class MemoryKeyStore:
    """The keys of one process, gone with it."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._epoch = 0

    async def get(self, key_id: str) -> ApiKey | None:
        """See `KeyStore.get`."""
        return self._keys.get(key_id)

    async def all(self) -> list[ApiKey]:
        """See `KeyStore.all`."""
        return _in_order(self._keys.values())

    async def change(self, before: ApiKey | None, after: ApiKey) -> bool:
        """See `KeyStore.change`."""
        if self._keys.get(after.key_id) != before:
            return False
        self._keys[after.key_id] = after
        self._epoch += 1
        return True

    async def remove(self, key_ids: list[str]) -> None:
        """See `KeyStore.remove`."""
        for key_id in key_ids:
            self._keys.pop(key_id, None)
        self._epoch += 1

    async def epoch(self) -> int:
        """See `KeyStore.epoch`."""
        return self._epoch


class RedisKeyStore:
    """Keys in the store; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def get(self, key_id: str) -> ApiKey | None:
        """See `KeyStore.get`."""
        body = await self._client.call("HGET", KEYS, key_id)
        return None if body is None else decoded(body)

    async def all(self) -> list[ApiKey]:
        """See `KeyStore.all`."""
        return _in_order(map(decoded, await self._client.call("HVALS", KEYS)))

    async def change(self, before: ApiKey | None, after: ApiKey) -> bool:
        """See `KeyStore.change`."""
        was = b"" if before is None else encoded(before)
        return bool(await self._client.fcall("allot_change_key_v1", [KEYS, EPOCH], [after.key_id, was, encoded(after)]))

    async def remove(self, key_ids: list[str]) -> None:
        """See `KeyStore.remove`."""
        await self._client.fcall("allot_remove_keys_v1", [KEYS, EPOCH], key_ids)

    async def epoch(self) -> int:
        """See `KeyStore.epoch`."""
        return int(await self._client.call("GET", EPOCH) or 0)


def _in_order(keys: Iterable[ApiKey]) -> list[ApiKey]:
    return sorted(keys, key=lambda key: (key.created_at, key.key_id))
