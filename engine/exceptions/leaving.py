"""On which day a parcel leaves its node, as things stand: by its plan, by how far behind its node is, by its supply.

A node is behind by the median, in working days, of the parcels that were due there in the last days; one of limited
capacity also by the units that it has to work off first. Not here: the carrier (arriving.py), counting how nodes are
doing (node_tally.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from engine.availability.reference import View
from engine.delivery.pickup import PICKUP
from engine.exceptions.parcels import Parcel
from engine.network.days import NEVER, has_passed

LOOK_BACK_DAYS = 7
"""Parcels that were due so many days ago say how a node is doing."""


class Sighting(NamedTuple):
    """A parcel as it was seen at a node: when it was due to leave, when it did (None: it has not), how many units."""

    node_id: str
    due: int
    left: int | None
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """How nodes are doing: by how many working days each is behind, and when each is done with what is due on a day.

    `done_on` is by node and day (ordinal).
    """

    behind_days: Mapping[str, int] = field(default_factory=dict)
    done_on: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def standing(self, node_id: str, due: int, today: int) -> tuple[int, int]:
        """Return what counts for a parcel that is due there on a day: days behind, and when that day is worked off."""
        done_on = self.done_on.get(node_id)
        return self.behind_days.get(node_id, 0), 0 if done_on is None else done_on.get(max(due, today - 1), 0)


def nodes_document(nodes: Nodes) -> bytes:
    """Return it as JSON, the same for the same."""
    return msgspec.json.encode(nodes, order="deterministic")


def nodes_from(document: bytes | None) -> Nodes:
    """Return what was kept; nothing is known of nodes that nobody has looked at."""
    return Nodes() if document is None else msgspec.json.decode(document, type=Nodes)


def sightings_of(parcels: Iterable[Parcel]) -> tuple[Sighting, ...]:
    """Return what parcels say of the nodes that hand them over."""
    return tuple(
        Sighting(
            node_id=parcel.node_id,
            due=parcel.ship_on.toordinal(),
            left=None if parcel.shipped_on is None else parcel.shipped_on.toordinal(),
            units=parcel.quantity,
        )
        for parcel in parcels
    )


class Leaving:
    """When parcels leave, in one minute of one view."""

    def __init__(self, view: View, now: datetime, nodes: Nodes) -> None:
        self._view, self._now, self._nodes = view, now, nodes
        self._services = {name: s for s, name in enumerate(view.network.services)}

    def is_closed(self, parcel: Parcel) -> bool:
        """Say whether a node of a parcel is switched off or gone, or its service does not come there any more."""
        network = self._view.network
        at = [network.index.get(node_id) for node_id in parcel.node_ids or (parcel.node_id,)]
        if any(node is None or node in network.closed for node in at):
            return True
        service = self._services.get(parcel.service)
        if service is None:
            return parcel.service != PICKUP
        return not network.serves[service, network.index[parcel.node_id]]

    def leaves(self, parcel: Parcel) -> int:
        """Return the day on which it leaves, `NEVER` from a closed node."""
        if parcel.shipped_on is not None:
            return parcel.shipped_on.toordinal()
        if self.is_closed(parcel):
            return NEVER
        due = parcel.ship_on.toordinal()
        day = max(due, self._earliest(parcel))
        if not parcel.is_packed:
            nodes = parcel.node_ids or {parcel.node_id}
            behind = max(self._nodes.behind_days.get(node_id, 0) for node_id in nodes)
            day = max(day, self._working_day(parcel.node_id, due, behind)) if behind else day
            here = self._view.days.at(self._now).by_node[parcel.node_id]
            day = max(day, self._nodes.standing(parcel.node_id, due, here)[1])
        if parcel.awaited is not None:
            day = max(day, parcel.awaited.toordinal())
        return self._handed_over(parcel, day)

    def _working_day(self, node_id: str, due: int, days: int) -> int:
        """Return the day so many working days of a node after one, or that day if it is long past."""
        calendars = self._view.days.at(self._now).calendars
        calendar = int(self._view.network.calendar_of_node[self._view.network.index[node_id]])
        offset = due - calendars.first_day
        if not 0 <= offset < calendars.before.shape[1] - 1:
            return due
        place = int(calendars.before[calendar, offset]) + days
        return int(calendars.nth[calendar, place]) if place < calendars.nth.shape[1] else NEVER

    def _earliest(self, parcel: Parcel) -> int:
        """Return the first day on which it could still be handed over: today, unless the carrier has been there."""
        network, today = self._view.network, self._view.days.at(self._now)
        node, service = network.index[parcel.node_id], self._services.get(parcel.service)
        here = int(today.local_day[node])
        if service is None:
            return here
        minutes = int(network.pick_up_minutes[service, node])
        if minutes < 0:
            return here
        zone = network.time_zone_of_node[node : node + 1]
        return here + int(has_passed(network, self._now, zone, np.array([minutes]))[0])

    def _handed_over(self, parcel: Parcel, day: int) -> int:
        """Return the first day from one on on which node and service hand over."""
        calendars, node = self._view.days.at(self._now).calendars, self._view.network.index[parcel.node_id]
        service = self._services.get(parcel.service, len(self._services))
        offset = day - calendars.first_day
        if not 0 <= offset < calendars.common.shape[1]:
            return NEVER
        return int(calendars.common[calendars.pair[service, node], offset])
