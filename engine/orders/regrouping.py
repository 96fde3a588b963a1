"""Splitting and merging orders as use cases, and the effects by which the second order follows the first.

Not here: the rules (splitting.py, merging.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

import msgspec

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.errors import Fault, IllegalState, InvalidInput, NotFound, Refused
from engine.events.actor import actor
from engine.inventory.model import HoldLine, Outcome, Replay, ReservationState
from engine.inventory.service import InventoryService
from engine.orders.changing import OrderChanges, Rule
from engine.orders.checking.service import OrderPolicies
from engine.orders.delivery import destination_of
from engine.orders.effecting import Handler, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import SplitOff
from engine.orders.merging import MERGE, gone, joined, not_merged, offered
from engine.orders.model import Note, Order
from engine.orders.personal import Seal
from engine.orders.revising import Revision, revision_of
from engine.orders.splitting import SPLIT, NewSplit, begun, split
from engine.orders.store import OrderStore

_OPEN = (ReservationState.HELD, ReservationState.CONFIRMED)


class Regrouping:
    """Splits and merges orders of a tenant."""

    def __init__(
        self,
        store: OrderStore,
        changes: OrderChanges,
        stock: InventoryService,
        reference: Reference,
        policies: OrderPolicies,
        clock: Clock,
        seal: Seal | None = None,
    ) -> None:
        self._store, self._changes, self._stock, self._reference = store, changes, stock, reference
        self._policies, self._clock, self._seal = policies, clock, seal

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does which kind of effect."""
        return {SPLIT: self._split_off, MERGE: self._merge}

    async def split(
        self, order_id: str, new: NewSplit, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Take units off an order for one of their own, which follows when what it asks for is settled.

        Raises NotFound, InvalidInput with every fault, IllegalState if it cannot be split so.
        """
        view, who = await self._reference.current(), by or actor()
        until = (await self._policies.at(view.epoch)).document.changes.modify_until
        if new.destination is not None:
            faults: list[Fault] = []
            place = destination_of(new.destination, view.network, faults)
            if faults:
                raise InvalidInput(faults)
            new = NewSplit(lines=new.lines, destination=place, reason=new.reason)

        async def look(order: Order) -> Rule:
            reserved, is_confirmed = await self._reserved(order)
            return lambda now, at: split(
                now,
                new,
                at,
                who,
                catalog=view.catalog,
                until=until,
                reserved=reserved,
                is_confirmed=is_confirmed,
                moves_stock=self._store.moves_stock,
            )

        return await self._changes.change_seen(order_id, look, replay)

    async def merge(
        self,
        order_id: str,
        into: str,
        *,
        reason: str | None = None,
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Let an order join another one, which follows when what it asks for is settled.

        Raises NotFound, IllegalState if it cannot.
        """
        who = by or actor()

        async def look(_order: Order) -> Rule:
            other = await self._store.get(into)
            return lambda now, at: offered(now, other, reason, at, who)

        return await self._changes.change_seen(order_id, look, replay)

    async def _reserved(self, order: Order) -> tuple[Sequence[HoldLine], bool]:
        """Return what the reservation of an order keeps now, and whether for good."""
        if order.reservation_id is not None:
            with suppress(NotFound):
                found = await self._stock.get(order.reservation_id)
                if found.state in _OPEN:
                    return found.lines, found.state is ReservationState.CONFIRMED
        return (), False

    async def _split_off(self, order: Order, effect: Effect) -> Rule:
        """Capture the order that was split off, with the stock that was moved for it, or given back and still there."""
        begins = next(
            (link.split_off for link in order.life.links if link.order_id == effect.target and link.split_off), None
        )
        if begins is not None:
            await self._capture(order, effect, begins)
        return lambda now, _: _settled(now, effect)

    async def _capture(self, order: Order, effect: Effect, begins: SplitOff) -> None:
        try:
            kept = await self._store.get(effect.target)
        except NotFound:
            catalog = (await self._reference.current()).catalog
            new = begun(order, effect.target, begins, self._clock.now(), catalog)
            reservation_id = await self._kept(begins) or await self._hold(new, begins)
            new = await self._sealed(replace(new, captured=replace(new.captured, reservation_id=reservation_id)))
            kept = (await self._store.capture(new.captured, life=new.life, steering=new.steering)).value
        if begins.is_confirmed and kept.first_reservation_id is not None:
            with suppress(Refused, NotFound):  # it was routed, or cancelled, meanwhile
                await self._stock.confirm(kept.first_reservation_id)

    async def _kept(self, begins: SplitOff) -> str | None:
        """Return the reservation that stock was moved to; None if there is none, or its time is over."""
        if begins.reservation_id:
            with suppress(NotFound):
                found = await self._stock.get(begins.reservation_id)
                if found.state in _OPEN:
                    return begins.reservation_id
        return None

    async def _sealed(self, new: Order) -> Order:
        """Return an order whose personal data are sealed as its own, so that its customer's export has it."""
        personal = None if self._seal is None else await self._seal.opened(new.life)
        if self._seal is None or personal is None:
            return new
        found = await self._seal.seal(
            personal,
            customer_id=new.life.customer_id,
            order_id=new.order_id,
            at=new.captured.captured_at,
            replay=None,
        )
        return replace(new, life=msgspec.structs.replace(new.life, sealed=found.sealed))

    async def _hold(self, new: Order, begins: SplitOff) -> str | None:
        """Return a reservation of what was given back for an order; None if somebody else has it by now."""
        lines = [
            HoldLine(sku=sku, quantity=units, node_id=node_id, ship_on=date.fromordinal(day) if day else None)
            for sku, node_id, units, day in begins.stock
        ]
        if not lines:
            return None
        try:
            held = await self._stock.hold(lines, channel=new.captured.channel, reference=new.order_id)
        except (Refused, InvalidInput):
            return None
        return held.value.reservation_id

    async def _merge(self, order: Order, effect: Effect) -> Rule:
        """Give the lines of an order to the other; if that cannot take them any more, let the order go on."""
        catalog, who = (await self._reference.current()).catalog, actor()
        if order.is_cancelled:
            return lambda now, _: not_merged(now, effect, "it was cancelled", who)
        try:
            moves = self._store.moves_stock
            await self._changes.change(
                effect.target, lambda other, _: joined(other, order, who, catalog, moves_stock=moves)
            )
        except (IllegalState, NotFound) as error:
            why = str(error)
            return lambda now, _: not_merged(now, effect, why, who)
        return lambda now, _: gone(now, effect, who)


def _settled(order: Order, effect: Effect) -> Revision:
    """Write down that the order which was split off is there."""
    links = tuple(
        msgspec.structs.replace(link, split_off=None) if link.order_id == effect.target else link
        for link in order.life.links
    )
    life = msgspec.structs.replace(without_effect(order.life, effect.effect_id), links=links)
    note = Note(event="split_off", by=actor(), subject=effect.target)
    return revision_of(order, replace(order, life=life), note)
