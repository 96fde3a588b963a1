"""Which windows are for whom, and which have a place left: of a destination, or of a node where orders are picked up.

Here: windows by slot, read from the book in one call. Not here: when a window is (engine/network/slots.py), who keeps
how many are booked (engine/inventory/slots.py), what they do to an order (slotted.py, slot_options.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.availability.reference import View
from engine.inventory.slots import SlotBook
from engine.network.delivery_areas import NO_AREA
from engine.network.slots import Slots, Window

Rules = tuple[int, ...]
"""Slots, as places in the rules of the network, ascending."""
_MOST_HELD = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What slots and days off of deliveries look at in a destination; `area` is its calendar, `NO_AREA` if none."""

    country: str | None = None
    postal_code: str | None = None
    area: int = NO_AREA


class FreeWindow(NamedTuple):
    """A window that may be booked now, and how many places it has left; it may be full."""

    window: Window
    free: int


def rules_for(slots: Slots, service: int, node: int, address: Address) -> Rules:
    """Return the slots of deliveries by a service from a node to an address."""
    return tuple(
        place
        for place in slots.of_service.get(service, ())
        if slots.rules[place].node in (-1, node) and slots.rules[place].suits(address.country, address.postal_code)
    )


def is_held(view: View, rule: int, day: int, now: datetime, area: int) -> bool:
    """Say whether those whom a slot needs work on a day: its node, its service, and the area of deliveries."""
    network, calendars = view.network, view.days.at(now).calendars
    if network.slots is None:
        return False
    entry, offset = network.slots.rules[rule], day - calendars.first_day
    if not 0 <= offset < calendars.works.shape[1]:
        return False
    works = calendars.works[:, offset]
    if entry.node >= 0 and not works[network.calendar_of_node[entry.node]]:
        return False
    if entry.service < 0:
        hours = network.pickups.get(entry.node)
        opened = () if hours is None else hours.by_weekday[(day - 1) % 7]
        return hours is None or any(a <= entry.from_minutes and entry.to_minutes <= b for a, b in opened)
    keeps_off = area != NO_AREA and network.keeps_days_off[entry.service]
    return bool(works[network.calendar_of_service[entry.service]]) and (not keeps_off or bool(works[area]))


def open_windows(view: View, rules: Iterable[int], now: datetime, area: int) -> dict[int, Sequence[Window]]:
    """Return, by slot, the windows that may be booked now, whether or not they are full, by day."""
    slots = view.network.slots
    if slots is None:
        return {}
    found: dict[int, Sequence[Window]] = {}
    for rule in rules:
        held = _held(slots, view, rule, now, area)
        is_any_closed = bool(held) and not held[0].is_open(now)  # they close one after another
        found[rule] = [window for window in held if window.is_open(now)] if is_any_closed else held
    return found


def _held(slots: Slots, view: View, rule: int, now: datetime, area: int) -> tuple[Window, ...]:
    """Return the windows of a slot that may be booked some time today, if all work whom they need; kept for a day."""
    days = slots.days(rule, now)
    key = (rule, days.start, area)
    found = slots.held.get(key)
    if found is None:
        windows = (slots.window(rule, day) for day in days)
        found = tuple(w for w in windows if w is not None and is_held(view, rule, w.day, now, area))
        if len(slots.held) >= _MOST_HELD:
            slots.held.clear()
        slots.held[key] = found
    return found


async def read_free(book: SlotBook, windows: Mapping[int, Sequence[Window]]) -> dict[int, list[FreeWindow]]:
    """Return the windows with the places that each has left, as the book says now; one call."""
    by_day: dict[int, list[str]] = {}
    for window in (window for entries in windows.values() for window in entries):
        by_day.setdefault(window.day, []).append(window.slot)
    numbers = await book.taken(list(by_day.items())) if by_day else ()
    taken = {day: iter(counts) for day, counts in zip(by_day, numbers, strict=True)}  # in the order of the windows
    return {
        rule: [FreeWindow(w, max(0, w.capacity - next(taken[w.day]))) for w in entries]
        for rule, entries in windows.items()
    }
