"""The CustomerStore of one process, gone with it; for tests and the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.clock import Clock
from engine.customers.store import CustomersMoved, KeptCustomer, is_at_another, was_erased
from engine.inventory.memory_records import MemoryRecords
from engine.inventory.model import Outcome, Replay


@dataclass(slots=True)
class _Kept:
    sealed: bytes = b""
    version: int = 0
    changed_ms: int = 0
    erased_ms: int = 0
    terms: set[str] = field(default_factory=set)
    orders: dict[str, int] = field(default_factory=dict)


class MemoryCustomerStore:
    """Customers in this process."""

    def __init__(self, clock: Clock) -> None:
        self._records = MemoryRecords(clock)
        self._root: bytes | None = None
        self._keys: dict[str, bytes] = {}
        self._kept: dict[str, _Kept] = {}
        self._opted_out: set[str] = set()
        self._clearing: dict[str, int] = {}

    async def root(self, fresh: bytes) -> bytes:
        """See `CustomerStore.root`."""
        self._root = self._root or fresh
        return self._root

    async def claim(
        self, customer_id: str, fresh: bytes, *, order_id: str = "", at_ms: int = 0, terms: Sequence[str] = ()
    ) -> bytes:
        """See `CustomerStore.claim`."""
        kept = self._kept.get(customer_id)
        if kept is not None and customer_id not in self._keys:
            raise was_erased(customer_id)
        kept = self._kept.setdefault(customer_id, _Kept())
        kept.terms.update(terms)
        if order_id:
            kept.orders.setdefault(order_id, at_ms)
        return self._keys.setdefault(customer_id, fresh)

    async def put(
        self, customer_id: str, sealed: bytes, *, at_ms: int, terms: Sequence[str], expected_version: int | None = None
    ) -> int:
        """See `CustomerStore.put`."""
        if customer_id not in self._keys:
            raise was_erased(customer_id)
        kept = self._kept[customer_id]
        if expected_version is not None and kept.version != expected_version:
            raise is_at_another(customer_id, kept.version, expected_version)
        kept.sealed, kept.changed_ms, kept.version = sealed, at_ms, kept.version + 1
        kept.terms.update(terms)
        return kept.version

    async def get(self, customer_id: str) -> KeptCustomer | None:
        """See `CustomerStore.get`."""
        kept = self._kept.get(customer_id)
        if kept is None:
            return None
        return KeptCustomer(
            key=self._keys.get(customer_id),
            sealed=kept.sealed,
            version=kept.version,
            changed_ms=kept.changed_ms,
            erased_ms=kept.erased_ms,
        )

    async def keys(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """See `CustomerStore.keys`."""
        return [self._keys.get(each) for each in customer_ids]

    async def find(self, term: str) -> list[str]:
        """See `CustomerStore.find`."""
        return sorted(name for name, kept in self._kept.items() if term in kept.terms)

    async def orders(self, customer_id: str) -> list[str]:
        """See `CustomerStore.orders`."""
        kept = self._kept.get(customer_id, _Kept())
        return sorted(kept.orders, key=lambda order_id: (kept.orders[order_id], order_id))

    async def erase(
        self, customer_id: str, *, at_ms: int, orders: int, replay: Replay | None = None
    ) -> Outcome[int | None]:
        """See `CustomerStore.erase`."""

        def erased() -> tuple[object, ...]:
            kept = self._kept.get(customer_id)
            if kept is None:
                return ("missing", 0)
            self._clearing.setdefault(customer_id, at_ms)
            if customer_id in self._keys:
                if len(kept.orders) != orders:
                    raise CustomersMoved
                del self._keys[customer_id]
                self._kept[customer_id] = _Kept(erased_ms=at_ms, orders=kept.orders)
            return ("erased", self._kept[customer_id].erased_ms)

        replayed, (verdict, erased_ms) = self._records.once(replay, erased)
        return Outcome(value=None if verdict == "missing" else int(str(erased_ms)), replayed=replayed)

    async def to_clear(self, now_ms: int, limit: int) -> list[str]:
        """See `CustomerStore.to_clear`."""
        return sorted(name for name, at_ms in self._clearing.items() if at_ms <= now_ms)[:limit]

    async def clear_at(self, customer_id: str, at_ms: int | None) -> None:
        """See `CustomerStore.clear_at`."""
        self._clearing.pop(customer_id, None)
        if at_ms is not None:
            self._clearing[customer_id] = at_ms

    async def forget_past(self) -> bool:
        """See `CustomerStore.forget_past`: there are no files."""
        return True

    async def opt_out(self, term: str) -> None:
        """See `CustomerStore.opt_out`."""
        self._opted_out.add(term)

    async def has_opted_out(self, terms: Sequence[str]) -> bool:
        """See `CustomerStore.has_opted_out`."""
        return not self._opted_out.isdisjoint(terms)
