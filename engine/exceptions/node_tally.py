"""How nodes are doing, counted from the parcels that are seen: kept as parcels come and go, worked out for who moved.

Not here: what it means to a parcel (leaving.py), which parcels are seen (watch.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from engine.availability.reference import View
from engine.exceptions.leaving import LOOK_BACK_DAYS, Nodes, Sighting
from engine.network.days import working_days
from engine.routing.model import UsedCapacity
from engine.turns import in_turns

_NODES_AT_ONCE = 20
_Counts = dict[tuple[int, int | None], tuple[int, int]]
"""Of parcels of one node, by the day they were due and that on which they left: how many, and their units."""


class NodeTally:
    """The parcels of each node, and how it is doing by them."""

    def __init__(self) -> None:
        self.nodes = Nodes()
        self._counts: dict[str, _Counts] = {}
        self._used: Mapping[str, Mapping[int, int]] = {}
        self._moved = set[str]()
        self._oldest = 0
        self._worked: dict[tuple[int, int], list[int]] = {}

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Count parcels; such as left long ago say nothing any more."""
        for seen in sightings:
            if seen.left is None or seen.due >= self._oldest:
                counts = self._counts.setdefault(seen.node_id, {})
                parcels, units = counts.get((seen.due, seen.left), (0, 0))
                counts[seen.due, seen.left] = parcels + 1, units + seen.units
                self._moved.add(seen.node_id)

    def remove(self, sightings: Iterable[Sighting]) -> None:
        """Count parcels no more."""
        for seen in sightings:
            counts = self._counts.get(seen.node_id, {})
            found = counts.pop((seen.due, seen.left), None)
            if found is not None:
                self._moved.add(seen.node_id)
                if found[0] > 1:
                    counts[seen.due, seen.left] = found[0] - 1, found[1] - seen.units

    def begin(self, used: Sequence[UsedCapacity], now: datetime) -> None:
        """Take what orders use of nodes from today on, and have all nodes counted again: another day may have begun."""
        by_node: dict[str, dict[int, int]] = {}
        for use in used:
            by_node.setdefault(use.node_id, {})[use.ship_on.toordinal()] = use.units
        self._used, self._oldest = by_node, now.toordinal() - LOOK_BACK_DAYS - 1
        self._worked.clear()
        for node_id, counts in list(self._counts.items()):
            for due, left in [each for each in counts if each[1] is not None and each[0] < self._oldest]:
                del counts[due, left]
            if not counts:
                del self._counts[node_id]
            self._moved.add(node_id)

    async def count(self, view: View, now: datetime) -> frozenset[str]:
        """Work out how the nodes are doing whose parcels have moved, in turns; return those that do otherwise now."""
        behind, done_on = dict(self.nodes.behind_days), dict(self.nodes.done_on)
        today, moved = view.days.at(now).by_node, sorted(self._moved)
        self._moved = set()
        changed = set[str]()
        async for _, some in in_turns(moved, _NODES_AT_ONCE):
            for node_id in some:
                before = behind.pop(node_id, 0), done_on.pop(node_id, {})
                after = self._doing(node_id, today[node_id], view, now) if node_id in today else (0, {})
                if after[0]:
                    behind[node_id] = after[0]
                if after[1]:
                    done_on[node_id] = after[1]
                if before != after:
                    changed.add(node_id)
        if changed:
            self.nodes = Nodes(behind_days=behind, done_on=done_on)
        return frozenset(changed)

    def _doing(self, node_id: str, here: int, view: View, now: datetime) -> tuple[int, Mapping[int, int]]:
        """Return by how many working days a node is behind, and when it is done with what is due on each day."""
        worked, first, overdue = self._worked_before(view, node_id, here), here - LOOK_BACK_DAYS, 0
        delays: dict[int, int] = {}
        for (due, left), (parcels, units) in self._counts.get(node_id, {}).items():
            if due >= here:
                continue
            overdue += units if left is None else 0
            if due >= first:
                until = here if left is None else max(due, min(left, here))
                days = worked[until - first] - worked[due - first]
                delays[days] = delays.get(days, 0) + parcels
        done_on = _worked_off(node_id, overdue, self._used.get(node_id, {}), view, now) if overdue else {}
        return _median(delays), done_on

    def _worked_before(self, view: View, node_id: str, here: int) -> list[int]:
        """Return how many days a node has worked before each of the last days, and before today."""
        network = view.network
        calendar = int(network.calendar_of_node[network.index[node_id]])
        if (calendar, here) not in self._worked:
            works = working_days(network.calendars[calendar], here - LOOK_BACK_DAYS, LOOK_BACK_DAYS)
            self._worked[calendar, here] = [0, *np.cumsum(works).tolist()]
        return self._worked[calendar, here]


def _median(counts: Mapping[int, int]) -> int:
    """Return the lower median of numbers, each so many times."""
    place = (sum(counts.values()) - 1) // 2
    for number in sorted(counts):
        place -= counts[number]
        if place < 0:
            return number
    return 0


def _worked_off(node_id: str, late_units: int, due: Mapping[int, int], view: View, now: datetime) -> dict[int, int]:
    """Return the day on which a node that has more to do than it can is done with what is due on each day."""
    network, today = view.network, view.days.at(now)
    node = network.index[node_id]
    most, calendar = int(network.capacity_units[node]), int(network.calendar_of_node[node])
    if most <= 0:
        return {}
    first, works = today.by_node[node_id], today.calendars.works[calendar]
    found: dict[int, int] = {}
    ahead = late_units
    day, room = first, most if works[first - today.calendars.first_day] else 0
    for due_on in [first - 1, *sorted(each for each in due if each >= first)]:
        ahead += due.get(due_on, 0) if due_on >= first else 0
        while room < ahead and day - today.calendars.first_day + 1 < len(works):
            day += 1
            room += most if works[day - today.calendars.first_day] else 0
        found[due_on] = max(day, due_on)
    return found
