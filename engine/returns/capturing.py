"""The order of an exchange: promised, reserved and captured once, whoever dies when; then credited as units come back.

Not here: what was agreed on (exchanging.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from engine.errors import AllotError, InvalidInput, NotFound, Refused, Unavailable
from engine.inventory.model import Replay
from engine.inventory.service import InventoryService
from engine.orders.changing import OrderChanges, Rule
from engine.orders.destination import Destination
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Link
from engine.orders.facts.returns import Exchange
from engine.orders.model import NewOrder, Note, Order
from engine.orders.personal import Seal
from engine.orders.revising import Revision, revision_of
from engine.orders.service import OrderService
from engine.promising import model as promising
from engine.promising.service import PromiseService
from engine.returns.exchanging import captured_again, with_exchange
from engine.returns.steps import REFUND, return_of, with_return

_BY = "returns"
FOR, BY = "exchange_for", "exchanged_by"
"""The links of an exchange and of the order that it is for."""


class Exchanges:
    """Captures the orders of exchanges, and credits them."""

    def __init__(
        self,
        orders: OrderService,
        changes: OrderChanges,
        promises: PromiseService,
        inventory: InventoryService,
        seal: Seal,
    ) -> None:
        self._orders, self._changes, self._promises = orders, changes, promises
        self._inventory, self._seal = inventory, seal

    async def capture(self, order: Order, effect: Effect) -> Rule:
        """Do `order.exchange`: capture the order with a reservation of the best promise; told why if it cannot be."""
        exchange = return_of(order, effect.subject).exchange
        assert exchange is not None, "only an exchange asks for it"
        try:
            captured = await self._captured(order, exchange, effect)
        except (InvalidInput, Refused) as error:
            return _refused(effect, str(error))
        await self._changes.change(exchange.order_id, _linked(order.order_id))
        return _written(effect, captured)

    async def credit(self, order: Order, effect: Effect) -> Rule:
        """Do `return.credit`: what is agreed on settles the new order's invoice; if that is off, it is paid back."""
        exchange = return_of(order, effect.subject).exchange
        if exchange is None:
            return _paid_instead(effect)
        if not exchange.is_captured:
            raise Unavailable("The exchange is not captured yet.")
        try:
            is_off = (await self._changes.get(exchange.order_id)).is_cancelled
        except NotFound:
            is_off = True
        return _paid_instead(effect) if is_off else _credited(effect, exchange.order_id)

    async def _captured(self, order: Order, exchange: Exchange, effect: Effect) -> Order:
        try:
            return await self._orders.get(exchange.order_id)  # by a process that died
        except NotFound:
            pass
        personal = await self._seal.opened(order.life)
        customer: Mapping[str, Any] | None = None if personal is None else personal.customer
        wanted = captured_again(exchange, order)
        reservation_id = await self._reserved(wanted, effect)
        customer_id = order.life.customer_id or None
        new = replace(wanted, reservation_id=reservation_id, customer=customer, customer_id=customer_id)
        return (await self._orders.capture(new)).value

    async def _reserved(self, wanted: NewOrder, effect: Effect) -> str | None:
        """Hold what the best option of a promise needs, under the effect's key; None if nothing can be promised."""
        key = f"{effect.effect_id}:hold"
        try:
            promise = await self._promises.promise(_asked(wanted))
            if not promise.options:
                return None
            held = await self._promises.promised_hold(promise.promise_id, promise.options[0].option_id)
            reservation = await self._inventory.hold(
                held.lines,
                channel=held.channel,
                reference=wanted.order_id,
                promised_on=held.promised_on,
                promised=held.promised,
                replay=Replay(digest=key, fingerprint=key),
            )
        except Unavailable:
            raise
        except AllotError:
            return None
        return reservation.value.reservation_id


def _asked(wanted: NewOrder) -> promising.PromiseRequest:
    place: Destination = wanted.destination
    return promising.PromiseRequest(
        lines=tuple(promising.WantedLine(sku=line.sku, quantity=line.quantity) for line in wanted.lines),
        destination=promising.Destination(
            latitude=place.latitude,
            longitude=place.longitude,
            postal_code=place.postal_code,
            country=place.country,
            time_zone=place.time_zone,
            residential=place.residential,
            is_po_box=place.is_po_box,
        ),
        channel=wanted.channel,
        service_levels=None if wanted.service_level is None else (wanted.service_level,),  # type: ignore[arg-type]
        ship_complete=True,
    )


def _linked(order_id: str) -> Rule:
    """Return the rule that ties the new order to the one it is for."""
    link = Link(kind=FOR, order_id=order_id)

    def rule(new: Order, _: datetime) -> Revision | None:
        if link in new.life.links:
            return None
        life = msgspec.structs.replace(new.life, links=(*new.life.links, link))
        note = Note(event="exchange_linked", by=_BY, reason=f"in exchange for units of order {order_id}")
        return revision_of(new, replace(new, life=life), note)

    return rule


def _written(effect: Effect, captured: Order) -> Rule:
    """Return the rule that writes down the order that was captured in exchange."""

    def rule(order: Order, at: datetime) -> Revision:
        changed = with_exchange(
            return_of(order, effect.subject),
            captured_at=at,
            promised_on=captured.captured.promised_on,
            reservation_id=captured.captured.reservation_id or "",
        )
        after = with_return(order, changed, without=(effect.effect_id,))
        links = (*after.life.links, Link(kind=BY, order_id=captured.order_id))
        after = replace(after, life=msgspec.structs.replace(after.life, links=links))
        note = Note(event="exchange_captured", by=_BY, subject=effect.subject, reason=captured.order_id)
        return revision_of(order, after, note)

    return rule


def _refused(effect: Effect, why: str) -> Rule:
    """Return the rule by which people learn why there is no exchange: the return pays its money back instead."""

    def rule(order: Order, _: datetime) -> Revision:
        changed = msgspec.structs.replace(return_of(order, effect.subject), exchange=None, problem=why[:200])
        note = Note(event="exchange_refused", by=_BY, subject=effect.subject, reason=why[:200])
        return revision_of(order, with_return(order, changed, without=(effect.effect_id,)), note)

    return rule


def _credited(effect: Effect, order_id: str) -> Rule:
    """Return the rule that says that so much of the new order is settled."""

    def rule(order: Order, _: datetime) -> Revision:
        after = with_return(order, return_of(order, effect.subject), without=(effect.effect_id,))
        note = Note(
            event="exchange_credited",
            by=_BY,
            subject=effect.subject,
            amount_cents=effect.amount_cents,
            reason=order_id,
        )
        return revision_of(order, after, note)

    return rule


def _paid_instead(effect: Effect) -> Rule:
    """Return the rule that pays back what was to settle an order that is off."""

    def rule(order: Order, at: datetime) -> Revision:
        changed = return_of(order, effect.subject)
        if changed.exchange is not None:
            credit = changed.exchange.credit_cents - effect.amount_cents
            changed = with_exchange(changed, credit_cents=credit, agreed_cents=credit)
        pay = Effect(
            effect_id=f"{effect.effect_id}:back",
            kind=REFUND,
            due_at=at,
            subject=effect.subject,
            amount_cents=effect.amount_cents,
        )
        after = with_return(order, changed, pay, without=(effect.effect_id,))
        note = Note(event="exchange_is_off", by=_BY, subject=effect.subject, amount_cents=effect.amount_cents)
        return revision_of(order, after, note)

    return rule
