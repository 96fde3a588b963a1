"""The floors of nodes: parcels wait for their day, are picked one after another within working hours, and leave.

A node picks as fast as its capacity of a day needs, spread over the hours of that day; what is not done when they end
goes on with the next working day. A parcel leaves when it is picked. Not here: which parcels there are (releasing.py),
what comes after they left (simulator.py).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.network.model import Network
from engine.scenarios.story import Operations
from engine.simulation.luck import Luck
from engine.simulation.orders import Parcel
from engine.simulation.surroundings import Surroundings
from engine.simulation.times import StoryTime

LONGEST_WAIT_DAYS = 400
_AFTER_CUT_OFF_MINUTES = 60
"""What comes in just before the cut-off is still picked that day."""
_HOUR = 3600


@dataclass(slots=True)
class _Node:
    """One floor: what waits for it, and what is in hand."""

    waiting: deque[Parcel] = field(default_factory=deque)
    in_hand: Parcel | None = None
    is_closed: bool = False


Schedule = Callable[[int, Callable[[int, Parcel], None], Parcel], None]
"""Has a function called with an instant and a parcel when that instant comes."""


class Floor:
    """The floors of all nodes; `leave` is told of every parcel that has been picked."""

    def __init__(
        self,
        times: StoryTime,
        operations: Operations,
        luck: Luck,
        around: Surroundings,
        schedule: Schedule,
        leave: Callable[[int, Parcel], None],
    ) -> None:
        self._times, self._operations, self._luck, self._around = times, operations, luck, around
        self._schedule, self._leave = schedule, leave
        self._nodes: dict[str, _Node] = {}

    def take(self, now_s: int, parcel: Parcel) -> None:
        """Take a parcel in: it waits for its day, then for its turn."""
        zone = self._around.zone_of(parcel.node_id)
        opens = self._times.midnight_s(zone, parcel.ship_on) + self._operations.picks_from_hour * _HOUR
        self._schedule(max(now_s, opens), self._ready, parcel)

    def close(self, node_id: str) -> None:
        """Stop picking at a node; what waits there waits on."""
        self._floor(node_id).is_closed = True

    def open(self, now_s: int, node_id: str) -> None:
        """Go on picking at a node."""
        floor = self._floor(node_id)
        floor.is_closed = False
        self._serve(now_s, floor)

    def left_over(self, ordinal: int) -> dict[int, tuple[int, int]]:
        """Return by node the units and parcels that were to leave on a day or before, and wait."""
        found: dict[int, tuple[int, int]] = {}
        for floor in self._nodes.values():
            for parcel in (*floor.waiting, *([] if floor.in_hand is None else [floor.in_hand])):
                if not parcel.gone and parcel.ship_on <= ordinal:
                    units, parcels = found.get(parcel.node, (0, 0))
                    found[parcel.node] = units + parcel.units, parcels + 1
        return found

    def _floor(self, node_id: str) -> _Node:
        return self._nodes.setdefault(node_id, _Node())

    def _ready(self, now_s: int, parcel: Parcel) -> None:
        if not parcel.gone:
            floor = self._floor(parcel.node_id)
            floor.waiting.append(parcel)
            self._serve(now_s, floor)

    def _serve(self, now_s: int, floor: _Node) -> None:
        """Take the next parcel in hand, if there is one and the floor is free."""
        while floor.in_hand is None and floor.waiting and not floor.is_closed:
            parcel = floor.waiting.popleft()
            if parcel.gone:
                continue
            floor.in_hand = parcel
            self._schedule(self._done_s(now_s, parcel), self._picked, parcel)

    def _picked(self, now_s: int, parcel: Parcel) -> None:
        floor = self._floor(parcel.node_id)
        floor.in_hand = None
        if floor.is_closed and not parcel.gone:
            floor.waiting.appendleft(parcel)
        elif not parcel.gone:
            self._leave(now_s, parcel)
        self._serve(now_s, floor)

    def _done_s(self, now_s: int, parcel: Parcel) -> int:
        """Return when a parcel that is taken in hand now is picked: within hours of working days only."""
        network, calendars, zone = self._around.network, self._around.calendars, self._around.zone_of(parcel.node_id)
        node = network.index[parcel.node_id]
        calendar = int(network.calendar_of_node[node])
        works = calendars.works[calendar]
        left = self._work_s(network, node, parcel)
        ordinal, start = self._times.ordinal_of(now_s, zone), now_s
        for day in range(ordinal, ordinal + LONGEST_WAIT_DAYS):
            offset = day - calendars.first_day
            if not (0 <= offset < len(works) and works[offset]):
                continue
            midnight = self._times.midnight_s(zone, day)
            opens, closes = (midnight + hours for hours in self._hours(network, node))
            start = max(start, opens)
            if start > closes:
                continue
            if start + left <= closes:
                return start + math.ceil(left)
            left -= closes - start
            start = closes
        return start

    def _hours(self, network: Network, node: int) -> tuple[int, int]:
        """Return from when to when a node picks, in seconds after its midnight."""
        cut_off = (int(network.cut_off_minutes[node]) + _AFTER_CUT_OFF_MINUTES) * 60
        closes = max(self._operations.picks_to_hour * _HOUR, cut_off)
        return self._operations.picks_from_hour * _HOUR, min(closes, 24 * _HOUR)

    def _work_s(self, network: Network, node: int, parcel: Parcel) -> float:
        """Return how long picking takes: the parcel's share of the capacity of a day, in the hours of that day."""
        units, parcels = int(network.capacity_units[node]), int(network.capacity_parcels[node])
        share = max(parcel.units / units if units > 0 else 0.0, 1 / parcels if parcels > 0 else 0.0)
        opens, closes = self._hours(network, node)
        work = share * (closes - opens)
        if work > 0 and self._operations.pick_times == "exponential":
            work *= -math.log1p(-self._luck.of("picking", parcel.order.key))
        return work
