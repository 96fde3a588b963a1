"""The routing run: open orders and live stock in, a plan with its bound out, committed as confirmed reservations.

A run snapshots stock, solves away from the event loop, and commits each order atomically by the run's id. Orders whose
stock moved meanwhile are solved again against what is there now, at most `ROUNDS` times; what then still moves stays
open, never dropped. Not here: the problem (batch.py), the record of a run (run_store.py), the commit itself
(engine/orders).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from engine.availability.reference import Reference, View
from engine.availability.stock import StockReader
from engine.clock import Clock
from engine.delivery.day_tables import DayTables
from engine.errors import AllotError, Fault, InvalidInput, Unavailable
from engine.events.actor import acting_as
from engine.faults import nearest
from engine.inventory.buffers import kept_at
from engine.inventory.model import Outcome, Replay, StockView
from engine.inventory.store import InventoryStore
from engine.network.days import Today
from engine.policies.effect import Effect
from engine.policies.service import PolicyService
from engine.routing.batch import Batch, allocations, build_batch, capacities_left, demanded_skus, ship_days
from engine.routing.channels import Planned, Turn, summary_of_turns, turns_of
from engine.routing.explained_batch import explained_batch
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.explained_runs import Solved as Explained
from engine.routing.kits import keep_kits_whole
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, OrderBook, Verdict, VerdictOutcome
from engine.routing.reasons import STOCK_MOVED, UNKNOWN_SKU, backorder_reasons, whole_order
from engine.routing.result import costs_document
from engine.routing.run_model import Run, RunRequest, RunStatus, Unrouted
from engine.routing.run_store import LEASE_SECONDS, RunStore
from solvers.params import Method, Params, Progress
from solvers.plan import BACKORDER, RoutingResult
from solvers.solve import solve
from solvers.stopping import Stopping
from solvers.textbook import TooLarge

ROUNDS = 3
RECORD_TRIES, RECORD_SECONDS = 10, 0.5
"""How often, and how far apart, the outcome of a run is offered to a store that does not answer."""
MOST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    batch: Batch
    result: RoutingResult
    allocations: list[OrderAllocation]
    unrouted: list[Unrouted]
    explained: Explained | None


class RoutingRuns:
    """Starts routing runs and tells how they stand."""

    def __init__(
        self,
        runs: RunStore,
        orders: OrderBook,
        inventory: InventoryStore,
        reference: Reference,
        clock: Clock,
        explained: ExplainedRuns | None = None,
        policies: PolicyService | None = None,
    ) -> None:
        self._runs, self._orders, self._inventory = runs, orders, inventory
        self._reference, self._clock, self._reader = reference, clock, StockReader()
        self._tables = DayTables()
        self._explained = explained
        self._policies, self._effect = policies, Effect()
        self._tasks: set[asyncio.Task[Run]] = set()

    async def start(self, request: RunRequest, *, replay: Replay | None = None) -> Outcome[Run]:
        """Queue a run and work on it in the background; with the same idempotency key again, the same run.

        A run whose first request broke off before anybody worked on it begins with the next. Raises InvalidInput for a
        request out of range or an unknown policy, IdempotencyConflict for a key with another body.
        """
        _check(request)
        run = self._queued(await self._under_version(request), replay)
        made = await self._runs.create(run, replay)
        is_queued = not made.replayed or (await self._runs.get(run.run_id)).status is RunStatus.QUEUED
        if is_queued and await self._runs.claim(run.run_id):
            task = asyncio.create_task(self._work(run), name=run.run_id)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return made

    async def get(self, run_id: str) -> Run:
        """Return a run; one whose worker died is `failed`, and what it had committed is kept. Raises NotFound."""
        run = await self._runs.get(run_id)
        if run.status.over or await self._runs.leased(run_id):
            return run
        again = await self._runs.get(run_id)
        failure = "The process that worked on this run stopped; orders it had committed stay so. Start another run."
        return again if again.status.over else replace(again, status=RunStatus.FAILED, failure=failure)

    async def finish(self) -> None:
        """Wait for the runs that this process works on."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def execute(self, request: RunRequest, *, progress: Progress | None = None) -> Run:
        """Do a run here and now, and return it when it is over; for the command line and the simulator."""
        _check(request)
        run = self._queued(await self._under_version(request), None)
        await self._runs.create(run, None)
        await self._runs.lease(run.run_id)
        return await self._work(run, progress)

    async def _under_version(self, request: RunRequest) -> RunRequest:
        """Return the request with the version of its policy that is current now: the run keeps to it to its end."""
        if request.policy is None:
            return request
        if self._policies is None:
            raise InvalidInput(Fault(path="$.policy", message=f"no policy {request.policy!r}; none is defined"))
        return replace(request, policy=(await self._policies.find(request.policy, "$.policy")).reference)

    async def _view(self, request: RunRequest) -> View:
        """Return the world as it is now, under the policy of the run."""
        view = await self._reference.current()
        if request.policy is None or self._policies is None:
            return view
        return self._effect.of(await self._policies.find(request.policy, "$.policy"), view)

    def _queued(self, request: RunRequest, replay: Replay | None) -> Run:
        """Return a new run; its id comes from the idempotency key if there is one."""
        run_id = f"run_{secrets.token_hex(16) if replay is None else replay.digest[:32]}"
        return Run(run_id=run_id, status=RunStatus.QUEUED, request=request, created_at=self._clock.now())

    async def _work(self, run: Run, progress: Progress | None = None) -> Run:
        beat = asyncio.create_task(self._keep_lease(run.run_id))
        try:
            over = replace(await self._outcome(run, progress), finished_at=self._clock.now())
            await self._record(over)
        finally:
            beat.cancel()
        return over

    async def _outcome(self, run: Run, progress: Progress | None) -> Run:
        try:
            await self._runs.put(replace(run, status=RunStatus.RUNNING))
            return await self._route(run, progress)
        except Exception as error:  # noqa: BLE001 - a run ends in its record, never in a lost task
            told = str(error) if isinstance(error, AllotError) else f"{type(error).__name__}: {error}"
            return replace(run, status=RunStatus.FAILED, failure=told)

    async def _record(self, over: Run) -> None:
        """Keep the last record of a run; a store that does not answer is asked again for a while."""
        for _ in range(RECORD_TRIES):
            try:
                await self._runs.put(over)
            except Unavailable:
                await asyncio.sleep(RECORD_SECONDS)
            else:
                return
        await self._runs.put(over)

    async def _keep_lease(self, run_id: str) -> None:
        while True:
            with suppress(AllotError):
                await self._runs.lease(run_id)
            await asyncio.sleep(LEASE_SECONDS / 3)

    async def _route(self, run: Run, progress: Progress | None) -> Run:
        request, tally, unrouted = run.request, _Tally(), list[Unrouted]()
        view = await self._view(request)
        pending, unknown = _split_known(await self._orders.open_orders(request.order_ids), view)
        stock: StockView | None = await self._inventory.read(demanded_skus(pending))
        turns = turns_of(pending, stock, self._clock.now()) if stock and pending else [Turn(channel=None, orders=())]
        summaries = list[tuple[str | None, dict[str, Any]]]()
        planned = Planned()
        for turn in turns:
            table = _Table(view=view, channel=turn.channel, planned=planned, turns=len(turns), stock=stock)
            stock = None
            first = await self._route_turn(run, turn, table, tally, unrouted, progress)
            summaries.append((turn.channel, _summary(first.batch, first.result)))
            if request.dry_run and len(turns) > 1:
                planned.add(turn.orders, first.allocations)
        await self._leave(run, unknown)
        unrouted += [entry for order in unknown for entry in whole_order(order, UNKNOWN_SKU)]
        return replace(
            run,
            status=RunStatus.DRY_RUN if request.dry_run else RunStatus.COMMITTED,
            summary={**summary_of_turns(summaries), **tally.document(), **_policy_of(request)},
            unrouted=tuple(unrouted),
        )

    async def _route_turn(
        self,
        run: Run,
        turn: Turn,
        table: _Table,
        tally: _Tally,
        unrouted: list[Unrouted],
        progress: Progress | None,
    ) -> _Solved:
        """Route the orders of a turn, in rounds until none moves; return what was solved first."""
        pending, first = list(turn.orders), None
        tally.moved_before += tally.moved
        for rounds in range(1, ROUNDS + 1):
            solved = await self._solve(pending, table, run.request, progress if first is None else None)
            first, tally.rounds, table.stock = first or solved, max(tally.rounds, rounds), None
            await self._explain(run, tally, solved)
            moved = set[str]()
            if not run.request.dry_run:
                moved = tally.add(await self._commit(run.run_id, table.view, solved))
            unrouted += [entry for entry in solved.unrouted if entry.order_id not in moved]
            if not moved:
                break
            pending = [o for o in await self._orders.open_orders(sorted(moved)) if o.order_id in moved]
        else:
            await self._leave(run, pending)
            unrouted += [entry for order in pending for entry in whole_order(order, STOCK_MOVED)]
        return first or solved

    async def _explain(self, run: Run, tally: _Tally, solved: _Solved) -> None:
        """Keep what was decided before it is committed; a run does not fail for an explanation."""
        if self._explained is not None and solved.explained is not None:
            with suppress(AllotError):
                await self._explained.keep(run.run_id, tally.batches, solved.explained)
            tally.batches += 1

    async def _leave(self, run: Run, orders: Sequence[OpenOrder]) -> None:
        """Keep which run left orders open, for those who ask why."""
        if self._explained is not None and not run.request.dry_run:
            with suppress(AllotError):
                await self._explained.leave(run.run_id, [order.order_id for order in orders])

    async def _commit(self, run_id: str, view: View, solved: _Solved) -> list[Verdict]:
        today = view.days.at(self._clock.now())
        limits = _daily_capacities(view)
        dates = {node_id: date.fromordinal(day) for node_id, day in today.by_node.items()}
        kept = None
        if view.buffers is not None:
            rows = (row for allocation in solved.allocations for row in allocation.rows)
            kept = kept_at(view.buffers, ((row.sku, row.node_id) for row in rows if row.node_id is not None))
        with acting_as(run_id):
            return await self._orders.commit(run_id, solved.allocations, capacities=limits, today=dates, buffers=kept)

    async def _today(self, table: _Table, now: datetime) -> tuple[Today, dict[str, NodeCapacity]]:
        view = table.view
        today = view.days.at(now)
        days = sorted(set[int]().union(*ship_days(view.network, today)))
        used = await self._orders.used_capacity([date.fromordinal(day) for day in days])
        return today, capacities_left(view.network, today, table.planned.used(used))

    async def _solve(
        self, orders: Sequence[OpenOrder], table: _Table, request: RunRequest, progress: Progress | None
    ) -> _Solved:
        view, now = table.view, self._clock.now()
        today, left = await self._today(table, now)
        stock = table.stock or await self._inventory.read(demanded_skus(orders))
        channel = table.channel
        atp = self._reader.read(table.planned.stock(stock), view, today.local_day, now=now, channel=channel)
        params = Params(method=Method(request.method))
        for keep_promises in (True, False):
            batch = await asyncio.to_thread(build_batch, orders, view, atp, left, self._tables)
            stopping = _stopping(request.time_limit_seconds, table.turns)
            try:
                result = await asyncio.to_thread(solve, batch.problem, params, stopping, progress=progress)
            except TooLarge as error:
                raise InvalidInput(Fault(path="$.method", message=str(error))) from None
            broken = _promised_but_backordered(batch, result) if keep_promises else set[str]()
            if not broken:
                break
            orders = [replace(o, promised_on=None) if o.order_id in broken else o for o in orders]
        mended = await asyncio.to_thread(keep_kits_whole, batch, result)
        result, explained = mended.result, None
        if self._explained is not None and self._explained.are_kept:
            explained = await asyncio.to_thread(explained_batch, batch, mended, view, atp, now)
        return _Solved(
            batch=batch,
            result=result,
            allocations=allocations(batch, result.plan),
            unrouted=backorder_reasons(batch, result, mended.waiting),
            explained=explained,
        )


