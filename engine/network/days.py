"""Days as integers: which day a node can hand over, which day a parcel arrives.

Everything that needs a calendar or a time zone is computed here once, per network (calendars) or per minute (what has
passed its cut-off), into arrays of ordinals (`date.toordinal()`), so that a promise does no date arithmetic per node.

The rules: an order at or after the node's cut-off counts as the next day's; it starts on the node's first working day,
takes `processing_days` whole working days, and is handed over on the first day that both the node and the carrier
service work and the service comes to the node. The cut-off of a service, or of a service at a node, is its pick-up
time: it matters to an order that could leave on the day it starts.
Transit counts the service's operating days after the hand-over; with none it is the first operating day.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

from engine.network.document import CalendarDocument
from engine.network.model import EVERY_WEEKDAY, Network
from engine.network.pickup import WEEKDAYS

HORIZON_DAYS = 760
NEVER = 2**30
_REBUILD_AFTER_DAYS = 14
_MINUTES_KEPT = 64
"""The present one, and those to come within the life of a promise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendars:
    """Calendars over `HORIZON_DAYS` days from `first_day`; days that lie beyond are `NEVER`.

    `works[c, d]` says whether calendar c works on day d, `before[c, d]` how many working days lie before d, and
    `nth[c, i]` is the i-th working day. `common[j, d]` is the first day from d on which pair j hands over: both its
    calendars work and it is a day of pick-up; `pair[s, n]` is the pair of service s and node n.
    """

    first_day: int
    works: NDArray[np.bool_]
    before: NDArray[np.int64]
    nth: NDArray[np.int64]
    common: NDArray[np.int64]
    pair: NDArray[np.int64]

    def hand_over(self, ready: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the first day of hand-over from `ready` (services and pick-up, nodes) on, or `NEVER`."""
        offset = ready - self.first_day
        inside = offset < self.common.shape[1]
        return np.where(inside, self.common[self.pair, np.where(inside, offset, 0)], NEVER)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Today:
    """What one minute means to each node.

    `local_day[n]` is the day it is there, also by name in `by_node`, `local_hour[n]` the hour; `ready[s, n]` is the
    first day on which an order of this minute could be handed to service s; the last row of `ready` is for pick-up,
    without a carrier. `ordinary[s, n]` is the day of hand-over as it would be without holidays and closures.
    """

    calendars: Calendars
    local_day: NDArray[np.int64]
    local_hour: NDArray[np.int64]
    ready: NDArray[np.int64]
    ordinary: NDArray[np.int64]
    by_node: Mapping[str, int]


def working_days(entry: CalendarDocument, first_day: int, count: int) -> NDArray[np.bool_]:
    """Return, for `count` days from an ordinal, whether a calendar works on each."""
    works = ordinary_days(entry, first_day, count)
    off = {day.toordinal() for day in entry.holidays}
    if entry.country is not None:
        years = range(date.fromordinal(first_day).year, date.fromordinal(first_day + count).year + 1)
        found = holidays.country_holidays(entry.country, subdiv=entry.region, years=years)
        off.update(day.toordinal() for day in found)
    for closure in entry.closures:
        start = max(closure.from_.toordinal(), first_day)
        off.update(range(start, min(closure.to.toordinal(), first_day + count) + 1))
    for day in off:
        if first_day <= day < first_day + count:
            works[day - first_day] = False
    return works


def ordinary_days(entry: CalendarDocument, first_day: int, count: int) -> NDArray[np.bool_]:
    """Return whether a calendar works on each day by its weekdays alone: no holidays, no closures."""
    weekday = np.arange(first_day + 6, first_day + 6 + count) % 7  # ordinal 1 is a Monday
    return np.isin(weekday, [WEEKDAYS.index(name) for name in entry.working_days])


def build_calendars(
    network: Network, first_day: int, of: Callable[[CalendarDocument, int, int], NDArray[np.bool_]] = working_days
) -> Calendars:
    """Tabulate all calendars of a network from an ordinal on; the last row of `pair` stands for pick-up."""
    count = HORIZON_DAYS
    entries = network.calendars
    works = np.stack([of(entry, first_day, count) for entry in entries])
    before = np.zeros((len(entries), count + 1), dtype=np.int64)
    before[:, 1:] = np.cumsum(works, axis=1)
    nth = np.full((len(entries), count), NEVER, dtype=np.int64)
    for calendar in range(len(entries)):
        days = np.flatnonzero(works[calendar])
        nth[calendar, : len(days)] = days + first_day
    of_node = network.calendar_of_node
    of_service = np.concatenate([np.repeat(network.calendar_of_service[:, None], len(of_node), axis=1), of_node[None]])
    pick_up_days = np.concatenate([network.pick_up_days, _days_of_pickup(network)])
    keys = np.stack([of_service, np.broadcast_to(of_node, of_service.shape), pick_up_days], axis=2)
    pairs, pair = np.unique(keys.reshape(-1, 3), axis=0, return_inverse=True)
    weekday = (np.arange(count) + first_day + 6) % 7
    common = np.full((len(pairs), count), NEVER, dtype=np.int64)
    for row, (one, other, bits) in enumerate(pairs.tolist()):
        common[row] = next_set(works[one] & works[other] & ((bits >> weekday) & 1 == 1), first_day)
    return Calendars(
        first_day=first_day, works=works, before=before, nth=nth, common=common, pair=pair.reshape(of_service.shape)
    )


def _days_of_pickup(network: Network) -> NDArray[np.int64]:
    """Return the weekdays, as bits, on which customers may pick up at each node, shape (1, nodes)."""
    days = np.full((1, len(network.node_ids)), EVERY_WEEKDAY, dtype=np.int64)
    for node, hours in network.pickups.items():
        days[0, node] = hours.weekdays
    return days


class _Minute(NamedTuple):
    """Everything of one minute; `shifts` fills up by time zone, "" for none, `steady` by the number of a later one.

    `noted` is for what others find out of the minute, and want to look up for as long as it is kept.
    """

    today: Today
    ordinary: Calendars
    shifts: dict[str, NDArray[np.int64]]
    steady: dict[int, bool]
    noted: dict[Hashable, datetime]


class NetworkDays:
    """A network with its day tables, which follow the clock; keeps the last minutes made. Threads may share it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._minutes: dict[int, _Minute] = {}

    def of(self, network: Network) -> NetworkDays:
        """Return the days of a network that differs from this one in its policy only; what was made is shared."""
        days = NetworkDays(network)
        days._minutes = self._minutes
        return days

    def at(self, now: datetime) -> Today:
        """Return the tables of the minute of `now`, an aware instant."""
        return self._minute(now).today

    def ordinary(self, now: datetime) -> Calendars:
        """Return the calendars as they would be without holidays and closures."""
        return self._minute(now).ordinary

    def shift_to(self, time_zone: ZoneInfo | None, now: datetime) -> NDArray[np.int64]:
        """Return, by node, by how many days the date at a destination differs from the node's: -1, 0 or 1.

        It is measured when the node's cut-off strikes, at today's offsets from UTC; without a destination time zone
        the node's own counts.
        """
        minute = self._minute(now)
        key = "" if time_zone is None else time_zone.key
        found = minute.shifts.get(key)
        if found is None:
            found = minute.shifts[key] = _shifts(self.network, minute.today.local_day, time_zone)
        return found

    def is_steady(self, now: datetime, until: datetime) -> bool:
        """Say whether every node still hands over on the same days at `until`, no sooner than `now`."""
        minute, number = self._minute(now), _number(until)
        found = minute.steady.get(number)
        if found is None:
            found = np.array_equal(minute.today.ready, self._minute(until).today.ready)
            minute.steady[number] = found
        return found

    def noted(self, now: datetime) -> dict[Hashable, datetime]:
        """Return what was noted in the minute of `now`, to be added to; the same by every key for the whole minute."""
        return self._minute(now).noted

    def _minute(self, now: datetime) -> _Minute:
        """Return the minute of an instant, which is never changed but for what fills up."""
        number = _number(now)
        found = self._minutes.get(number)
        if found is None:
            kept = list(self._minutes.items())
            found = self._build(now, [minute for _, minute in reversed(kept)])
            self._minutes = dict([*kept[1 - _MINUTES_KEPT :], (number, found)])
        return found

    def _build(self, now: datetime, kept: Sequence[_Minute]) -> _Minute:
        network = self.network
        utc = now.astimezone(UTC).replace(second=0, microsecond=0)
        first = utc.date().toordinal() - 2
        near = (minute for minute in kept if 0 <= first - minute.ordinary.first_day < _REBUILD_AFTER_DAYS)
        if (before := next(near, None)) is not None:
            calendars, ordinary = before.today.calendars, before.ordinary
        else:
            calendars = build_calendars(network, first)
            ordinary = build_calendars(network, first, ordinary_days)
        locals_ = [utc.astimezone(zone) for zone in network.time_zones]
        zone_of = network.time_zone_of_node
        local_day = np.array([at.date().toordinal() for at in locals_], dtype=np.int64)[zone_of]
        passed = _Passed(network, utc)
        today = Today(
            calendars=calendars,
            local_day=local_day,
            local_hour=np.array([at.hour for at in locals_], dtype=np.int64)[zone_of],
            ready=_ready(network, calendars, local_day, passed),
            ordinary=ordinary.hand_over(_ready(network, ordinary, local_day, passed)),
            by_node=MappingProxyType(dict(zip(network.node_ids, local_day.tolist(), strict=True))),
        )
        return _Minute(today, ordinary, {}, {}, {})


def _number(now: datetime) -> int:
    return int(now.timestamp()) // 60


def _ready(network: Network, calendars: Calendars, local_day: NDArray[np.int64], passed: _Passed) -> NDArray[np.int64]:
    """Return the first day on which an order of this minute could be handed to each service, and picked up."""
    start = local_day + passed.by_node(network.cut_off_minutes)
    index_of = network.calendar_of_node
    first_index = calendars.before[index_of, start - calendars.first_day]
    ready_node = _nth(calendars, index_of, first_index + network.processing_days)
    ready = np.repeat(ready_node[None, :], len(network.services) + 1, axis=0)
    leaves_today = (ready_node == local_day) & (network.processing_days == 0)
    for s, minutes in enumerate(network.pick_up_minutes):
        if leaves_today.any() and (minutes >= 0).any():
            ready[s] += leaves_today & (minutes >= 0) & (passed.by_node(np.maximum(minutes, 0)) == 1)
    return ready


class _Passed:
    """Whether times of day have passed at an instant, by time zone; each pair is looked up once.

    A time of day has passed when the wall clock shows it or more, or has shown it already today: when clocks go back,
    the first of the two counts; when they go forward over it, it passes with the jump.
    """

    def __init__(self, network: Network, utc: datetime) -> None:
        self._network = network
        self._utc = utc
        self._known: dict[tuple[int, int], bool] = {}

    def by_node(self, minutes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return 1 for each node whose time of day, in minutes after midnight, has passed, else 0."""
        return self.pairs(self._network.time_zone_of_node, minutes)

    def pairs(self, zones: NDArray[np.int64], minutes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the same for each time zone, by its number, and minutes."""
        pairs = zip(zones.tolist(), minutes.tolist(), strict=True)
        return np.array([self._has(zone, minute) for zone, minute in pairs], dtype=np.int64)

    def _has(self, zone: int, minute: int) -> bool:
        key = (zone, minute)
        if key not in self._known:
            time_zone = self._network.time_zones[zone]
            local = self._utc.astimezone(time_zone)
            struck = datetime(
                local.year, local.month, local.day, minute // 60, minute % 60, tzinfo=time_zone
            ).astimezone(UTC)
            self._known[key] = local.hour * 60 + local.minute >= minute or self._utc >= struck
        return self._known[key]


def _shifts(network: Network, local_day: NDArray[np.int64], to: ZoneInfo | None) -> NDArray[np.int64]:
    shifts = np.zeros(len(network.node_ids), dtype=np.int64)
    if to is None:
        return shifts
    known: dict[tuple[int, int], int] = {}
    for n, zone in enumerate(network.time_zone_of_node.tolist()):
        key = (zone, int(network.cut_off_minutes[n]))
        if key not in known:
            midnight = datetime.fromordinal(int(local_day[n])).replace(tzinfo=network.time_zones[zone])
            struck = midnight + timedelta(minutes=key[1])
            known[key] = struck.astimezone(to).date().toordinal() - int(local_day[n])
        shifts[n] = known[key]
    return shifts


def working_days_after(
    calendars: Calendars, calendar: NDArray[np.int64], start: NDArray[np.int64], days: int
) -> NDArray[np.int64]:
    """Return the day so many working days of each calendar after the first from `start` on, or `NEVER`."""
    offset = start - calendars.first_day
    inside = (offset >= 0) & (offset < calendars.before.shape[1])
    found = _nth(calendars, calendar, calendars.before[calendar, np.where(inside, offset, 0)] + days)
    return np.where(inside, found, NEVER)


def _nth(calendars: Calendars, calendar: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.int64]:
    inside = index < calendars.nth.shape[1]
    return np.where(inside, calendars.nth[calendar, np.where(inside, index, 0)], NEVER)


def has_passed(
    network: Network, now: datetime, zones: NDArray[np.int64], minutes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return 1 for each time zone, by its number, where minutes after midnight have passed, else 0."""
    return _Passed(network, now.astimezone(UTC).replace(second=0, microsecond=0)).pairs(zones, minutes)


def next_set(works: NDArray[np.bool_], first_day: int) -> NDArray[np.int64]:
    """Return, for each day from an ordinal on, the first from it on that is set, or `NEVER`."""
    days = np.where(works, np.arange(first_day, first_day + len(works)), NEVER)
    return np.minimum.accumulate(days[::-1])[::-1]
