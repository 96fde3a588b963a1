"""Runs `allot` as a user does, in a process of its own, with its wall time and its peak memory.

The parent imports nothing large: on Linux the peak of a child starts at the memory of the process that forked it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

RSS_UNITS_PER_MB = 1_000_000 if sys.platform == "darwin" else 1_000_000 / 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A process that has ended: exit code, wall time from start to end, peak resident memory in MB, what it said."""

    command: str
    exit_code: int
    wall_seconds: float
    peak_mb: float
    stdout: str
    stderr: str

    def expect_success(self) -> Finished:
        """Return this; raises RuntimeError with what the process said, if it failed."""
        if self.exit_code != 0:
            raise RuntimeError(f"{self.command} ended with exit code {self.exit_code}: {self.stderr.strip()[-2000:]}")
        return self


def allot(*arguments: str, most_seconds: float | None = None) -> Finished:
    """Run `allot` with these arguments; after `most_seconds` it is killed, and its exit code is negative."""
    return measured("api.cli.main", *arguments, most_seconds=most_seconds)


def measured(module: str, *arguments: str, most_seconds: float | None = None) -> Finished:
    """Run a module of this interpreter and measure it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=errors
        )
        alarm = threading.Timer(most_seconds, process.kill) if most_seconds is not None else None
        if alarm is not None:
            alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            if alarm is not None:
                alarm.cancel()
        wall_seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        return Finished(
            command=" ".join(("allot" if module == "api.cli.main" else module, *arguments)),
            exit_code=process.returncode,
            wall_seconds=wall_seconds,
            peak_mb=usage.ru_maxrss / RSS_UNITS_PER_MB,
            stdout=out.read().decode(errors="replace"),
            stderr=errors.read().decode(errors="replace"),
        )
