"""An order as the archive has it: all that the store kept of it, byte for byte.

Not here: how it lies in a file (files.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.orders.model import HistoryEntry, Order
from engine.orders.records import history_entry, order_of

_OF_ORDER = ("doc", "state", "reservation_id", "run_id", "rows", "steering", "life")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The fields of an order's hash, and the steps of its history, oldest first."""

    order_id: str
    fields: Mapping[str, bytes]
    steps: tuple[bytes, ...]

    @property
    def order(self) -> Order:
        """The order."""
        return order_of([self.fields.get(name, b"") for name in _OF_ORDER])

    @property
    def history(self) -> list[HistoryEntry]:
        """Its steps."""
        return [history_entry(step.decode()) for step in self.steps]

    @property
    def changed_at(self) -> datetime:
        """When it was changed last."""
        return history_entry(self.steps[-1].decode()).at
