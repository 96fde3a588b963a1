"""Whoever works on a routing run: under a lease, from where the run stands, to its last record.

A store that does not answer is asked again for a while; then the run is left to whoever takes it up. Not here: who
takes it up, and when (runs.py), what is done (routing_turns.py).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from engine.clock import Clock
from engine.counts import COUNTS
from engine.errors import AllotError, LeaseLost, Unavailable
from engine.routing.model import RUN_OVER, OrderBook
from engine.routing.routing_turns import RoutingTurns
from engine.routing.run_ledger import RunLedger
from engine.routing.run_model import Run, RunStatus
from engine.routing.run_requests import RunPolicies
from engine.routing.run_store import RunStore
from solvers.params import Progress

TRIES, BETWEEN_SECONDS = 10, 0.5
"""How often, and how far apart, a step that the store did not answer is tried."""
MOST_EPOCHS = 20
"""A run that was taken up so often brings down whoever works on it, and has failed."""


class RunWorker:
    """Works on runs that this process has taken up."""

    def __init__(
        self, runs: RunStore, orders: OrderBook, turns: RoutingTurns, policies: RunPolicies, clock: Clock
    ) -> None:
        self._runs, self._orders, self._turns = runs, orders, turns
        self._policies, self._clock = policies, clock

    async def work(self, run_id: str, epoch: int, progress: Progress | None = None) -> Run:
        """Work on a run until it is over, and return it; if another takes it up meanwhile, as it stands.

        Raises Unavailable when the store has not answered for a while: then it can be taken up again.
        """
        beat = asyncio.create_task(self._keep_lease(run_id, epoch))
        try:
            for _ in range(TRIES - 1):
                with suppress(Unavailable):
                    return await self._bring_to_end(run_id, epoch, progress)
                await asyncio.sleep(BETWEEN_SECONDS)
            return await self._bring_to_end(run_id, epoch, progress)
        except LeaseLost:
            return await self._runs.get(run_id)
        finally:
            beat.cancel()

    async def _bring_to_end(self, run_id: str, epoch: int, progress: Progress | None) -> Run:
        run = await self._runs.get(run_id)
        if run.status.over:  # its last record was kept, and the answer was lost
            return run
        over = replace(await self._outcome(run, epoch, progress), finished_at=self._clock.now())
        await self._record(over, epoch)
        _count(over)
        with suppress(Unavailable):
            await self._orders.fence(run_id, RUN_OVER)
        return over

    async def _outcome(self, run: Run, epoch: int, progress: Progress | None) -> Run:
        try:
            if epoch > MOST_EPOCHS:
                failure = f"{MOST_EPOCHS} processes that worked on this run stopped; what was committed stays so."
                return replace(run, status=RunStatus.FAILED, failure=failure)
            if epoch > 1:
                await self._orders.fence(run.run_id, epoch)
            await self._runs.put(replace(run, status=RunStatus.RUNNING), epoch)
            kept = await self._runs.steps(run.run_id)
            ledger = RunLedger(self._runs, run.run_id, epoch, kept, is_kept=run.request.commits)
            view = await self._policies.view(run.request)
            live = await self._policies.live_view() if run.request.shadow else None
            return await self._turns.route(run, ledger, view, progress, live=live)
        except (Unavailable, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 - a run ends in its record, never in a lost task
            told = str(error) if isinstance(error, AllotError) else f"{type(error).__name__}: {error}"
            return replace(run, status=RunStatus.FAILED, failure=told)

    async def _record(self, over: Run, epoch: int) -> None:
        """Keep the last record of a run; a store that does not answer is asked again for a while."""
        for _ in range(TRIES - 1):
            try:
                await self._runs.put(over, epoch)
            except Unavailable:
                await asyncio.sleep(BETWEEN_SECONDS)
            else:
                return
        await self._runs.put(over, epoch)

    async def _keep_lease(self, run_id: str, epoch: int) -> None:
        while True:
            await asyncio.sleep(self._runs.lease_seconds / 3)
            with suppress(AllotError):
                await self._runs.renew(run_id, epoch)


def _count(over: Run) -> None:
    """Count a run that has come to its end here."""
    COUNTS.runs[over.status.value] += 1
    if over.finished_at is not None:
        COUNTS.run_seconds.add((over.finished_at - over.created_at).total_seconds())
    gap = over.summary.get("gap")
    if gap is not None:
        COUNTS.run_gaps.add(gap)
