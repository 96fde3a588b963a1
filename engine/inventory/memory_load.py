"""The load book of one process, gone with it; by the clock it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date
from typing import Protocol

from engine.clock import Clock
from engine.inventory.load import Use


class Used(Protocol):
    """What committed orders use of a node on a day."""

    @property
    def node_id(self) -> str:
        """The node."""

    @property
    def ship_on(self) -> date:
        """The day."""

    @property
    def units(self) -> int:
        """How many units."""

    @property
    def parcels(self) -> int:
        """How many parcels."""


class MemoryLoadBook:
    """A `LoadBook`; `of_orders` returns what committed orders use on some days."""

    def __init__(self, clock: Clock, of_orders: Callable[[Sequence[date]], Awaitable[Sequence[Used]]]) -> None:
        self._clock = clock
        self._of_orders = of_orders
        self._uses: dict[str, tuple[int, tuple[Use, ...]]] = {}
        self._seen: dict[str, float] = {}
        self._left: list[Use] = []

    async def put(
        self, reservation_id: str, uses: Sequence[Use], *, deadline_ms: int = 0, has_left: bool = False
    ) -> None:
        """Write the uses of a reservation in place of those before."""
        before = self._uses.pop(reservation_id, (0, ()))[1]
        self._seen.pop(reservation_id, None)
        if has_left:
            self._left += _less(before, uses)
        if uses:
            self._uses[reservation_id] = (deadline_ms, tuple(uses))
            self._seen[reservation_id] = self._clock.now().timestamp()

    async def read(self, first_day: int, days: int) -> Sequence[Use]:
        """Return what is used on some days."""
        now = self._clock.now().timestamp() * 1000
        for reservation_id in [key for key, (due, _) in self._uses.items() if 0 < due <= now]:
            await self.put(reservation_id, ())
        used = await self._of_orders([date.fromordinal(day) for day in range(first_day, first_day + days)])
        open_uses = [use for _, uses in self._uses.values() for use in uses]
        found = [use for use in (*open_uses, *self._left) if first_day <= use.day < first_day + days]
        return [*found, *(Use(one.node_id, one.ship_on.toordinal(), one.units, one.parcels) for one in used)]

    async def oldest(self, limit: int, seconds: float) -> Sequence[str]:
        """Return reservations that were put longest ago."""
        before = self._clock.now().timestamp() - seconds
        return [key for key, seen in sorted(self._seen.items(), key=lambda one: one[1]) if seen <= before][:limit]


def _less(before: Iterable[Use], after: Iterable[Use]) -> list[Use]:
    """Return what was used before and is not any more."""
    left = {(use.node_id, use.day): (use.units, use.parcels) for use in after}
    gone = []
    for use in before:
        units, parcels = left.get((use.node_id, use.day), (0, 0))
        gone.append(use._replace(units=use.units - units, parcels=use.parcels - parcels))
    return gone
