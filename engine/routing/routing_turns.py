"""What a routing run does: open orders and stock in, a plan with its bound out, committed as confirmed reservations.

A run snapshots stock, solves, keeps what it decided, and commits each order atomically by the run's id, channel by
channel where channels have quotas. Orders whose stock moved meanwhile are solved again against what is there now, at
most `ROUNDS` times; what then still moves stays open, never dropped. A run that is taken up commits what was decided
before. Not here: one solve (solving.py), the work on a run (working.py), the commit itself (engine/orders).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from engine.availability.reference import View
from engine.clock import Clock
from engine.dispatch.dispatcher import Dispatcher
from engine.errors import AllotError, PlanNotVerified, Unavailable
from engine.inventory.model import StockView
from engine.inventory.pieces import read_in_pieces
from engine.inventory.store import InventoryStore
from engine.routing.batch import demanded_skus
from engine.routing.channels import Planned, Turn, summary_of_turns, turns_of
from engine.routing.committing import Committer
from engine.routing.drop_ship import DropShipOrder, drop_ship_orders, sent, vendors_of
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.model import OpenOrder, OrderAllocation, OrderBook, VerdictOutcome
from engine.routing.phases import Phases
from engine.routing.reasons import MALFORMED, ORDER_HOLD, STOCK_MOVED, UNKNOWN_SKU, whole_order
from engine.routing.run_ledger import RunLedger, Start, Step
from engine.routing.run_model import Run, RunRequest, RunStatus, Unrouted
from engine.routing.run_summary import Tally, policy_of, summary_of
from engine.routing.shadow import Shadow
from engine.routing.solving import Solved, Solver, Table
from engine.routing.steered import split_stopped, to_route
from solvers.params import Progress

ROUNDS = 3
_NEVER = -1
"""A revision that no order has: of those decided on with it nothing is committed that was not before."""
log = logging.getLogger("allot.runs")


class RoutingTurns:
    """Routes the orders of runs, turn by turn and round by round."""

    def __init__(
        self,
        orders: OrderBook,
        inventory: InventoryStore,
        clock: Clock,
        explained: ExplainedRuns | None,
        dispatcher: Dispatcher,
    ) -> None:
        self._orders, self._inventory, self._clock, self._explained = orders, inventory, clock, explained
        explains = explained is not None and explained.are_kept
        self._committer = Committer(orders, clock)
        self._solver = Solver(orders, inventory, clock, dispatcher, explains=explains)

    async def route(
        self, run: Run, ledger: RunLedger, view: View, progress: Progress | None, *, live: View | None = None
    ) -> Run:
        """Return the run as it is when it is over, gone on with from where it stood.

        A shadow run is compared with what would be done under `live`. Raises LeaseLost, and what the stores and the
        solvers raise.
        """
        request, tally, phases = run.request, Tally(), Phases()
        with phases.timed("read"):
            opening = await self._open(run, ledger, view)
        unrouted, drop_ship, stock = list(opening.left_out), list[DropShipOrder](), opening.stock
        summaries = list[tuple[str | None, Mapping[str, Any]]]()
        planned, beside = Planned(), None if live is None else Shadow(self._solver, live, request, len(opening.turns))
        for number, turn in enumerate(opening.turns):
            if beside is not None:
                stock = stock or await read_in_pieces(self._inventory, demanded_skus(turn.orders))
            table = Table(
                view=view,
                channel=turn.channel,
                planned=planned,
                turns=len(opening.turns),
                stock=stock,
                phases=phases,
            )
            work = _Work(
                run=run,
                ledger=ledger,
                number=number,
                turn=turn,
                table=table,
                tally=tally,
                unrouted=unrouted,
                drop_ship=drop_ship,
            )
            first = await self._route_turn(work, progress)
            summaries.append((turn.channel, first.summary))
            if beside is not None:
                await beside.compare(turn, stock, first)
            stock = None
            if not request.commits and len(opening.turns) > 1:
                planned.add(turn.orders, first.allocations)
        summary = {**summary_of_turns(summaries), **tally.document(), **policy_of(request), **phases.document()}
        if beside is not None:
            summary["comparison"] = beside.document(summary)
        return replace(
            run,
            status=_status(request),
            summary=summary,
            unrouted=tuple(unrouted),
            drop_ship_orders=tuple(drop_ship),
        )

    async def _open(self, run: Run, ledger: RunLedger, view: View) -> _Opening:
        """Return what the run began with, as it is now, or let it begin."""
        if ledger.start is not None:
            turns = [
                Turn(channel=channel, orders=tuple(await self._orders.open_orders(order_ids)))
                for channel, order_ids in ledger.start.turns
            ]
            return _Opening(turns=turns, left_out=ledger.start.left_out, stock=None)
        free, stopped = split_stopped(await self._orders.open_orders(run.request.order_ids))
        found = [*free, *stopped]  # those that are left for people come last where only so many are routed
        pending, unknown, skus = await asyncio.to_thread(_split_known, found[: run.request.max_orders], view)
        stock = await read_in_pieces(self._inventory, skus)
        turns = turns_of(pending, stock, self._clock.now()) if pending else [Turn(channel=None, orders=())]
        left_out = tuple(entry for order in unknown for entry in whole_order(order, UNKNOWN_SKU))
        named = tuple((turn.channel, tuple(order.order_id for order in turn.orders)) for turn in turns)
        await ledger.begin(Start(turns=named, left_out=left_out))
        await self._leave(run, unknown)
        return _Opening(turns=turns, left_out=left_out, stock=stock)

    async def _route_turn(self, work: _Work, progress: Progress | None) -> Step:
        """Route the orders of a turn, in rounds until none moves; return what was solved first."""
        run, table, tally, pending = work.run, work.table, work.tally, list(work.turn.orders)
        kept = work.ledger.steps(work.number)
        tally.moved_before += tally.moved
        steps, moved = list[Step](), set[str]()
        for number in range(ROUNDS):
            if number < len(kept):
                step = kept[number]
            else:
                step = await self._decide(work, number, pending, progress if number == 0 else None)
            steps.append(step)
            tally.rounds, table.stock = max(tally.rounds, number + 1), None
            tally.batches += 1
            again = {order_id for later in kept[number + 1 :] for order_id in later.order_ids}
            moved -= step.order_ids
            if not run.request.commits:
                work.send(step.allocations)
            else:
                is_old = number < len(kept) and step.today != self._today(work)
                moved |= await self._roll_forward(work, step, again, is_old=is_old)
            work.unrouted.extend(entry for entry in step.unrouted if entry.order_id not in again | moved)
            if number + 1 < len(kept):
                continue  # what was decided next is known; who has moved only now waits for what is decided after it
            if not moved:
                break
            pending = [o for o in await self._orders.open_orders(sorted(moved)) if o.order_id in moved]
        else:
            await self._leave(run, pending)
            work.unrouted.extend(entry for order in pending for entry in whole_order(order, STOCK_MOVED))
        return steps[0]

    async def _decide(self, work: _Work, number: int, orders: Sequence[OpenOrder], progress: Progress | None) -> Step:
        """Solve, and keep what was decided before any of it is committed."""
        today = self._today(work)
        free, stopped = to_route(orders, work.table.view.network, keeps=number < ROUNDS - 1)
        solved, poisoned = await self._solve(work, free, progress)
        stopped = [*stopped, *(replace(order, stopped=MALFORMED) for order in poisoned)]
        await self._leave(work.run, stopped)
        with work.table.phases.timed("explain"):
            await self._explain(work.run, work.tally, solved)
        step = Step(
            allocations=tuple(sent(solved.allocations, vendors_of(work.table.view.network))),
            unrouted=(*solved.unrouted, *(entry for o in stopped for entry in whole_order(o, o.stopped or ORDER_HOLD))),
            summary=summary_of(solved.batch, solved.result, solved.relaxed, solved.hubs),
            today=today,
        )
        with work.table.phases.timed("keep"):
            await work.ledger.keep(work.number, number, step)
        return step

    async def _solve(
        self, work: _Work, orders: Sequence[OpenOrder], progress: Progress | None
    ) -> tuple[Solved, Sequence[OpenOrder]]:
        """Solve, and return the orders too that had to be left out since no problem can be made with them."""
        try:
            return await self._solver.solve(orders, work.table, work.run.request, progress), ()
        except (Unavailable, PlanNotVerified):
            raise
        except Exception:
            poisoned = await self._solver.poisoned(orders, work.table)
            if not poisoned:
                raise
            log.exception("left out of run %s: %s", work.run.run_id, ", ".join(each.order_id for each in poisoned))
        out = {order.order_id for order in poisoned}
        rest = [order for order in orders if order.order_id not in out]
        return await self._solver.solve(rest, work.table, work.run.request, progress), poisoned

    async def _roll_forward(self, work: _Work, step: Step, again: Collection[str], *, is_old: bool) -> set[str]:
        """Commit what was decided, but for orders that were decided on `again`; return those that have to be.

        What was decided before a midnight is not committed any more; what was committed of it stays so, and is told.
        """
        left = [each for each in step.allocations if each.order_id not in again]
        if is_old:
            left = [replace(each, revision=_NEVER) for each in left]
        with work.table.phases.timed("commit"):
            run_id, epoch = work.run.run_id, work.ledger.epoch
            verdicts, malformed = await self._committer.commit(run_id, epoch, work.table.view, left)
        work.unrouted.extend(malformed)
        made = {verdict.order_id for verdict in verdicts if verdict.outcome is VerdictOutcome.COMMITTED}
        work.send(each for each in left if each.order_id in made)
        return work.tally.add(verdicts)

    def _today(self, work: _Work) -> Mapping[str, int]:
        return dict(work.table.view.days.at(self._clock.now()).by_node)

    async def _explain(self, run: Run, tally: Tally, solved: Solved) -> None:
        """Keep what was decided before it is committed; a run does not fail for an explanation."""
        if self._explained is not None and solved.explained is not None:
            with suppress(AllotError):
                await self._explained.keep(run.run_id, tally.batches, solved.explained)

    async def _leave(self, run: Run, orders: Sequence[OpenOrder]) -> None:
        """Keep which run left orders open, for those who ask why."""
        if self._explained is not None and run.request.commits:
            with suppress(AllotError):
                await self._explained.leave(run.run_id, [order.order_id for order in orders])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What a run begins with, or goes on with; `stock` is that of all orders if it was just read."""

    turns: Sequence[Turn]
    left_out: Sequence[Unrouted]
    stock: StockView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A turn of a run, and what is gathered over all turns."""

    run: Run
    ledger: RunLedger
    number: int
    turn: Turn
    table: Table
    tally: Tally
    unrouted: list[Unrouted]
    drop_ship: list[DropShipOrder]

    def send(self, allocations: Iterable[OrderAllocation]) -> None:
        """Note what vendors are to be sent of some allocations."""
        self.drop_ship.extend(drop_ship_orders(allocations, vendors_of(self.table.view.network)))


def _status(request: RunRequest) -> RunStatus:
    """Return the status of a run that has done what was asked."""
    if request.commits:
        return RunStatus.COMMITTED
    return RunStatus.SHADOW if request.shadow else RunStatus.DRY_RUN


def _split_known(orders: Sequence[OpenOrder], view: View) -> tuple[list[OpenOrder], list[OpenOrder], list[str]]:
    """Return the orders whose SKUs are all in the catalog, the others, and the SKUs of the former."""
    content = view.catalog.content
    known = [order for order in orders if all(line.sku in content for line in order.lines)]
    unknown = [order for order in orders if any(line.sku not in content for line in order.lines)]
    return known, unknown, demanded_skus(known)
