"""The OrderStore of a store in several partitions: it refuses, since orders work in one partition only.

An order, its reservation and the cells under it change in one function call, and no call spans partitions.
"""

# ruff: noqa: ARG002  # it answers every call alike

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from engine.errors import NeedsOnePartition
from engine.inventory.buffers import Kept
from engine.inventory.model import Outcome, Replay
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, UsedCapacity, Verdict


class OnePartitionOrders:
    """Refuses every order and every routing run; each method raises NeedsOnePartition."""

    async def capture(self, captured: Captured, *, replay: Replay | None = None) -> Outcome[Order]:
        """Refuse an order."""
        raise NeedsOnePartition

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Say that no order was ever answered."""
        return None

    async def get(self, order_id: str) -> Order:
        """Refuse to look for one."""
        raise NeedsOnePartition

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Refuse to look for one."""
        raise NeedsOnePartition

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Refuse to look for one."""
        raise NeedsOnePartition

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        """Refuse a routing run."""
        raise NeedsOnePartition

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        """Return nothing: no order uses any."""
        return []

    async def commit(
        self,
        run_id: str,
        allocations: Sequence[OrderAllocation],
        *,
        capacities: Mapping[str, NodeCapacity],
        today: Mapping[str, date],
        buffers: Kept | None = None,
    ) -> list[Verdict]:
        """Refuse a routing run."""
        raise NeedsOnePartition
