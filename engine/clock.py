"""Time as a part that is handed in: engine code never asks the machine what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_of(milliseconds: int) -> datetime:
    """Return the instant so many milliseconds after 1970 began, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


class Clock(Protocol):
    """Tells the current instant."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until it is told to move; for the simulator and for tests."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a clock needs an aware datetime, got {start.isoformat()}")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self._now += by

    def move_to(self, instant: datetime) -> None:
        """Move the clock to an aware instant, which is not before the one it shows."""
        if instant < self._now:
            raise ValueError(
                f"the clock stands at {self._now.isoformat()}; it does not go back to {instant.isoformat()}"
            )
        self._now = instant
