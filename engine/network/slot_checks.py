"""The rules of slots that span fields: who they are of, times in order, opening hours around those of pick-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import available_timezones

from engine.errors import Fault
from engine.faults import nearest
from engine.network.document import NetworkDocument, NodeDocument, SlotDocument
from engine.network.pickup import WEEKDAYS, hours_by_weekday
from engine.network.time_of_day import minutes_of


def check_slots(document: NetworkDocument) -> Iterator[Fault]:
    """Yield a fault for each breach of the rules of slots."""
    if not document.slots:
        return
    nodes = {node.node_id: node for node in document.nodes}
    levels = {entry.service: entry.service_level for entry in document.services}
    zones = available_timezones() if any(entry.time_zone for entry in document.slots) else set[str]()
    first: dict[str, int] = {}
    for index, entry in enumerate(document.slots):
        path = f"$.slots[{index}]"
        seen = first.setdefault(entry.slot, index)
        if seen != index:
            yield Fault(path=f"{path}.slot", message=f"{entry.slot!r} is already at $.slots[{seen}]; rename one")
        if entry.to <= entry.from_:
            message = f"ends at {entry.to}, not after {entry.from_}; end it later, or divide it at midnight"
            yield Fault(path=f"{path}.to", message=message)
        if entry.cut_off is None and entry.cut_off_days:
            yield Fault(path=f"{path}.cut_off_days", message=f"{entry.cut_off_days} needs a cut_off; add it")
        if entry.node_id is not None and entry.node_id not in nodes:
            message = f"unknown node {entry.node_id!r}; {nearest(entry.node_id, nodes)}"
            yield Fault(path=f"{path}.node_id", message=message)
        if entry.time_zone is not None and entry.time_zone not in zones:
            message = f"unknown time zone {entry.time_zone!r}; {nearest(entry.time_zone, zones)}"
            yield Fault(path=f"{path}.time_zone", message=message)
        if entry.service is None:
            yield from _of_pickup(path, entry, nodes.get(entry.node_id or ""))
        else:
            yield from _of_service(path, entry, entry.service, levels, nodes)


def _of_pickup(path: str, entry: SlotDocument, node: NodeDocument | None) -> Iterator[Fault]:
    if entry.node_id is None:
        yield Fault(path=path, message="is of nobody; give node_id for pick-ups, or service for deliveries")
    for field in ("areas", "time_zone"):
        if getattr(entry, field) is not None:
            yield Fault(path=f"{path}.{field}", message="is for deliveries; leave it out, or give a service")
    if node is None or node.store_pickup is None or entry.to <= entry.from_:
        return
    if any(hours.to <= hours.from_ for hours in node.store_pickup.hours):
        return  # that is a fault of its own
    hours = hours_by_weekday(node)
    opens, closes = minutes_of(entry.from_), minutes_of(entry.to)
    closed = [
        day
        for day in entry.days or WEEKDAYS
        if not any(first <= opens and closes <= last for first, last, _ in hours[WEEKDAYS.index(day)])
    ]
    if closed:
        message = f"is not within the opening hours of {node.node_id!r} on {', '.join(closed)}; leave these days out"
        yield Fault(path=f"{path}.days", message=message)


def _of_service(
    path: str, entry: SlotDocument, service: str, levels: Mapping[str, str], nodes: Mapping[str, NodeDocument]
) -> Iterator[Fault]:
    if service not in levels:
        message = f"unknown service {service!r}; {nearest(service, levels)}"
        yield Fault(path=f"{path}.service", message=message)
    elif levels[service] == "ship_to_store":
        message = f"{service!r} brings parcels to stores; give the slots of picking up there, by node_id only"
        yield Fault(path=f"{path}.service", message=message)
    node = nodes.get(entry.node_id or "")
    if node is not None and node.services is not None and service not in node.services:
        message = f"{service!r} is not among the services of {entry.node_id!r}; add it there, or leave this out"
        yield Fault(path=f"{path}.service", message=message)
    if entry.node_id is None and entry.time_zone is None:
        yield Fault(path=path, message="has times of nowhere; give time_zone, or node_id")
