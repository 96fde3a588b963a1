"""One solve of a routing run: orders against what is there now, as a problem, its plan, and the allocations of it.

Not here: the problem (batch.py), rounds and commits (routing_turns.py), the solvers themselves (solvers).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import numpy as np

from engine.availability.reference import View
from engine.availability.stock import AtpTable, StockReader
from engine.clock import Clock
from engine.delivery.day_tables import DayTables
from engine.dispatch.dispatcher import Dispatcher
from engine.errors import Fault, InvalidInput
from engine.inventory.model import StockView
from engine.inventory.pieces import read_in_pieces
from engine.inventory.store import InventoryStore
from engine.network.days import Today
from engine.routing.batch import Batch, build_batch, capacities_left, demanded_skus, ship_days
from engine.routing.channels import Planned
from engine.routing.completing import keep_to_limits
from engine.routing.consolidating import Ground, consolidated
from engine.routing.explained_batch import explained_batch
from engine.routing.explained_runs import Solved as Explained
from engine.routing.hub_offers import HubOffers
from engine.routing.hub_plan import HubPlan, still_waiting
from engine.routing.kits import kits_of
from engine.routing.method_options import with_options
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, OrderBook
from engine.routing.phases import Phases
from engine.routing.poison import culprits
from engine.routing.promised_days import has_promised_days, to_give_up
from engine.routing.reasons import backorder_reasons
from engine.routing.relaxing import Relaxed
from engine.routing.run_model import RunRequest, Unrouted
from engine.routing.second_pass import BothPasses, second_pass
from engine.routing.sound import verified
from solvers.params import Method, Params, Progress
from solvers.plan import RoutingResult
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping
from solvers.textbook import TooLarge

HUB_SHARE = 0.2
"""How much of its time a solve leaves for looking at hubs, where any order may go over one."""
FIRST_SHARE = 0.7
"""How much of its time a solve takes that may have to be repeated without some promised days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What one solve decided: `explained` is what is kept to explain it, None if nothing is."""

    batch: Batch
    result: RoutingResult
    relaxed: tuple[Relaxed, ...]
    """Which soft limits were broken for which orders."""
    hubs: HubPlan | None
    """Which orders go over a hub, beside the result; None where hubs can do nothing."""
    allocations: list[OrderAllocation]
    unrouted: list[Unrouted]
    explained: Explained | None


@dataclass(slots=True, kw_only=True)
class Table:
    """What a turn of a run is routed against; `stock` is what was read for it already, if anything."""

    view: View
    channel: str | None
    planned: Planned
    turns: int
    stock: StockView | None
    phases: Phases


class Solver:
    """Solves the orders of one round, away from the event loop."""

    def __init__(
        self, orders: OrderBook, inventory: InventoryStore, clock: Clock, dispatcher: Dispatcher, *, explains: bool
    ) -> None:
        self._orders, self._inventory, self._clock, self._explains = orders, inventory, clock, explains
        self._dispatcher = dispatcher
        self._reader, self._tables = StockReader(), DayTables()

    async def solve(
        self, orders: Sequence[OpenOrder], table: Table, request: RunRequest, progress: Progress | None
    ) -> Solved:
        """Return the plan of these orders; a promised day that would leave units waiting is given up.

        Raises InvalidInput where the batch is too large for the method, PlanNotVerified.
        """
        view, now, phases = table.view, self._clock.now(), table.phases
        with phases.timed("read"):
            today, left = await self._today(table, now)
            stock = table.planned.stock(table.stock or await read_in_pieces(self._inventory, demanded_skus(orders)))
            read = partial(self._reader.read, stock, view, today.local_day, now=now, channel=table.channel)
            atp = await asyncio.to_thread(read)
        params = Params(method=Method(request.method))
        began, whole, given_up = time.perf_counter(), _limit(request, table), dict[str, date]()
        for keep_promises in (True, False):
            with phases.timed("build"):
                batch = await asyncio.to_thread(build_batch, orders, view, atp, left, self._tables, given_up)
            share = 0.0 if batch.hubs is None else HUB_SHARE
            limit, for_hubs = (None, None) if whole is None else ((1 - share) * whole, share * whole)
            params = await self._with_options(params, request, batch, table, today)
            with phases.timed("solve"):
                may_repeat = keep_promises and has_promised_days(orders)
                stopping = _stopping(limit, began, request.target_gap, may_repeat=may_repeat)
                try:
                    result = await asyncio.to_thread(self._spread, batch.problem, params, stopping, progress)
                except TooLarge as error:
                    raise InvalidInput(Fault(path="$.method", message=str(error))) from None
            with phases.timed("build"):
                late = await asyncio.to_thread(to_give_up, batch, result) if may_repeat else frozenset[str]()
            if not late:
                break
            given_up = {o.order_id: o.promised_on for o in orders if o.order_id in late and o.promised_on is not None}
            orders = [replace(o, promised_on=None) if o.order_id in late else o for o in orders]
        with phases.timed("mend"):
            again = _stopping(limit, began, request.target_gap, may_repeat=False)
            both = await asyncio.to_thread(self._both_passes, batch, result, view, params, again)
        if batch.hubs is not None:
            with phases.timed("hubs"):
                both = await self._with_hubs(both, batch.hubs, table, today, for_hubs)
        with phases.timed("verify"):
            allocated = await asyncio.to_thread(verified, both, view)
        with phases.timed("explain"):
            return await asyncio.to_thread(self._solved, both, allocated, view, atp, now)

    async def _with_options(
        self, params: Params, request: RunRequest, batch: Batch, table: Table, today: Today
    ) -> Params:
        """Return params with what was asked of the method, and what nodes were given on this day before."""
        if params.method not in (Method.CASCADE, Method.WEIGHTED):
            return params
        network, nodes = table.view.network, batch.problem.nodes.node_ids
        days = dict(zip(network.node_ids, ship_days(network, today), strict=True))
        asked = sorted(set[int]().union(*days.values()))
        used = table.planned.used(await self._orders.used_capacity([date.fromordinal(day) for day in asked]))
        before = dict.fromkeys(nodes, 0)
        for entry in used:
            if entry.ship_on.toordinal() in days.get(entry.node_id, ()):
                before[entry.node_id] = max(before[entry.node_id], entry.parcels)
        kinds = {node.node_id: node.kind for node in network.document.nodes}
        orders_before = np.array([before[node] for node in nodes], np.int64)
        return with_options(params, request.method_options, [kinds[node] for node in nodes], orders_before)

    def _both_passes(
        self, batch: Batch, result: RoutingResult, view: View, params: Params, stopping: Stopping
    ) -> BothPasses:
        """Return the plan that keeps to all limits, or breaks soft ones for orders that would wait."""
        kept = keep_to_limits(batch, result, view.terms, stopping)
        return second_pass(batch, kept, view.terms, params, stopping)

    async def _with_hubs(
        self, both: BothPasses, offers: HubOffers, table: Table, today: Today, seconds: float | None
    ) -> BothPasses:
        """Return the same with the orders that go over a hub."""
        network = table.view.network
        used = table.planned.used(await self._orders.used_capacity(offers.dates()))
        ground = Ground(
            batch=both.batch,
            result=both.kept.result,
            network=network,
            days=ship_days(network, today),
            used={(each.node_id, each.ship_on.toordinal()): each for each in used},
            ship_complete=table.view.terms.ship_complete,
            settled=frozenset(each.order_id for each in both.relaxed),
            stopping=_stopping(seconds, time.perf_counter(), None, may_repeat=False),
        )
        return replace(both, hubs=await asyncio.to_thread(consolidated, ground))

    async def poisoned(self, orders: Sequence[OpenOrder], table: Table) -> list[OpenOrder]:
        """Return the orders of which no problem can be made, whatever the others are."""
        view, now = table.view, self._clock.now()
        today, left = await self._today(table, now)
        stock = table.planned.stock(table.stock or await read_in_pieces(self._inventory, demanded_skus(orders)))
        atp = self._reader.read(stock, view, today.local_day, now=now, channel=table.channel)

        def fails(some: Sequence[OpenOrder]) -> bool:
            try:
                build_batch(some, view, atp, left, self._tables)
            except Exception:  # noqa: BLE001 - whatever it is, it must not stop the other orders
                return True
            return False

        return await asyncio.to_thread(culprits, orders, fails)

    def _solved(
        self, both: BothPasses, allocated: list[OrderAllocation], view: View, atp: AtpTable, now: datetime
    ) -> Solved:
        """Return what was decided in the words of orders, with what is kept to explain it."""
        batch, mended, explained = both.batch, both.kept, None
        if self._explains:
            explained = explained_batch(batch, mended, view, atp, now, both.relaxed, both.hubs)
        return Solved(
            batch=batch,
            result=mended.result,
            relaxed=both.relaxed,
            hubs=both.hubs,
            allocations=allocated,
            unrouted=still_waiting(backorder_reasons(batch, mended.result, kits_of(batch, mended)[:, 1]), allocated),
            explained=explained,
        )

    def _spread(
        self, problem: RoutingProblem, params: Params, stopping: Stopping, progress: Progress | None
    ) -> RoutingResult:
        """Solve where the dispatcher says."""
        wide = params.method == Method.AUTO
        with self._dispatcher.spread(problem.order_count, stopping.seconds_left, wide=wide) as spread:
            return solve(problem, params, stopping, spread=spread, progress=progress)

    async def _today(self, table: Table, now: datetime) -> tuple[Today, dict[str, NodeCapacity]]:
        view = table.view
        today = view.days.at(now)
        days = sorted(set[int]().union(*ship_days(view.network, today)))
        used = await self._orders.used_capacity([date.fromordinal(day) for day in days])
        return today, capacities_left(view.network, today, table.planned.used(used))


def _limit(request: RunRequest, table: Table) -> float | None:
    """Return the seconds that the solves of a turn may take together; turns share the limit of a run."""
    return None if request.time_limit_seconds is None else request.time_limit_seconds / table.turns


def _stopping(limit_seconds: float | None, began: float, target_gap: float | None, *, may_repeat: bool) -> Stopping:
    """Return the limit of one solve: what is left of that of all since they began, or most of it if one may follow."""
    now = time.perf_counter()
    if limit_seconds is not None:
        left = max(limit_seconds - (now - began), (1 - FIRST_SHARE) * limit_seconds)
        limit_seconds = FIRST_SHARE * left if may_repeat else left
    return Stopping(
        stopwatch=lambda: time.perf_counter() - now, time_limit_seconds=limit_seconds, target_gap=target_gap
    )
