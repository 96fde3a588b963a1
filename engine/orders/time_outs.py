"""Orders that nodes leave lying: not accepted within the node's minutes, they are taken away from it.

Each order is looked at once for each length of time that nodes have, when it is so old. Not here: what becomes of it
(rejecting.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.errors import IllegalState, NotFound
from engine.orders.model import Order
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.orders.steering_service import OrderSteering
from engine.orders.store import OrderStore

PAGE, _AT_ONCE = 500, 50
_MINUTE_MS, _LATE_MS = 60_000.0, 60_000.0
_OLDEST_MS = 30 * 24 * 60 * _MINUTE_MS
"""A process that has just begun looks at no order that is older: it would read all that there ever were."""


class TimeOuts:
    """Looks after nodes that have `acceptance_minutes`."""

    def __init__(self, orders: OrderStore, steering: OrderSteering, reference: Reference, clock: Clock) -> None:
        self._orders, self._steering, self._reference, self._clock = orders, steering, reference, clock
        self._looked_ms, self._minutes = dict[int, float](), dict[str, int]()
        """Until when orders were looked at, by the minutes that nodes have, and how many each node has."""

    async def step(self) -> int:
        """Take away what was not accepted in time; return how many orders that were.

        To be done by one process at a time, again and again; nothing is harmed if two do.
        """
        with suppress(NotFound):
            nodes = (await self._reference.current()).network.document.nodes
            minutes = {n.node_id: n.acceptance_minutes for n in nodes if n.acceptance_minutes is not None}
            return await self._look(minutes) if minutes else 0
        return 0

    async def _look(self, minutes: Mapping[str, int]) -> int:
        if minutes != self._minutes:  # orders that were passed by may become due by them
            self._looked_ms, self._minutes = {}, dict(minutes)
        return sum([await self._look_behind(limit) for limit in sorted(set(minutes.values()))])

    async def _look_behind(self, limit: int) -> int:
        """Take away what nodes with so many minutes have left lying, of orders that were not looked at for them."""
        now_ms, found, has_more = self._clock.now().timestamp() * 1000, 0, True
        newest = now_ms - limit * _MINUTE_MS
        at = self._looked_ms.get(limit, max(0.0, newest - _OLDEST_MS))
        while has_more and at < newest:
            page = await self._orders.allocated(PAGE, after_ms=at)
            has_more = len(page) >= PAGE
            due = [order_id for order_id, given_ms in page if given_ms <= newest]
            for start in range(0, len(due), _AT_ONCE):
                some = due[start : start + _AT_ONCE]
                found += sum(await asyncio.gather(*(self._look_at(order_id, limit) for order_id in some)))
            at = page[-1][1] if page else at
        self._looked_ms[limit] = max(0.0, newest - _LATE_MS)
        return found

    async def _look_at(self, order_id: str, limit: int) -> bool:
        order, is_late = await self._orders.get(order_id), False
        for node_id in sorted(node_id for node_id in _silent(order) if self._minutes.get(node_id) == limit):
            reason = f"not accepted within {limit} minutes"
            new = NewRejection(node_id=node_id, reason=reason, kind=RejectionKind.TIME_OUT)
            with suppress(IllegalState):  # it has accepted or shipped meanwhile
                await self._steering.time_out(order_id, new, order.run_id)
                is_late = True
        return is_late


def _silent(order: Order) -> set[str]:
    """Return the nodes that have something to ship and have not accepted it."""
    if order.is_cancelled:
        return set()
    kept = {node_id for row in order.steering.kept for node_id in row.node_ids}
    accepted = {
        each.node_id for each in order.steering.acceptances if each.run_id == order.run_id or each.node_id in kept
    }
    return {node_id for row in order.allocation for node_id in row.node_ids} - accepted
