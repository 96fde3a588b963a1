"""Cells and schedules of the in-memory store: the same numbers and the same ATP rule as lua/cells.lua, schedule.lua.

Nothing here awaits, so each method is one step to every caller of the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.inventory.buffers import Kept
from engine.inventory.conditions import Condition
from engine.inventory.history import History, history_of, pack_cell
from engine.inventory.memory_schedule import Move, Schedule
from engine.inventory.model import (
    CONFIRMED,
    EVENT,
    HELD,
    KINDS,
    MAX_UNITS,
    ON_HAND,
    QUOTAS,
    SAFETY_STOCK,
    SCHEDULED,
    VERSION,
    StockView,
)
from engine.inventory.quotas import Quota, QuotaEntry, free_to, packed_quota
from engine.inventory.view import Entry, make_view

JOURNAL_EVENTS = 100_000
"""What the journal keeps, unless said otherwise."""
_NOTHING = Schedule()


class Line(NamedTuple):
    """A line as kept, with what lua/demand.lua and lua/pegs.lua say; days are ordinals, 0 for none."""

    sku: str
    node_id: str
    quantity: int
    ship_on: int
    dated: bool
    supply_id: str = ""
    not_before: int = 0


@dataclass(slots=True, kw_only=True)
class _Change:
    """What an event did to one position: its cells before and after, why, and the moves in its schedule."""

    before: tuple[int, ...]
    after: tuple[int, ...] = ()
    whys: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the journal."""

    now_ms: int
    act: str
    who: str
    changed: Mapping[tuple[str, str], _Change]