@dataclass(slots=True, kw_only=True)
class _Table:
    """What a turn of a run is routed against; `stock` is what was read for it already, if anything."""

    view: View
    channel: str | None
    planned: Planned
    turns: int
    stock: StockView | None


@dataclass(slots=True)
class _Tally:
    """What became of the orders of a run; `moved` of the last round of a turn, `moved_before` of earlier turns."""

    rounds: int = 0
    batches: int = 0
    committed: int = 0
    gone: int = 0
    moved: int = 0
    moved_before: int = 0

    def add(self, verdicts: Sequence[Verdict]) -> set[str]:
        """Count the verdicts of one round, and return the orders that have to be solved again."""
        outcomes = [verdict.outcome for verdict in verdicts]
        self.committed += outcomes.count(VerdictOutcome.COMMITTED)
        self.gone += outcomes.count(VerdictOutcome.GONE)
        self.moved = outcomes.count(VerdictOutcome.MOVED)
        return {verdict.order_id for verdict in verdicts if verdict.outcome == VerdictOutcome.MOVED}

    def document(self) -> dict[str, int]:
        """Return the counts under their names in a run's summary."""
        return {
            "rounds": self.rounds,
            "committed_orders": self.committed,
            "gone_orders": self.gone,
            "moved_orders": self.moved_before + self.moved,
        }


