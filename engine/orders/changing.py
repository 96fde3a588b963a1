"""Changing an order by a rule: worked out from the order as it is, made if it is still so, else worked out again.

Every capability of an order's life changes it this way and no other. Not here: the rules, and what a change asks to be
done elsewhere (effecting.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from engine.clock import Clock
from engine.errors import IllegalState, InvalidInput, NotFound, Unavailable
from engine.events.actor import actor
from engine.inventory.model import Outcome, Replay
from engine.orders.model import Note, Order
from engine.orders.revising import OrderChanged, Revision, of_unknown, refused
from engine.orders.store import OrderStore

Rule = Callable[[Order, datetime], Revision | None]
"""What becomes of an order at an instant; None leaves it as it is. Pure, since it may be asked again."""
Look = Callable[[Order], Awaitable[Rule]]
"""Reads what a rule has to know beside the order, such as what it has reserved, and returns the rule."""
Follow = Callable[[Revision, datetime], Revision]
"""What a step asks for beside what its rule says; pure."""
_TRIES = 8


class OrderChanges:
    """Changes the orders of a tenant, one after another each."""

    def __init__(self, store: OrderStore, clock: Clock, follow: Follow | None = None) -> None:
        """Take where orders are; `follow` adds what a step asks for beside what its rule says, such as notices."""
        self._store, self._clock, self._follow = store, clock, follow

    async def get(self, order_id: str) -> Order:
        """Return an order; raises NotFound."""
        return await self._store.get(order_id)

    async def change(self, order_id: str, rule: Rule, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order by a rule; with `replay` a call that comes back gets the first answer.

        Raises NotFound, what the rule raises, IllegalState for what it refuses, and Unavailable if others change the
        order all the time.
        """

        async def look(_order: Order) -> Rule:
            return rule

        return await self.change_seen(order_id, look, replay)

    async def change_seen(self, order_id: str, look: Look, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order by the rule that a look at it returns; it is looked at again if it has changed since.

        Raises as `change`, and what the look raises.
        """
        for _ in range(_TRIES):
            try:
                revision = await self._revision(order_id, look, replay)
            except InvalidInput:  # what was right the first time need not be so any more
                before = None if replay is None else await self._store.recall_revision(replay, order_id)
                if before is None:
                    raise
                return before
            if isinstance(revision, Order):
                answered = None if replay is None else await self._store.recall_revision(replay, order_id)
                return answered or Outcome(value=revision, replayed=False)
            try:
                if self._follow is not None:
                    revision = self._follow(revision, self._clock.now())
                return await self._store.revise(revision, replay=replay)
            except OrderChanged:
                continue
        raise Unavailable(f"Order {order_id!r} is being changed by other calls. Send it again.")

    async def _revision(self, order_id: str, look: Look, replay: Replay | None) -> Revision | Order:
        """Return what becomes of an order, or the order if nothing does; under a key, refusals too, to be kept."""
        try:
            order = await self._store.get(order_id)
        except NotFound:
            if replay is None:
                raise
            return of_unknown(order_id)
        try:
            revision = (await look(order))(order, self._clock.now())
        except IllegalState as error:
            if replay is None:
                raise
            return refused(order, Note(event="refused", by=actor()), str(error))
        return order if revision is None else revision
