"""Long work on the event loop, in pieces of about a millisecond between which it serves others.

A thread would not do: it holds the interpreter while the loop waits for it, again and again for each request that is
served meanwhile, and a call into C for as long as that takes. Of all long work of a process one piece is done in each
turn of the loop. What goes on in between may change anything: whoever works in pieces does so on what does not change,
such as a request or an answer, and asks the store once, for all of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

ROWS = 500
"""Rows of one piece, each some two microseconds of work; no more than these are one piece, done at once."""


class _Queue:
    """Those of one loop who wait for a turn."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Wait until the loop has served others, and those who have waited longer have had their turn."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_soon(self._hand_on, loop)
        await mine

    def _hand_on(self, loop: asyncio.AbstractEventLoop) -> None:
        mine = self._waiting[0]
        if not mine.done():  # else who waited has been cancelled
            mine.set_result(None)
        self._waiting.popleft()
        if self._waiting:
            loop.call_soon(self._hand_on, loop)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


async def turn() -> None:
    """Wait for a turn of the loop in which no other long work is done."""
    loop = asyncio.get_running_loop()
    queue = _queues.get(loop)
    if queue is None:
        queue = _queues[loop] = _Queue()
    await queue.turn()


async def in_turns(
    rows: Sequence[T], most: int = ROWS, weight: Callable[[T], int] | None = None
) -> AsyncIterator[tuple[int, Sequence[T]]]:
    """Yield rows in pieces of at most so many, or of so much weight, each with the index of its first row.

    All at once if that is one piece; else each piece in a turn of its own.
    """
    if len(rows) <= most and (weight is None or sum(map(weight, rows)) <= most):
        yield 0, rows
        return
    first = 0
    while first < len(rows):
        last = first + most if weight is None else _end(rows, first, most, weight)
        await turn()
        yield first, rows[first:last]
        first = last


async def taken_in_turns(rows: list[T], most: int = ROWS) -> AsyncIterator[list[T]]:
    """Yield rows as `in_turns` does, and take them off the list: to free thousands at once takes milliseconds."""
    is_long = len(rows) > most
    while rows:
        if is_long:
            await turn()
        piece = rows[:most]
        del rows[:most]
        yield piece


async def let_go(rows: list[T], most: int = ROWS) -> None:
    """Empty a list whose rows nobody else has, in turns."""
    is_long = len(rows) > most
    while rows:
        if is_long:
            await turn()
        del rows[-most:]


def _end(rows: Sequence[T], first: int, most: int, weight: Callable[[T], int]) -> int:
    """Return the end of a piece: of one row at least, and of so much weight at most."""
    last, left = first + 1, most - weight(rows[first])
    while last < len(rows) and (left := left - weight(rows[last])) >= 0:
        last += 1
    return last
