"""Several server processes on one listening socket: started, replaced when they die, and stopped together.

All accept on the socket of their parent, so a connection that nobody has taken when a process dies is taken by another,
and a free process takes more of them than a busy one. SIGHUP replaces them one after the other, each by one that is
ready. Not here: what one process serves (serve.py), how their metrics come together (siblings.py).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType

log = logging.getLogger("allot.processes")

LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0
"""After so long a process that was told to stop is killed."""
SHORT_LIFE_SECONDS, LONGEST_WAIT_SECONDS = 10.0, 30.0
"""One that lived shorter is replaced only after a while, twice as long each time."""

Work = Callable[[int, Event, int, bool], None]
"""What a process does: its number, what to set when it is ready, its parent's id, and whether it is the first ever."""


@dataclass(slots=True)
class Worker:
    """One process in one place."""

    process: SpawnProcess
    ready: Event
    began: float


class Processes:
    """Keeps `count` processes at work until a signal says to stop."""

    def __init__(self, count: int, work: Work) -> None:
        self._count, self._work = count, work
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, Worker] = {}
        self._waits: dict[int, float] = {}
        self._due: dict[int, float] = {}
        self._told: int | None = None
        self._is_renewal_wanted = False

    def run(self, when_ready: Callable[[], None], when_told: Callable[[], None]) -> int:
        """Start all, the first before the others, and return the exit code when they have ended.

        `when_told` is called when they are told to stop: then nobody but them is to listen any more.
        """
        before = {each: signal.signal(each, self._note) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            for number in range(self._count):
                self._start(number, is_first=number == 0)
                if number == 0 and not self._wait_until_ready(0):
                    break
            if all(self._wait_until_ready(number) for number in self._workers):
                when_ready()
            elif self._told is None:
                return self._stop(failed=True)
            while self._told is None:
                connection.wait([each.process.sentinel for each in self._workers.values()], timeout=LOOK_SECONDS)
                self._replace_dead()
                if self._is_renewal_wanted:
                    self._renew()
            when_told()
            return self._stop(failed=False)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._is_renewal_wanted = True
        else:
            self._told = number

    def _start(self, number: int, *, is_first: bool = False) -> None:
        ready = self._context.Event()
        process = self._context.Process(target=self._work, args=(number, ready, os.getpid(), is_first))
        process.start()
        self._workers[number] = Worker(process=process, ready=ready, began=time.monotonic())

    def _wait_until_ready(self, number: int) -> bool:
        """Say whether a process has become ready, and not ended or been told to stop before."""
        worker = self._workers[number]
        while self._told is None and worker.process.is_alive():
            if worker.ready.wait(LOOK_SECONDS):
                return True
        return worker.ready.is_set()

    def _replace_dead(self) -> None:
        now = time.monotonic()
        for number, worker in list(self._workers.items()):
            if worker.process.is_alive():
                continue
            code = worker.process.exitcode
            is_short = now - worker.began < SHORT_LIFE_SECONDS
            wait = min(LONGEST_WAIT_SECONDS, 2 * self._waits.get(number, 0.5)) if is_short else 0.0
            self._waits[number] = wait
            self._due[number] = now + wait
            log.error("process %d ended with %s, and is replaced in %g s", number, code, wait)
            del self._workers[number]
        for number, due in list(self._due.items()):
            if due <= now:
                del self._due[number]
                self._start(number)

    def _renew(self) -> None:
        """Replace every process by a new one, the old going when the new is ready."""
        self._is_renewal_wanted = False
        for number, old in list(self._workers.items()):
            self._start(number)
            if not self._wait_until_ready(number):
                log.error("the new process %d does not start; the old ones stay", number)
                self._workers[number].process.kill()
                self._workers[number] = old
                return
            old.process.terminate()

    def _stop(self, *, failed: bool) -> int:
        """Tell all to stop, wait for them, and return the exit code."""
        told = self._told or signal.SIGTERM
        processes = [worker.process for worker in self._workers.values()]
        for process in processes:
            with suppress(ProcessLookupError):
                if process.pid is not None and process.is_alive():
                    os.kill(process.pid, told)
        end = time.monotonic() + STOP_SECONDS
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                log.error("process %s did not stop within %g s", process.pid, STOP_SECONDS)
                process.kill()
                process.join()
                failed = True
        return int(failed)
