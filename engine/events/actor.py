"""Who is acting: the name that the event journal writes down for every change made in a task or thread.

Not here: who may do what, and the journal itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_acting: ContextVar[str] = ContextVar("allot_actor", default="system")


def actor() -> str:
    """Return who is acting now; `system` if nobody said."""
    return _acting.get()


def act_as(name: str) -> None:
    """Let `name` be who acts from now on in this task, and in those that it starts."""
    _acting.set(name)


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Let `name` be who acts in this block, and in the tasks that are started in it."""
    token = _acting.set(name)
    try:
        yield
    finally:
        _acting.reset(token)
