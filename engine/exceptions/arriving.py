"""On which days a parcel arrives that leaves its node on a day: as many days as there are levels, from early to late.

The kernels that date promises say it for every level, so that a promise and its watch never disagree: of lanes with a
history the days are those of what was learned, of others every level is the day by the rate card. Not here: when it
leaves (leaving.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from engine.availability.reference import View
from engine.calibration.lead_times import LeadTimes
from engine.delivery.arrivals import arrival
from engine.delivery.day_tables import DayTables
from engine.delivery.pickup import PICKUP, pickup_at
from engine.network.days import NEVER
from engine.network.delivery_areas import NO_AREA
from engine.orders.destination import Destination
from engine.orders.model import Order
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, FloatArray, IntArray
from solvers.promise_dates import LEVEL, Days, Learned, learned_arrivals

LEVELS = 999
"""The kernel takes two trips in a row for one if their numbers are 3 × level apart; this number is not."""
assert (LEVELS - 1) % 3, "see LEVELS"
_AT: FloatArray = (np.arange(LEVELS) + 0.5) / LEVELS


class Place(NamedTuple):
    """Where an order goes: degrees, its time zone if known, its calendar of deliveries, the store of a pick-up."""

    latitude: float
    longitude: float
    time_zone: ZoneInfo | None
    area: int
    store: int | None


def place_of(order: Order, view: View) -> Place | None:
    """Return where an order goes, None if the network does not know that any more."""
    network, to, at = view.network, order.destination, order.captured.picked_up_at
    if at is not None:
        store = network.index.get(at)
        if store is None:
            return None
        entry = network.document.nodes[store]
        zone = network.time_zones[network.time_zone_of_node[store]]
        return Place(entry.latitude or 0.0, entry.longitude or 0.0, zone, NO_AREA, store)
    if to.latitude is None or to.longitude is None:
        return None
    area = NO_AREA
    if network.delivery_areas is not None:
        area = network.delivery_areas.calendar_at(to.country, to.postal_code)
    name = _time_zone(order, to, view)
    return Place(to.latitude, to.longitude, None if name is None else ZoneInfo(name), area, None)


def _time_zone(order: Order, to: Destination, view: View) -> str | None:
    promised = order.captured.promised
    if to.time_zone is not None or (promised is not None and promised.time_zone is not None):
        return to.time_zone or (promised.time_zone if promised is not None else None)
    if to.country is None or to.postal_code is None:
        return None
    known = view.network.place_of(to.country, to.postal_code)
    return None if known is None else known.time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A parcel of a service on its way from a node; it left, or leaves, on a day of the node."""

    node_id: str
    service: str
    weight_g: int
    leaves: int
    has_left: bool = False
    carrier_on: date | None = None


