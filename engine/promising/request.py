"""From a request to what the programme needs: every reference resolved, every fault named.

Not here: stock, days and costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.selection import check_channel, select_contents, select_node, select_nodes
from engine.catalog.model import Catalog, Content
from engine.delivery.pickup import PICKUP, SHIP_TO_STORE
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.network.addresses import Addresses, NotServedCause
from engine.network.delivery_areas import NO_AREA
from engine.network.document import ServiceLevel
from engine.network.freight import NO_AREA as NO_SURCHARGES
from engine.network.model import Network
from engine.network.places import coordinate_faults, find_place
from engine.promising.model import (
    MOST_LINES,
    MOST_UNITS,
    Destination,
    PromiseLine,
    PromiseRequest,
)
from engine.promising.terms import PLAIN, Terms, terms_of

NO_LIMIT = 2**30 - 1
_LEVELS: tuple[str, ...] = get_args(ServiceLevel)


class Place(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Where an order goes, in radians, and the time zone there if it is known."""

    latitude_rad: float
    longitude_rad: float
    time_zone: ZoneInfo | None


class Asked(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A request understood: lines with what they come down to, nodes and services by number, limits.

    `skus` are the products whose stock is needed, sorted; `place` is None for a pick-up, and then `nodes` is one node;
    unless parcels of other nodes may come there: then it is the place of `pickup_node`, -1 for a delivery, and the last
    of `services`, one more than the network has, hands over what that node has itself.
    `not_serving` are services that would be allowed, but do not deliver to the address, and why; not in `services`.
    `delivery_area` is the calendar that the destination has for deliveries, `NO_AREA` if none.
    `unlikely` are the vendors that would be among `nodes`, but too often refuse orders.
    """

    lines: tuple[PromiseLine, ...]
    contents: tuple[Content, ...]
    skus: tuple[str, ...]
    nodes: NDArray[np.int64]
    services: NDArray[np.int64]
    place: Place | None
    need_by: int
    most_parcels: int
    is_complete: bool
    terms: Terms
    not_serving: Mapping[int, NotServedCause]
    pickup_node: int
    delivery_area: int
    unlikely: NDArray[np.int64]


def understand(request: PromiseRequest, view: View, now: datetime) -> Asked:
    """Resolve a request against a view; raises `InvalidInput` with every fault."""
    network = view.network
    faults: list[Fault] = []
    if len(request.lines) > MOST_LINES:  # before each of so many is looked at
        message = f"has {len(request.lines)} lines; a promise takes at most {MOST_LINES}, ask for several promises"
        raise InvalidInput(Fault(path="$.lines", message=message))
    lines = _lines(request, faults)
    contents = select_contents([line.sku for line in request.lines], view.catalog, faults)
    if len(contents) == len(lines):
        _check_units(lines, contents, faults)
    nodes = select_nodes(network, request.group, None, faults)
    not_serving = {} if network.addresses is None else _not_serving(request, network.addresses)
    services = _services(request, network, faults)
    if not_serving:
        not_serving = {s: cause for s, cause in not_serving.items() if s in services}
        services = services[[s not in not_serving for s in services.tolist()]]
    check_channel(network, request.channel, faults)
    place: Place | None = None
    pickup_node = -1
    if request.pickup_node_id is not None:
        chosen = select_node(network, request.pickup_node_id, "$.pickup_node_id", faults)
        pickup_node = -1 if chosen is None else chosen
        own = [node for node in nodes if node == chosen]
        if pickup_node in network.closed:
            services = services[:0]  # nothing is brought or handed over there
            place, nodes = _place_of_node(network, pickup_node), [node for node in nodes if node != chosen]
        elif len(services) and pickup_node >= 0:
            place = _place_of_node(network, pickup_node)
            others = [node for node in nodes if node != chosen]
            nodes = [*own, *others] if PICKUP in (request.service_levels or (PICKUP,)) else others
        else:
            nodes = own
    else:
        place = place_of(request.destination, network, faults)
    nodes, unlikely = _likely(nodes, network)
    if request.need_by is not None:
        _check_need_by(request.need_by, view, place, now, faults)
    if request.max_shipments is not None and request.max_shipments < 1:
        message = f"{request.max_shipments} is too few; give at least 1, or leave it out"
        faults.append(Fault(path="$.max_shipments", message=message))
    if faults or (place is None and request.pickup_node_id is None):
        raise InvalidInput(faults)
    catalog, terms, parts = view.catalog, PLAIN, tuple(contents)
    area = NO_SURCHARGES if network.freight.is_plain else _area(request, network)
    is_priced = bool(catalog.costs) and any(line.price_cents for line in request.lines)
    if catalog.has_terms or area is not NO_SURCHARGES or is_priced:
        lines, parts, terms = terms_of(request, lines, contents, catalog, area)
    limits = [limit for limit in (request.max_shipments, network.policy.max_nodes_per_order) if limit is not None]
    return Asked(
        lines=lines,
        contents=parts,
        skus=_products(parts, terms, catalog),
        nodes=np.array(nodes, dtype=np.int64),
        services=services,
        place=place,
        need_by=NO_LIMIT if request.need_by is None else request.need_by.toordinal(),
        most_parcels=min(limits, default=MOST_LINES),
        is_complete=request.ship_complete,
        terms=terms,
        not_serving=not_serving,
        pickup_node=pickup_node,
        delivery_area=_delivery_area(request, network),
        unlikely=np.array(unlikely, dtype=np.int64),
    )


def _products(contents: Sequence[Content], terms: Terms, catalog: Catalog) -> tuple[str, ...]:
    """Return the products whose stock is needed, those of substitutes too, sorted."""
    found = {sku for content in contents for sku, _ in content.components}
    if terms.substitutes:
        others = (catalog.content[other] for others in terms.substitutes for other in others)
        found.update(sku for content in others for sku, _ in content.components)
    return tuple(sorted(found))


def _not_serving(request: PromiseRequest, addresses: Addresses) -> dict[int, NotServedCause]:
    """Return the services that do not deliver to the destination, and why."""
    wanted = request.destination
    if wanted is None or request.pickup_node_id is not None:
        return {}
    return addresses.not_served_by(wanted.country, wanted.postal_code, is_po_box=wanted.is_po_box)


def _delivery_area(request: PromiseRequest, network: Network) -> int:
    """Return the calendar for deliveries at the destination; a pick-up has that of its node."""
    wanted = request.destination
    if network.delivery_areas is None or wanted is None or request.pickup_node_id is not None:
        return NO_AREA
    return network.delivery_areas.calendar_at(wanted.country, wanted.postal_code)


def _likely(nodes: list[int], network: Network) -> tuple[list[int], list[int]]:
    """Return the nodes that take orders often enough for the policy, and the others."""
    least, acceptance = network.policy.min_acceptance, network.acceptance
    if acceptance is None or least == 0:
        return nodes, []
    return [n for n in nodes if acceptance[n] >= least], [n for n in nodes if acceptance[n] < least]


def _area(request: PromiseRequest, network: Network) -> NDArray[np.int64]:
    wanted = request.destination
    if wanted is None or request.pickup_node_id is not None:
        return NO_SURCHARGES
    return network.freight.area(wanted.country, wanted.postal_code, is_residential=wanted.residential)


def _lines(request: PromiseRequest, faults: list[Fault]) -> tuple[PromiseLine, ...]:
    first: dict[str, int] = {}
    lines: list[PromiseLine] = []
    for index, line in enumerate(request.lines):
        path, line_id = f"$.lines[{index}]", line.line_id or str(index + 1)
        if not 1 <= line.quantity <= MOST_UNITS:
            message = f"{line.quantity} is not a quantity; give a whole number from 1 to {MOST_UNITS}"
            faults.append(Fault(path=f"{path}.quantity", message=message))
        seen = first.setdefault(line_id, index)
        if seen != index:
            message = f"{line_id!r} is already the id of $.lines[{seen}]; give each line its own"
            faults.append(Fault(path=f"{path}.line_id", message=message))
        lines.append(PromiseLine(line_id=line_id, sku=line.sku, quantity=line.quantity))
    return tuple(lines)


def _check_units(lines: tuple[PromiseLine, ...], contents: list[Content], faults: list[Fault]) -> None:
    for index, (line, content) in enumerate(zip(lines, contents, strict=True)):
        units = line.quantity * sum(each for _, each in content.components)
        if units > MOST_UNITS >= line.quantity:
            message = f"{line.quantity} of kit {line.sku!r} are {units} units; at most {MOST_UNITS} a line"
            faults.append(Fault(path=f"$.lines[{index}].quantity", message=message))


def _check_need_by(need_by: date, view: View, place: Place | None, now: datetime, faults: list[Fault]) -> None:
    """Note a deadline that has passed: at the destination if its time zone is known, else at every node."""
    zone = None if place is None else place.time_zone
    today = date.fromordinal(int(view.days.at(now).local_day.min())) if zone is None else now.astimezone(zone).date()
    if need_by < today:
        message = f"{need_by} has passed, it is {today} there; give {today} or a later day, or leave it out"
        faults.append(Fault(path="$.need_by", message=message))


def _services(request: PromiseRequest, network: Network, faults: list[Fault]) -> NDArray[np.int64]:
    """Return the services of the levels asked for, by name, so that ties go to the first name."""
    levels = request.service_levels
    for index, level in enumerate(levels or ()):
        if level not in _LEVELS:
            message = f"unknown service level {level!r}; {nearest(level, _LEVELS)}"
            faults.append(Fault(path=f"$.service_levels[{index}]", message=message))
    is_pickup = request.pickup_node_id is not None
    if levels is not None and is_pickup and not {PICKUP, SHIP_TO_STORE} & set(levels):
        message = f"a pick-up has the service level {PICKUP!r} or {SHIP_TO_STORE!r}; add one, or no pickup_node_id"
        faults.append(Fault(path="$.service_levels", message=message))
    if levels is not None and not is_pickup and set(levels) <= {PICKUP, SHIP_TO_STORE}:
        message = f"the service level {levels[0]!r} needs a pickup_node_id; add it"
        faults.append(Fault(path="$.pickup_node_id", message=message))
    kept = [
        s
        for s in network.services_by_name
        if (levels is None or network.service_levels[s] in levels)
        and (network.service_levels[s] == SHIP_TO_STORE) == is_pickup
    ]
    if is_pickup and (kept or SHIP_TO_STORE in (levels or ())):
        kept.append(len(network.services))
    return np.array(kept, dtype=np.int64)


def _place_of_node(network: Network, node: int) -> Place:
    """Return where a node is, as a destination."""
    return Place(
        latitude_rad=float(network.latitude_rad[node]),
        longitude_rad=float(network.longitude_rad[node]),
        time_zone=network.time_zones[network.time_zone_of_node[node]],
    )


def place_of(wanted: Destination | None, network: Network, faults: list[Fault]) -> Place | None:
    """Return where a destination is, or note at `$.destination` what is wrong with it."""
    path = "$.destination"
    if wanted is None:
        faults.append(Fault(path=path, message="is required; add it, or pickup_node_id"))
        return None
    found = list(coordinate_faults(wanted.latitude, wanted.longitude))
    faults.extend(found)
    time_zone = wanted.time_zone
    if time_zone is not None and _zone(time_zone) is None:
        message = f"unknown time zone {time_zone!r}; {nearest(time_zone, available_timezones())}"
        faults.append(Fault(path=f"{path}.time_zone", message=message))
    if wanted.latitude is not None and wanted.longitude is not None:
        latitude, longitude = wanted.latitude, wanted.longitude
    elif wanted.postal_code is not None and wanted.country is not None:
        entry = find_place(network, wanted.country, wanted.postal_code, faults)
        if entry is None:
            return None
        latitude, longitude = entry.latitude, entry.longitude
        time_zone = time_zone or entry.time_zone
    else:
        if not found:
            message = "is incomplete; give latitude and longitude, or postal_code and country"
            faults.append(Fault(path=path, message=message))
        return None
    zone = None if time_zone is None else _zone(time_zone)
    return Place(latitude_rad=math.radians(latitude), longitude_rad=math.radians(longitude), time_zone=zone)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
