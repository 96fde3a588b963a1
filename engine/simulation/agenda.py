"""What is to happen and when: a heap of events, and the clock that they move.

Not here: what happens (the other files of this room).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import IntEnum
from heapq import heappop, heappush
from typing import Any

from engine.clock import SettableClock
from engine.simulation.times import StoryTime

Handler = Callable[[int, Any], Awaitable[None] | None]
"""Is called with an instant and what it was scheduled with; may be a coroutine function."""


class Rank(IntEnum):
    """What comes first of the same instant; customers come after all of it."""

    CHANGE = 0
    SUPPLY = 1
    FLOOR = 2
    WINDOW = 3


class Agenda:
    """The events of one simulation, by instant, rank and the order in which they were scheduled."""

    def __init__(self, clock: SettableClock, times: StoryTime) -> None:
        self._clock, self._times = clock, times
        self._events: list[tuple[int, Rank, int, Handler, Any]] = []
        self._number = 0
        self.now_s = 0

    def schedule(self, at_s: int, rank: Rank, handler: Handler, what: Any) -> None:
        """Have a handler called at an instant, now if it has passed; never after the story is over."""
        if at_s <= self._times.end_s:
            self._number += 1
            heappush(self._events, (max(at_s, self.now_s), rank, self._number, handler, what))

    async def live_to(self, until_s: int) -> None:
        """Do what is due up to an instant, and at it; it is then that instant."""
        events = self._events
        while events and events[0][0] <= until_s:
            at_s, _, _, handler, what = heappop(events)
            self._move_to(at_s)
            doing = handler(at_s, what)
            if doing is not None:
                await doing
        self._move_to(until_s)

    def _move_to(self, at_s: int) -> None:
        if at_s > self.now_s:
            self.now_s = at_s
            self._clock.move_to(self._times.at(at_s))
