"""Windows of time that customers book: for picking up at a node, or for deliveries by a carrier service.

A slot of the document comes back on weekdays; a window is one of its days, `<slot>@<day>`. Times of day are those of
the node, or of the slot's own time zone. A time that clocks leave out strikes when they jump, one that comes twice the
first time: a window that would begin and end in the hour that is left out is not there on that day.

Here: when windows begin, end and close for booking, and whom they suit. Not here: how many are booked
(engine/inventory/slots.py), whether node and service work on a day (days.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.network.document import NetworkDocument, SlotDocument
from engine.network.pickup import WEEKDAYS
from engine.network.time_of_day import minutes_of

_MOST_KEPT = 200_000
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One day of a slot, in UTC: it may be booked until `closes`; `day` is an ordinal in the slot's time zone."""

    slot_id: str
    slot: str
    day: int
    begins: datetime
    ends: datetime
    closes: datetime
    capacity: int
    fee_cents: int
    time_zone: ZoneInfo

    def is_open(self, now: datetime) -> bool:
        """Say whether it may still be booked."""
        return now < self.closes


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRule:
    """One slot as numbers: minutes after midnight, weekdays as bits from Monday on; -1 for no node, service, cut-off.

    `areas` are countries and postal prefixes ("" for a whole country), None for everywhere.
    """

    slot: str
    weekdays: int
    from_minutes: int
    to_minutes: int
    capacity: int
    fee_cents: int
    node: int
    service: int
    areas: tuple[tuple[str, str], ...] | None
    time_zone: ZoneInfo
    lead_minutes: int
    cut_off_minutes: int
    cut_off_days: int
    open_days: int

    def suits(self, country: str | None, postal_code: str | None) -> bool:
        """Say whether it is for a destination; one without a postal code is judged by its country."""
        if self.areas is None:
            return True
        code = "" if postal_code is None else postal_code.strip().upper()
        return any(country == of and code.startswith(prefix) for of, prefix in self.areas)

    def window(self, day: int) -> Window | None:
        """Return the window of a day, an ordinal; None if it is another weekday, or clocks leave it out."""
        on = date.fromordinal(day)
        if not self.weekdays >> on.weekday() & 1:
            return None
        begins, ends = struck(on, self.from_minutes, self.time_zone), struck(on, self.to_minutes, self.time_zone)
        if ends <= begins:
            return None
        closes = begins - self.lead_minutes * _MINUTE
        if self.cut_off_minutes >= 0:
            before = date.fromordinal(max(1, day - self.cut_off_days))
            closes = min(closes, struck(before, self.cut_off_minutes, self.time_zone))
        return Window(
            slot_id=f"{self.slot}@{on.isoformat()}",
            slot=self.slot,
            day=day,
            begins=begins,
            ends=ends,
            closes=closes,
            capacity=self.capacity,
            fee_cents=self.fee_cents,
            time_zone=self.time_zone,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """The slots of a network, by name, by node of a pick-up, and by carrier service, as places in `rules`.

    `held` fills up with the windows that may be booked on a day, by slot, day and area (engine/promising/windows.py).
    """

    rules: tuple[SlotRule, ...]
    index: Mapping[str, int]
    of_pickup: Mapping[int, tuple[int, ...]]
    of_service: Mapping[int, tuple[int, ...]]
    held: dict[tuple[int, int, int], tuple[Window, ...]] = field(default_factory=dict)
    _kept: dict[tuple[int, int], Window | None] = field(default_factory=dict)

    def window(self, rule: int, day: int) -> Window | None:
        """Return the window of a slot on a day; what was worked out once is kept."""
        key = (rule, day)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self.rules[rule].window(day)
        return self._kept[key]

    def find(self, slot_id: str) -> tuple[int, int] | None:
        """Return the place of a slot and the day that a window's id names, None if there is no such window."""
        slot, _, named = slot_id.rpartition("@")
        rule = self.index.get(slot)
        try:
            day = date.fromisoformat(named)
            if rule is None or named != day.isoformat() or self.window(rule, day.toordinal()) is None:
                return None
        except (ValueError, OverflowError):  # the first and last days that there are have no place for their windows
            return None
        return rule, day.toordinal()

    def days(self, rule: int, now: datetime) -> range:
        """Return the days, as ordinals, on which windows of a slot may be booked at an instant."""
        entry = self.rules[rule]
        today = now.astimezone(entry.time_zone).date().toordinal()
        return range(today, today + entry.open_days + 1)


def struck(day: date, minutes: int, time_zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) of a day at which the clock shows so many minutes after midnight, or more."""
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=time_zone)
    at = local.astimezone(UTC)
    if at.astimezone(time_zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return at
    low, high = local.replace(fold=1).astimezone(UTC), at  # the clock jumps over it somewhere in between
    while high - low > _MINUTE:
        middle = low + _MINUTE * ((high - low) // _MINUTE // 2)
        jumped = middle.astimezone(time_zone).replace(tzinfo=None) >= local.replace(tzinfo=None)
        low, high = (low, middle) if jumped else (middle, high)
    return high


def compile_slots(document: NetworkDocument) -> Slots | None:
    """Turn the slots of a checked document into rules; None if it has none."""
    if not document.slots:
        return None
    nodes = {node.node_id: n for n, node in enumerate(document.nodes)}
    services = {entry.service: s for s, entry in enumerate(document.services)}
    rules = tuple(_rule(entry, document, nodes, services) for entry in document.slots)
    of_pickup: dict[int, list[int]] = {}
    of_service: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        (of_pickup.setdefault(rule.node, []) if rule.service < 0 else of_service.setdefault(rule.service, [])).append(
            place
        )
    return Slots(
        rules=rules,
        index=MappingProxyType({rule.slot: place for place, rule in enumerate(rules)}),
        of_pickup=MappingProxyType({node: tuple(places) for node, places in of_pickup.items()}),
        of_service=MappingProxyType({service: tuple(places) for service, places in of_service.items()}),
    )


def _rule(
    entry: SlotDocument, document: NetworkDocument, nodes: Mapping[str, int], services: Mapping[str, int]
) -> SlotRule:
    node = -1 if entry.node_id is None else nodes[entry.node_id]
    zone = document.nodes[node].time_zone if entry.time_zone is None else entry.time_zone
    return SlotRule(
        slot=entry.slot,
        weekdays=sum(1 << WEEKDAYS.index(day) for day in dict.fromkeys(entry.days or WEEKDAYS)),
        from_minutes=minutes_of(entry.from_),
        to_minutes=minutes_of(entry.to),
        capacity=entry.capacity,
        fee_cents=entry.fee_cents,
        node=node,
        service=-1 if entry.service is None else services[entry.service],
        areas=None if entry.areas is None else tuple(_areas(entry)),
        time_zone=ZoneInfo(zone),
        lead_minutes=entry.lead_minutes,
        cut_off_minutes=-1 if entry.cut_off is None else minutes_of(entry.cut_off),
        cut_off_days=entry.cut_off_days,
        open_days=entry.open_days,
    )


def _areas(entry: SlotDocument) -> Iterator[tuple[str, str]]:
    for area in entry.areas or ():
        for prefix in ("",) if area.postal_prefixes is None else area.postal_prefixes:
            yield area.country, prefix
