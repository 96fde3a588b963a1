"""The engines of the tenants that one server serves, each with its own key space and its own background tasks.

A tenant starts with its first request, or with the server if it has keys. One that fails to start is refused, and
tried again a little later; it harms no other. Not here: who belongs to which tenant (api/door.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress

from engine.bootstrap import Engine
from engine.errors import AllotError, Unavailable

log = logging.getLogger("allot.tenants")

AGAIN_SECONDS = 5.0


class Tenants:
    """Runs an engine for each tenant, at most `most` besides that of the house."""

    def __init__(self, house: Engine, run: Callable[[str], AbstractAsyncContextManager[Engine]], most: int) -> None:
        """Take the engine that runs already, and what runs one for a tenant."""
        self._house, self._run, self._most = house, run, most
        self._running: dict[str, asyncio.Future[Engine]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._stop = asyncio.Event()

    async def engine_of(self, tenant: str) -> Engine:
        """Return the engine of a tenant, starting it if need be; raises Unavailable if it does not start."""
        if tenant == self._house.tenant:
            return self._house
        running = self._running.get(tenant)
        if running is None:
            running = self._start(tenant)
        return await asyncio.shield(running)

    def running(self, tenant: str) -> Engine | None:
        """Return the engine of a tenant if it runs."""
        if tenant == self._house.tenant:
            return self._house
        found = self._running.get(tenant)
        if found is None or not found.done() or found.cancelled() or found.exception() is not None:
            return None
        return found.result()

    async def start_all(self, tenants: Iterable[str]) -> None:
        """Start tenants one after the other; those that fail wait for their first request."""
        for tenant in tenants:
            with suppress(AllotError):
                await self.engine_of(tenant)

    async def stop(self) -> None:
        """Stop them all, each in order."""
        self._stop.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, tenant: str) -> asyncio.Future[Engine]:
        if time.monotonic() < self._not_before.get(tenant, 0.0):
            raise Unavailable(f"The tenant {tenant} did not start; it is tried again soon.")
        if len(self._running) >= self._most:
            log.error("no room for the tenant %s: %d run already; raise ALLOT_MOST_TENANTS", tenant, self._most)
            raise Unavailable(f"There is no room for the tenant {tenant}; see ALLOT_MOST_TENANTS.")
        running = self._running[tenant] = asyncio.get_running_loop().create_future()
        running.add_done_callback(_retrieve)
        self._tasks[tenant] = asyncio.create_task(self._serve(tenant, running))
        return running

    async def _serve(self, tenant: str, running: asyncio.Future[Engine]) -> None:
        """Run the engine of one tenant until all are stopped; `running` gets it, or why there is none."""
        try:
            async with self._run(tenant) as engine:
                running.set_result(engine)
                await self._stop.wait()
        except Exception as error:
            log.exception("the tenant %s does not run", tenant)
            self._running.pop(tenant, None)
            self._not_before[tenant] = time.monotonic() + AGAIN_SECONDS
            if not running.done():
                failure = Unavailable(f"The tenant {tenant} does not start; the log says why.")
                failure.__cause__ = error
                running.set_exception(failure)


def _retrieve(running: asyncio.Future[Engine]) -> None:
    """Mark a failure as seen: nobody may be waiting any more."""
    if not running.cancelled():
        running.exception()
