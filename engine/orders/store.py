"""The port behind which orders are kept; redis_store.py and memory_store.py implement it, and share one test suite."""

from __future__ import annotations

from typing import Protocol

from engine.inventory.model import Outcome, Replay
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order
from engine.routing.model import OrderBook


class OrderStore(OrderBook, Protocol):
    """Keeps orders, their history and what their allocations use; every change is one atomic step.

    With `replay`, a call that comes back gives the first answer (or refusal, with `.replayed`) and has no second
    effect; raises IdempotencyConflict when its fingerprint differs.
    """

    async def capture(self, captured: Captured, *, replay: Replay | None = None) -> Outcome[Order]:
        """Keep a new order; the same order under the same id again changes nothing.

        Raises IllegalState when the id has another order, or when the reservation is past, or another order's;
        NotFound when the reservation is unknown.
        """
        ...

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Return or raise what the capture of `order` was answered under its key; None if the key is new."""
        ...

    async def get(self, order_id: str) -> Order:
        """Return an order; raises NotFound."""
        ...

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order, oldest first; raises NotFound."""
        ...

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order and give back its stock and capacity; cancelling again changes nothing.

        Raises NotFound; IllegalState when its stock has left the node.
        """
        ...

    async def sweep(self, limit: int = 1000) -> None:
        """Finish what a process that died has left over, of about `limit` orders; nothing where all is one step."""
        ...
