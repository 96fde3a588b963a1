"""The jeopardy watch: looks at the orders under way for which there is a reason to, and keeps their alerts.

There are four: an order has changed; an hour or a day has begun that counts for it; a node it waits at does otherwise,
or the stock of a SKU it waits for; or the world has changed, which is a reason for all. A process that begins knows of
no order, and looks at all of them once, a page at a time. To be done by one process at a time; nothing is harmed if two
do. Not here: looking at one order (seeing.py), when the next day begins for it (waking.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import date, datetime

from engine.clock import Clock
from engine.errors import AllotError, NotFound
from engine.events.actor import actor
from engine.exceptions.alerting import Delayed, open_alerts, watched
from engine.exceptions.beginning import EveryOrder
from engine.exceptions.index import AlertIndex, ListedAlert
from engine.exceptions.leaving import Nodes, Sighting, nodes_document, sightings_of
from engine.exceptions.news import OrderNews
from engine.exceptions.node_tally import NodeTally
from engine.exceptions.parcels import parcels_of
from engine.exceptions.policy import AlertPolicy, AlertPolicyService
from engine.exceptions.seeing import Look, Moment, Seeing
from engine.exceptions.waking import Clocks
from engine.exceptions.watch_list import Entry, WatchList
from engine.orders.changing import OrderChanges
from engine.orders.effecting import Effects
from engine.orders.facts.links import Alert
from engine.orders.model import Order
from engine.orders.revising import Revision
from engine.orders.states import is_over
from engine.orders.store import OrderStore
from engine.turns import in_turns, turn

PAGE, _SKUS_AT_ONCE = 200, 20
ROUND_SECONDS, _REST = 60.0, 9.0
"""So often it is looked how nodes and stock are doing; and a page is followed by so many times as long without one."""
_AGAIN_SECONDS = 60.0
"""An order that could not be looked at, or that the watch itself has changed, is looked at again after so long."""
_DAYS_AHEAD = 14
"""Of so many days to come it is looked at what nodes are to ship."""
log = logging.getLogger("allot.watch")


class JeopardyWatch:
    """Keeps the alerts of a tenant's orders."""

    def __init__(
        self,
        *,
        orders: OrderStore,
        news: OrderNews,
        changes: OrderChanges,
        effects: Effects,
        policies: AlertPolicyService,
        index: AlertIndex,
        seeing: Seeing,
        clock: Clock,
        delayed: Delayed,
    ) -> None:
        self._orders, self._news, self._changes, self._effects = orders, news, changes, effects
        self._policies, self._index, self._seeing, self._clock = policies, index, seeing, clock
        self._delayed = delayed
        self._list, self._tally = WatchList(), NodeTally()
        self._beginning: EveryOrder | None = None
        self._marks: dict[str, int] = {}
        self._written: dict[str, int] = {}
        """The revision of orders to which the watch itself has done something, until it hears of that."""
        self._own = set[str]()
        """Orders that are due for no other reason than perhaps that."""
        self._world: tuple[object, ...] = ()
        self._round_at, self._rests_until = 0.0, 0.0

    async def step(self, limit: int = PAGE) -> bool:
        """Look at a page of orders that are due, unless it rests; say whether there are more."""
        if time.monotonic() < self._rests_until:
            return False
        began = time.monotonic()
        has_more = await self._page(limit)
        now = time.monotonic()
        self._rests_until = now + (now - began) * (1.0 if self._beginning is not None else _REST)
        return has_more

    async def round(self) -> None:
        """Look at all orders for which there is a reason now."""
        self._round_at = 0.0
        while await self._page(PAGE):
            pass

    async def look_at(self, order_id: str) -> Order:
        """Look at one order now, and return it with the alerts that it has then; raises NotFound."""
        order = await self._orders.get(order_id)
        moment = await self._moment()
        if moment is not None:
            await self._look_at({order_id: order}, moment)
        return await self._orders.get(order_id)

    async def _page(self, limit: int) -> bool:
        """Find reasons, and look at a page of orders; say whether there is more to do at once."""
        moment = await self._moment()
        if moment is None:
            return False
        now, hears_more = moment.now.timestamp(), await self._hear(moment.now.timestamp(), limit)
        if now >= self._round_at:
            await self._go_round(moment)
            self._round_at = now + ROUND_SECONDS
        taken = self._list.take(now, limit)
        try:
            await self._look_at(await self._read(taken), moment)
        except BaseException:
            self._wake(taken, now)  # what was looked at already is as it was
            raise
        return hears_more or self._beginning is not None or self._list.is_due(now)

    async def _moment(self) -> Moment | None:
        """Return the minute of now, None without a network; another world is a reason to look at all orders."""
        try:
            moment = await self._seeing.moment(self._tally.nodes)
        except NotFound:
            return None
        view, policy = moment.view, await self._policies.current()
        world = (view.network, view.catalog, view.lead_times, policy.version)
        if world != self._world:
            self._world = world
            async for _, some in in_turns(list(self._list.entries)):
                self._wake(some, moment.now.timestamp())
        return moment

    async def _hear(self, now: float, limit: int) -> bool:
        """Take in what has happened to orders; say whether there is more."""
        news = await self._news.heard()
        if news.is_lost:
            self._beginning = EveryOrder(self._orders, self._index, self._clock.now())
        own = {each for each in news.changed if each in self._written and not self._list.is_due(now, each)}
        self._wake(news.changed, now)
        self._own |= own
        for order_id in news.gone:
            self._forget(order_id)
        if self._beginning is not None and not self._list.is_due(now):
            found = await self._beginning.page(limit)
            self._wake(found, now)
            self._beginning = self._beginning if found else None
        return news.has_more

    async def _go_round(self, moment: Moment) -> None:
        """Look how nodes are doing, and whether the stock is as it was that orders wait for."""
        now = moment.now.timestamp()
        first = int(moment.view.days.at(moment.now).local_day.min())
        days = [date.fromordinal(first + day) for day in range(_DAYS_AHEAD)]
        self._tally.begin(await self._orders.used_capacity(days), moment.now)
        await self._count(moment)
        before, self._marks = self._marks, {}
        async for _, some in in_turns(list(self._list.skus), _SKUS_AT_ONCE):
            self._marks |= await self._seeing.marks(some)
        for sku, mark in self._marks.items():
            if before.get(sku) != mark:
                self._wake(self._list.waiting_for(sku), now)

    async def _count(self, moment: Moment) -> None:
        """Work out how nodes are doing, and wake the orders for which that makes a difference."""
        before, now = self._tally.nodes, moment.now.timestamp()
        changed, today = await self._tally.count(moment.view, moment.now), moment.view.days.at(moment.now).by_node
        if not changed:
            return
        await self._index.put_nodes(nodes_document(self._tally.nodes))
        for node_id in changed:
            here = today.get(node_id, 0)
            async for _, some in in_turns(list(self._list.at_node(node_id))):
                self._wake((each for each in some if self._is_moved(each, node_id, here, before)), now)

    def _is_moved(self, order_id: str, node_id: str, today: int, before: Nodes) -> bool:
        entry, after = self._list.entries.get(order_id), self._tally.nodes
        return entry is not None and any(
            before.standing(node_id, due, today) != after.standing(node_id, due, today)
            for at, due in entry.waits_at
            if at == node_id
        )

    def _wake(self, order_ids: Iterable[str], at: float) -> None:
        for order_id in order_ids:
            self._own.discard(order_id)
            self._list.wake(order_id, at)

    async def _read(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """Return orders; what is not there any more has no alerts."""
        found: dict[str, Order] = {}
        for order_id in order_ids:
            await turn()
            try:
                order = await self._orders.get(order_id)
            except NotFound:
                self._forget(order_id)
                await self._index.put(order_id, ())
                continue
            written, is_own = self._written.pop(order_id, None), order_id in self._own
            self._own.discard(order_id)
            if is_own and written == order.steering.revision:
                self._list.wake(order_id, self._clock.now().timestamp() + _AGAIN_SECONDS)
            else:
                found[order_id] = order
        return found

    async def _look_at(self, orders: dict[str, Order], moment: Moment) -> None:
        """Note what orders say of their nodes, then look at each by how nodes are doing."""
        async for _, some in in_turns(list(orders.values()), 5):
            for order in some:
                self._note(order, moment)
        await self._count(moment)
        self._list.settle(orders)  # they are looked at now, by how nodes are doing now
        moment, policy = await self._seeing.moment(self._tally.nodes), await self._policies.current()
        clocks = Clocks(moment.view, moment.now)
        for order_id, order in orders.items():
            await turn()
            try:
                await self._keep(order, moment, clocks, policy)
            except AllotError as error:
                log.warning("an order could not be looked at", extra={"order_id": order_id, "why": str(error)})
                self._list.wake(order_id, clocks.now + _AGAIN_SECONDS)

    def _note(self, order: Order, moment: Moment) -> None:
        """Count what an order says of its nodes in place of what it said before; what has left stays counted."""
        parcels = parcels_of(order, moment.view.network, moment.view.catalog)
        before, seen = self._sightings(order.order_id), sightings_of(parcels)
        if not seen:
            seen = tuple(each for each in before if each.left is not None)
        self._tally.remove(before)
        self._tally.add(seen)
        waits_at = {
            (node_id, parcel.ship_on.toordinal())
            for parcel in parcels
            if parcel.shipped_on is None and not parcel.is_packed
            for node_id in parcel.node_ids or (parcel.node_id,)
        }
        plain = tuple((each.node_id, each.due, each.left, each.units) for each in seen)
        self._list.keep(order.order_id, Entry(sightings=plain, waits_at=tuple(sorted(waits_at))))

    def _sightings(self, order_id: str) -> tuple[Sighting, ...]:
        entry = self._list.entries.get(order_id)
        return () if entry is None else tuple(Sighting(*each) for each in entry.sightings)

    def _forget(self, order_id: str) -> None:
        """Know nothing of an order any more, but how its nodes have done."""
        self._tally.remove(each for each in self._sightings(order_id) if each.left is None)
        self._list.drop(order_id)

    async def _keep(self, order: Order, moment: Moment, clocks: Clocks, policy: AlertPolicy) -> None:
        """Write the alerts of an order if they have changed, list those that are open, and say when it is due again."""
        look = await self._seeing.look(order, moment)

        def rule(now: Order, at: datetime) -> Revision | None:
            if now.steering.revision != order.steering.revision:
                return None  # it is looked at again
            return watched(now, look.outlooks, policy.document, at, actor(), self._delayed)

        changed = order
        if rule(order, moment.now) is not None:
            changed = (await self._changes.change(order.order_id, rule)).value
            self._written[order.order_id] = changed.steering.revision
        listed = [
            ListedAlert(order_id=order.order_id, channel=order.captured.channel, alert=alert)
            for alert in open_alerts(changed)
        ]
        if listed or order.life.alerts or changed.life.alerts:
            await self._index.put(order.order_id, listed)
        if len(changed.life.effects) > len(order.life.effects):
            await self._effects.settle(order.order_id)
        if is_over(changed) or changed.is_cancelled:
            self._forget(order.order_id)
        else:
            self._expect(order.order_id, look, clocks)

    def _expect(self, order_id: str, look: Look, clocks: Clocks) -> None:
        """Have an order looked at again when that may show something else."""
        entry = self._list.entries.get(order_id)
        if entry is not None and entry.skus != look.skus:
            self._list.keep(order_id, Entry(sightings=entry.sightings, waits_at=entry.waits_at, skus=look.skus))
        self._list.wake(order_id, clocks.next_look(look.parcels, look.place, is_waiting=look.is_waiting))


def no_notice(order: Order, alert: Alert, day: date, at: datetime) -> None:
    """Tell nobody."""