class Arriving:
    """The arrivals of one minute in one view of the network."""

    def __init__(self, view: View, now: datetime, tables: DayTables) -> None:
        self._view, self._now, self._tables = view, now, tables
        self._services = {name: s for s, name in enumerate(view.network.services)}
        self._known: dict[tuple[object, ...], IntArray] = {}
        self._levels: dict[tuple[int, bool], tuple[Days, Days]] = {}
        """By the id of a day table, which is kept beside it: the same with every level."""

    def today(self, place: Place) -> int:
        """Return the day that it is at a place; where its time zone is not known, the first that it is anywhere."""
        if place.time_zone is not None:
            return self._now.astimezone(place.time_zone).date().toordinal()
        return int(self._view.days.at(self._now).local_day.min())

    def days(self, journey: Journey, place: Place) -> IntArray:
        """Return the day of arrival at every level, rising, `NEVER` for one that does not go there.

        Of a parcel that has left, what would have arrived before today is left out: it has not.
        """
        key = (journey, place)
        if key not in self._known:
            found = self._days(journey, place)
            self._known[key] = self._not_before_today(found, journey, place) if journey.has_left else found
        return self._known[key]

    def _days(self, journey: Journey, place: Place) -> IntArray:
        view, network = self._view, self._view.network
        node, service = network.index.get(journey.node_id), self._services.get(journey.service)
        if node is None or journey.leaves >= NEVER:
            return _all(NEVER)
        if journey.service == PICKUP:
            return _all(journey.leaves)
        if service is None:
            return _all(NEVER)
        table = self._table(place)
        week = max(0, -(-(table.first_day - journey.leaves) // 7)) * 7
        leaves = journey.leaves + week  # the tables begin later: as a week, or several, after that
        distance_km = _distance_km(place, float(network.latitude_rad[node]), float(network.longitude_rad[node]))
        zone = int(np.searchsorted(network.zone_max_km, distance_km - DISTANCE_TOLERANCE_KM))
        if zone >= len(network.zones):
            return _all(NEVER)
        if table.learned.knows[service]:
            assert view.lead_times is not None
            levelled = self._levelled(table, view.lead_times, has_left=journey.has_left)
            learned = levelled.learned
            trips = np.empty((LEVELS, LEVEL + 1), dtype=np.int64)
            kind = int(np.searchsorted(learned.weight_ends, journey.weight_g))
            trips[:, :LEVEL] = service, node, zone, kind, leaves
            trips[:, LEVEL] = np.arange(LEVELS)
            far = np.full(len(network.node_ids), distance_km)
            return np.sort(learned_arrivals(levelled, trips, far)) - week
        transit_days = self._transit_days(service, zone, journey.weight_g)
        shift = int(view.days.shift_to(place.time_zone, self._now)[node])
        if transit_days is None:
            return _all(NEVER)
        return _all(_operating_day(table, service, leaves + shift, transit_days) - week)

    def _levelled(self, table: Days, lead_times: LeadTimes, *, has_left: bool) -> Days:
        key = (id(table), has_left)
        if key not in self._levels:
            learned = with_levels(table.learned, lead_times, has_left=has_left)
            self._levels[key] = table, table._replace(learned=learned)
        return self._levels[key][1]

    def _not_before_today(self, days: IntArray, journey: Journey, place: Place) -> IntArray:
        today = self.today(place)
        if journey.carrier_on is not None:
            days = days + (journey.carrier_on.toordinal() - int(days[LEVELS // 2]))
        left = days[days >= today]
        if len(left):
            return left
        table, service = self._table(place), self._services.get(journey.service, 0)
        return _all(_operating_day(table, service, today, 0))

    def _table(self, place: Place) -> Days:
        if place.store is None:
            return self._tables.area_days(self._view, self._now, place.area)
        network, today = self._view.network, self._view.days.at(self._now)
        return self._tables.store_days(self._view, self._now, pickup_at(network, today, place.store, self._now))

    def _transit_days(self, service: int, zone: int, weight_g: int) -> int | None:
        """Return those of the rate card; of parcels of several boxes, those of the heaviest step."""
        rates, cell = self._view.network.rates, service * len(self._view.network.zones) + zone
        first, last = int(rates.offsets[cell]), int(rates.offsets[cell + 1])
        if first == last:
            return None
        step = first + int(np.searchsorted(rates.max_weight_g[first:last], weight_g))
        return int(rates.transit_days[min(step, last - 1)])


def with_levels(learned: Learned, lead_times: LeadTimes, *, has_left: bool) -> Learned:
    """Return what was learned with a row of `z` for each level; of what has left, the day it was ordered is past."""
    levels = np.array(lead_times.levels)
    z = np.array([np.interp(_AT, levels, shape) for shape in lead_times.shapes]).T.copy()
    if not has_left:
        return learned._replace(z=z)
    past, never = np.zeros_like(learned.today), np.full_like(learned.ordinary, -1)
    return learned._replace(z=z, today=past, ordinary=never)


def share_after(days: IntArray, day: date) -> float:
    """Return the share of levels whose day is after one."""
    return float(np.mean(days > day.toordinal()))


def day_at(days: IntArray, share: float) -> date | None:
    """Return the day by which so large a share of levels has arrived, None if never."""
    found = int(days[min(len(days) - 1, int(share * len(days)))])
    return date.fromordinal(found) if found < NEVER // 2 else None


def _operating_day(t: Days, service: int, handed_over: int, transit_days: int) -> int:
    """Return the day so many operating days after the hand-over."""
    calendar, day = t.calendar[service : service + 1], np.array([handed_over])
    return int(arrival(t.first_day, t.before, t.nth, calendar, day, transit_days)[0])


def _all(day: int) -> IntArray:
    return np.full(LEVELS, day, dtype=np.int64)


def _distance_km(place: Place, latitude_rad: float, longitude_rad: float) -> float:
    to_latitude, to_longitude = np.radians(place.latitude), np.radians(place.longitude)
    across = np.sin((longitude_rad - to_longitude) / 2) ** 2
    chord = np.sin((latitude_rad - to_latitude) / 2) ** 2 + np.cos(latitude_rad) * np.cos(to_latitude) * across
    return float(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(min(chord, 1.0))))
