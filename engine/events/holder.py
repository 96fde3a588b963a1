"""Who holds: whose open holds a hold counts among, where these are limited.

The id of the API key; `anonymous` where nobody is asked for one. Not here: who is acting (actor.py), which is told
for every request anew, and the limit itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_holding: ContextVar[str] = ContextVar("allot_holder", default="anonymous")
_most: ContextVar[int | None] = ContextVar("allot_most_held", default=None)


def holder() -> str:
    """Return who holds now; `anonymous` if nobody said."""
    return _holding.get()


def most_held() -> int | None:
    """Return how many open holds who holds now may have; None if nothing is said of them in particular."""
    return _most.get()


def hold_as(name: str, most: int | None = None) -> None:
    """Let `name` be who holds from now on in this task, and in those that it starts, up to `most` at once."""
    _holding.set(name)
    if most is not None or _most.get() is not None:
        _most.set(most)


@contextmanager
def holding_as(name: str) -> Iterator[None]:
    """Let `name` be who holds in this block, and in the tasks that are started in it."""
    token = _holding.set(name)
    try:
        yield
    finally:
        _holding.reset(token)
