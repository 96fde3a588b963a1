"""Orders that wait at the same moment are worked through together: each step for all of them, then the next step.

What a step reads of code and tables is then in the caches of the processor for every order but the first; one order
after another pushes it out again. Not here: the steps (steps.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Work = TypeVar("Work")
MOST_TOGETHER = 32
"""More gain nothing, and hold the loop up for longer."""


class Together(Generic[Work]):
    """Does the same steps for every piece of work: at once where one is alone, else with all that wait in a turn."""

    def __init__(self, steps: Sequence[Callable[[Work], None]]) -> None:
        self._steps = steps
        self._underway = 0
        self._waiting: list[tuple[Work, asyncio.Future[None]]] = []

    @contextmanager
    def underway(self) -> Iterator[None]:
        """Count work from before its reads on, so that `do` knows whether others may come."""
        self._underway += 1
        try:
            yield
        finally:
            self._underway -= 1

    async def do(self, work: Work) -> None:
        """Do the steps of one piece of work; raises what a step of it raises, which stops no other."""
        if self._underway == 1:
            for step in self._steps:
                step(work)
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._do_waiting)
        self._waiting.append((work, done))
        await done

    def _do_waiting(self) -> None:
        together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._do_waiting)
        for step in self._steps:
            failed = [place for place, (work, done) in enumerate(together) if not _is_done(step, work, done)]
            for place in reversed(failed):
                del together[place]
        for _, done in together:
            if not done.done():
                done.set_result(None)


def _is_done(step: Callable[[Work], None], work: Work, done: asyncio.Future[None]) -> bool:
    """Do a step unless nobody waits for it any more; say whether it went well."""
    if done.done():
        return False
    try:
        step(work)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for this work
        done.set_exception(error)
        return False
    return True
