"""The book of booked windows of one process, gone with it; by the clock it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.clock import Clock
from engine.inventory.slots import LOOK_SECONDS, Booking, Taken, Verdict, WantedSlot

_TAKES = frozenset({"held", "kept", "final"})
_MOST_ORDERS = 32
_OVER_MS = 25 * 3600 * 1000
"""For so long a booking that takes no place is known, while idempotency keys come back."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    wanted: WantedSlot
    state: str
    deadline_ms: int
    is_settled: bool = False
    order_ids: list[str] = field(default_factory=list)


class MemorySlotBook:
    """A `SlotBook`; the same rules as lua/slots/slots.lua, in the same order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._taken = Counter[tuple[int, str]]()
        self._look: dict[str, int] = {}
        self._over: dict[str, int] = {}

    async def take(self, reservation_id: str, wanted: WantedSlot, seconds: float) -> Taken:
        """Take a place for a reservation that is about to be made."""
        self._expire_due()
        kept, deadline_ms = self._kept.get(reservation_id), self._now() + round(seconds * 1000)
        if kept is not None and kept.is_settled:
            return "settled"
        if kept is not None and kept.state == "lost":
            return "lost"
        if kept is not None and kept.state in _TAKES:
            kept.deadline_ms = max(kept.deadline_ms, deadline_ms)
            return "taken"
        if not self._has_room(wanted, wanted.capacity):
            return "full"
        self._taken[wanted.day, wanted.slot] += 1
        self._kept[reservation_id] = _Kept(wanted=wanted, state="held", deadline_ms=deadline_ms)
        self._look[reservation_id] = deadline_ms
        return "taken"

    async def settle(self, reservation_id: str, deadline_ms: int, capacity: int) -> bool:
        """Give a booking the deadline of its reservation, once."""
        self._expire_due()
        kept = self._kept.get(reservation_id)
        if kept is None or (kept.state == "lost" and not kept.is_settled):
            return False
        if kept.is_settled:
            return True
        if kept.state == "gone":
            if not self._has_room(kept.wanted, capacity):
                self._free(reservation_id, kept, "lost")
                return False
            self._taken[kept.wanted.day, kept.wanted.slot] += 1
            kept.state = "held"
        kept.is_settled, kept.deadline_ms = True, deadline_ms
        self._look[reservation_id] = deadline_ms
        return True

    async def prolong(self, reservation_id: str, seconds: float) -> bool:
        """Have a booking last for so many seconds at least."""
        kept = self._live(reservation_id)
        if kept is not None and kept.state == "held":
            kept.deadline_ms = max(kept.deadline_ms, self._now() + round(seconds * 1000))
            self._look[reservation_id] = self._now()
        return kept is not None

    async def keep(self, reservation_id: str, order_id: str = "") -> bool:
        """Have a booking stay until somebody has looked at its reservation, or its order."""
        kept = self._live(reservation_id)
        if kept is None:
            return False
        is_new = bool(order_id) and order_id not in kept.order_ids and len(kept.order_ids) < _MOST_ORDERS
        if is_new:
            kept.order_ids.append(order_id)
        kept.state = "kept" if kept.state == "held" else kept.state
        if kept.state == "kept" or is_new:
            self._look[reservation_id] = self._now() + round(LOOK_SECONDS * 1000)
        return True

    async def judge(self, reservation_id: str, verdict: Verdict, look_seconds: float = 0) -> None:
        """Do what a look at the reservation, or its order, has said."""
        kept = self._live(reservation_id)
        if kept is None or verdict == "final":
            self._look.pop(reservation_id, None)
        if kept is None:
            return
        if verdict == "gone":
            self._free(reservation_id, kept, "gone")
        elif verdict == "final":
            kept.state = "final"
        else:
            if verdict == "keep" and kept.state == "held":
                kept.state = "kept"
            if kept.state != "final":
                self._look[reservation_id] = self._now() + round(look_seconds * 1000)

    async def due(self, limit: int) -> Sequence[str]:
        """Return reservations that are to be looked at, the longest due first."""
        self._expire_due()
        now = self._now()
        return [key for key, at in sorted(self._look.items(), key=lambda one: one[1]) if at <= now][:limit]

    async def find(self, reservation_id: str) -> Booking | None:
        """Return the booking of a reservation."""
        self._expire_due()
        kept = self._kept.get(reservation_id)
        if kept is None:
            return None
        return Booking(
            booked=kept.wanted.booked,
            is_live=kept.state in _TAKES,
            is_settled=kept.is_settled,
            order_ids=tuple(kept.order_ids),
        )

    async def taken(self, slots_by_day: Sequence[tuple[int, Sequence[str]]]) -> Sequence[Sequence[int]]:
        """Return, for each day, how many places of each of the slots are taken."""
        self._expire_due()
        return [[self._taken[day, slot] for slot in slots] for day, slots in slots_by_day]

    def _now(self) -> int:
        return round(self._clock.now().timestamp() * 1000)

    def _has_room(self, wanted: WantedSlot, capacity: int) -> bool:
        return self._taken[wanted.day, wanted.slot] < capacity

    def _live(self, reservation_id: str) -> _Kept | None:
        self._expire_due()
        kept = self._kept.get(reservation_id)
        return kept if kept is not None and kept.state in _TAKES else None

    def _free(self, reservation_id: str, kept: _Kept, state: str) -> None:
        if kept.state in _TAKES:
            self._taken[kept.wanted.day, kept.wanted.slot] -= 1
        kept.state = state
        self._over[reservation_id] = self._now() + _OVER_MS
        self._look.pop(reservation_id, None)

    def _expire_due(self) -> None:
        now = self._now()
        for reservation_id, kept in self._kept.items():
            if kept.state == "held" and kept.deadline_ms <= now:
                self._free(reservation_id, kept, "gone")
        while self._over and self._over[oldest := next(iter(self._over))] <= now:
            del self._over[oldest]
            if oldest in self._kept and self._kept[oldest].state not in _TAKES:
                del self._kept[oldest]