def _promised_but_backordered(batch: Batch, result: RoutingResult) -> set[str]:
    """Return the orders that would wait for stock only because their promised day cannot be kept any more, perhaps."""
    owner, short = batch.problem.line_order, result.plan.line[result.plan.node == BACKORDER]
    orders = {batch.orders[int(o)] for o in owner[short]} if len(short) else set[OpenOrder]()
    return {order.order_id for order in orders if order.promised_on is not None and order.need_by is None}


def _policy_of(request: RunRequest) -> dict[str, str]:
    """Return the version of the policy that a run was made under, if it named one, as its summary has it."""
    return {} if request.policy is None else {"policy": request.policy}


def _stopping(time_limit_seconds: float | None, turns: int) -> Stopping:
    """Return the limit of one solve, counted from now; turns share it."""
    began = time.perf_counter()
    limit = None if time_limit_seconds is None else time_limit_seconds / turns
    return Stopping(stopwatch=lambda: time.perf_counter() - began, time_limit_seconds=limit)


def _check(request: RunRequest) -> None:
    faults = []
    if request.method not in set(Method):
        message = f"{request.method!r} is not known; {nearest(request.method, set(Method))}"
        faults.append(Fault(path="$.method", message=message))
    limit = request.time_limit_seconds
    if limit is not None and not 0 < limit <= MOST_SECONDS:
        message = f"{limit} is not valid; give seconds above 0, at most {MOST_SECONDS:.0f}"
        faults.append(Fault(path="$.time_limit_seconds", message=message))
    if request.order_ids is not None and len(set(request.order_ids)) < len(request.order_ids):
        repeated = next(o for o in request.order_ids if request.order_ids.count(o) > 1)
        faults.append(Fault(path="$.order_ids", message=f"{repeated!r} stands twice; name each order once"))
    if faults:
        raise InvalidInput(faults)


