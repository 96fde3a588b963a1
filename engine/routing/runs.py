"""Routing runs: started once per idempotency key, worked on under a lease, recorded when they are over.

Here: a run's life, from its request to its last record. Not here: what may be asked (run_requests.py), what a run does
with the orders (routing_turns.py), the record of a run (run_store.py).
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.errors import AllotError, Unavailable
from engine.inventory.model import Outcome, Replay
from engine.inventory.store import InventoryStore
from engine.policies.service import PolicyService
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.model import OrderBook
from engine.routing.routing_turns import RoutingTurns
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.run_requests import RunPolicies, check_request
from engine.routing.run_store import LEASE_SECONDS, RunStore
from solvers.params import Progress

RECORD_TRIES, RECORD_SECONDS = 10, 0.5
"""How often, and how far apart, the outcome of a run is offered to a store that does not answer."""


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
        self._runs, self._clock = runs, clock
        self._policies = RunPolicies(reference, policies)
        self._turns = RoutingTurns(orders, inventory, clock, explained)
        self._tasks: set[asyncio.Task[Run]] = set()

    async def start(self, request: RunRequest, *, replay: Replay | None = None) -> Outcome[Run]:
        """Queue a run and work on it in the background; with the same idempotency key again, the same run.

        A run whose first request broke off before anybody worked on it begins with the next. Raises InvalidInput for a
        request out of range or an unknown policy, IdempotencyConflict for a key with another body.
        """
        check_request(request)
        run = self._queued(await self._policies.under_version(request), replay)
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
        check_request(request)
        run = self._queued(await self._policies.under_version(request), None)
        await self._runs.create(run, None)
        await self._runs.lease(run.run_id)
        return await self._work(run, progress)

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
            return await self._turns.route(run, await self._policies.view(run.request), progress)
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
