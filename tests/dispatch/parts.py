"""Parts of work for the tests of Ray workers, which import this file and so must find all that it imports."""

from __future__ import annotations

import os
import signal
import time


def pid_of(_: int) -> int:
    """Return the process that does this part."""
    return os.getpid()


def slowly(seconds: float, part: int) -> tuple[int, int]:
    """Take so long; return the square, and the process."""
    time.sleep(seconds)
    return part * part, os.getpid()


def dies_elsewhere(home: int, part: int) -> int:
    """Kill the process, if it is not `home`, with part 1."""
    if part == 1 and os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return part + 1


def fails(part: int) -> int:
    """Fail with part 0."""
    return 1 // part


def kept_length(part: int, *, kept: list[int]) -> int:
    """Return how much is kept, and the part."""
    return len(kept) + part
