"""The CustomerStore on Redis or Valkey: every change is one call of a function of lua/customers.lua."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from engine.customers.store import CustomersMoved, KeptCustomer, is_at_another, was_erased
from engine.errors import StoreReplyError
from engine.events.actor import actor
from engine.inventory.model import Outcome, Replay
from engine.inventory.redis_records import call_once
from engine.storage.client import Part, StoreClient
from engine.storage.cluster import ClusterClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys

LIBRARY = library("customers", 1, [REPLAY, files("engine.customers") / "lua" / "customers.lua"])


class RedisCustomerStore:
    """The customers of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys, self._all = client, keys, keys.named("customer_keys")

    async def root(self, fresh: bytes) -> bytes:
        """See `CustomerStore.root`."""
        return bytes(await self._client.fcall("allot_claim_customer_v1", [self._all], ["", fresh, "", 0]))

    async def claim(
        self, customer_id: str, fresh: bytes, *, order_id: str = "", at_ms: int = 0, terms: Sequence[str] = ()
    ) -> bytes:
        """See `CustomerStore.claim`."""
        args: list[Part] = [customer_id, fresh, order_id, at_ms, *terms]
        found = await self._client.fcall("allot_claim_customer_v1", [self._all], args)
        if found is None:
            raise was_erased(customer_id)
        return bytes(found)

    async def put(
        self, customer_id: str, sealed: bytes, *, at_ms: int, terms: Sequence[str], expected_version: int | None = None
    ) -> int:
        """See `CustomerStore.put`."""
        expected = "" if expected_version is None else expected_version
        args = [customer_id, sealed, at_ms, expected, actor(), *terms]
        found = int(await self._client.fcall("allot_put_customer_v1", [self._all], args))
        if found == 0:
            raise was_erased(customer_id)
        if found < 0:
            raise is_at_another(customer_id, -1 - found, expected_version or 0)
        return found

    async def get(self, customer_id: str) -> KeptCustomer | None:
        """See `CustomerStore.get`."""
        names = ("sealed", "version", "changed", "erased")
        key, fields = await self._client.pipeline(
            [("HGET", self._all, customer_id), ("HMGET", self._keys.named("customer", customer_id), *names)]
        )
        if key is None and all(each is None for each in fields):
            return None
        sealed, version, changed, erased = fields
        return KeptCustomer(
            key=None if key is None else bytes(key),
            sealed=bytes(sealed or b""),
            version=int(version or 0),
            changed_ms=int(changed or 0),
            erased_ms=int(erased or 0),
        )

    async def keys(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """See `CustomerStore.keys`."""
        if not customer_ids:
            return []
        found = await self._client.call("HMGET", self._all, *customer_ids)
        return [None if each is None else bytes(each) for each in found]

    async def find(self, term: str) -> list[str]:
        """See `CustomerStore.find`."""
        found = await self._client.call("SMEMBERS", self._keys.named("customer_index", term))
        return sorted(each.decode() for each in found)

    async def orders(self, customer_id: str) -> list[str]:
        """See `CustomerStore.orders`."""
        found = await self._client.call("ZRANGE", self._keys.named("customer_orders", customer_id), 0, -1)
        return [each.decode() for each in found]

    async def erase(
        self, customer_id: str, *, at_ms: int, orders: int, replay: Replay | None = None
    ) -> Outcome[int | None]:
        """See `CustomerStore.erase`."""
        args = (customer_id, at_ms, orders, actor())
        try:
            replayed, reply = await call_once(
                self._client, self._keys, "allot_erase_customer_v1", self._all, replay, *args
            )
        except StoreReplyError as error:
            if "MOVED_CUSTOMER" in str(error):
                raise CustomersMoved from None
            raise
        verdict, erased_ms = reply
        return Outcome(value=None if verdict == "missing" else int(erased_ms), replayed=replayed)

    async def to_clear(self, now_ms: int, limit: int) -> list[str]:
        """See `CustomerStore.to_clear`."""
        key = self._keys.named("customer_clearing")
        found = await self._client.call("ZRANGEBYSCORE", key, "-inf", now_ms, "LIMIT", 0, limit)
        return [each.decode() for each in found]

    async def clear_at(self, customer_id: str, at_ms: int | None) -> None:
        """See `CustomerStore.clear_at`."""
        key = self._keys.named("customer_clearing")
        if at_ms is None:
            await self._client.call("ZREM", key, customer_id)
        else:
            await self._client.call("ZADD", key, at_ms, customer_id)

    async def forget_past(self) -> bool:
        """See `CustomerStore.forget_past`: the append-only file, which also has what was overwritten."""
        if isinstance(self._client, ClusterClient):
            return True
        try:
            await self._client.call("BGREWRITEAOF")
        except StoreReplyError as error:  # it is at it already, or may not be asked
            return "in progress" not in str(error)
        return True

    async def opt_out(self, term: str) -> None:
        """See `CustomerStore.opt_out`."""
        await self._client.call("SADD", self._keys.named("notice_opt_outs"), term)

    async def has_opted_out(self, terms: Sequence[str]) -> bool:
        """See `CustomerStore.has_opted_out`."""
        if not terms:
            return False
        return any(await self._client.call("SMISMEMBER", self._keys.named("notice_opt_outs"), *terms))
