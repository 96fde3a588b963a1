"""An order as the in-memory store keeps it. Not here: what changes it (memory_store.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Use = tuple[str, int, int, int]


@dataclass(slots=True, kw_only=True)
class KeptOrder:
    """An order as kept: the fields of lua/orders.lua."""

    doc: bytes
    fingerprint: str
    demand: str
    channel: str
    reservation_id: str
    state: str = ""
    run_id: str = ""
    rows: bytes = b""
    uses: Sequence[Use] = ()
    steering: bytes = b""
    revision: int = 0
    life: str = ""
    routed: str = ""
    due: str = ""
    told: str = ""
    left: bool = False
    work: Sequence[tuple[str, str]] = ()
    decided_ms: int = 0
    history: list[str] = field(default_factory=list)

    def fields(self) -> tuple[str | bytes, ...]:
        """Return what makes the order, as lua/orders.lua replies it."""
        return (self.doc, self.state, self.reservation_id, self.run_id, self.rows, self.steering, self.life)

    def put_life(self, change: Sequence[Any]) -> None:
        """Write what has happened to it, as put_life of lua/orders.lua does."""
        self.life, self.routed, self.demand, self.due, self.told = change[:5]
