"""What a routing run does: open orders and stock in, a plan with its bound out, committed as confirmed reservations.

A run snapshots stock, solves, and commits each order atomically by the run's id, channel by channel where channels have
quotas. Orders whose stock moved meanwhile are solved again against what is there now, at most `ROUNDS` times; what then
still moves stays open, never dropped. Not here: one solve (solving.py), the life of a run (runs.py), the commit itself
(engine/orders).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from engine.availability.reference import View
from engine.clock import Clock
from engine.errors import AllotError
from engine.events.actor import acting_as
from engine.inventory.buffers import kept_at
from engine.inventory.model import StockView
from engine.inventory.store import InventoryStore
from engine.routing.batch import demanded_skus
from engine.routing.channels import Planned, Turn, summary_of_turns, turns_of
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.model import NodeCapacity, OpenOrder, OrderBook, Verdict
from engine.routing.reasons import STOCK_MOVED, UNKNOWN_SKU, whole_order
from engine.routing.run_model import Run, RunStatus, Unrouted
from engine.routing.run_summary import Tally, policy_of, summary_of
from engine.routing.solving import Solved, Solver, Table
from solvers.params import Progress

ROUNDS = 3


class RoutingTurns:
    """Routes the orders of runs, turn by turn and round by round."""

    def __init__(
        self, orders: OrderBook, inventory: InventoryStore, clock: Clock, explained: ExplainedRuns | None
    ) -> None:
        self._orders, self._inventory, self._clock, self._explained = orders, inventory, clock, explained
        explains = explained is not None and explained.are_kept
        self._solver = Solver(orders, inventory, clock, explains=explains)

    async def route(self, run: Run, view: View, progress: Progress | None) -> Run:
        """Return the run as it is when it is over; raises what the stores and the solvers raise."""
        request, tally, unrouted = run.request, Tally(), list[Unrouted]()
        pending, unknown = _split_known(await self._orders.open_orders(request.order_ids), view)
        stock: StockView | None = await self._inventory.read(demanded_skus(pending))
        turns = turns_of(pending, stock, self._clock.now()) if stock and pending else [Turn(channel=None, orders=())]
        summaries = list[tuple[str | None, dict[str, Any]]]()
        planned = Planned()
        for turn in turns:
            table = Table(view=view, channel=turn.channel, planned=planned, turns=len(turns), stock=stock)
            stock = None
            first = await self._route_turn(run, turn, table, tally, unrouted, progress)
            summaries.append((turn.channel, summary_of(first.batch, first.result)))
            if request.dry_run and len(turns) > 1:
                planned.add(turn.orders, first.allocations)
        await self._leave(run, unknown)
        unrouted += [entry for order in unknown for entry in whole_order(order, UNKNOWN_SKU)]
        return replace(
            run,
            status=RunStatus.DRY_RUN if request.dry_run else RunStatus.COMMITTED,
            summary={**summary_of_turns(summaries), **tally.document(), **policy_of(request)},
            unrouted=tuple(unrouted),
        )

    async def _route_turn(
        self,
        run: Run,
        turn: Turn,
        table: Table,
        tally: Tally,
        unrouted: list[Unrouted],
        progress: Progress | None,
    ) -> Solved:
        """Route the orders of a turn, in rounds until none moves; return what was solved first."""
        pending, first = list(turn.orders), None
        tally.moved_before += tally.moved
        for rounds in range(1, ROUNDS + 1):
            solved = await self._solver.solve(pending, table, run.request, progress if first is None else None)
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

    async def _explain(self, run: Run, tally: Tally, solved: Solved) -> None:
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

    async def _commit(self, run_id: str, view: View, solved: Solved) -> list[Verdict]:
        today = view.days.at(self._clock.now())
        limits = _daily_capacities(view)
        dates = {node_id: date.fromordinal(day) for node_id, day in today.by_node.items()}
        kept = None
        if view.buffers is not None:
            rows = (row for allocation in solved.allocations for row in allocation.rows)
            kept = kept_at(view.buffers, ((row.sku, row.node_id) for row in rows if row.node_id is not None))
        with acting_as(run_id):
            return await self._orders.commit(run_id, solved.allocations, capacities=limits, today=dates, buffers=kept)


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
