"""The simulator: one replication of a story under one policy, on the production services, on one core.

Everything happens at an instant of an agenda of events; the clock of the engine is moved there first. Stores are in
memory. Here: the days, and what customers do. Not here: checkouts (checkout.py), routing and release (releasing.py),
floors (floor.py), carriers and returns (delivering.py), changes and supplies (changing.py), facts (books.py).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.errors import IllegalState
from engine.scenarios.story import DAY_SECONDS, Story, StoryPolicy
from engine.simulation.agenda import Agenda, Rank
from engine.simulation.books import Books
from engine.simulation.changing import Changing
from engine.simulation.checkout import Checkout
from engine.simulation.delivering import Delivering
from engine.simulation.facts import Ending, FactSink, Ledger
from engine.simulation.floor import Floor
from engine.simulation.foresight import Foresight
from engine.simulation.luck import Luck
from engine.simulation.orders import Parcel, SimOrder
from engine.simulation.releasing import Releasing
from engine.simulation.shelves import Shelves
from engine.simulation.stores import Stores
from engine.simulation.surroundings import Surroundings
from engine.simulation.times import StoryTime
from engine.simulation.world import names_of, put_world

__all__ = ["names_of", "simulate"]

_HOURLY_SECONDS = 3600
"""A window of 0 minutes routes each order when it comes, and what has to wait each hour."""
_DAYS_KEPT = 20
"""What was used of nodes is asked for from some days before today on (engine/promising/capacity.py)."""
GC_THRESHOLD = (50_000, 20, 50)
"""Objects between collections, and collections between those of the older generations."""
_SETTINGS = Settings.model_construct(explanation_days=0, most_rejections=0)
"""Those of no installation: nothing is read from the environment, which would make other bytes of the same story."""
_NETWORKS_OWN = StoryPolicy(name="network")


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
    with _collecting_rarely():
        return asyncio.run(_Simulation(story, policy, replication, sink).run(told))


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Have the collector of cycles leave alone what is there, and look at new objects less often: they have few."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _Simulation:
    """One replication under way."""

    def __init__(self, story: Story, policy: StoryPolicy, replication: int, sink: FactSink) -> None:
        self._story, self._policy, self._replication = story, policy, replication
        self._times, self._clock = StoryTime(story), SettableClock(story.start)
        self._agenda = Agenda(self._clock, self._times)
        self._names = names_of(story)
        self._node = {name: number for number, name in enumerate(self._names.nodes)}
        self._stores = Stores(self._clock)
        self._foresight = Foresight(story, self._times)
        self._books = Books(sink, self._times.first_ordinal)
        self._luck, self._around = Luck(story, replication), Surroundings()
        self._shelves = Shelves(story, self._luck)
        self._open: dict[str, SimOrder] = {}
        """Orders that are not at their end, by id, in the order of their coming."""
        self._give_ups = set[int]()
        """Instants to come at which customers give up: one event each, which keeps no order that is over."""

    async def run(self, told: Callable[[int], None] | None) -> Ledger:
        """Live through all days, and close the books."""
        async with allot_engine(_SETTINGS, memory=self._stores.all, clock=self._clock) as engine:
            await self._begin(engine)
            for day in range(self._story.days):
                await self._live_through(day)
                if told is not None:
                    told(day)
            await self._drain()
            catalog = (await engine.reference.current()).catalog
            return self._books.ledger(await engine.stock.snapshot(), dict(catalog.costs))

    async def _begin(self, engine: Engine) -> None:
        """Put the world of the story into the engine, and all parts around it."""
        story, luck, times, around = self._story, self._luck, self._times, self._around
        agenda, books, shelves = self._agenda, self._books, self._shelves
        self._engine, self._checkout = engine, Checkout(engine, story, luck, times)
        self._delivering = Delivering(engine, story, luck, times, around, agenda, books, shelves, self._is_over)
        self._floor = Floor(times, story.operations, luck, around, self._at_floor, self._delivering.picked)
        self._releasing = Releasing(engine, story, luck, times, around, books, shelves, self._names, self._floor.take)
        parts = (self._floor, self._releasing, self._delivering)
        self._changing = Changing(
            engine, story, self._policy, luck, times, agenda, books, self._open, parts, self._follow
        )
        await self._changing.begin()
        books.units.start = await put_world(engine, story, times)
        await self._follow()
        agenda.schedule(self._window_s(0), Rank.WINDOW, self._window, None)

    def _at_floor(self, at_s: int, handler: Callable[[int, Parcel], None], parcel: Parcel) -> None:
        self._agenda.schedule(at_s, Rank.FLOOR, handler, parcel)

    async def _follow(self) -> None:
        """Have all parts work by the network and the calendars of now."""
        self._around.follow(await self._engine.reference.current(), self._clock.now())

    # One day.

    async def _live_through(self, day: int) -> None:
        """Serve the customers of a day, and do what is due meanwhile; then close it."""
        if self._policy.bid_prices:
            await self._foresee(day)
        await self._delivering.take_recorded_returns(day)
        channels = {name: number for number, name in enumerate(self._names.channels)}
        table = self._story.demand.orders(self._replication, day)
        for order, draws, cancels in self._checkout.customers(table, channels):
            await self._agenda.live_to(order.placed_s)
            self._books.placed(order)
            channel, reserves = self._names.channels[order.channel], self._in_force.reserves
            if await self._checkout.serve(order, channel, draws, reserves=reserves):
                await self._bought(order, cancels)
            else:
                self._books.ended(order)
        await self._agenda.live_to((day + 1) * DAY_SECONDS)
        await self._close(day)

    async def _drain(self) -> None:
        """Let what is under way go on to its end, without customers; tell what is still open then."""
        for day in range(self._story.days, self._story.days + self._story.drain_days):
            if not self._open:
                break
            await self._agenda.live_to((day + 1) * DAY_SECONDS)
            self._tell_orders(day)
            await self._follow()
        for order in self._open.values():
            self._books.ended(order)
        self._books.tell_orders()

    async def _foresee(self, day: int) -> None:
        """Make the bid prices of a day."""
        forecast = self._foresight.of(day)
        if forecast is not None and self._changing.in_force is not None:
            await self._engine.forecast.put(forecast)
            await self._engine.forecast.make()

    async def _close(self, day: int) -> None:
        """Tell a day that is over."""
        self._tell_orders(day)
        stock, network = await self._engine.stock.snapshot(), self._around.network
        backlog = self._floor.left_over(self._times.first_ordinal + day)
        waiting = list(self._releasing.waiting.values())
        self._books.tell_day(day, stock, network, self._node, backlog, waiting, len(self._open))
        await self._follow()

    def _tell_orders(self, day: int) -> None:
        """Tell orders that have ended, and let the stores forget what nobody will ask for again: also what has left."""
        over = self._books.tell_orders()
        over += [order.order_id for order in self._open.values() if order.is_shipped]
        self._stores.forget(over, self._releasing.run_ids, self._times.at((day - _DAYS_KEPT) * DAY_SECONDS).date())
        self._releasing.run_ids.clear()

    # Routing.

    @property
    def _in_force(self) -> StoryPolicy:
        return self._changing.in_force or _NETWORKS_OWN

    def _window_s(self, after_s: int) -> int:
        """Return when the next window ends after an instant."""
        seconds = self._in_force.window_minutes * 60 or _HOURLY_SECONDS
        return (after_s // seconds + 1) * seconds

    async def _window(self, now_s: int, _: None) -> None:
        await self._releasing.route(now_s, self._in_force)
        self._agenda.schedule(self._window_s(now_s), Rank.WINDOW, self._window, None)

    # What customers do.

    async def _bought(self, order: SimOrder, cancels: float) -> None:
        """Have what was bought routed, cancelled and given up, as it happens."""
        self._open[order.order_id] = self._releasing.waiting[order.order_id] = order
        customers, agenda = self._story.customers, self._agenda
        if cancels < customers.cancel_share:
            after = cancels / customers.cancel_share * DAY_SECONDS
            agenda.schedule(order.placed_s + round(after), Rank.CHANGE, self._cancel, order)
        first_day = max(order.promised_day, order.placed_s // DAY_SECONDS)
        order.gives_up_s = round((first_day + 1 + customers.waits_days) * DAY_SECONDS)
        if order.gives_up_s not in self._give_ups:
            self._give_ups.add(order.gives_up_s)
            agenda.schedule(order.gives_up_s, Rank.CHANGE, self._give_up, None)
        if self._in_force.window_minutes == 0:
            await self._releasing.route(agenda.now_s, self._in_force, [order.order_id])

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

    async def _give_up(self, now_s: int, _: None) -> None:
        """Cancel the orders that have waited for stock until now, which is too long; first come first."""
        self._give_ups.discard(now_s)
        for order in [order for order in self._open.values() if order.gives_up_s == now_s]:
            if order.order_id in self._releasing.waiting:
                await self._cancel(now_s, order)

    def _is_over(self, order: SimOrder) -> None:
        if self._open.pop(order.order_id, None) is not None:
            self._books.ended(order)
