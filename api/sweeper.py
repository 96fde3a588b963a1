"""The tasks that run for as long as the application does.

Expired reservations give back, low stock is noticed, what nodes are to ship, and the windows that are booked, are kept
in line with reservations, and routing runs whose process died go on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from time import monotonic

from api.import_work import ImportWork
from api.simulation_work import SimulationWork
from engine.bootstrap import Engine
from engine.counts import COUNTS
from engine.errors import AllotError
from engine.events.actor import acting_as
from engine.storage.leases import leased

log = logging.getLogger("allot.sweeper")

BATCH = 1000
RUNS_SECONDS = 2.0
"""How long a process that ends waits for its routing runs, before it leaves them to others."""
ALONE_SECONDS = 15.0
"""After so long without a sign of life another server does what one does alone."""


async def keep_sweeping(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Give the units of expired reservations back, and finish what others left half done, until cancelled."""

    async def sweep() -> bool:
        with acting_as("sweeper"):
            expired = await engine.inventory.sweep(BATCH)
            COUNTS.holds_expired += expired
            await engine.orders.sweep(BATCH)
            if expired < BATCH:
                COUNTS.swept_at[engine.tenant] = monotonic()
            return expired == BATCH

    COUNTS.swept_at[engine.tenant] = monotonic()
    try:
        await _keep(sweep, "giving back expired reservations", interval_seconds)
    finally:
        del COUNTS.swept_at[engine.tenant]


async def keep_load(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Bring what nodes are to ship in line with the reservations until cancelled."""

    async def look_again() -> bool:
        return await engine.load.look_again(BATCH // 10) == BATCH // 10

    await _keep(look_again, "comparing the load of nodes with reservations", interval_seconds)


async def keep_slots(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Bring the windows that are booked in line with reservations and orders until cancelled."""

    async def look_again() -> bool:
        return await engine.slots.look_again(BATCH // 10) == BATCH // 10

    await _keep(look_again, "comparing booked slots with reservations", interval_seconds)


async def keep_watching(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Make events of positions that become low on stock, or recover, until cancelled."""
    await _keep(engine.low_stock.step, "watching for low stock", interval_seconds)


async def keep_runs(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Take up routing runs whose process died, and open scheduled windows, until cancelled."""

    async def look_again() -> bool:
        await engine.routing_runs.take_up_left()
        if engine.routing_windows is not None:
            await engine.routing_windows.open_if_due()
        return False

    try:
        await _keep(look_again, "taking up routing runs, and opening windows", interval_seconds)
    finally:
        await engine.routing_runs.hand_over(RUNS_SECONDS)


async def keep_decisions(engine: Engine, interval_seconds: float = 5.0) -> None:
    """Take away what nodes do not accept in time, and what those have to ship that are off, until cancelled."""

    async def step() -> bool:
        await engine.closures.tend()
        await engine.time_outs.step()
        await engine.releases.step()
        return False

    await _keep_alone(engine, "decisions", step, "taking orders away from nodes", interval_seconds)


async def keep_effects(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Do what orders ask to be done elsewhere, and no process did at once, until cancelled."""

    async def step() -> bool:
        await engine.effects.step()
        return False

    await _keep_alone(engine, "effects", step, "doing what orders ask for", interval_seconds)


async def keep_erasures(engine: Engine, interval_seconds: float = 10.0) -> None:
    """Take what is personal out of the orders of erased customers until cancelled."""

    async def step() -> bool:
        await engine.customers.step()
        return False

    await _keep_alone(engine, "erasures", step, "clearing the orders of erased customers", interval_seconds)


async def keep_alerts(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Look whether orders under way will be late, a page of them at a time, until cancelled."""
    await _keep_alone(engine, "alerts", engine.jeopardy.step, "looking at orders under way", interval_seconds)


async def keep_webhooks(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Send events to webhooks until cancelled; one of several servers does it."""
    if engine.deliveries is not None:
        await _keep(engine.deliveries.step, "sending webhooks", interval_seconds)


async def keep_imports(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Work on imports until cancelled; of several servers each works on those that no other has."""
    if engine.imports is not None:
        work = ImportWork(engine, engine.imports)
        await _keep(work.step, "working on imports", interval_seconds)


async def keep_index(engine: Engine, interval_seconds: float = 0.5) -> None:
    """Take what happens to orders into the index by which they are found, until cancelled; one process does it."""
    if engine.desk is not None:
        await _keep(engine.desk.index.step, "taking orders into the index", interval_seconds)


async def keep_archive(engine: Engine, interval_seconds: float = 60.0) -> None:
    """Move orders that are over to the archive until cancelled, if the settings say when; one of several does it."""
    desk = engine.desk
    days = None if desk is None else desk.archive_after_days
    if desk is not None and days is not None:

        async def step() -> bool:
            with acting_as("archive"):
                return await desk.archive.step(days) > 0

        await _keep(step, "archiving orders", interval_seconds)


async def keep_simulations(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Have processes work on simulations until cancelled; those of all servers of a machine are so many at once."""
    if engine.simulations is not None:
        work = SimulationWork(engine.simulations)
        try:
            await _keep(work.step, "starting simulations", interval_seconds)
        finally:
            await work.stop()


async def keep_bid_prices(engine: Engine, interval_seconds: float = 5.0) -> None:
    """Make bid prices anew when the forecast is new or they are old, until cancelled; nothing without a forecast."""

    async def make() -> bool:
        with acting_as("forecasting"):
            await engine.forecast.make_if_due()
            return False

    await _keep(make, "making bid prices", interval_seconds)


async def _keep_alone(
    engine: Engine, lease: str, step: Callable[[], Awaitable[bool]], what: str, interval_seconds: float
) -> None:
    """Take steps as `_keep` does, in one of several servers only: in the one that has the lease."""
    owner = secrets.token_hex(8)

    async def step_if_ours() -> bool:
        async with leased(engine.leases, lease, owner, ALONE_SECONDS) as is_ours:
            if not is_ours:
                return False
            with acting_as("sweeper"):
                return await step()

    await _keep(step_if_ours, what, interval_seconds)


async def _keep(step: Callable[[], Awaitable[bool]], what: str, interval_seconds: float) -> None:
    """Take a step at once again while it says that there is more to do, else every `interval_seconds`.

    A store that does not answer is asked again; a task never gives up.
    """
    is_failing = False
    while True:
        has_more = False
        try:
            has_more = await step()
            is_failing = False
        except AllotError as error:
            if not is_failing:
                log.warning("%s does not work now, trying again: %s", what, error)
            is_failing = True
        except Exception:
            log.exception("%s failed, trying again", what)
        if not has_more:
            await asyncio.sleep(interval_seconds)
