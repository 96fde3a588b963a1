"""When to stop: time and gap are judged by what is handed in, since solvers know no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Overdue(Exception):
    """Work that was spread did not come back within the time limit; the solve ends with the best plan it has."""


class Stopwatch(Protocol):
    """Tells how long a solve has taken."""

    def __call__(self) -> float:
        """Return the seconds since the solve began."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """Stop at a time limit, at a gap, or (with neither) when the counted work is done."""

    stopwatch: Stopwatch
    time_limit_seconds: float | None = None
    target_gap: float | None = None

    def seconds_left(self) -> float | None:
        """Return the seconds left, or None without a limit."""
        if self.time_limit_seconds is None:
            return None
        return max(0.0, self.time_limit_seconds - self.stopwatch())

    def late(self, share: float = 1.0) -> bool:
        """Return whether this share of the time limit is used up."""
        return self.time_limit_seconds is not None and self.stopwatch() >= share * self.time_limit_seconds

    def close_enough(self, bound_cents: float, best_cents: int) -> bool:
        """Return whether the plan is as close to the bound as was asked for."""
        return self.target_gap is not None and best_cents - bound_cents <= self.target_gap * bound_cents
