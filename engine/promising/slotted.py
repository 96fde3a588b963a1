"""An order whose deliveries or pick-ups have slots: its parcels arrive on days with a free window.

What would arrive on a day counts as arriving on the first day from it on that has one. So days of arrival are read from
rows of the day tables in which that is so, as those of areas with days off are, and kernels know no slots. Where nodes
that one service comes to have different windows, there are copies of the service, each for the nodes of one row.

Here: the arrays. Not here: which windows are free (windows.py), what an option says of them (slot_options.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.delivery.pickup import Pickup
from engine.inventory.slots import SlotBook
from engine.network.days import NEVER
from engine.network.pickup import PickupHours
from engine.promising.goods import copied_pack
from engine.promising.model import PromiseRequest
from engine.promising.programme import Programme
from engine.promising.slot_options import Offer, address_of
from engine.promising.windows import Address, FreeWindow, Rules, open_windows, read_free, rules_for
from solvers.promise_dates import Days, Learned
from solvers.promise_freight import Cards

Days64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The nodes of a service that have the same days; `day_for` moves days of arrival, None leaves them as they are."""

    service: int
    nodes: list[int]
    day_for: _DayFor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayFor:
    """Days on which what arrives then is handed over, and days on which what arrived before is; ascending."""

    same: tuple[int, ...]
    later: tuple[int, ...]

    def of(self, days: Days64) -> Days64:
        """Return the day of the window for each day of arrival, `NEVER` if there is none."""
        later = np.array([*self.later, NEVER], dtype=np.int64)
        after = later[np.searchsorted(later[:-1], days, side="right")]
        return np.where(np.isin(days, np.array(self.same, dtype=np.int64)), days, after)


async def with_slots(
    programme: Programme, request: PromiseRequest, view: View, now: datetime, book: SlotBook
) -> tuple[Programme, Offer | None]:
    """Return an order with the windows that it may have; None, and the order as it is, if it has no slots."""
    slots, address = view.network.slots, address_of(request, view)
    if slots is None:
        return programme, None
    by_lane: dict[tuple[int, int], Rules] = {}
    if programme.pickup is not None:
        rules = set(slots.of_pickup.get(programme.pickup.node, ()))
    else:
        by_lane = _lanes(programme, view, address)
        rules = {rule for found in by_lane.values() for rule in found}
    if not rules:
        return programme, None
    read = await read_free(book, open_windows(view, sorted(rules), now, address.area))
    free = {rule: [entry for entry in entries if entry.free > 0] for rule, entries in read.items()}
    offer = Offer(view=view, address=address, pickup=programme.pickup, free=free)
    if programme.pickup is not None:
        parts = _parts_of_pickup(programme, programme.pickup, [w for entries in free.values() for w in entries])
    else:
        parts = _parts(programme, by_lane, free)
    return _slotted(programme, parts), offer


def _lanes(programme: Programme, view: View, address: Address) -> dict[tuple[int, int], Rules]:
    """Return the slots of each service and node within reach, where there are any."""
    slots, nodes = view.network.slots, programme.ask.nodes
    if slots is None:
        return {}
    found: dict[tuple[int, int], Rules] = {}
    for service in programme.ask.services.tolist():
        if service in slots.of_service:
            for node in nodes[programme.cards.serves[service, nodes]].tolist():
                found[service, node] = rules_for(slots, service, node, address)
    return {lane: rules for lane, rules in found.items() if rules}


def _parts(
    programme: Programme, by_lane: dict[tuple[int, int], Rules], free: dict[int, list[FreeWindow]]
) -> list[_Part]:
    """Return the services that have slots, divided by what days their nodes have."""
    days_of: dict[Rules, _DayFor] = {}
    for rules in by_lane.values():
        if rules not in days_of:
            days = tuple(sorted({entry.window.day for rule in rules for entry in free[rule]}))
            days_of[rules] = _DayFor(same=days, later=days)
    parts: list[_Part] = []
    for service in dict.fromkeys(service for service, _ in by_lane):
        nodes = programme.ask.nodes[programme.cards.serves[service, programme.ask.nodes]].tolist()
        groups: dict[_DayFor | None, list[int]] = {}
        for node in nodes:
            rules = by_lane.get((service, node), ())
            groups.setdefault(days_of[rules] if rules else None, []).append(node)
        parts += [_Part(service=service, nodes=group, day_for=day_for) for day_for, group in groups.items()]
    return parts


def _parts_of_pickup(programme: Programme, pickup: Pickup, free: Sequence[FreeWindow]) -> list[_Part]:
    """Return the services of a pick-up: what the node has itself, the last one, may be ready later on a day."""
    days = tuple(sorted({entry.window.day for entry in free}))
    hours = pickup.network.pickups.get(pickup.node)
    last = len(programme.days.calendar) - 1
    nodes = list(range(programme.cards.serves.shape[1]))
    own = _DayFor(same=days if hours is None else _ready_days(pickup, hours, free), later=days)
    sent = _DayFor(same=days if hours is None or hours.receiving_days else (), later=days)
    found = [_Part(service=service, nodes=nodes, day_for=sent) for service in range(last)]
    return [*found, _Part(service=last, nodes=nodes, day_for=own)]


