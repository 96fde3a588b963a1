"""The compiled network: arrays by node, zone and service, ready for kernels.

Here: the frozen arrays, distances and zones, groups, where a postal code is. Not here: the document (document.py),
days (days.py). Money is whole cents, distances kilometres, weights grams; -1 stands for "none" or "unlimited".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from engine.network.addresses import Addresses, compile_addresses
from engine.network.delivery_areas import DeliveryAreas, compile_delivery_areas
from engine.network.document import CalendarDocument, NetworkDocument, PolicyDocument, PostalCodeDocument
from engine.network.freight import Freight, compile_freight
from engine.network.pickup import WEEKDAYS, PickupHours, compile_pickups
from engine.network.slots import Slots, compile_slots
from engine.network.time_of_day import minutes_of
from engine.network.transfers import Hubs, compile_hubs

Scalar = TypeVar("Scalar", bound=np.generic)

BLANK_PRIORITY = 2**31 - 1
EVERY_WEEKDAY = 2**7 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """The rate cards of all services in one run of weight steps.

    Cell `service * zones + zone` owns the steps `offsets[cell]:offsets[cell + 1]`, ascending in `max_weight_g`.
    """

    offsets: NDArray[np.int64]
    max_weight_g: NDArray[np.int64]
    cost_cents: NDArray[np.int64]
    transit_days: NDArray[np.int64]


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class Network:
    """One version of the network; arrays of nodes follow `node_ids`, of services `services`, of zones `zones`.

    `calendars` are those of the document, then one for each set of closures that nodes have beside theirs. What depends
    on both is (services, nodes): `serves`, `pick_up_minutes` after midnight (-1: none), and `pick_up_days`, a bit for
    each weekday from Monday on. `keeps_days_off` (services,) says which do not deliver on days off of delivery areas.
    """

    version: int
    document: NetworkDocument
    node_ids: tuple[str, ...]
    index: Mapping[str, int]
    latitude_rad: NDArray[np.float64]
    longitude_rad: NDArray[np.float64]
    parcel_cost_cents: NDArray[np.int64]
    unit_cost_cents: NDArray[np.int64]
    capacity_units: NDArray[np.int64]
    capacity_parcels: NDArray[np.int64]
    priority: NDArray[np.int64]
    processing_days: NDArray[np.int64]
    acceptance: tuple[float, ...] | None
    cut_off_minutes: NDArray[np.int64]
    calendars: tuple[CalendarDocument, ...]
    calendar_of_node: NDArray[np.int64]
    time_zone_of_node: NDArray[np.int64]
    time_zones: tuple[ZoneInfo, ...]
    zones: tuple[str, ...]
    zone_max_km: NDArray[np.float64]
    services: tuple[str, ...]
    services_by_name: tuple[int, ...]
    carriers: tuple[str, ...]
    service_levels: tuple[str, ...]
    calendar_of_service: NDArray[np.int64]
    pick_up_minutes: NDArray[np.int64]
    pick_up_days: NDArray[np.int64]
    serves: NDArray[np.bool_]
    rates: RateTable
    freight: Freight
    addresses: Addresses | None
    delivery_areas: DeliveryAreas | None
    keeps_days_off: NDArray[np.bool_]
    pickups: Mapping[int, PickupHours]
    hubs: Hubs | None
    slots: Slots | None
    service_max_km: NDArray[np.float64] | None
    groups: Mapping[str, tuple[int, ...]]
    postal_codes: Mapping[tuple[str, str], PostalCodeDocument]
    closed: frozenset[int] = frozenset()
    """Nodes that are switched off (closures.py)."""

    @property
    def policy(self) -> PolicyDocument:
        """What splits, lateness and backorders cost, and the hard limits."""
        return self.document.policy

    def place_of(self, country: str, postal_code: str) -> PostalCodeDocument | None:
        """Return the entry with the longest prefix of a postal code, or None if the network knows no such place."""
        code = postal_code.strip().upper()
        for length in range(len(code), 0, -1):
            found = self.postal_codes.get((country, code[:length]))
            if found is not None:
                return found
        return None


def compile_network(document: NetworkDocument, version: int) -> Network:
    """Turn a checked document into arrays."""
    nodes, services = document.nodes, document.services
    calendars = {entry.calendar: i for i, entry in enumerate(document.calendars)}
    with_closures, calendar_of_node = _calendars(document, calendars)
    pick_up_minutes, pick_up_days = _pick_ups(document)
    zone_names = list(dict.fromkeys(node.time_zone for node in nodes))
    index = {node.node_id: i for i, node in enumerate(nodes)}
    serves = np.zeros((len(services), len(nodes)), dtype=np.bool_)
    for i, node in enumerate(nodes):
        for s, service in enumerate(services):
            serves[s, i] = node.services is None or service.service in node.services
    return Network(
        version=version,
        document=document,
        node_ids=tuple(index),
        index=MappingProxyType(index),
        latitude_rad=_frozen(np.radians([node.latitude for node in nodes])),
        longitude_rad=_frozen(np.radians([node.longitude for node in nodes])),
        parcel_cost_cents=_integers([node.parcel_cost_cents for node in nodes]),
        unit_cost_cents=_integers([node.unit_cost_cents for node in nodes]),
        capacity_units=_integers([_or(node.capacity_units, -1) for node in nodes]),
        capacity_parcels=_integers([_or(node.capacity_parcels, -1) for node in nodes]),
        priority=_integers([_or(node.priority, BLANK_PRIORITY) for node in nodes]),
        processing_days=_integers([node.processing_days + node.lead_time_days for node in nodes]),
        acceptance=tuple(n.acceptance for n in nodes) if any(n.acceptance < 1 for n in nodes) else None,
        cut_off_minutes=_integers([minutes_of(node.cut_off) for node in nodes]),
        calendars=with_closures,
        calendar_of_node=_integers(calendar_of_node),
        time_zone_of_node=_integers([zone_names.index(node.time_zone) for node in nodes]),
        time_zones=tuple(ZoneInfo(name) for name in zone_names),
        zones=tuple(entry.zone for entry in document.zones),
        zone_max_km=_frozen(
            np.array([np.inf if z.max_km is None else z.max_km for z in document.zones], dtype=np.float64)
        ),
        services=tuple(entry.service for entry in services),
        services_by_name=tuple(sorted(range(len(services)), key=lambda s: services[s].service)),
        carriers=tuple(entry.carrier for entry in services),
        service_levels=tuple(entry.service_level for entry in services),
        calendar_of_service=_integers([calendars[entry.calendar] for entry in services]),
        pick_up_minutes=_frozen(pick_up_minutes),
        pick_up_days=_frozen(pick_up_days),
        serves=_frozen(serves),
        rates=_rates(document),
        freight=compile_freight(document),
        addresses=compile_addresses(document),
        delivery_areas=compile_delivery_areas(document, calendars),
        keeps_days_off=_frozen(np.array([not entry.delivers_on_days_off for entry in services], dtype=np.bool_)),
        pickups=compile_pickups(document),
        hubs=compile_hubs(document, index, calendars),
        slots=compile_slots(document),
        service_max_km=_service_max_km(document),
        groups=MappingProxyType(
            {entry.group: tuple(index[node_id] for node_id in entry.node_ids) for entry in document.groups}
        ),
        postal_codes=MappingProxyType({(entry.country, entry.postal_code): entry for entry in document.postal_codes}),
    )


def _calendars(document: NetworkDocument, index: Mapping[str, int]) -> tuple[tuple[CalendarDocument, ...], list[int]]:
    """Return the calendars with those that closures of nodes make, and which one each node has."""
    calendars = list(document.calendars)
    made: dict[tuple[object, ...], int] = {}
    of_node: list[int] = []
    for node in document.nodes:
        place = index[node.calendar]
        if node.closures:
            key = (place, *((closure.from_, closure.to) for closure in node.closures))
            if key not in made:
                made[key] = len(calendars)
                shared = calendars[place]
                calendars.append(shared.model_copy(update={"closures": (*shared.closures, *node.closures)}))
            place = made[key]
        of_node.append(place)
    return tuple(calendars), of_node


def _pick_ups(document: NetworkDocument) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return minutes and weekdays of pick-up, (services, nodes): those of the service unless the node has its own."""
    own = [-1 if entry.cut_off is None else minutes_of(entry.cut_off) for entry in document.services]
    minutes = np.repeat(np.array(own, dtype=np.int64)[:, None], len(document.nodes), axis=1)
    days = np.full(minutes.shape, EVERY_WEEKDAY, dtype=np.int64)
    index = {entry.service: s for s, entry in enumerate(document.services)}
    for n, node in enumerate(document.nodes):
        for entry in node.pick_ups:
            s = index[entry.service]
            if entry.cut_off is not None:
                minutes[s, n] = minutes_of(entry.cut_off)
            if entry.days is not None:
                days[s, n] = sum(1 << WEEKDAYS.index(day) for day in entry.days)
    return minutes, days


