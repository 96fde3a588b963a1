"""All orders of the store, from the first to the last, and the key of the tenant: what an index is made of.

Not here: reading what is in them (engine/orders).
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from importlib.resources import files

from engine.search.terms import KEY_BYTES, Terms
from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("search", 1, [files("engine.search") / "lua" / "scan.lua"])
_KEYS_AT_ONCE = 1000


class EveryOrder:
    """Lists the orders of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, tenant: str, partitions: int) -> None:
        self._client = client
        self._keys = [Keys(tenant, each) for each in range(partitions)]
        self._terms: Terms | None = None

    async def ids(self) -> AsyncIterator[list[str]]:
        """Yield the ids of all orders, some more than once; those captured meanwhile may be among them."""
        for keys in self._keys:
            cursor = "0"
            while True:
                reply = await self._client.fcall("allot_scan_orders_v1", [keys.open_orders], [cursor, _KEYS_AT_ONCE])
                if reply[1]:
                    yield [found.decode() for found in reply[1]]
                cursor = reply[0].decode()
                if cursor == "0":
                    break

    async def terms(self) -> Terms:
        """Return what makes terms, under the tenant's key; it is made when there is none yet."""
        if self._terms is None:
            name = self._keys[0].named("search_key")
            await self._client.call("SET", name, secrets.token_hex(KEY_BYTES), "NX")
            self._terms = Terms(bytes.fromhex(bytes(await self._client.call("GET", name)).decode()))
        return self._terms