class MemoryStock:
    """Positions by SKU and slot; the journal keeps the latest so many events."""

    def __init__(self, journal_events: int = JOURNAL_EVENTS) -> None:
        self._journal_events = journal_events
        self.epoch = 0
        self._slots: dict[str, int] = {}
        self._cells: dict[str, list[list[int]]] = {}
        self._schedules: dict[str, dict[int, Schedule]] = {}
        self._conditions: dict[tuple[str, str], dict[Condition, int]] = {}
        self._quotas: dict[tuple[str, str], tuple[Quota, ...]] = {}
        self._changed: dict[tuple[str, str], _Change] = {}
        self.journal: dict[int, Event] = {}

    def cell(self, sku: str, node_id: str) -> Sequence[int]:
        """Return the cells of a position to look at, zeros if there is none."""
        slot, of_sku = self._slots.get(node_id), self._cells.get(sku, [])
        return of_sku[slot] if slot is not None and slot < len(of_sku) else (0,) * KINDS

    def cell_to_change(self, sku: str, node_id: str) -> list[int]:
        """Return the cells of a position to change in place, made if need be."""
        slot = self._slots.setdefault(node_id, len(self._slots))
        of_sku = self._cells.setdefault(sku, [])
        while len(of_sku) <= slot:
            of_sku.append([0] * KINDS)
        self._changed.setdefault((sku, node_id), _Change(before=tuple(of_sku[slot])))
        return of_sku[slot]

    def because(self, sku: str, node_id: str, why: str) -> None:
        """Say why a position is changed."""
        whys = self._changed[sku, node_id].whys
        if why not in whys[-1:]:
            whys.append(why)

    def record(self, act: str, who: str, now_ms: int) -> None:
        """Write what was changed since the last call into the journal, as one event."""
        changed = {
            place: change
            for place, change in self._changed.items()
            if change.moves or change.whys or change.before != tuple(self.cell(*place))
        }
        self._changed.clear()
        if not changed:
            return
        self.epoch += 1
        for place, change in changed.items():
            cell = self._cells[place[0]][self._slots[place[1]]]
            cell[EVENT] = self.epoch
            change.after = tuple(cell)
        if self._journal_events:
            self.journal[self.epoch] = Event(now_ms=now_ms, act=act, who=who, changed=changed)
            self.journal.pop(self.epoch - self._journal_events, None)

    def history(self, sku: str, node_id: str, limit: int, after_event: int | None) -> History:
        """Return what happened to a position, newest first."""
        event, is_cut_off = after_event or self.cell(sku, node_id)[EVENT], False
        rows: list[Sequence[Any]] = []
        cells: list[bytes] = []
        while event and len(rows) < limit:
            found = self.journal.get(event)
            change = None if found is None else found.changed.get((sku, node_id))
            if found is None or change is None:
                event, is_cut_off = 0, True
                break
            if event != after_event:
                rows.append((event, found.now_ms, found.act, found.who, change.whys, change.moves))
                cells += [pack_cell(change.before), pack_cell(change.after)]
            event = change.before[EVENT]
        return history_of(rows, b"".join(cells), has_more=event > 0, is_cut_off=is_cut_off)

    def units_in(self, sku: str, node_id: str, condition: Condition) -> int:
        """Return the units of a position in a condition."""
        if condition is Condition.SELLABLE:
            return self.cell(sku, node_id)[ON_HAND]
        return self._conditions.get((sku, node_id), {}).get(condition, 0)

    def set_units(self, sku: str, node_id: str, condition: Condition, units: int) -> None:
        """Set the units of a position in a condition."""
        cell = self.cell_to_change(sku, node_id)
        if condition is Condition.SELLABLE:
            cell[ON_HAND] = units
            cell[VERSION] += 1
            return
        kept = self._conditions.setdefault((sku, node_id), {})
        self._changed[sku, node_id].moves.append((0, condition, kept.get(condition, 0), units))
        kept[condition] = units

    def conditions(self, sku: str, node_id: str) -> dict[Condition, int]:
        """Return the units of a position that cannot be sold."""
        kept = self._conditions.get((sku, node_id), {})
        return {condition: units for condition, units in kept.items() if units}

    def quotas(self, sku: str, node_id: str) -> tuple[Quota, ...]:
        """Return the channel quotas of a position."""
        return self._quotas.get((sku, node_id), ())

    def put_quotas(self, sku: str, node_id: str, quotas: tuple[Quota, ...]) -> None:
        """Replace the channel quotas of a position; none removes them."""
        if not quotas and not self.quotas(sku, node_id):
            return
        self.cell_to_change(sku, node_id)[QUOTAS] = len(quotas)
        self._quotas[sku, node_id] = quotas
        self.because(sku, node_id, "quotas")

    def count_used(self, sku: str, node_id: str, channel: str | None, by: int) -> None:
        """Count units that a channel takes at a position, or gives back."""
        if channel is not None and (sku, node_id) in self._quotas:
            self._quotas[sku, node_id] = tuple(
                replace(quota, used=quota.used + by) if quota.channel == channel else quota
                for quota in self._quotas[sku, node_id]
            )
            assert all(quota.used >= 0 for quota in self._quotas[sku, node_id]), (sku, node_id, channel, by)

    def put_supply(self, sku: str, node_id: str, supply_id: str, day: int, quantity: int) -> None:
        """Replace a supply; quantity 0 removes it."""
        self._note(sku, node_id, self._schedule_to_change(sku, node_id).put_supply(supply_id, day, quantity))

    def move(self, lines: Sequence[Line], kind: int, sign: int, why: str, channel: str | None = None) -> None:
        """Take (sign 1) or give back (-1) units: undated ones in cells of `kind`, dated ones in the schedule."""
        for sku, node_id, quantity, ship_on, dated, supply_id, _ in lines:
            self.count_used(sku, node_id, channel, sign * quantity)
            if dated:
                self.add_dated_demand(sku, node_id, ship_on, sign * quantity, supply_id)
            else:
                cell = self.cell_to_change(sku, node_id)
                cell[kind] += sign * quantity
                assert 0 <= cell[kind] <= MAX_UNITS, (sku, node_id, kind, cell[kind])
            self.because(sku, node_id, why)

    def short_lines(
        self,
        lines: Sequence[Line],
        today: Mapping[str, int],
        buffers: Kept,
        channel: str | None,
        now: datetime,
        own: Sequence[Line] = (),
    ) -> list[tuple[str, str, int, int]]:
        """Return (sku, node_id, quantity, available) where the summed demand is more than what a channel may take.

        `own` are lines just given back, of which the quotas of others take nothing.
        """
        by_place: dict[tuple[str, str], dict[int, int]] = {}
        asked: dict[tuple[str, str, int], None] = {}
        for sku, node_id, quantity, ship_on, dated, *_ in lines:
            days, day = by_place.setdefault((sku, node_id), {}), ship_on if dated else today[node_id]
            days[day] = days.get(day, 0) + quantity
            asked[sku, node_id, day] = None
        short = []
        for sku, node_id, day in asked:
            days = by_place[sku, node_id]
            free = self.atp(sku, node_id, day, today[node_id], buffers.get((sku, node_id), 0))
            if self.quotas(sku, node_id):
                returned = (line for line in own if (line.sku, line.node_id) == (sku, node_id))
                units = sum(one.quantity for one in returned if not one.dated or one.ship_on <= day)
                allowed = self._free_to(channel, sku, node_id, free, buffers.get((sku, node_id), 0), now)
                free = max(allowed, min(free, units))
            free -= sum(quantity for earlier, quantity in days.items() if earlier < day)
            if day == today[node_id]:
                cell = self.cell(sku, node_id)
                free = min(free, MAX_UNITS - cell[HELD] - cell[CONFIRMED])
            if days[day] > free:
                short.append((sku, node_id, days[day], free))
        return short

    def atp(self, sku: str, node_id: str, day: int, today: int, buffer: int) -> int:
        """Return ATP of a day: the least that is projected from then on."""
        if node_id not in self._slots:
            return 0
        cell = self.cell(sku, node_id)
        level = cell[ON_HAND] - max(cell[SAFETY_STOCK], buffer) - cell[HELD] - cell[CONFIRMED]
        changes: dict[int, int] = {}
        for expected, delta, _ in self.schedule(sku, node_id).entries():
            if expected <= day and (delta < 0 or expected >= today):
                level += delta
            elif expected > day:
                changes[expected] = changes.get(expected, 0) + delta
        lowest = level
        for later in sorted(changes):
            level += changes[later]
            lowest = min(lowest, level)
        return lowest

    def _free_to(self, channel: str | None, sku: str, node_id: str, level: int, buffer: int, now: datetime) -> int:
        cell = self.cell(sku, node_id)
        base = cell[ON_HAND] - max(cell[SAFETY_STOCK], buffer)
        return free_to(channel, level, quotas=self.quotas(sku, node_id), base=base, now=now)

    def schedule(self, sku: str, node_id: str) -> Schedule:
        """Return what is scheduled at a position, to look at."""
        return self._schedules.get(sku, {}).get(self._slots.get(node_id, -1), _NOTHING)

    def position_rows(self, places: Sequence[tuple[str, str]]) -> list[list[Any]]:
        """Return the positions of (sku, node_id) as they stand in a reply; the schedule of each is said once."""
        said: set[tuple[str, str]] = set()
        rows: list[list[Any]] = []
        for sku, node_id in places:
            cell, is_again = self.cell(sku, node_id), (sku, node_id) in said
            schedule = False if is_again else [(0, *entry) for entry in self.schedule(sku, node_id).entries()]
            kinds = (ON_HAND, HELD, CONFIRMED, SAFETY_STOCK, VERSION)
            rows.append([node_id, sku, *(cell[kind] for kind in kinds), schedule])
            said.add((sku, node_id))
        return rows

    def view(self, skus: Sequence[str] | None = None) -> StockView:
        """Return the stock of `skus`, or of every SKU, sorted."""
        wanted = tuple(sorted(self._cells)) if skus is None else tuple(skus)
        cells: NDArray[np.uint32] = np.zeros((len(wanted), len(self._slots), KINDS), dtype=np.uint32)
        for i, sku in enumerate(wanted):
            of_sku = self._cells.get(sku)
            if of_sku:
                cells[i, : len(of_sku)] = of_sku
        entries = {i: self._schedule_entries(sku) for i, sku in enumerate(wanted) if self._schedules.get(sku)}
        quotas = {i: self._quota_entries(sku) for i, sku in enumerate(wanted)} if self._quotas else {}
        return make_view(
            epoch=self.epoch, node_ids=tuple(self._slots), skus=wanted, cells=cells, entries=entries, quotas=quotas
        )

    def _quota_entries(self, sku: str) -> list[QuotaEntry]:
        return [
            (slot, *packed_quota(quota), quota.used)
            for node_id, slot in self._slots.items()
            for quota in self.quotas(sku, node_id)
        ]

    def _schedule_entries(self, sku: str) -> list[Entry]:
        return [(slot, *entry) for slot, schedule in self._schedules[sku].items() for entry in schedule.entries()]

    def add_dated_demand(self, sku: str, node_id: str, day: int, quantity: int, supply_id: str = "") -> None:
        """Add to (or take off) the dated demand of a day that is pegged to a supply, or to none."""
        self._note(sku, node_id, self._schedule_to_change(sku, node_id).add_demand(day, supply_id, quantity))

    def _schedule_to_change(self, sku: str, node_id: str) -> Schedule:
        self.cell_to_change(sku, node_id)
        return self._schedules.setdefault(sku, {}).setdefault(self._slots[node_id], Schedule())

    def _note(self, sku: str, node_id: str, moves: Sequence[Move]) -> None:
        self._changed[sku, node_id].moves.extend(moves)
        left = len(self.schedule(sku, node_id))
        self.cell_to_change(sku, node_id)[SCHEDULED] = left
        if not left:
            self._schedules.get(sku, {}).pop(self._slots[node_id], None)