def _service_max_km(document: NetworkDocument) -> NDArray[np.float64] | None:
    """Return how far each service delivers, None if none has a limit."""
    if all(entry.max_km is None for entry in document.services):
        return None
    return _frozen(np.array([np.inf if s.max_km is None else s.max_km for s in document.services], dtype=np.float64))


def _rates(document: NetworkDocument) -> RateTable:
    zone_index = {entry.zone: i for i, entry in enumerate(document.zones)}
    offsets = [0]
    steps: list[tuple[int, int, int]] = []
    for service in document.services:
        by_zone: list[list[tuple[int, int, int]]] = [[] for _ in document.zones]
        for rate in service.rates:
            by_zone[zone_index[rate.zone]].append((rate.max_weight_g, rate.cost_cents, rate.transit_days))
        for cell in by_zone:
            steps.extend(sorted(cell))
            offsets.append(len(steps))
    columns = np.array(steps, dtype=np.int64).reshape(-1, 3)
    return RateTable(
        offsets=_integers(offsets),
        max_weight_g=_frozen(columns[:, 0].copy()),
        cost_cents=_frozen(columns[:, 1].copy()),
        transit_days=_frozen(columns[:, 2].copy()),
    )


def _or(value: int | None, blank: int) -> int:
    return blank if value is None else value


def _integers(values: list[int]) -> NDArray[np.int64]:
    return _frozen(np.array(values, dtype=np.int64))


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    array.setflags(write=False)
    return array