def _split_known(orders: Sequence[OpenOrder], view: View) -> tuple[list[OpenOrder], list[OpenOrder]]:
    """Return the orders whose SKUs are all in the catalog, and the others."""
    content = view.catalog.content
    known = [order for order in orders if all(line.sku in content for line in order.lines)]
    return known, [order for order in orders if any(line.sku not in content for line in order.lines)]


def _daily_capacities(view: View) -> dict[str, NodeCapacity]:
    return {
        node.node_id: NodeCapacity(units=node.capacity_units, parcels=node.capacity_parcels)
        for node in view.network.document.nodes
        if node.capacity_units is not None or node.capacity_parcels is not None
    }


def _in_money(batch: Batch, result: RoutingResult) -> RoutingResult:
    """Return a result without what only ranks plans: bid prices, and what backorders of held units cost more.

    It is taken off the bound as well: that is then a bound for plans that leave as many held units waiting, and whose
    units are worth as much to later demand.
    """
    problem, plan = batch.problem, result.plan
    if problem.orders.line_backorder_cents is None:
        return result
    added = problem.orders.line_backorder_cents - problem.terms.backorder_cost_cents_per_unit
    short = int((added[plan.line] * plan.quantity)[plan.node == BACKORDER].sum())
    costs = replace(plan.costs, backorder=plan.costs.backorder - short, value=0)
    surcharge = short + plan.costs.value
    bound = result.lower_bound_cents
    return replace(
        result,
        plan=replace(plan, costs=costs),
        lower_bound_cents=None if bound is None else max(0, bound - surcharge),
    )


def _summary(batch: Batch, result: RoutingResult) -> dict[str, Any]:
    """Return the plan's figures as in summary.json, for what the run solved first."""
    result = _in_money(batch, result)
    return {
        "total_cost_cents": result.total_cost_cents,
        "lower_bound_cents": result.lower_bound_cents,
        "gap": result.gap,
        "solve_status": str(result.status),
        "costs": costs_document(result.plan.costs),
        "orders": batch.problem.order_count,
        "parcels": result.plan.parcels,
        "split_orders": result.plan.split_orders,
        "backordered_units": result.plan.backordered_units,
        "method": str(result.method),
        "stop_reason": result.stop_reason,
        "solve_seconds": round(result.compile_seconds + result.solve_seconds, 3),
    }
