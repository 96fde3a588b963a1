"""The low-stock watch of a store in several partitions: it refuses, since one reader follows one journal.

Not here: the watch itself (low_stock_watch.py).
"""

# ruff: noqa: ARG002  # it answers every call alike

from __future__ import annotations

from engine.errors import NeedsOnePartition
from engine.inventory.low_stock import LowPosition, LowStockEvent
from engine.inventory.low_stock_watch import LowStockWatch


class UnwatchedLowStock(LowStockWatch):
    """Refuses to say what is low, and reads nothing."""

    def __init__(self) -> None:
        """Watch nothing."""

    async def low(self, *, limit: int, after: int = 0) -> tuple[list[LowPosition], bool]:
        """Refuse."""
        raise NeedsOnePartition

    async def events(self, *, limit: int, before: int | None = None) -> tuple[list[LowStockEvent], bool]:
        """Refuse."""
        raise NeedsOnePartition

    async def step(self) -> bool:
        """Say that there is nothing to do."""
        return False
