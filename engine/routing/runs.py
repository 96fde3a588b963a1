"""Routing runs: started once per idempotency key, worked on by one process at a time, taken up when that one dies.

Here: who works on a run, and when. Not here: what may be asked (run_requests.py), the work itself (working.py), what it
does with the orders (routing_turns.py), the record of a run (run_store.py).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.dispatch.dispatcher import Dispatcher
from engine.errors import AllotError, Unavailable
from engine.inventory.model import Outcome, Replay
from engine.inventory.store import InventoryStore
from engine.policies.service import PolicyService
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.model import OrderBook
from engine.routing.routing_turns import RoutingTurns
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.run_requests import RunPolicies, check_request
from engine.routing.run_store import RunStore
from engine.routing.working import RunWorker
from solvers.params import Progress

AT_ONCE = 2
"""A process that works on so many runs takes up no others."""
log = logging.getLogger("allot.runs")


class RoutingRuns:
    """Starts routing runs, takes up those whose process died, and tells how they stand."""

    def __init__(
        self,
        runs: RunStore,
        orders: OrderBook,
        inventory: InventoryStore,
        reference: Reference,
        clock: Clock,
        explained: ExplainedRuns | None = None,
        policies: PolicyService | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._runs, self._clock = runs, clock
        self._policies = RunPolicies(reference, policies)
        turns = RoutingTurns(orders, inventory, clock, explained, dispatcher or Dispatcher())
        self._worker = RunWorker(runs, orders, turns, self._policies, clock)
        self._tasks: dict[asyncio.Task[None], tuple[str, int]] = {}
        """What this process works on, with the epoch of each run."""
        self._is_over = False

    async def start(self, request: RunRequest, *, replay: Replay | None = None) -> Outcome[Run]:
        """Queue a run and work on it in the background; with the same idempotency key again, the same run.

        A run whose first request broke off before anybody worked on it begins with the next. Raises InvalidInput for a
        request out of range or an unknown policy, IdempotencyConflict for a key with another body.
        """
        check_request(request)
        run = self._queued(await self._policies.under_version(request), replay)
        made = await self._runs.create(run, replay)
        if not made.replayed or not (await self._runs.get(run.run_id)).status.over:
            await self._take_up(run.run_id)
        return made

    async def start_window(self, run_id: str, start: int, request: RunRequest) -> str | None:
        """Start the run of the window that begins at a second, and return its id.

        None if somebody has started it or a later one, or the run of the one before is not over. Raises InvalidInput
        for an unknown policy.
        """
        if not await self._runs.is_due(start):
            return None
        check_request(request)
        asked = await self._policies.under_version(request)
        run = Run(run_id=run_id, status=RunStatus.QUEUED, request=asked, created_at=self._clock.now())
        if not await self._runs.open_window(run, start):
            return None
        await self._take_up(run_id)
        return run_id

    async def get(self, run_id: str) -> Run:
        """Return a run; one whose worker died is taken up. Raises NotFound."""
        run = await self._runs.get(run_id)
        if run.status.over or await self._runs.leased(run_id):
            return run
        await self._take_up(run_id)
        return await self._runs.get(run_id)

    async def take_up_left(self) -> None:
        """Take up runs that nobody works on: their process died, or stopped before it began. Raises Unavailable."""
        for run_id in await self._runs.unfinished():
            if len(self._tasks) >= AT_ONCE:
                return
            if not await self._runs.leased(run_id):
                await self._take_up(run_id)

    async def finish(self) -> None:
        """Wait for the runs that this process works on."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hand_over(self, patience_seconds: float) -> None:
        """Leave runs that are not over in time to other processes, which go on from what was decided; start no more."""
        self._is_over = True
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=patience_seconds)
            leases = [self._tasks[task] for task in left]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for run_id, epoch in leases:
                with suppress(AllotError):
                    await self._runs.hand_over(run_id, epoch)

    async def execute(self, request: RunRequest, *, progress: Progress | None = None) -> Run:
        """Do a run here and now, and return it when it is over; for the command line and the simulator.

        Raises Unavailable when the store has not answered for a while.
        """
        check_request(request)
        run = self._queued(await self._policies.under_version(request), None)
        await self._runs.create(run, None)
        return await self._worker.work(run.run_id, await self._runs.claim(run.run_id), progress)

    def _queued(self, request: RunRequest, replay: Replay | None) -> Run:
        """Return a new run; its id comes from the idempotency key if there is one."""
        run_id = f"run_{secrets.token_hex(16) if replay is None else replay.digest[:32]}"
        return Run(run_id=run_id, status=RunStatus.QUEUED, request=request, created_at=self._clock.now())

    async def _take_up(self, run_id: str) -> None:
        """Work on a run in the background, unless somebody does or it is over, or this process is to end."""
        if self._is_over:
            return
        epoch = await self._runs.claim(run_id)
        if epoch and self._is_over:  # since it was asked for: nobody here would wait for it, or hand it over
            await self._runs.hand_over(run_id, epoch)
        elif epoch:
            task = asyncio.create_task(self._work(run_id, epoch), name=run_id)
            self._tasks[task] = (run_id, epoch)
            task.add_done_callback(self._tasks.pop)

    async def _work(self, run_id: str, epoch: int) -> None:
        try:
            await self._worker.work(run_id, epoch)
        except Unavailable as error:
            log.warning("run %s stands still, and will be taken up: %s", run_id, error)
