"""The load book of one process, gone with it; by the clock it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import islice

from engine.clock import Clock
from engine.inventory.load import Use


class MemoryLoadBook:
    """A `LoadBook`; `of_orders` returns what committed orders use, as (day, node, units, parcels) of any days.

    Each put keeps the sums right.
    """

    def __init__(self, clock: Clock, of_orders: Callable[[], Iterable[tuple[int, str, int, int]]]) -> None:
        self._clock = clock
        self._of_orders = of_orders
        self._uses: dict[str, tuple[Use, ...]] = {}
        self._seen: dict[str, float] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._deadline_of: dict[str, int] = {}
        self._sums: dict[int, dict[str, tuple[int, int]]] = {}
        """By day and node: units and parcels."""

    async def put(
        self, reservation_id: str, uses: Sequence[Use], *, deadline_ms: int = 0, has_left: bool = False
    ) -> None:
        """Write the uses of a reservation in place of those before."""
        if has_left and reservation_id not in self._uses:
            return
        before = self._uses.pop(reservation_id, ())
        self._seen.pop(reservation_id, None)
        self._deadline_of.pop(reservation_id, None)
        if not has_left:
            self._count(before, -1)
            self._count(uses, 1)
        if uses:
            self._uses[reservation_id] = tuple(uses)
            self._seen[reservation_id] = self._clock.now().timestamp()
            if deadline_ms:
                self._deadline_of[reservation_id] = deadline_ms
                heappush(self._deadlines, (deadline_ms, reservation_id))

    async def read(self, first_day: int, days: int) -> Sequence[Use]:
        """Return what is used on some days; what was used before them is forgotten."""
        now = self._clock.now().timestamp() * 1000
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline_ms, reservation_id = heappop(self._deadlines)
            if self._deadline_of.get(reservation_id) == deadline_ms:
                await self.put(reservation_id, ())
        for day in [day for day in self._sums if day < first_day]:
            del self._sums[day]
        end = first_day + days
        found = [
            Use(node_id, day, units, parcels)
            for day, by_node in self._sums.items()
            if day < end
            for node_id, (units, parcels) in by_node.items()
        ]
        found += [
            Use(node_id, day, units, parcels)
            for day, node_id, units, parcels in self._of_orders()
            if first_day <= day < end
        ]
        return found

    async def oldest(self, limit: int, seconds: float) -> Sequence[str]:
        """Return reservations that were put longest ago."""
        before = self._clock.now().timestamp() - seconds
        return [key for key, seen in islice(self._seen.items(), limit) if seen <= before]

    def _count(self, uses: Sequence[Use], sign: int) -> None:
        for use in uses:
            of_day = self._sums.setdefault(use.day, {})
            units, parcels = of_day.get(use.node_id, (0, 0))
            of_day[use.node_id] = units + sign * use.units, parcels + sign * use.parcels
            if of_day[use.node_id] == (0, 0):
                del of_day[use.node_id]
