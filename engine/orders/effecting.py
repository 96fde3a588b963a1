"""Doing what orders ask to be done elsewhere: at once by the process that asked, else by the sweeper.

A handler does one effect under its id, so that doing it twice is doing it once, and returns the rule that writes down
what came of it. Not here: what there is to do (facts/effects.py), and the handlers (bootstrap.py names them).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from engine.clock import Clock
from engine.errors import AllotError, NotFound
from engine.events.actor import actor
from engine.orders.changing import OrderChanges, Rule
from engine.orders.facts.effects import Effect
from engine.orders.life import Life
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.orders.store import OrderStore

Handler = Callable[[Order, Effect], Awaitable[Rule]]
"""Does an effect once under its id; the rule it returns is asked only while the order still waits for the effect."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=15)
_MOST_IN_A_ROW = 20

log = logging.getLogger("allot.effects")


class Effects:
    """Settles the effects of the orders of a tenant."""

    def __init__(self, store: OrderStore, changes: OrderChanges, handlers: Mapping[str, Handler], clock: Clock) -> None:
        self._store, self._changes, self._handlers, self._clock = store, changes, dict(handlers), clock

    async def settle(self, order_id: str) -> Order:
        """Do what an order asks for and is due, and what follows from that; return the order as it is then.

        What cannot be done now is put off, and done by a later call.
        """
        order = await self._store.get(order_id)
        for _ in range(_MOST_IN_A_ROW):
            now = self._clock.now()
            effect = next((each for each in order.life.effects if each.due_at <= now), None)
            if effect is None:
                break
            order = await self._do(order, effect)
        return order

    async def step(self, limit: int = 200) -> int:
        """Settle orders whose effects are due, of about `limit`; return how many. Nothing is harmed if two do."""
        due = await self._store.effects_due(self._clock.now().timestamp() * 1000, limit)
        for order_id in due:
            try:
                await self.settle(order_id)
            except NotFound:
                continue
            except AllotError as error:
                log.warning("effects of an order were put off", extra={"order_id": order_id, "why": str(error)})
        return len(due)

    async def _do(self, order: Order, effect: Effect) -> Order:
        try:
            rule = await self._handlers[effect.kind](order, effect)
        except AllotError as error:
            rule = _put_off(effect, str(error))
        changed = await self._changes.change(order.order_id, _while_waiting(effect, rule))
        return changed.value


def with_effects(life: Life, *effects: Effect) -> Life:
    """Return a life that asks for more to be done."""
    return msgspec.structs.replace(life, effects=(*life.effects, *effects))


def without_effect(life: Life, effect_id: str) -> Life:
    """Return a life in which an effect is done."""
    return msgspec.structs.replace(life, effects=tuple(each for each in life.effects if each.effect_id != effect_id))


def _while_waiting(effect: Effect, rule: Rule) -> Rule:
    """Return the rule, asked only of an order that still waits for the effect: another process may have done it."""

    def guarded(order: Order, at: datetime) -> Revision | None:
        if all(each.effect_id != effect.effect_id for each in order.life.effects):
            return None
        return rule(order, at)

    return guarded


def _put_off(effect: Effect, why: str) -> Rule:
    """Return the rule that lets an effect wait, twice as long each time."""

    def rule(order: Order, at: datetime) -> Revision:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(effect.tries, 20))
        later = msgspec.structs.replace(effect, tries=effect.tries + 1, due_at=at + wait, last_error=why[:200])
        life = without_effect(order.life, effect.effect_id)
        note = Note(event="effect_put_off", by=actor(), reason=why[:200], subject=effect.subject or None)
        return revision_of(order, replace(order, life=with_effects(life, later)), note)

    return rule
