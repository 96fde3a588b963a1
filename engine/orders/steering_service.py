"""What nodes and people say of orders, as use cases: reject, accept, override, stop, release.

Not here: the rules (rejecting.py, overriding.py), how they are carried out (changing.py), closing a node (closing.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from engine.availability.reference import Reference
from engine.errors import IllegalState, Unavailable
from engine.events.actor import actor
from engine.inventory.model import Outcome, Replay
from engine.orders.approving import NewApproval, approved
from engine.orders.changing import OrderChanges
from engine.orders.holding import NewHold, released, stopped
from engine.orders.model import Order
from engine.orders.overriding import NewOverride, accepted, overridden
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.revising import Revision
from engine.orders.steering import RejectionKind

Settle = Callable[[str], Awaitable[Order]]
"""Does at once what an order asks for."""


class OrderSteering:
    """Keeps what is said of orders; after `most_rejections` attempts (0: any number) one is left for people."""

    def __init__(
        self, changes: OrderChanges, reference: Reference, most_rejections: int, settle: Settle | None = None
    ) -> None:
        self._changes, self._reference, self._most, self._settle = changes, reference, most_rejections, settle

    async def reject(
        self, order_id: str, new: NewRejection, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Take lines away from a node that does not ship them; they are open again, and go to other nodes.

        Raises NotFound, InvalidInput for unknown lines, IllegalState if the node has not so many units to ship.
        """
        changed = await self._changes.change(
            order_id, lambda order, at: rejected(order, new, at, by or actor(), self._most), replay
        )
        if new.kind is RejectionKind.DAMAGED and self._settle is not None and not changed.replayed:
            with suppress(Unavailable):  # the change is made; the sweeper does what it asks for
                await self._settle(order_id)
        return changed

    async def time_out(self, order_id: str, new: NewRejection, run_id: str | None) -> Outcome[Order]:
        """Take lines away from a node that has not accepted them, unless it has, or a run has decided again.

        Raises NotFound, IllegalState.
        """

        def rule(order: Order, at: datetime) -> Revision:
            has_accepted = any(
                each.node_id == new.node_id and each.run_id == run_id for each in order.steering.acceptances
            )
            if has_accepted or order.run_id != run_id:
                raise IllegalState(f"Node {new.node_id!r} has accepted order {order_id!r}, or was given it anew.")
            return rejected(order, new, at, actor(), self._most)

        return await self._changes.change(order_id, rule, None)

    async def accept(
        self, order_id: str, node_id: str, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Note that a node ships what it was given. Raises NotFound, IllegalState if it was given nothing."""
        return await self._changes.change(
            order_id, lambda order, at: accepted(order, node_id, at, by or actor()), replay
        )

    async def override(
        self, order_id: str, new: NewOverride, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Pin lines to nodes, forbid nodes, or set the priority. Raises NotFound, InvalidInput, IllegalState."""
        nodes = (await self._reference.current()).network.index

        def rule(order: Order, at: datetime) -> Revision:
            return overridden(order, new, at, by or actor(), nodes)

        return await self._changes.change(order_id, rule, replay)

    async def stop(
        self, order_id: str, new: NewHold, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Put an order hold on an order: runs leave it alone until it has none. Raises NotFound, IllegalState."""
        return await self._changes.change(order_id, lambda order, at: stopped(order, new, at, by or actor()), replay)

    async def release(
        self, order_id: str, kind: str | None = None, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Take the order hold of a kind, or all, off an order. Raises NotFound, IllegalState if it has none such."""
        return await self._changes.change(order_id, lambda order, _: released(order, by or actor(), kind), replay)

    async def approve(
        self, order_id: str, new: NewApproval, *, by: str, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Approve what rules have stopped. Raises NotFound, InvalidInput, IllegalState."""
        return await self._changes.change(order_id, lambda order, at: approved(order, new, at, by), replay)
