"""Processes of this machine, for tests of Ray workers: who descends from whom, and which are workers of ours."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType


def family(root: int) -> set[int]:
    """Return a process and all that descend from it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, before = {root}, set[int]()
    while found != before:
        before = set(found)
        found |= {pid for pid, parent in parents.items() if parent in before}
    return found


def workers() -> list[int]:
    """Return the Ray workers that descend from this process and are ours, not Ray's own."""
    found = []
    for pid in sorted(family(os.getpid())):
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Worker"):
                found.append(pid)
    return found


class Killer:
    """Kills one of the workers every so many seconds, of those that are spent within it; nobody else's time counts."""

    def __init__(self, every_seconds: float) -> None:
        self.kills, self._every, self._dice = 0, every_seconds, Random(7)
        self._at_work, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._kill, daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        self._at_work.set()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._at_work.clear()

    def close(self) -> None:
        """Kill nobody any more."""
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        waited, step = 0.0, self._every / 50
        while not self._over.wait(step):
            waited += step * self._at_work.is_set()
            if waited >= self._every and self._at_work.is_set() and (found := workers()):
                with suppress(ProcessLookupError):
                    os.kill(self._dice.choice(found), signal.SIGKILL)
                    self.kills, waited = self.kills + 1, 0.0
