"""The windows of a node, or of deliveries to a place, with what is free in each: for a page on which one is picked.

Windows that cannot be booked any more, or not yet, or are of a node that is off, are left out; full ones are there with
nothing free. Whether an
order can be there by then is said by its promise. Not here: which windows suit an option (slot_options.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from msgspec import Struct, field

from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.slots import SlotBook
from engine.network.delivery_areas import NO_AREA
from engine.network.slots import Window
from engine.promising.windows import Address, FreeWindow, open_windows, read_free, rules_for

MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsAsked:
    """Whose windows: with a service, or a country, deliveries to there, else pick-ups at the node.

    Those of `days` days from `first_on` (today unless given), at most `limit`, after the window `starting_after`.
    """

    node_id: str | None = None
    service: str | None = None
    country: str | None = None
    postal_code: str | None = None
    first_on: date | None = None
    days: int = 7
    limit: int = MOST_LISTED
    starting_after: str | None = None


class SlotEntry(Struct, frozen=True, kw_only=True):
    """A window that may be booked until `closes_at`, unless `free` is 0; times are of its own time zone.

    `node_id` is where it is picked up, or delivered from, `service` who delivers.
    """

    slot_id: str
    day: date = field(name="date")
    begins: datetime = field(name="from")
    ends: datetime = field(name="to")
    closes_at: datetime
    fee_cents: int
    capacity: int
    free: int
    node_id: str | None
    service: str | None


class SlotList(Struct, frozen=True, kw_only=True):
    """Windows by when they begin; it holds nothing."""

    as_of: datetime
    data: tuple[SlotEntry, ...]
    has_more: bool


class SlotListService:
    """Answers from the book of bookings, in one call."""

    def __init__(self, *, reference: Reference, book: SlotBook, clock: Clock) -> None:
        self._reference = reference
        self._book = book
        self._clock = clock

    async def find(self, asked: SlotsAsked) -> SlotList:
        """Return the windows of a node or place; raises `InvalidInput` with every fault."""
        view, now = await self._reference.current(), self._clock.now()
        rules, address = _understood(asked, view)
        rules = [rule for rule in rules if _is_open(rule, view)]
        windows = {
            rule: [window for window in found if _is_asked(window, asked, now)]
            for rule, found in open_windows(view, rules, now, address.area).items()
        }
        free = await read_free(self._book, windows)
        found = [(entry, rule) for rule, entries in free.items() for entry in entries]
        found.sort(key=lambda one: (one[0].window.begins, one[0].window.slot_id))
        if asked.starting_after is not None:
            found = _after(found, asked.starting_after, view)
        shown = tuple(_shown(entry, rule, view) for entry, rule in found[: asked.limit])
        return SlotList(as_of=now, data=shown, has_more=len(found) > asked.limit)


def _is_open(rule: int, view: View) -> bool:
    """Say whether the windows of a rule are not those of a node that is switched off."""
    return view.network.slots is None or view.network.slots.rules[rule].node not in view.network.closed


def _is_asked(window: Window, asked: SlotsAsked, now: datetime) -> bool:
    """Say whether a window is of the days asked for, which are of its own time zone."""
    first_on = now.astimezone(window.time_zone).date() if asked.first_on is None else asked.first_on
    return 0 <= window.day - first_on.toordinal() < asked.days


def _understood(asked: SlotsAsked, view: View) -> tuple[list[int], Address]:
    """Return the slots asked for, and the address that they are for; raises InvalidInput."""
    network, faults = view.network, list[Fault]()
    if asked.node_id is not None and asked.node_id not in network.index:
        message = f"unknown node {asked.node_id!r}; {nearest(asked.node_id, network.node_ids)}"
        faults.append(Fault(path="query.node_id", message=message))
    if asked.service is not None and asked.service not in network.services:
        message = f"unknown service {asked.service!r}; {nearest(asked.service, network.services)}"
        faults.append(Fault(path="query.service", message=message))
    if asked.postal_code is not None and asked.country is None:
        faults.append(Fault(path="query.country", message="is needed with a postal_code; add it"))
    if asked.node_id is None and asked.service is None and asked.country is None:
        faults.append(Fault(path="query", message="names nobody; give node_id, or service, or country and postal_code"))
    if faults:
        raise InvalidInput(faults)
    slots = network.slots
    if slots is None:
        return [], Address()
    if asked.service is None and asked.country is None:
        return list(slots.of_pickup.get(network.index[asked.node_id or ""], ())), Address()
    areas = network.delivery_areas
    area = NO_AREA if areas is None else areas.calendar_at(asked.country, asked.postal_code)
    address = Address(country=asked.country, postal_code=asked.postal_code, area=area)
    return _of_deliveries(asked, view, address), address


def _of_deliveries(asked: SlotsAsked, view: View, address: Address) -> list[int]:
    network, slots = view.network, view.network.slots
    if slots is None:
        return []
    named = range(len(network.services)) if asked.service is None else [network.services.index(asked.service)]
    refused = set[int]()
    if network.addresses is not None and address.country is not None:
        refused = set(network.addresses.not_served_by(address.country, address.postal_code, is_po_box=False))
    found: set[int] = set()
    for service in named:
        if service in refused:
            continue
        if asked.node_id is not None:
            found.update(rules_for(slots, service, network.index[asked.node_id], address))
            continue
        rules = slots.of_service.get(service, ())
        is_anywhere = address.country is None
        found.update(r for r in rules if is_anywhere or slots.rules[r].suits(address.country, address.postal_code))
    return sorted(found)


def _after(found: list[tuple[FreeWindow, int]], slot_id: str, view: View) -> list[tuple[FreeWindow, int]]:
    """Return the windows behind one, which may be none of them any more."""
    slots = view.network.slots
    place = None if slots is None else slots.find(slot_id)
    window = None if slots is None or place is None else slots.window(*place)
    if window is None:
        message = f"{slot_id!r} is no slot of this network; give the last slot_id of the page before"
        raise InvalidInput(Fault(path="query.starting_after", message=message))
    last = (window.begins, window.slot_id)
    return [one for one in found if (one[0].window.begins, one[0].window.slot_id) > last]


def _shown(entry: FreeWindow, rule: int, view: View) -> SlotEntry:
    network, window = view.network, entry.window
    zone = window.time_zone
    node = service = -1
    if network.slots is not None:
        node, service = network.slots.rules[rule].node, network.slots.rules[rule].service
    return SlotEntry(
        slot_id=window.slot_id,
        day=date.fromordinal(window.day),
        begins=window.begins.astimezone(zone),
        ends=window.ends.astimezone(zone),
        closes_at=window.closes.astimezone(zone),
        fee_cents=window.fee_cents,
        capacity=window.capacity,
        free=entry.free,
        node_id=None if node < 0 else network.node_ids[node],
        service=None if service < 0 else network.services[service],
    )
