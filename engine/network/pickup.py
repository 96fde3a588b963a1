"""When a basket is ready to be picked up at a node that has opening hours: to the minute, in the node's time zone.

Minutes of picking count while the node is open, on days on which its calendar works; when clocks change in between,
the minutes that pass count. Not here: nodes without hours, which are ready on days (days.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from engine.network.document import NetworkDocument, NodeDocument
from engine.network.time_of_day import minutes_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupHours:
    """Opening hours by weekday from Monday on, in minutes after midnight, ascending; and how long things take.

    `picking_minutes` pass from an order to a basket that is ready, `receiving_days` of opening from the arrival of a
    parcel from another node.
    """

    by_weekday: tuple[tuple[tuple[int, int], ...], ...]
    picking_minutes: int
    receiving_days: int
    time_zone: ZoneInfo

    @property
    def weekdays(self) -> int:
        """The weekdays with hours as bits, Monday first."""
        return sum(1 << weekday for weekday, hours in enumerate(self.by_weekday) if hours)

    def picked(self, now: datetime, works: NDArray[np.bool_], first_day: int) -> datetime | None:
        """Return when a basket that may be picked from an instant on is ready, None if not in the days of `works`.

        `works` says of each day from the ordinal `first_day` on whether the node's calendar works.
        """
        start = now.astimezone(UTC)
        if start.second or start.microsecond:
            start = start.replace(second=0, microsecond=0) + _MINUTE
        first = start.astimezone(self.time_zone).date().toordinal() - first_day
        left = timedelta(minutes=self.picking_minutes)
        for offset in np.flatnonzero(works[first:]).tolist():
            for opens, closes in self._hours(first_day + first + offset):
                begin = max(opens, start)
                if begin < closes and closes - begin >= left:
                    return (begin + left).astimezone(self.time_zone)
                left -= max(closes - begin, timedelta())
        return None

    def picked_on(self, day: int, works: NDArray[np.bool_], first_day: int) -> datetime | None:
        """Return when a basket is ready that may be picked from the opening of a day (an ordinal) on."""
        return self.picked(self._at(date.fromordinal(day), 0), works, first_day)

    def received_on(self, day: int) -> datetime:
        """Return when a parcel from elsewhere is ready on its day: at opening, at closing if it arrives on that day."""
        hours = list(self._hours(day))
        ready = hours[-1][1] if self.receiving_days == 0 else hours[0][0]
        return ready.astimezone(self.time_zone)

    def _hours(self, day: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield when the node opens and closes on a day, in UTC."""
        on = date.fromordinal(day)
        for opens, closes in self.by_weekday[on.weekday()]:
            yield self._at(on, opens), self._at(on, closes)

    def _at(self, day: date, minutes: int) -> datetime:
        return datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=self.time_zone).astimezone(
            UTC
        )


def compile_pickups(document: NetworkDocument) -> Mapping[int, PickupHours]:
    """Return the nodes, by number, that have opening hours for pick-ups."""
    return MappingProxyType(
        {n: _hours_of(node) for n, node in enumerate(document.nodes) if node.store_pickup is not None}
    )


def hours_by_weekday(node: NodeDocument) -> list[list[tuple[int, int, int]]]:
    """Return, by weekday, minutes of opening and closing and the place in the list of each entry, ascending."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in WEEKDAYS]
    for place, entry in enumerate(() if node.store_pickup is None else node.store_pickup.hours):
        for day in WEEKDAYS if entry.days is None else dict.fromkeys(entry.days):
            found[WEEKDAYS.index(day)].append((minutes_of(entry.from_), minutes_of(entry.to), place))
    return [sorted(hours) for hours in found]


def _hours_of(node: NodeDocument) -> PickupHours:
    if node.store_pickup is None:
        raise AssertionError(f"{node.node_id} has no opening hours")
    return PickupHours(
        by_weekday=tuple(tuple((opens, closes) for opens, closes, _ in hours) for hours in hours_by_weekday(node)),
        picking_minutes=node.store_pickup.picking_minutes,
        receiving_days=node.store_pickup.receiving_days,
        time_zone=ZoneInfo(node.time_zone),
    )