def _ready_days(pickup: Pickup, hours: PickupHours, free: Sequence[FreeWindow]) -> tuple[int, ...]:
    """Return the days that have a window which begins when what a node has from that day on can be ready."""
    calendars = pickup.today.calendars
    works = calendars.works[pickup.network.calendar_of_node[pickup.node]]
    found: set[int] = set()
    for entry in free:
        day = entry.window.day
        ready = pickup.ready_at if day <= pickup.ready_day else hours.picked_on(day, works, calendars.first_day)
        if ready is not None and entry.window.begins >= ready:
            found.add(day)
    return tuple(sorted(found))


def _slotted(programme: Programme, parts: Sequence[_Part]) -> Programme:
    """Return the order with rows of days for its windows, and copies of services whose nodes differ."""
    services = len(programme.days.calendar)
    origin = list(range(services))
    order: dict[int, list[int]] = {}
    nodes_of: dict[int, list[int]] = {}
    day_for: dict[int, _DayFor] = {}
    for part in parts:
        place = part.service
        if place in order:
            place = len(origin)
            origin.append(part.service)
        order.setdefault(part.service, []).append(place)
        nodes_of[place] = part.nodes
        if part.day_for is not None:
            day_for[place] = part.day_for
    days, cards, anywhere = programme.days, programme.cards, programme.anywhere
    if len(origin) > services:
        days = _copied_days(days, origin)
        is_same = anywhere is cards
        cards = _copied_cards(cards, origin, nodes_of)
        anywhere = cards if is_same else _copied_cards(anywhere, origin, {})
    kept = [place for service in programme.ask.services.tolist() for place in order.get(service, [service])]
    return structs.replace(
        programme,
        ask=programme.ask._replace(services=np.array(kept, dtype=np.int64)),
        days=_mapped(days, day_for),
        cards=cards,
        anywhere=anywhere,
        pack=copied_pack(programme.pack, origin),
        without_slots=programme,
        origin=tuple(origin),
    )


def _mapped(days: Days, day_for: dict[int, _DayFor]) -> Days:
    """Return day tables with a row of its own for each service whose days of arrival are moved."""
    rows = len(days.nth)
    known: dict[tuple[int, _DayFor], int] = {}
    for place, moved in day_for.items():
        known.setdefault((int(days.calendar[place]), moved), rows + len(known))
    calendar = days.calendar.copy()
    for place, moved in day_for.items():
        calendar[place] = known[int(days.calendar[place]), moved]
    source = [row for row, _ in known]
    nth = np.concatenate([days.nth, *(moved.of(days.nth[row])[None] for row, moved in known)])
    lost = np.concatenate([days.learned.lost, days.learned.lost[source]])
    before = np.concatenate([days.before, days.before[source]])
    return days._replace(calendar=calendar, before=before, nth=nth, learned=days.learned._replace(lost=lost))


def _copied_days(days: Days, origin: Sequence[int]) -> Days:
    of = list(origin)
    return days._replace(
        ready=days.ready[of], pair=days.pair[of], calendar=days.calendar[of], learned=_copied_learned(days.learned, of)
    )


def _copied_learned(known: Learned, origin: list[int]) -> Learned:
    """Return what was learned with copies of services, and of their lanes, whose keys follow those of the others."""
    services, nodes = known.shape.shape
    width = nodes * known.zones.shape[1]
    keys, lanes, shapes = [known.lane_key], [known.lanes[:-1]], [known.lane_shape[:-1]]
    for place in range(services, len(origin)):
        first, last = np.searchsorted(known.lane_key, [origin[place] * width, (origin[place] + 1) * width])
        keys.append(known.lane_key[first:last] + (place - origin[place]) * width)
        lanes.append(known.lanes[first:last])
        shapes.append(known.lane_shape[first:last])
    return known._replace(
        knows=known.knows[origin],
        nodes=known.nodes[origin],
        zones=known.zones[origin],
        shape=known.shape[origin],
        weekdays=known.weekdays[origin],
        ordinary=known.ordinary[origin],
        start_row=known.start_row[origin],
        lane_key=np.concatenate(keys),
        lanes=np.concatenate([*lanes, known.lanes[-1:]]),
        lane_shape=np.concatenate([*shapes, known.lane_shape[-1:]]),
    )


def _copied_cards(cards: Cards, origin: Sequence[int], nodes_of: dict[int, list[int]]) -> Cards:
    """Return what services cost, with copies; each of `nodes_of` serves these nodes only, as far as it did."""
    of, services, zones = list(origin), len(cards.serves), cards.zones
    serves = cards.serves[of]
    for place, nodes in nodes_of.items():
        among = np.zeros(serves.shape[1], dtype=np.bool_)
        among[nodes] = True
        serves[place] &= among
    offsets, steps = [cards.offset], [np.arange(cards.offset[-1])]
    end = int(cards.offset[-1])
    for service in of[services:]:
        own = cards.offset[service * zones : (service + 1) * zones + 1]
        offsets.append(own[1:] - own[0] + end)
        steps.append(np.arange(own[0], own[-1]))
        end += int(own[-1] - own[0])
    taken = np.concatenate(steps)
    return cards._replace(
        serves=serves,
        offset=np.concatenate(offsets),
        max_weight_g=cards.max_weight_g[taken],
        cost=cards.cost[taken],
        transit_days=cards.transit_days[taken],
        rules=cards.rules._replace(service=cards.rules.service[of]),
    )
