"""What a parcel costs to carry and when it arrives, by the network of the moment, one parcel at a time.

The rates are those that routing runs go by (engine/routing/rate_cards.py); a test compares the two. Volume and cartons
are left out: a parcel is charged by its weight, with surcharges of its place and fuel. Not here: when it leaves
(floor.py).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

from engine.delivery.pickup import PICKUP
from engine.network.days import NEVER, Calendars
from engine.network.model import Network
from engine.routing.rate_cards import with_fuel
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM
from solvers.promise_freight import FUEL


class Place(NamedTuple):
    """Where a parcel goes: radians, and a postal code if there is one."""

    latitude: float
    longitude: float
    country: str | None
    postal_code: str | None


class Bill(NamedTuple):
    """What a parcel costs: its carrier, and its node for the parcel and its units; and how long it is on its way."""

    shipping_cents: int
    handling_cents: int
    units_cents: int
    zone: int
    distance_m: int
    transit_days: int


class Carriage:
    """Prices parcels in one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        table = network.rates
        self._offsets = table.offsets.tolist()
        self._steps = table.max_weight_g.tolist()
        self._cents = table.cost_cents.tolist()
        self._days = table.transit_days.tolist()
        self._zone_ends = network.zone_max_km.tolist()
        self._places = list(zip(network.latitude_rad.tolist(), network.longitude_rad.tolist(), strict=True))
        self._parcel_cents = network.parcel_cost_cents.tolist()
        self._unit_cents = network.unit_cost_cents.tolist()
        self._fuel = network.freight.service[:, FUEL].tolist() if len(network.services) else []
        self._service = {name: s for s, name in enumerate(network.services)}

    def service(self, name: str) -> int:
        """Return the number of a service; that of a hand-over in the store is the first after all others."""
        return len(self._service) if name == PICKUP else self._service[name]

    def bill(self, node: int, service: int, place: Place, weight_g: int, units: int) -> Bill:
        """Return what one parcel costs; one that is heavier than its service takes is several of the heaviest step."""
        km = self._km(node, place)
        zone = min(bisect_left(self._zone_ends, km - DISTANCE_TOLERANCE_KM), len(self._zone_ends) - 1)
        handling, of_units = self._parcel_cents[node], self._unit_cents[node] * units
        if service >= len(self._service):
            return Bill(0, handling, of_units, zone, round(km * 1000), 0)
        cell = service * len(self._zone_ends) + zone
        first, end = self._offsets[cell], self._offsets[cell + 1]
        if first == end:
            return Bill(0, handling, of_units, zone, round(km * 1000), 0)
        area = self.network.freight.area(place.country, place.postal_code, is_residential=False)
        extra = int(area[:, service].sum()) if area.shape[1] else 0
        full, rest = divmod(weight_g, self._steps[end - 1])
        cents = full * (self._cents[end - 1] + extra)
        step = end - 1
        if rest or not full:
            step = bisect_left(self._steps, rest, first, end)
            cents += self._cents[step] + extra
        return Bill(with_fuel(cents, self._fuel[service]), handling, of_units, zone, round(km * 1000), self._days[step])

    def arrival(self, calendars: Calendars, service: int, handed_over: int, transit_days: int) -> int:
        """Return the day of delivery after so many operating days of the service: the rule of engine/network/days.py.

        Both are ordinals; what lies beyond the tables is a day for each of its transit days.
        """
        if service >= len(self._service):
            return handed_over
        calendar = int(self.network.calendar_of_service[service])
        offset = handed_over - calendars.first_day
        if not 0 <= offset < calendars.nth.shape[1]:
            return handed_over + transit_days
        passed = int(calendars.before[calendar, offset + (transit_days > 0)])
        index = passed + max(transit_days, 1) - 1
        found = int(calendars.nth[calendar, index]) if index < calendars.nth.shape[1] else NEVER
        return handed_over + transit_days if found >= NEVER else found

    def _km(self, node: int, place: Place) -> float:
        """Return the distance as the crow flies (haversine)."""
        latitude, longitude = self._places[node]
        half = (
            math.sin((place.latitude - latitude) / 2) ** 2
            + math.cos(latitude) * math.cos(place.latitude) * math.sin((place.longitude - longitude) / 2) ** 2
        )
        return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))
