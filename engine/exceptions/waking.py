"""When an order has to be looked at again though nothing has happened to it: as days and hours pass; pure.

What days are, is a matter of places: a parcel that is due or overdue may miss its cut-off or pick-up within the hour,
one that is due later or has left is seen anew with each day, at its node and where it goes. Not here: reasons that come
from elsewhere, such as nodes that fall behind, or stock (watch.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.availability.reference import View
from engine.exceptions.arriving import Place
from engine.exceptions.parcels import Parcel

_HOUR_SECONDS = 3600.0


class Clocks:
    """What the clocks of all places say in one minute: in seconds, when the next hour and the next day begin."""

    def __init__(self, view: View, now: datetime) -> None:
        self._network, self._now = view.network, now
        self._days: dict[ZoneInfo, float] = {}
        self._by_node = view.days.at(now).by_node
        self.now = now.timestamp()
        self.next_hour = (self.now // _HOUR_SECONDS + 1) * _HOUR_SECONDS

    def next_look(self, parcels: Sequence[Parcel], place: Place | None, *, is_waiting: bool) -> float:
        """Return when an order is to be looked at again (seconds); one of which units have no node in the hour."""
        if is_waiting or any(self._is_due(parcel) for parcel in parcels):
            return self.next_hour
        zones = {self._zone_of(parcel.node_id) for parcel in parcels}
        if place is None or place.time_zone is None:
            zones.update(self._network.time_zones)
        else:
            zones.add(place.time_zone)
        return self._next_day(zone for zone in zones if zone is not None)

    def _is_due(self, parcel: Parcel) -> bool:
        if parcel.shipped_on is not None:
            return False
        today = self._by_node.get(parcel.node_id)
        return today is None or parcel.ship_on.toordinal() <= today

    def _zone_of(self, node_id: str) -> ZoneInfo | None:
        node = self._network.index.get(node_id)
        return None if node is None else self._network.time_zones[self._network.time_zone_of_node[node]]

    def _next_day(self, zones: Iterable[ZoneInfo]) -> float:
        found = [self._begins(zone) for zone in zones]
        return min(found, default=self.next_hour)

    def _begins(self, zone: ZoneInfo) -> float:
        if zone not in self._days:
            tomorrow = self._now.astimezone(zone).date() + timedelta(days=1)
            self._days[zone] = datetime.combine(tomorrow, time(), zone).timestamp()
        return self._days[zone]
