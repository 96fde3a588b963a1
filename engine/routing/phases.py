"""How long the phases of a routing run take, as its summary tells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Phase = Literal["read", "build", "solve", "mend", "hubs", "verify", "explain", "keep", "commit"]


class Phases:
    """Adds up the seconds of each phase over all rounds and turns of a run."""

    def __init__(self) -> None:
        self._seconds: dict[Phase, float] = {}

    @contextmanager
    def timed(self, phase: Phase) -> Iterator[None]:
        """Count the time until the end of the block as that of a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] = self._seconds.get(phase, 0.0) + time.perf_counter() - began

    def document(self) -> dict[str, dict[str, float]]:
        """Return the seconds as they stand in a run's summary."""
        return {"phase_seconds": {phase: round(seconds, 3) for phase, seconds in self._seconds.items()}}
