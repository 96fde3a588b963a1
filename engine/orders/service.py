"""Orders as use cases: capture one or many, look at them, cancel. Routing runs use the store as their `OrderBook`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.delivery.promised import PromisedTerms, terms_of
from engine.errors import Fault, InvalidInput, NotFound, Refused
from engine.inventory.model import Outcome, Replay
from engine.inventory.slot_desk import SlotDesk, has_slot
from engine.inventory.store import InventoryStore
from engine.orders.beginning import OrderBeginnings, terms_digest
from engine.orders.capture import capture
from engine.orders.checking.service import OrderPolicy
from engine.orders.identifiers import order_id_of
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order, OrderState
from engine.orders.personal import Seal, sealed_order
from engine.orders.store import OrderStore
from engine.routing.model import OpenOrder
from engine.turns import turn

_Promise = tuple[date | None, PromisedTerms | None]
_IN_FLIGHT = 256
"""Orders of one `capture_many` that are on their way to the store at a time."""
_PAGE = 1000
_MANY_LINES = 200
"""An order of more lines is checked in one turn of the loop, and written in another."""


class OrderService:
    """Captures orders against the network and the catalog of the moment."""

    def __init__(
        self,
        store: OrderStore,
        stock: InventoryStore,
        reference: Reference,
        clock: Clock,
        slots: SlotDesk | None = None,
        beginnings: OrderBeginnings | None = None,
        settle: Callable[[str], Awaitable[Order]] | None = None,
        seal: Seal | None = None,
    ) -> None:
        """Take where orders and stock are, and what seals personal data; without that none are taken."""
        self._store = store
        self._stock = stock
        self._reference = reference
        self._clock = clock
        self._slots = slots
        self._beginnings = beginnings
        self._settle = settle
        self._seal = seal

    async def capture(self, order: NewOrder, *, replay: Replay | None = None) -> Outcome[Order]:
        """Check and keep an order; raises InvalidInput with every fault, and what `OrderStore.capture` raises.

        The network, the catalog or the order policy may have moved since an idempotency key was answered, or since a
        channel sent the order; it still gets that answer, or that order.
        """
        try:
            promised = await self._promise_behind(order)
            begun = await self._begun(order, await self._reference.current(), promised, replay)
            begun = await sealed_order(self._seal, order, begun, replay)
            if len(order.lines) > _MANY_LINES:
                await turn()
        except (InvalidInput, NotFound, Refused):
            kept = None if replay is None else await self._store.recall(replay, order)
            kept = kept or await self._sent_before(order)
            if kept is None:
                raise
            return kept
        return await self._captured(begun, replay)

    async def capture_many(self, orders: Sequence[NewOrder]) -> list[Order]:
        """Check all orders, then keep each; raises InvalidInput with every fault (`$[3].lines[0].sku`), nothing kept.

        Each order is kept or refused by itself: after a refusal, the same call again keeps the rest.
        """
        view = await self._reference.current()
        begun: list[Order] = []
        faults: list[Fault] = []
        promises: list[_Promise] = []
        for start in range(0, len(orders), _IN_FLIGHT):
            promises += await asyncio.gather(*map(self._promise_behind, orders[start : start + _IN_FLIGHT]))
        for index, (order, promised) in enumerate(zip(orders, promises, strict=True)):
            try:
                begun.append(await self._begun(order, view, promised))
            except InvalidInput as error:
                faults += [Fault(path=f"$[{index}]{fault.path[1:]}", message=fault.message) for fault in error.faults]
        if faults:
            raise InvalidInput(faults)
        kept: list[Order] = []
        for start in range(0, len(begun), _IN_FLIGHT):
            some = zip(orders[start : start + _IN_FLIGHT], begun[start : start + _IN_FLIGHT], strict=True)
            kept += await asyncio.gather(*(self._sealed_and_captured(*each) for each in some))
        return kept

    async def get(self, order_id: str) -> Order:
        """Return an order; raises NotFound."""
        return await self._store.get(order_id)

    async def open_orders(self) -> list[OpenOrder]:
        """Return the orders that a routing run may take, in the order of their capture."""
        return await self._store.open_orders()

    async def placed_since(self, since: datetime) -> list[Captured]:
        """Return the orders captured from an instant on that are not cancelled, in the order of their capture."""
        names = {order.order_id for order in await self._store.open_orders()}
        after_ms = since.timestamp() * 1000 - 1  # none was decided on before it was captured
        while page := await self._store.allocated(_PAGE, after_ms=after_ms):
            names |= {order_id for order_id, _ in page}
            after_ms = page[-1][1]
        asked, found = sorted(names), list[Captured]()
        for start in range(0, len(asked), _IN_FLIGHT):
            orders = await asyncio.gather(*map(self._store.get, asked[start : start + _IN_FLIGHT]))
            found += [order.captured for order in orders if order.captured.captured_at >= since]
        return sorted(found, key=lambda captured: (captured.captured_at, captured.order_id))

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order, oldest first; raises NotFound."""
        return await self._store.history(order_id)

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order and give back its stock; raises what `OrderStore.cancel` raises."""
        cancelled = await self._store.cancel(order_id, replay=replay)
        reservation_id = cancelled.value.captured.reservation_id
        if self._slots is not None and reservation_id is not None and has_slot(reservation_id):
            await self._slots.let_go(reservation_id)
        return cancelled

    async def sweep(self, limit: int = 1000) -> None:
        """Finish what a process that died has left over; raises what `OrderStore.sweep` raises."""
        await self._store.sweep(limit)

    async def _sent_before(self, order: NewOrder) -> Outcome[Order] | None:
        """Return the order that its channel has sent before under its id, the same lines at the same prices."""
        if order.channel_order_id is None or order.order_id is not None:
            return None
        with suppress(NotFound):
            known = await self._store.get(order_id_of(order))
            asked = [(line.sku, line.quantity) for line in order.lines]
            seen = [(line.sku, line.quantity) for line in known.captured.lines]
            if (asked, terms_digest(order)) == (seen, known.captured.terms_digest):
                return Outcome(value=known, replayed=False)
        return None

    async def _sealed_and_captured(self, order: NewOrder, begun: Order) -> Order:
        return (await self._captured(await sealed_order(self._seal, order, begun, None))).value

    async def _captured(self, begun: Order, replay: Replay | None = None) -> Outcome[Order]:
        """Keep an order, and with it the slot of its reservation if it has one; then do what it asks for at once."""
        reservation_id = begun.captured.reservation_id
        has_window = self._slots is not None and reservation_id is not None and has_slot(reservation_id)
        if self._slots is None or reservation_id is None or not has_window:
            kept = await self._kept(begun, replay)
        else:
            await self._slots.take_over(reservation_id, begun.order_id)
            try:
                kept = await self._kept(begun, replay)
            except Refused:
                await self._slots.let_go(reservation_id)
                raise
        now = self._clock.now()
        if self._settle is not None and any(each.due_at <= now for each in kept.value.life.effects):
            await self._settle(begun.order_id)
        return kept  # as it was kept: the same key is answered the same again

    async def _kept(self, begun: Order, replay: Replay | None) -> Outcome[Order]:
        return await self._store.capture(begun.captured, life=begun.life, steering=begun.steering, replay=replay)

    async def _promise_behind(self, order: NewOrder) -> _Promise:
        """Return the date and the terms that the reservation of an order was promised for."""
        if order.reservation_id is None:
            return None, None
        with suppress(NotFound):  # the store says so when it keeps the order
            reservation = await self._stock.get_reservation(order.reservation_id)
            return reservation.promised_on, terms_of(reservation.promised)
        return None, None

    async def _begun(self, order: NewOrder, view: View, promised: _Promise, replay: Replay | None = None) -> Order:
        """Return an order as it is to be kept, checked; raises InvalidInput with every fault, Refused."""
        policy = OrderPolicy() if self._beginnings is None else await self._beginnings.policy(view)
        promised_on, terms = promised
        # Rules that count orders must know one that is sent again; it is named by its key.
        order_id = order_id_of(order, replay if policy.back else None)
        at = self._clock.now()
        captured = capture(order, order_id, at, view.network, view.catalog, terms)
        digest = terms_digest(order)
        if promised_on is not None or digest is not None:
            captured = replace(captured, promised_on=promised_on, terms_digest=digest)
        if self._beginnings is None:
            return Order(captured=captured, state=OrderState.CAPTURED)
        return await self._beginnings.begin(order, captured, view, policy, at)
