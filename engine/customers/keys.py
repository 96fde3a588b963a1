"""The keys of customers as they are used: unwrapped, and remembered nowhere, so that a destroyed key is gone at once.

With `ALLOT_CUSTOMERS_SECRET` keys are kept wrapped under it, and who has the store's files alone reads nothing. Not
here: where they are kept (store.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from engine.customers.sealing import KEY_BYTES, new_key, opened, sealed
from engine.customers.store import CustomerStore
from engine.errors import Unavailable

_PLAIN, _WRAPPED = b"0", b"1"


class CustomerKeys:
    """Makes and finds the keys of the customers of a tenant."""

    def __init__(self, store: CustomerStore, tenant: str, secret: bytes | None) -> None:
        self._store, self.tenant = store, tenant
        self._wrapping = None if secret is None else sha256(b"allot customers\0" + secret).digest()
        self._root: bytes | None = None

    async def root(self) -> bytes:
        """Return the key that terms and links of the tenant are made with."""
        if self._root is None:
            self._root = self._unwrapped(await self._store.root(self._wrapped(new_key(), "")), "")
        return self._root

    async def claim(self, customer_id: str, *, order_id: str = "", at_ms: int = 0, terms: Sequence[str] = ()) -> bytes:
        """Return the key of a customer, made if they are new; raises IllegalState if they were erased."""
        fresh = self._wrapped(new_key(), customer_id)
        kept = await self._store.claim(customer_id, fresh, order_id=order_id, at_ms=at_ms, terms=terms)
        return self._unwrapped(kept, customer_id)

    async def of(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """Return the key of each customer, None for those who have none any more."""
        found = await self._store.keys(customer_ids)
        return [
            None if kept is None else self._unwrapped(kept, customer_id)
            for customer_id, kept in zip(customer_ids, found, strict=True)
        ]

    def _wrapped(self, key: bytes, customer_id: str) -> bytes:
        if self._wrapping is None:
            return _PLAIN + key
        return _WRAPPED + sealed(self._wrapping, key, self._bound_to(customer_id))

    def _unwrapped(self, kept: bytes, customer_id: str) -> bytes:
        if kept[:1] == _PLAIN and len(kept) == 1 + KEY_BYTES:
            return kept[1:]
        if self._wrapping is None:
            raise Unavailable("The keys of customers are wrapped; set ALLOT_CUSTOMERS_SECRET to what wraps them.")
        return opened(self._wrapping, kept[1:], self._bound_to(customer_id))

    def _bound_to(self, customer_id: str) -> str:
        return f"key\0{self.tenant}\0{customer_id}"
