"""By how many days the date at each order's destination differs from that at the nodes, as a few rows for a batch."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from engine.availability.reference import View
from engine.routing.model import OpenOrder
from solvers.problem import IntArray


class DaysApart:
    """Looks each time zone up once; row 0 is for destinations whose dates are those of every node."""

    def __init__(self, view: View, now: datetime) -> None:
        self._view, self._now = view, now
        nodes = len(view.network.node_ids)
        self._row_of_shift: dict[tuple[int, ...], int] = {(0,) * nodes: 0}
        self._row_of_zone: dict[str | None, int] = {None: 0}
        self._zone_of_place: dict[tuple[str, str], str | None] = {}
        self._has_zones = any(entry.time_zone is not None for entry in view.network.postal_codes.values())

    def row_of(self, order: OpenOrder) -> int:
        """Return the row of an order's destination; where the time zone is not known, dates are those of the node."""
        zone = self._zone_of(order)
        if zone not in self._row_of_zone:
            shift = tuple(self._view.days.shift_to(ZoneInfo(zone or ""), self._now).tolist())
            self._row_of_zone[zone] = self._row_of_shift.setdefault(shift, len(self._row_of_shift))
        return self._row_of_zone[zone]

    def shifts(self) -> IntArray:
        """Return the rows, shape (shifts, nodes of the network)."""
        return np.array(list(self._row_of_shift), dtype=np.int64).reshape(len(self._row_of_shift), -1)

    def _zone_of(self, order: OpenOrder) -> str | None:
        network = self._view.network
        if order.pickup_node_id is not None:
            node = network.index.get(order.pickup_node_id)
            return None if node is None else network.time_zones[network.time_zone_of_node[node]].key
        if order.time_zone is not None:
            return order.time_zone
        if not self._has_zones or order.country is None or order.postal_code is None:
            return None
        place = (order.country, order.postal_code)
        if place not in self._zone_of_place:
            found = network.place_of(*place)
            self._zone_of_place[place] = None if found is None else found.time_zone
        return self._zone_of_place[place]
