"""Starting and looking after the processes that simulate: so many at a time on a machine, for all its servers.

What a process that died has left lying is taken up again, by this server or the next; after `MOST_STARTS` starts
without a replication that came to its end it has failed. Not here: the work itself (simulation_runner.py).
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from engine.config import SimulationTerms
from engine.simulation.jobs import CANCELLED, FAILED, OVER, JobFolder, Jobs

MOST_STARTS = 5
KEPT = timedelta(days=7)
END_SECONDS = 2.0
"""How long processes may take to end with their server."""


class SimulationWork:
    """The processes of one server and tenant."""

    def __init__(self, terms: SimulationTerms) -> None:
        self._terms, self._jobs = terms, Jobs(terms.folder)
        self._processes: set[asyncio.subprocess.Process] = set()

    async def step(self) -> bool:
        """Start what waits if there is a place for it; return whether there may be more to do at once."""
        self._processes = {process for process in self._processes if process.returncode is None}
        if not self._terms.folder.is_dir():
            return False
        next_one = await asyncio.to_thread(self._next)
        if next_one is None:
            return False
        folder, descriptors = next_one
        try:
            with (folder.path / "log.txt").open("ab") as log:
                command = [sys.executable, "-m", "api.simulation_runner", str(folder.path)]
                streams = {"stdin": asyncio.subprocess.DEVNULL, "stdout": log, "stderr": log}
                process = await asyncio.create_subprocess_exec(*command, pass_fds=descriptors, **streams)  # type: ignore[arg-type]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)  # the process has its own
        self._processes.add(process)
        return True

    def _next(self) -> tuple[JobFolder, tuple[int, int]] | None:
        """Return what is to be worked on, with the locks of it and of a place; ends what cannot go on."""
        for folder, job in self._jobs.all():
            now = datetime.now(UTC)
            if job.state.status in OVER:
                if now - job.wanted.created_at > KEPT:
                    self._jobs.remove(folder)
                continue
            own = folder.lock()
            if own is None:
                continue
            state = folder.state()
            if state.status in OVER:
                os.close(own)
            elif folder.is_cancelled:
                folder.end(CANCELLED, now)
                os.close(own)
            elif state.starts >= MOST_STARTS:
                failure = f"Its process died {state.starts} times in a row; the log of the server's machine says why."
                folder.end(FAILED, now, failure=failure, code="internal_error")
                os.close(own)
            elif (place := self._place()) is not None:
                return folder, (own, place)
            else:
                os.close(own)
                return None
        return None

    def _place(self) -> int | None:
        for number in range(self._terms.at_once):
            place = self._jobs.slot(number)
            if place is not None:
                return place
        return None

    async def stop(self) -> None:
        """End the processes; what they were at is taken up by the next server."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes:
            try:
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
