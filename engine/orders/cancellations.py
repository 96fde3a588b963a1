"""Cancelling as a use case: the whole of an order or units of its lines, with what it has reserved and its window.

Not here: the rules (cancelling.py), what follows elsewhere (effecting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from engine.availability.reference import Reference
from engine.errors import NotFound
from engine.events.actor import actor
from engine.inventory.model import HoldLine, Outcome, Replay
from engine.inventory.slot_desk import SlotDesk, has_slot
from engine.inventory.store import InventoryStore
from engine.orders.cancelling import NewCancellation, cancelled
from engine.orders.changing import OrderChanges, Rule
from engine.orders.checking.service import OrderPolicies
from engine.orders.model import Order


class Cancellations:
    """Cancels orders of a tenant as far as its order policy allows it."""

    def __init__(
        self,
        changes: OrderChanges,
        stock: InventoryStore,
        reference: Reference,
        policies: OrderPolicies,
        slots: SlotDesk | None = None,
    ) -> None:
        self._changes, self._stock, self._reference = changes, stock, reference
        self._policies, self._slots = policies, slots

    async def cancel(
        self, order_id: str, new: NewCancellation, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Cancel all that may be of an order, or units of its lines; what it asks for elsewhere is left to be settled.

        Raises NotFound, InvalidInput with every fault, IllegalState if nothing, or not so much, can be cancelled.
        """
        view = await self._reference.current()
        policy = await self._policies.at(view.epoch)
        who, until = by or actor(), policy.document.changes.cancel_until

        async def look(order: Order) -> Rule:
            reserved = await self.reserved(order) if new.lines else ()
            return lambda now, _: cancelled(now, new, who, catalog=view.catalog, until=until, reserved=reserved)

        done = await self._changes.change_seen(order_id, look, replay)
        first_id = done.value.first_reservation_id
        if self._slots is not None and done.value.is_cancelled and first_id is not None and has_slot(first_id):
            await self._slots.let_go(first_id)
        return done

    async def reserved(self, order: Order) -> Sequence[HoldLine]:
        """Return what the reservation of an order keeps now."""
        if order.reservation_id is not None:
            with suppress(NotFound):
                found = await self._stock.get_reservation(order.reservation_id)
                return found.lines if found.state in {"held", "confirmed"} else ()
        return ()
