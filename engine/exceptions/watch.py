"""The jeopardy watch: goes round the orders that are under way, a page at a time, and keeps their alerts.

It reads orders by when a run decided on them, from the oldest that is not over, and then those that no run has decided
on. An order whose picture cannot have moved is passed by: it, its nodes and the world are as they were, and so is the
hour. To be done by one process at a time; nothing is harmed if two do. Not here: looking at one order (seeing.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain

from engine.clock import Clock
from engine.errors import AllotError, NotFound
from engine.events.actor import actor
from engine.exceptions.alerting import Delayed, open_alerts, watched
from engine.exceptions.index import AlertIndex, ListedAlert
from engine.exceptions.leaving import LOOK_BACK_DAYS, Nodes, Sighting, nodes_document, nodes_of, sightings_of
from engine.exceptions.parcels import parcels_of
from engine.exceptions.policy import AlertPolicy, AlertPolicyService
from engine.exceptions.seeing import Moment, Seeing
from engine.orders.changing import OrderChanges
from engine.orders.effecting import Effects
from engine.orders.facts.links import Alert
from engine.orders.model import Order
from engine.orders.revising import Revision
from engine.orders.states import is_over
from engine.orders.store import OrderStore
from engine.routing.model import UsedCapacity
from engine.turns import turn

PAGE, _AT_ONCE = 200, 50
ROUND_SECONDS, _REST = 60.0, 9.0
"""The next round begins so long after one, or so many times as long as that took: a tenth of a process at most."""
_LATE_MS = 60_000.0
"""By how much clocks of partitions may differ."""
_OLDEST_MS = 90 * 86_400_000.0
"""A process that has just begun looks at no order that was decided on longer ago."""
_FEW = 5_000
"""Of more orders it is counted once a round how nodes are doing, by those of the round before; else with each page."""
_DAYS_AHEAD = 14
"""Of so many days to come it is looked at what nodes are to ship."""
log = logging.getLogger("allot.watch")


class JeopardyWatch:
    """Keeps the alerts of a tenant's orders."""

    def __init__(
        self,
        *,
        orders: OrderStore,
        changes: OrderChanges,
        effects: Effects,
        policies: AlertPolicyService,
        index: AlertIndex,
        seeing: Seeing,
        clock: Clock,
        delayed: Delayed,
    ) -> None:
        self._orders, self._changes, self._effects, self._policies = orders, changes, effects, policies
        self._index, self._seeing, self._clock, self._delayed = index, seeing, clock, delayed
        self._at_ms = self._newest_ms = max(0.0, clock.now().timestamp() * 1000 - _OLDEST_MS)
        self._waiting = list[str]()
        self._is_first_waiting, self._rests_until = True, 0.0
        self._began: datetime | None = None
        self._oldest_open_ms: float | None = None
        self._decided_ms: Mapping[str, float] = {}
        """When a run decided on each order of the page."""
        self._seen: dict[str, tuple[Sighting, ...]] = {}
        self._looked: dict[str, tuple[object, ...]] = {}
        self._nodes, self._alarmed, self._is_counted = Nodes(), set[str](), False

    async def step(self, limit: int = PAGE) -> bool:
        """Look at a page of orders; say whether there are more in this round."""
        now = self._clock.now()
        if now.timestamp() < self._rests_until:
            return await self._look_at_new(limit)
        self._began = self._began or now
        page = await self._page(limit)
        if not page:
            await self._end_round(now)
            return False
        orders = [order for order in await self._read(page) if order is not None]
        await self._look_at(orders)
        return True

    async def _look_at_new(self, limit: int) -> bool:
        """Look at orders that a run has decided on since; say whether there may be more."""
        found = await self._orders.allocated(limit, after_ms=self._newest_ms)
        if found:
            self._newest_ms, self._decided_ms = found[-1][1], dict(found)
            await self._look_at([order for order in await self._read(list(self._decided_ms)) if order is not None])
        return len(found) >= limit

    async def round(self) -> None:
        """Look at all orders once, from wherever it is in a round."""
        self._rests_until = 0.0
        while await self.step():
            pass

    async def look_at(self, order_id: str) -> Order:
        """Look at one order now, and return it with the alerts that it has then; raises NotFound."""
        order = await self._orders.get(order_id)
        self._looked.pop(order_id, None)
        await self._look_at([order])
        return await self._orders.get(order_id)

    async def _page(self, limit: int) -> list[str]:
        """Return the next orders of a round, none at its end."""
        if not self._waiting and self._is_first_waiting:
            found = await self._orders.allocated(limit, after_ms=self._at_ms)
            if found:
                self._at_ms = self._newest_ms = found[-1][1]
                self._decided_ms = dict(found)
                return [order_id for order_id, _ in found]
            self._is_first_waiting = False
            self._decided_ms = {}
            self._waiting = [order.order_id for order in await self._orders.open_orders()]
        page, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return page

    async def _end_round(self, now: datetime) -> None:
        """Begin again with the oldest order that is not over, after alarmed orders that were not seen any more."""
        for order_id in await self._index.orders():
            if order_id not in self._alarmed:
                await self._put_right(order_id)
        self._at_ms = max(0.0, (self._oldest_open_ms or self._at_ms) - _LATE_MS)
        self._oldest_open_ms, self._is_first_waiting = None, True
        took = 0.0 if self._began is None else (now - self._began).total_seconds()
        self._alarmed, self._rests_until = set(), now.timestamp() + max(ROUND_SECONDS, _REST * took)
        self._began, self._is_counted = None, False
        today = now.date().toordinal()
        self._seen = {
            order_id: seen
            for order_id, seen in self._seen.items()
            if any(each.left is None or each.due >= today - LOOK_BACK_DAYS - 1 for each in seen)
        }

    async def _put_right(self, order_id: str) -> None:
        """List the open alerts of an order that is not looked at any more."""
        try:
            order = await self._orders.get(order_id)
        except NotFound:
            await self._index.put(order_id, ())
            return
        await self._look_at([order])

    async def _read(self, order_ids: Sequence[str]) -> list[Order | None]:
        found: list[Order | None] = []
        for start in range(0, len(order_ids), _AT_ONCE):
            found += await asyncio.gather(*map(self._found, order_ids[start : start + _AT_ONCE]))
        return found

    async def _found(self, order_id: str) -> Order | None:
        try:
            return await self._orders.get(order_id)
        except NotFound:
            return None

    async def _look_at(self, orders: Sequence[Order]) -> None:
        try:
            moment = await self._seeing.moment(self._nodes)
        except NotFound:  # no network yet
            return
        policy = await self._policies.current()
        for order in orders:
            self._note(order, moment)
        if len(self._seen) <= _FEW or not self._is_counted:
            self._is_counted = True
            before = self._nodes
            self._nodes = nodes_of(chain(*self._seen.values()), await self._used(moment), moment.view, moment.now)
            if self._nodes != before:
                await self._index.put_nodes(nodes_document(self._nodes))
        moment = await self._seeing.moment(self._nodes)
        for order in orders:
            await turn()
            try:
                await self._keep(order, moment, policy)
            except AllotError as error:
                log.warning("an order could not be looked at", extra={"order_id": order.order_id, "why": str(error)})

    def _note(self, order: Order, moment: Moment) -> None:
        """Note what an order says of its nodes, and where the next round begins."""
        seen = sightings_of(parcels_of(order, moment.view.network, moment.view.catalog))
        if seen:
            self._seen[order.order_id] = seen
        elif all(each.left is None for each in self._seen.get(order.order_id, ())):
            self._seen.pop(order.order_id, None)
        decided_ms = self._decided_ms.get(order.order_id)
        if decided_ms is not None and not (is_over(order) or order.is_cancelled):
            self._oldest_open_ms = min(decided_ms, self._oldest_open_ms or decided_ms)

    async def _used(self, moment: Moment) -> Sequence[UsedCapacity]:
        first = int(moment.view.days.at(moment.now).local_day.min())
        return await self._orders.used_capacity([date.fromordinal(first + day) for day in range(_DAYS_AHEAD)])

    async def _keep(self, order: Order, moment: Moment, policy: AlertPolicy) -> None:
        """Write the alerts of an order if they have changed, then list those that are open."""
        picture = self._picture(order, moment, policy)
        if self._looked.get(order.order_id) == picture:
            if open_alerts(order):
                self._alarmed.add(order.order_id)
            return
        outlooks = await self._seeing.outlooks(order, moment)

        def rule(now: Order, at: datetime) -> Revision | None:
            if now.steering.revision != order.steering.revision:
                return None  # it is looked at again
            return watched(now, outlooks, policy.document, at, actor(), self._delayed)

        changed = order
        if rule(order, moment.now) is not None:
            changed = (await self._changes.change(order.order_id, rule)).value
        listed = [
            ListedAlert(order_id=order.order_id, channel=order.captured.channel, alert=alert)
            for alert in open_alerts(changed)
        ]
        await self._index.put(order.order_id, listed)
        if listed:
            self._alarmed.add(order.order_id)
        if changed.steering.revision == order.steering.revision:
            self._looked[order.order_id] = picture
        elif len(changed.life.effects) > len(order.life.effects):
            await self._effects.settle(order.order_id)
        if is_over(changed) or changed.is_cancelled:
            self._looked.pop(order.order_id, None)

    def _picture(self, order: Order, moment: Moment, policy: AlertPolicy) -> tuple[object, ...]:
        """Return what an order's outlook depends on; units without a node, and supplies, may move at any time."""
        nodes = {row.node_id for row in order.allocation} | {each.node_id for each in order.life.shipments}
        behind = tuple(sorted((node, self._nodes.behind_days.get(node, 0)) for node in nodes if node is not None))
        waits = any(row.node_id is None for row in order.allocation) or not order.allocation
        hour = int(moment.now.timestamp() // (60 if waits else 3600))
        done = tuple(sorted((node, str(self._nodes.done_on.get(node))) for node in nodes if node is not None))
        return order.steering.revision, moment.view.epoch, policy.version, hour, behind, done


def no_notice(order: Order, alert: Alert, day: date, at: datetime) -> None:
    """Tell nobody."""
