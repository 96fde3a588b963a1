"""The simulator: one replication of a story under one policy, on the production services, on one core.

Everything happens at an instant of a heap of events; the clock of the engine is moved there first. Stores are in
memory. Not here: customers (checkout.py), routing and release (releasing.py), floors (floor.py), facts (books.py).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.errors import IllegalState
from engine.inventory.model import Adjustment
from engine.network.days import Calendars
from engine.network.document import NetworkDocument
from engine.scenarios.story import (
    DAY_SECONDS,
    AdjustStock,
    CloseNode,
    Dated,
    OpenNode,
    PlannedSupply,
    PutNetwork,
    SetTransit,
    Story,
    StoryPolicy,
)
from engine.scenarios.streams import joined, uniforms
from engine.simulation.books import Books
from engine.simulation.carriage import Carriage
from engine.simulation.checkout import Checkout
from engine.simulation.facts import Ending, FactSink, Ledger
from engine.simulation.floor import Floor
from engine.simulation.foresight import Foresight
from engine.simulation.orders import Parcel, SimOrder
from engine.simulation.releasing import Releasing
from engine.simulation.shelves import Shelves
from engine.simulation.stores import Stores
from engine.simulation.times import StoryTime
from engine.simulation.world import adjust, names_of, put_supply, put_world, receive, under

__all__ = ["names_of", "simulate"]

_CHANGE, _SUPPLY, _FLOOR, _WINDOW, _NIGHT = range(5)
"""What comes first of the same instant; customers come after all of it."""
_DELIVERED_AT_HOUR = 18
_RETRY_SECONDS = 3600
"""A window of 0 minutes routes each order when it comes, and what has to wait each hour; a parcel that cannot leave
since its supply has not come is tried again as often."""
_DAYS_KEPT = 20
"""What was used of nodes is asked for from some days before today on (engine/promising/capacity.py)."""
Handler = Callable[[int, Any], Awaitable[None] | None]


def simulate(
    story: Story,
    policy: StoryPolicy,
    replication: int,
    sink: FactSink,
    told: Callable[[int], None] | None = None,
) -> Ledger:
    """Run a story under a policy once and return its ledger; `told` hears of each day that is over.

    The same story, policy and replication tell the same facts, on any machine. Raises InvalidInput if the story's
    network or stock is not valid, RunFailed, BooksDisagree.
    """
    return asyncio.run(_Simulation(story, policy, replication, sink, told).run())


@dataclass(slots=True)
class _Transit:
    """A change of transit times that is in force until `until_s`."""

    change: SetTransit
    until_s: float


class _Simulation:
    """One replication under way."""

    def __init__(
        self,
        story: Story,
        policy: StoryPolicy,
        replication: int,
        sink: FactSink,
        told: Callable[[int], None] | None,
    ) -> None:
        self._story, self._policy, self._replication, self._told = story, policy, replication, told
        self._times = StoryTime(story)
        self._names = names_of(story)
        self._node = {name: number for number, name in enumerate(self._names.nodes)}
        self._channels = {name: number for number, name in enumerate(self._names.channels)}
        self._clock = SettableClock(story.start)
        self._stores = Stores(self._clock)
        self._foresight = Foresight(story, self._times)
        self._books = Books(sink, self._times.first_ordinal)
        self._shelves = Shelves(story, replication)
        self._events: list[tuple[int, int, int, Handler, Any]] = []
        self._number = 0
        self._now_s = 0
        self._network_as_told = story.world.network
        self._in_force: StoryPolicy | None = policy if policy.from_s <= 0 else None
        self._transits: list[_Transit] = []
        self._open: dict[str, SimOrder] = {}
        """Orders that are not at their end, by id."""
        self._calendars: Calendars | None = None
        self._engine: Engine
        self._checkout: Checkout
        self._floor: Floor
        self._releasing: Releasing
        self._carriage: Carriage

    async def run(self) -> Ledger:
        """Do it all."""
        settings = Settings(explanation_days=0, most_rejections=0, workers=1, auth="off")
        async with allot_engine(settings, memory=self._stores.all, clock=self._clock) as engine:
            await self._begin(engine)
            for day in range(self._story.days):
                await self._live_through(day)
                if self._told is not None:
                    self._told(day)
            for order in self._open.values():
                self._books.ended(order)
            self._books.tell_orders()
            world = (await engine.reference.current()).catalog
            return self._books.ledger(await engine.stock.snapshot(), dict(world.costs))

    # The beginning.

    async def _begin(self, engine: Engine) -> None:
        story, times = self._story, self._times
        self._engine = engine
        self._checkout = Checkout(engine, story, self._replication, times)
        draws = (story.seed, self._replication)
        self._floor = Floor(times, story.operations, draws, self._at_floor, self._picked)
        self._releasing = Releasing(
            engine, story, self._replication, times, self._books, self._shelves, self._names, self._floor.take
        )
        await self._put_network(self._network_as_told)
        self._books.units.start = await put_world(engine, story, times)
        await self._follow()
        for change in story.changes:
            self._schedule(change.at_s, _CHANGE, self._changed, change)
        for number, planned in enumerate(story.world.supplies):
            self._plan(number, planned)
        if self._policy.from_s > 0:
            self._schedule(self._policy.from_s, _CHANGE, self._take_policy_up, None)
        elif self._policy.run is not None:
            await engine.policies.put(self._policy.name, self._policy.run)
        self._schedule(self._window_s(0), _WINDOW, self._window, None)

    def _plan(self, number: int, planned: PlannedSupply) -> None:
        """Have a supply come: when it was drawn or said to."""
        arrives_s = planned.arrives_s
        if arrives_s is None:
            arrives_s = planned.expected_s
            mean = self._story.operations.supply_delay_days
            if mean > 0:
                drawn = self._draw("supplies", number)
                arrives_s += math.floor(-math.log1p(-drawn) * mean) * DAY_SECONDS
        if planned.told_s is not None:
            self._schedule(planned.told_s, _SUPPLY, self._supply_is_late, (planned, arrives_s))
        self._schedule(arrives_s, _SUPPLY, self._supply_comes, planned)

    # One day.

    async def _live_through(self, day: int) -> None:
        """Serve the customers of a day, and do what is due meanwhile; then close it."""
        if self._policy.bid_prices:
            await self._foresee(day)
        ends_s = (day + 1) * DAY_SECONDS
        table = self._story.demand.orders(self._replication, day)
        for order, draws, cancels in self._checkout.customers(table, self._channels):
            await self._do_until(order.placed_s)
            self._move_to(order.placed_s)
            self._books.placed(order)
            policy = self._in_force
            channel = self._names.channels[order.channel]
            reserves = policy is None or policy.reserves
            if not await self._checkout.serve(order, channel, draws, reserves=reserves):
                self._books.ended(order)
                continue
            await self._bought(order, cancels)
        await self._take_recorded_returns(day)
        await self._do_until(ends_s)
        self._move_to(ends_s)
        await self._close(day)

    async def _foresee(self, day: int) -> None:
        """Make the bid prices of a day."""
        forecast = self._foresight.of(day)
        if forecast is not None and self._in_force is not None:
            await self._engine.forecast.put(forecast)
            await self._engine.forecast.make()

    async def _bought(self, order: SimOrder, cancels: float) -> None:
        """Have what was bought routed, and cancelled, as it happens."""
        self._open[order.order_id] = self._releasing.waiting[order.order_id] = order
        customers = self._story.customers
        if cancels < customers.cancel_share:
            after = cancels / customers.cancel_share * DAY_SECONDS
            self._schedule(order.placed_s + round(after), _CHANGE, self._cancel, order)
        first_day = max(order.promised_day, order.placed_s // DAY_SECONDS)
        gives_up_s = round((first_day + 1 + customers.waits_days) * DAY_SECONDS)
        self._schedule(gives_up_s, _CHANGE, self._give_up, order)
        policy = self._in_force
        if policy is not None and policy.window_minutes == 0:
            await self._releasing.route(self._now_s, policy, [order.order_id])

    async def _close(self, day: int) -> None:
        """Tell a day that is over, and let the stores forget what nobody will ask for again."""
        told = self._books.tell_orders()
        self._stores.forget(told, self._releasing.run_ids, self._times.at((day - _DAYS_KEPT) * DAY_SECONDS).date())
        self._releasing.run_ids.clear()
        stock = await self._engine.stock.snapshot()
        network = self._carriage.network
        backlog = self._floor.left_over(self._times.first_ordinal + day)
        waiting = list(self._releasing.waiting.values())
        self._books.tell_day(day, stock, network, self._node, backlog, waiting, len(self._open))
        await self._follow()

    # Events.

    def _schedule(self, at_s: int, rank: int, handler: Handler, what: Any) -> None:
        """Have a handler called at an instant, now if it has passed; never after the story is over."""
        if at_s <= self._times.end_s:
            self._number += 1
            heappush(self._events, (max(at_s, self._now_s), rank, self._number, handler, what))

    async def _do_until(self, until_s: int) -> None:
        """Do what is due up to an instant, and at it."""
        events = self._events
        while events and events[0][0] <= until_s:
            at_s, _, _, handler, what = heappop(events)
            self._move_to(at_s)
            doing = handler(at_s, what)
            if doing is not None:
                await doing

    def _move_to(self, at_s: int) -> None:
        if at_s > self._now_s:
            self._now_s = at_s
            self._clock.move_to(self._times.at(at_s))

    def _at_floor(self, at_s: int, handler: Callable[[int, Parcel], None], parcel: Parcel) -> None:
        self._schedule(at_s, _FLOOR, handler, parcel)

    # Routing.

    def _window_s(self, after_s: int) -> int:
        """Return when the next window ends after an instant."""
        policy = self._in_force
        minutes = self._policy.window_minutes if policy is None else policy.window_minutes
        seconds = minutes * 60 or _RETRY_SECONDS
        return (after_s // seconds + 1) * seconds

    async def _window(self, now_s: int, _: None) -> None:
        await self._releasing.route(now_s, self._in_force or StoryPolicy(name="network"))
        self._schedule(self._window_s(now_s), _WINDOW, self._window, None)

    # Parcels.

    def _picked(self, now_s: int, parcel: Parcel) -> None:
        self._schedule(now_s, _FLOOR, self._leave, parcel)

    async def _leave(self, now_s: int, parcel: Parcel) -> None:
        """Have a parcel leave its node; one whose supply has not come waits on."""
        if parcel.gone:
            return
        order = parcel.order
        kept = await self._engine.orders.get(order.order_id)
        try:
            await self._engine.inventory.consume(kept.reservation_id or "", lines=parcel.lines)
        except IllegalState:
            self._schedule(now_s + _RETRY_SECONDS, _FLOOR, self._leave, parcel)
            return
        for line in parcel.lines:
            self._shelves.take(line.sku, line.node_id, -line.quantity)
        parcel.shipped_s = now_s
        self._books.left(parcel.node, parcel.units)
        zone = self._carriage.network.time_zones[
            int(self._carriage.network.time_zone_of_node[self._carriage.network.index[parcel.node_id]])
        ]
        service = self._carriage.service(parcel.carried_by)
        assert self._calendars is not None
        days = max(0, parcel.bill.transit_days + self._deviation(now_s, parcel))
        arrives = self._carriage.arrival(self._calendars, service, self._times.ordinal_of(now_s, zone), days)
        parcel.delivered_day = self._times.day(arrives)
        at_s = self._times.midnight_s(None, arrives) + _DELIVERED_AT_HOUR * 3600
        self._schedule(max(at_s, now_s + 1), _FLOOR, self._deliver, parcel)

    def _deviation(self, now_s: int, parcel: Parcel) -> int:
        """Return by how many days a parcel takes longer than its rate says."""
        operations, days = self._story.operations, 0.0
        key = int(joined([parcel.order.key], [parcel.node])[0])
        if operations.transit_late_share > 0 and self._draw("late parcels", key) < operations.transit_late_share:
            stays = 1 - 1 / max(operations.transit_late_days, 1.0)
            drawn = self._draw("days late", key)
            days += 1 + (math.floor(math.log1p(-drawn) / math.log(stays)) if stays > 0 else 0)
        elif operations.transit_early_share > 0 and self._draw("early parcels", key) < operations.transit_early_share:
            days -= 1
        for each in self._transits:
            change = each.change
            if (
                now_s < each.until_s
                and (change.services is None or parcel.carried_by in change.services)
                and (change.node_ids is None or parcel.node_id in change.node_ids)
            ):
                days += change.extra_days
        return round(days)

    def _deliver(self, now_s: int, parcel: Parcel) -> None:
        """Hand a parcel over to its customer; with the last one the order is over, but for what comes back."""
        parcel.delivered_s = now_s
        order = parcel.order
        if not all(each.delivered_s >= 0 for each in order.parcels):
            return
        order.ending = Ending.DELIVERED
        if self._story.operations.return_share > 0 and self._story.demand.returns(0) is None:
            self._draw_returns(now_s, order)
        if order.returns_due == 0:
            self._is_over(order)

    def _draw_returns(self, now_s: int, order: SimOrder) -> None:
        operations, price = self._story.operations, dict(zip((s for s, _ in order.lines), order.prices, strict=True))
        units = [
            (parcel, line.sku, line.node_id)
            for parcel in order.parcels
            for line in parcel.lines
            for _ in range(line.quantity)
        ]
        keys = joined([order.key], np.arange(len(units)))
        seed, replication = self._story.seed, self._replication
        comes_back = uniforms(seed, replication, "returns", keys) < operations.return_share
        after = -np.log1p(-uniforms(seed, replication, "days of returns", keys)) * operations.return_days
        good = uniforms(seed, replication, "restocked", keys) < operations.restock_share
        for i in np.flatnonzero(comes_back).tolist():
            at_s = now_s + round(float(after[i]) * DAY_SECONDS)
            if at_s <= self._times.end_s:
                order.returns_due += 1
                _, sku, node_id = units[i]
                back = (order, sku, node_id, price.get(sku, 0), bool(good[i]))
                self._schedule(at_s, _FLOOR, self._comes_back, back)

    async def _comes_back(self, _: int, back: tuple[SimOrder, str, str, int, bool]) -> None:
        order, sku, node_id, price_cents, is_good = back
        order.returns_due -= 1
        order.units_returned += 1
        order.refund_cents += price_cents
        self._books.returned(1)
        await self._restock(sku, node_id, 1, is_good=is_good)
        if order.returns_due == 0:
            self._is_over(order)

    async def _restock(self, sku: str, node_id: str, units: int, *, is_good: bool) -> None:
        if is_good:
            came, _ = await adjust(self._engine, [Adjustment(node_id=node_id, sku=sku, delta=units, reason="returned")])
            self._books.units.restocked += came
        else:
            self._books.units.scrapped += units

    def _is_over(self, order: SimOrder) -> None:
        if self._open.pop(order.order_id, None) is not None:
            self._books.ended(order)

    # What customers do.

    async def _cancel(self, _: int, order: SimOrder) -> None:
        """Cancel an order of which nothing has left."""
        if order.order_id not in self._open or order.has_left:
            return
        try:
            await self._engine.orders.cancel(order.order_id)
        except IllegalState:
            return
        self._releasing.waiting.pop(order.order_id, None)
        self._releasing.take_back(order)
        order.ending, order.charged_cents = Ending.CANCELLED, 0
        self._is_over(order)

    async def _give_up(self, now_s: int, order: SimOrder) -> None:
        """Cancel an order that has waited for stock too long."""
        if order.order_id in self._releasing.waiting:
            await self._cancel(now_s, order)

    async def _take_recorded_returns(self, day: int) -> None:
        """Have the recorded returns of a day come back, each to a node that has the product already."""
        table = self._story.demand.returns(day)
        if table is None:
            return
        places: dict[str, str] = {}
        for at_s, sku, units in zip(
            table.returned_s.tolist(), table.sku.tolist(), table.quantity.tolist(), strict=True
        ):
            name = table.skus[sku]
            if name not in places:
                found = await self._engine.stock.positions(name)
                places[name] = found[0].node_id if found else self._carriage.network.node_ids[0]
            self._schedule(at_s, _FLOOR, self._recorded_return, (name, places[name], units))

    async def _recorded_return(self, _: int, back: tuple[str, str, int]) -> None:
        sku, node_id, units = back
        self._books.returned(units)
        await self._restock(sku, node_id, units, is_good=True)

    # Supplies and changes.

    async def _supply_comes(self, _: int, planned: PlannedSupply) -> None:
        await receive(self._engine, planned)
        self._books.units.received += planned.quantity

    async def _supply_is_late(self, _: int, late: tuple[PlannedSupply, int]) -> None:
        planned, arrives_s = late
        await put_supply(self._engine, planned, arrives_s, self._times)

    async def _take_policy_up(self, _now_s: int, _: None) -> None:
        self._in_force = self._policy
        await self._put_network(self._network_as_told)
        if self._policy.run is not None:
            await self._engine.policies.put(self._policy.name, self._policy.run)
        await self._follow()

    async def _changed(self, now_s: int, dated: Dated) -> None:
        """Let a change of the story happen."""
        action = dated.action
        if isinstance(action, PutNetwork):
            self._network_as_told = action.network
            await self._put_network(action.network)
        elif isinstance(action, CloseNode):
            await self._close_node(action)
        elif isinstance(action, OpenNode):
            await self._engine.closures.reopen(action.node_id)
            self._floor.open(now_s, action.node_id)
        elif isinstance(action, AdjustStock):
            came, went = await adjust(self._engine, action.adjustments)
            self._books.units.found += came
            self._books.units.lost += went
        else:
            until_s = math.inf if action.until_s is None else action.until_s
            self._transits.append(_Transit(action, until_s))
        await self._follow()

    async def _close_node(self, action: CloseNode) -> None:
        """Switch a node off; what it has to ship of orders of which nothing has left goes elsewhere."""
        closure = await self._engine.closures.close(action.node_id, action.reason)
        self._floor.close(action.node_id)
        await self._engine.closures.drain(closure)
        for order in list(self._open.values()):
            if any(parcel.node_id == action.node_id and parcel.shipped_s < 0 for parcel in order.parcels):
                await self._releasing.look_again(order)

    async def _put_network(self, network: NetworkDocument) -> None:
        await self._engine.network.put(under(self._in_force, network))

    async def _follow(self) -> None:
        """Have all parts work by the network and the calendars of now."""
        view = await self._engine.reference.current()
        self._calendars = view.days.at(self._clock.now()).calendars
        self._carriage = Carriage(view.network)
        weights = {sku: content.weight_g for sku, content in view.catalog.content.items()}
        self._releasing.follow(self._carriage, self._calendars, weights)
        self._floor.follow(view.network, self._calendars)

    def _draw(self, cause: str, key: int) -> float:
        return float(uniforms(self._story.seed, self._replication, cause, [key])[0])
