"""Which orders have changed since it was last asked: the port, and that of orders in memory.

The feed of a store answers it in engine/feed/order_news.py. Not here: what is done about it (watch.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has happened: orders that have changed, and such as are gone; `is_lost` if nobody knows all of it any more.

    `has_more` says that there is more at once.
    """

    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    is_lost: bool = False
    has_more: bool = False


class OrderNews(Protocol):
    """Tells one reader what happens to the orders of a tenant."""

    async def heard(self) -> News:
        """Return what has happened since the last time; the first time, that it is not known."""
        ...


class MemoryOrderNews:
    """What happens to orders of this process, seen by how far each has come."""

    def __init__(self, steps: Callable[[], Mapping[str, object]]) -> None:
        """Take what says of each order how far it has come."""
        self._steps, self._known = steps, dict[str, object]()

    async def heard(self) -> News:
        """Return what has happened since the last time; nothing is ever lost, as all of it is new at first."""
        before, now = self._known, dict(self._steps())
        self._known = now
        return News(
            changed=tuple(order_id for order_id, step in now.items() if before.get(order_id) != step),
            gone=tuple(order_id for order_id in before if order_id not in now),
        )
