"""The port behind which orders are kept; redis_store.py and memory_store.py implement it, and share one test suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.inventory.model import Outcome, Replay
from engine.orders.clearing import Clearing
from engine.orders.life import NO_LIFE, Life
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order
from engine.orders.revising import Revision
from engine.orders.steering import NO_STEERING, Steering
from engine.routing.model import OrderBook


class OrderStore(OrderBook, Protocol):
    """Keeps orders, their history and what their allocations use; every change is one atomic step.

    With `replay`, a call that comes back gives the first answer (or refusal, with `.replayed`) and has no second
    effect; raises IdempotencyConflict when its fingerprint differs.
    """

    moves_stock: bool
    """Whether a revision can move stock to the reservation of another order (`goes_to`)."""

    async def capture(
        self,
        captured: Captured,
        *,
        life: Life = NO_LIFE,
        steering: Steering = NO_STEERING,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Keep a new order; the same order under the same id again changes nothing.

        Raises IllegalState when the id has another order, or when the reservation is past, or another order's;
        NotFound when the reservation is unknown.
        """
        ...

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Return or raise what the capture of `order` was answered under its key; None if the key is new."""
        ...

    async def recall_revision(self, replay: Replay, order_id: str) -> Outcome[Order] | None:
        """Return or raise what a revision of an order was answered under its key; None if the key is new."""
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

    async def revise(self, revision: Revision, *, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order as nodes or people have said; its history says so too.

        Raises OrderChanged, and keeps no answer, if it is not as it was seen; NotFound; IllegalState for the refusal
        that the revision holds, or when units of it have left a node.
        """
        ...

    async def clear(self, clearings: Sequence[Clearing]) -> list[str]:
        """Take what is personal out of orders; their histories say so. Return those that are not as they were seen."""
        ...

    async def clear_answers(self, orders: Sequence[Order]) -> None:
        """Let what idempotency keys were answered of orders show them as they are given here."""
        ...

    async def allocated(self, limit: int, *, after_ms: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run has decided on and that are not cancelled, by when it did (ms), after `after_ms`.

        At most about `limit`, the oldest first; those of one moment come together.
        """
        ...

    async def open_ids(self, limit: int, *, after: float = 0) -> list[tuple[str, float]]:
        """Return about `limit` orders that a routing run may take, by a number that rises with capture, after one."""
        ...

    async def effects_due(self, now_ms: float, limit: int) -> list[str]:
        """Return about `limit` orders that have something to be done elsewhere which is due at `now_ms`."""
        ...

    async def node_work(self, node_id: str, limit: int, *, after: str = "") -> list[str]:
        """Return orders that have shipments with a node, as `<day> <order id>`: the first to leave first, after one."""
        ...

    async def sweep(self, limit: int = 1000) -> None:
        """Finish what a process that died has left over, of about `limit` orders; nothing where all is one step."""
        ...
