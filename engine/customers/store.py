"""The port behind which customers are kept, sealed, each with a key; redis_store.py and memory_store.py implement it.

A customer is erased once they have no key: what is sealed under it stays where it is, also in backups, and nobody reads
it. An id that was erased stays so for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import IllegalState
from engine.inventory.model import Outcome, Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCustomer:
    """What is kept of a customer; without a `key` they were erased, and without `sealed` only orders name them."""

    key: bytes | None
    sealed: bytes
    version: int
    changed_ms: int
    erased_ms: int


class CustomersMoved(Exception):
    """Orders of the customer have come since they were counted; look again."""


class CustomerStore(Protocol):
    """Keeps the customers of a tenant; every change is one atomic step. Keys come and go wrapped (keys.py)."""

    async def root(self, fresh: bytes) -> bytes:
        """Return the key that terms and links of the tenant are made with; `fresh` if there is none yet."""
        ...

    async def claim(
        self, customer_id: str, fresh: bytes, *, order_id: str = "", at_ms: int = 0, terms: Sequence[str] = ()
    ) -> bytes:
        """Return the key of a customer, `fresh` if they are new; note an order of theirs, and what they are found by.

        Raises IllegalState if they were erased.
        """
        ...

    async def put(
        self, customer_id: str, sealed: bytes, *, at_ms: int, terms: Sequence[str], expected_version: int | None = None
    ) -> int:
        """Keep what is known of a customer who has a key, found by `terms` from now on too; return its version.

        Raises IllegalState if they were erased, or if the version is not the one expected.
        """
        ...

    async def get(self, customer_id: str) -> KeptCustomer | None:
        """Return what is kept; None if nothing has ever named the customer."""
        ...

    async def keys(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """Return the key of each customer, None for those who have none."""
        ...

    async def find(self, term: str) -> list[str]:
        """Return the customers who are found by a term, in order."""
        ...

    async def orders(self, customer_id: str) -> list[str]:
        """Return the orders of a customer, oldest first; some may never have been kept."""
        ...

    async def erase(
        self, customer_id: str, *, at_ms: int, orders: int, replay: Replay | None = None
    ) -> Outcome[int | None]:
        """Destroy the key of a customer, and forget all else; return when they were erased (ms), None: unknown.

        Erasing again changes nothing. Raises CustomersMoved if they have not so many `orders`.
        """
        ...

    async def to_clear(self, now_ms: int, limit: int) -> list[str]:
        """Return erased customers whose orders are to be looked at by now: these still say something of them."""
        ...

    async def clear_at(self, customer_id: str, at_ms: int | None) -> None:
        """Look at the orders of an erased customer at an instant, None: never more."""
        ...

    async def forget_past(self) -> bool:
        """Let the server write anew the files that have what was there before; False if it cannot do that now."""
        ...

    async def opt_out(self, term: str) -> None:
        """Send no more notices to an address, whoever has it."""
        ...

    async def has_opted_out(self, terms: Sequence[str]) -> bool:
        """Return whether nothing is to be sent to one of the addresses."""
        ...


def was_erased(customer_id: str) -> IllegalState:
    """Return the error of a customer who was erased."""
    return IllegalState(f"Customer {customer_id!r} was erased, and the id stays so; use another id.")


def is_at_another(customer_id: str, version: int, expected: int) -> IllegalState:
    """Return the error of a customer who was changed by another call."""
    return IllegalState(f"Customer {customer_id!r} is at version {version}, not {expected}; read it again.")
