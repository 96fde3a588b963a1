"""Where a new order goes, and how: to an address, or to a store where it is picked up; every fault with its JSON path.

Not here: the rest of an order (capture.py), which services go there (engine/routing/ways.py).
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import available_timezones

from engine.delivery.pickup import PICKUP, SHIP_TO_STORE
from engine.delivery.promised import PromisedTerms
from engine.errors import Fault
from engine.faults import nearest
from engine.network.document import NodeDocument
from engine.network.model import Network
from engine.network.places import coordinate_faults, find_place
from engine.orders.destination import Destination
from engine.orders.model import NewOrder

_PATH = "$.destination"


def picked_up_at(
    order: NewOrder, promised: PromisedTerms | None, network: Network, faults: list[Fault]
) -> NodeDocument | None:
    """Return the store where an order is picked up, None if it goes to an address, or what was noted is wrong."""
    there = None if promised is None else promised.pickup_node_id
    wanted = order.pickup_node_id
    if promised is not None and wanted is not None and wanted != there:
        other = "delivered to an address" if there is None else f"picked up at {there!r}"
        message = f"{wanted!r} is not what was promised: the reservation was made to be {other}; leave this out"
        faults.append(Fault(path="$.pickup_node_id", message=message))
    node_id = wanted or there
    if node_id is None:
        return None
    node = network.index.get(node_id)
    if node is None:
        message = f"unknown node {node_id!r}; {nearest(node_id, network.index)}"
        faults.append(Fault(path="$.pickup_node_id", message=message))
        return None
    found = network.document.nodes[node]
    if found.kind == "vendor":
        message = f"{node_id!r} is a vendor, which ships only; name a store, or leave it out"
        faults.append(Fault(path="$.pickup_node_id", message=message))
    return found


def check_level(level: str | None, network: Network, faults: list[Fault], *, is_pickup: bool) -> None:
    """Note a service level that nobody has, or that does not go with where the order goes."""
    path = "$.service_level"
    if level is None:
        return
    if is_pickup and level not in (PICKUP, SHIP_TO_STORE):
        message = f"{level!r} goes to no store; a pick-up has the level {PICKUP!r} or {SHIP_TO_STORE!r}, or none"
        faults.append(Fault(path=path, message=message))
    elif not is_pickup and level in (PICKUP, SHIP_TO_STORE):
        message = f"the service level {level!r} needs a pickup_node_id; add it"
        faults.append(Fault(path="$.pickup_node_id", message=message))
    elif not is_pickup and level not in network.service_levels:
        message = f"unknown service level {level!r}; {nearest(level, set(network.service_levels))}"
        faults.append(Fault(path=path, message=message))


def destination_at(store: NodeDocument, wanted: Destination, network: Network, faults: list[Fault]) -> Destination:
    """Return the destination of a pick-up: what the order says, or else the place of the store."""
    if wanted == Destination():
        return Destination(latitude=store.latitude, longitude=store.longitude)
    return destination_of(wanted, network, faults)


def destination_of(wanted: Destination, network: Network, faults: list[Fault]) -> Destination:
    """Return the destination with coordinates, as given or of its postal code, noting every fault."""
    faults.extend(coordinate_faults(wanted.latitude, wanted.longitude))
    if wanted.time_zone is not None and wanted.time_zone not in available_timezones():
        message = f"unknown time zone {wanted.time_zone!r}; {nearest(wanted.time_zone, available_timezones())}"
        faults.append(Fault(path=f"{_PATH}.time_zone", message=message))
    if wanted.latitude is not None and wanted.longitude is not None:
        return wanted
    if wanted.postal_code is None or wanted.country is None:
        faults.append(Fault(path=_PATH, message="give latitude and longitude, or postal_code and country"))
        return wanted
    place = find_place(network, wanted.country, wanted.postal_code, faults)
    return wanted if place is None else replace(wanted, latitude=place.latitude, longitude=place.longitude)
