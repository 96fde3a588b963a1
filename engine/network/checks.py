"""The rules of a network document that span fields: references, duplicates, order, overlaps.

Here: every rule, each collecting all its faults. Not here: the shape of single fields (document.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import pairwise
from zoneinfo import available_timezones

import holidays

from engine.errors import Fault
from engine.faults import nearest, read_document
from engine.network.addresses import area_entries
from engine.network.delivery_areas import prefixes_of
from engine.network.document import ClosureDocument, NetworkDocument, NodeDocument, UnitRuleDocument
from engine.network.pickup import hours_by_weekday
from engine.network.slot_checks import check_slots

MOST_CLOSURE_SETS = 1_000
"""Each is tabulated like a calendar."""

MOST_HANDLING_CLASSES = 60


def parse_network(body: bytes, source: str | None = None) -> NetworkDocument:
    """Read and check a network document; raise `InvalidInput` with every fault, `source` (a file) before each path."""
    return read_document(NetworkDocument, body, source, check=check_network)


def check_network(document: NetworkDocument) -> list[Fault]:
    """Return every breach of the rules that span fields; an empty list means the document is sound."""
    return [
        *_nodes(document),
        *_transfers(document),
        *_groups(document),
        *_calendars(document),
        *_zones(document),
        *_services(document),
        *_handling(document),
        *_freight(document),
        *_areas(document),
        *_postal_codes(document),
        *_delivery_areas(document),
        *check_slots(document),
        *_unit_rules(document),
    ]


def duplicates(path: str, key: str, values: Iterable[object]) -> Iterator[Fault]:
    """Yield a fault for each value that came before; `path` names the list, `key` the field ("" for the entry)."""
    first: dict[object, int] = {}
    for index, value in enumerate(values):
        seen = first.setdefault(value, index)
        if seen != index:
            shown = value if isinstance(value, str) else str(value)
            place = f"{path}[{index}]" + (f".{key}" if key else "")
            yield Fault(path=place, message=f"{shown!r} is already at {path}[{seen}]; remove one of them")


def unknown(path: str, kind: str, value: str, known: Set[str]) -> Iterator[Fault]:
    """Yield a fault if `value` is not one of the known identifiers."""
    if value not in known:
        yield Fault(path=path, message=f"unknown {kind} {value!r}; {nearest(value, known)}")


def _nodes(document: NetworkDocument) -> Iterator[Fault]:
    calendars = {entry.calendar for entry in document.calendars}
    services = {entry.service for entry in document.services}
    zones = available_timezones()
    yield from duplicates("$.nodes", "node_id", (node.node_id for node in document.nodes))
    for index, node in enumerate(document.nodes):
        path = f"$.nodes[{index}]"
        yield from unknown(f"{path}.calendar", "calendar", node.calendar, calendars)
        yield from unknown(f"{path}.time_zone", "time zone", node.time_zone, zones)
        for place, service in enumerate(node.services or ()):
            yield from unknown(f"{path}.services[{place}]", "service", service, services)
        yield from duplicates(f"{path}.services", "", node.services or ())
        yield from _pick_ups(f"{path}.pick_ups", node, services)
        yield from _closures(path, node.closures)
        if node.kind != "vendor" and (node.lead_time_days or node.acceptance < 1):
            field = "lead_time_days" if node.lead_time_days else "acceptance"
            message = f"{getattr(node, field)} is for a vendor, and this is a {node.kind}; leave it out"
            yield Fault(path=f"{path}.{field}", message=message)
        if node.kind == "vendor" and node.store_pickup is not None:
            yield Fault(path=f"{path}.store_pickup", message="a vendor ships only; leave it out, or make it a store")
        yield from _opening_hours(f"{path}.store_pickup", node)
    closed = {node.closures for node in document.nodes}
    if len(closed) > MOST_CLOSURE_SETS:
        message = f"have {len(closed)} different lists of closures; at most {MOST_CLOSURE_SETS}, use calendars"
        yield Fault(path="$.nodes", message=message)


def _pick_ups(path: str, node: NodeDocument, services: Set[str]) -> Iterator[Fault]:
    yield from duplicates(path, "service", (entry.service for entry in node.pick_ups))
    for index, entry in enumerate(node.pick_ups):
        yield from unknown(f"{path}[{index}].service", "service", entry.service, services)
        yield from duplicates(f"{path}[{index}].days", "", entry.days or ())
        if node.services is not None and entry.service in services and entry.service not in node.services:
            message = f"{entry.service!r} is not among the services of the node; add it there, or leave this out"
            yield Fault(path=f"{path}[{index}].service", message=message)


def _opening_hours(path: str, node: NodeDocument) -> Iterator[Fault]:
    if node.store_pickup is None:
        return
    faults = [
        Fault(path=f"{path}.hours[{i}]", message=f"closes at {entry.to}, not after {entry.from_}; give later hours")
        for i, entry in enumerate(node.store_pickup.hours)
        if entry.to <= entry.from_
    ]
    yield from faults
    if faults:
        return
    for hours in hours_by_weekday(node):
        for (_, closes, earlier), (opens, _, later) in pairwise(hours):
            if opens < closes:
                message = f"overlaps with hours[{earlier}] on some day; join the two"
                yield Fault(path=f"{path}.hours[{later}]", message=message)
                return
    shortest = min(sum(closes - opens for opens, closes, _ in hours) for hours in hours_by_weekday(node) if hours)
    if node.store_pickup.picking_minutes > shortest:
        message = f"{node.store_pickup.picking_minutes} is more than the {shortest} minutes of a day; give fewer"
        yield Fault(path=f"{path}.picking_minutes", message=message)


def _transfers(document: NetworkDocument) -> Iterator[Fault]:
    nodes = {node.node_id for node in document.nodes}
    hubs = {node.node_id for node in document.nodes if node.hub is not None}
    calendars = {entry.calendar for entry in document.calendars}
    for index, node in enumerate(document.nodes):
        if node.hub is not None and node.kind == "vendor":
            yield Fault(path=f"$.nodes[{index}].hub", message="a vendor packs nothing for us; leave it out")
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(document.transfers):
        path = f"$.transfers[{index}]"
        yield from unknown(f"{path}.from_node_id", "node", entry.from_node_id, nodes)
        yield from unknown(f"{path}.to_node_id", "hub", entry.to_node_id, hubs)
        yield from unknown(f"{path}.calendar", "calendar", entry.calendar, calendars)
        if entry.from_node_id == entry.to_node_id:
            yield Fault(path=f"{path}.to_node_id", message="a node does not send to itself; name another, or remove it")
        seen = first.setdefault((entry.from_node_id, entry.to_node_id), index)
        if seen != index:
            shown = f"{entry.from_node_id!r} to {entry.to_node_id!r}"
            yield Fault(path=path, message=f"{shown} is already at $.transfers[{seen}]; remove one of them")
        if entry.transit_days == 0 and entry.arrives_at is None:
            message = "is needed for a transfer that is there on the day it leaves; add a time of day"
            yield Fault(path=f"{path}.arrives_at", message=message)


def _groups(document: NetworkDocument) -> Iterator[Fault]:
    nodes = {node.node_id for node in document.nodes}
    yield from duplicates("$.groups", "group", (entry.group for entry in document.groups))
    yield from duplicates("$.channels", "channel", (entry.channel for entry in document.channels))
    for index, entry in enumerate(document.groups):
        path = f"$.groups[{index}].node_ids"
        yield from duplicates(path, "", entry.node_ids)
        for place, node_id in enumerate(entry.node_ids):
            yield from unknown(f"{path}[{place}]", "node", node_id, nodes)


def _calendars(document: NetworkDocument) -> Iterator[Fault]:
    yield from duplicates("$.calendars", "calendar", (entry.calendar for entry in document.calendars))
    countries = holidays.list_supported_countries()
    for index, entry in enumerate(document.calendars):
        path = f"$.calendars[{index}]"
        yield from duplicates(f"{path}.working_days", "", entry.working_days)
        yield from duplicates(f"{path}.holidays", "", entry.holidays)
        yield from _closures(path, entry.closures)
        if entry.country is None:
            if entry.region is not None:
                yield Fault(path=f"{path}.region", message=f"{entry.region!r} needs a country; add it")
        elif entry.country not in countries:
            yield from unknown(f"{path}.country", "country", entry.country, set(countries))
        elif entry.region is not None:
            yield from unknown(f"{path}.region", "region", entry.region, set(countries[entry.country]))


def _closures(path: str, closures: Sequence[ClosureDocument]) -> Iterator[Fault]:
    sound = []
    for place, closure in enumerate(closures):
        if closure.to < closure.from_:
            message = f"ends on {closure.to} before it starts on {closure.from_}; swap the two"
            yield Fault(path=f"{path}.closures[{place}]", message=message)
        else:
            sound.append((closure.from_, closure.to, place))
    sound.sort()
    for (_, earlier_to, earlier), (later_from, _, later) in pairwise(sound):
        if later_from <= earlier_to:
            message = f"starts on {later_from}, inside closures[{earlier}], which lasts to {earlier_to}; join the two"
            yield Fault(path=f"{path}.closures[{later}]", message=message)


def _zones(document: NetworkDocument) -> Iterator[Fault]:
    yield from duplicates("$.zones", "zone", (entry.zone for entry in document.zones))
    limits: Sequence[float] = [float("inf") if entry.max_km is None else entry.max_km for entry in document.zones]
    for index in range(1, len(limits)):
        if limits[index] <= limits[index - 1]:
            shown, before = document.zones[index].max_km, document.zones[index - 1].max_km
            message = (
                f"{'unbounded' if shown is None else shown} comes after "
                f"{'unbounded' if before is None else before}; sort zones by max_km, the unbounded one last"
            )
            yield Fault(path=f"$.zones[{index}].max_km", message=message)


def _services(document: NetworkDocument) -> Iterator[Fault]:
    zones = {entry.zone for entry in document.zones}
    calendars = {entry.calendar for entry in document.calendars}
    yield from duplicates("$.services", "service", (entry.service for entry in document.services))
    for index, entry in enumerate(document.services):
        path = f"$.services[{index}]"
        yield from unknown(f"{path}.calendar", "calendar", entry.calendar, calendars)
        first: dict[tuple[str, int], int] = {}
        for place, rate in enumerate(entry.rates):
            yield from unknown(f"{path}.rates[{place}].zone", "zone", rate.zone, zones)
            seen = first.setdefault((rate.zone, rate.max_weight_g), place)
            if seen != place:
                message = (
                    f"zone {rate.zone!r} up to {rate.max_weight_g} g is already at rates[{seen}]; remove one of them"
                )
                yield Fault(path=f"{path}.rates[{place}]", message=message)


def _handling(document: NetworkDocument) -> Iterator[Fault]:
    """Check who takes which handling classes; a class is known by being named, so none of them is unknown."""
    entries = [(f"$.nodes[{i}]", "handles", node.handles, node.refuses) for i, node in enumerate(document.nodes)]
    entries += [(f"$.services[{i}]", "carries", s.carries, s.refuses) for i, s in enumerate(document.services)]
    named: set[str] = set()
    for path, field, taken, refused in entries:
        yield from duplicates(f"{path}.{field}", "", taken or ())
        yield from duplicates(f"{path}.refuses", "", refused)
        named.update(taken or (), refused)
        for place, name in enumerate(refused):
            if name in (taken or ()):
                message = f"{name!r} is in {field} too; take it out of one of them"
                yield Fault(path=f"{path}.refuses[{place}]", message=message)
    if len(named) > MOST_HANDLING_CLASSES:
        message = f"{len(named)} handling classes are named in all; at most {MOST_HANDLING_CLASSES} are possible"
        yield Fault(path="$.services", message=message)


def _freight(document: NetworkDocument) -> Iterator[Fault]:
    yield from duplicates("$.cartons", "carton", (entry.carton for entry in document.cartons))
    for index, entry in enumerate(document.services):
        path, rule = f"$.services[{index}]", entry.oversize
        if rule is not None and (rule.longest_mm, rule.length_and_girth_mm, rule.weight_g) == (None, None, None):
            message = "has no limit; give longest_mm, length_and_girth_mm or weight_g"
            yield Fault(path=f"{path}.oversize", message=message)
        first: dict[tuple[str, str], int] = {}
        for place, area in enumerate(entry.remote_areas):
            for prefix in area.postal_prefixes:
                seen = first.setdefault((area.country, prefix), place)
                if seen != place:
                    message = f"{area.country} {prefix!r} is already in remote_areas[{seen}]; remove one of them"
                    yield Fault(path=f"{path}.remote_areas[{place}].postal_prefixes", message=message)
    policy = document.policy
    if policy.unprofitable != "allow" and policy.min_margin_cents is None and policy.min_margin_basis_points is None:
        message = f"{policy.unprofitable!r} needs min_margin_cents or min_margin_basis_points; add one"
        yield Fault(path="$.policy.unprofitable", message=message)


def _areas(document: NetworkDocument) -> Iterator[Fault]:
    for index, entry in enumerate(document.services):
        named: dict[tuple[str, str], str] = {}
        for country, prefix, is_served in area_entries(entry):
            field, shown = (
                "served_areas" if is_served else "unserved_areas",
                f"{country} {prefix!r}" if prefix else country,
            )
            seen = named.setdefault((country, prefix), field)
            if seen != field:
                message = f"{shown} is in {seen} too; take it out of one of them"
                yield Fault(path=f"$.services[{index}].{field}", message=message)


def _postal_codes(document: NetworkDocument) -> Iterator[Fault]:
    entries = document.postal_codes
    keys = ((entry.country + " " + entry.postal_code) for entry in entries)
    yield from duplicates("$.postal_codes", "postal_code", keys)
    zones = available_timezones() if any(entry.time_zone for entry in entries) else set()
    for index, entry in enumerate(entries):
        if entry.time_zone is not None:
            yield from unknown(f"$.postal_codes[{index}].time_zone", "time zone", entry.time_zone, zones)


def _delivery_areas(document: NetworkDocument) -> Iterator[Fault]:
    calendars = {entry.calendar for entry in document.calendars}
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(document.delivery_areas):
        path = f"$.delivery_areas[{index}]"
        yield from unknown(f"{path}.calendar", "calendar", entry.calendar, calendars)
        for place, prefix in enumerate(prefixes_of(entry)):
            seen = first.setdefault((entry.country, prefix), index)
            field = f"{path}.postal_prefixes[{place}]" if prefix else f"{path}.country"
            if seen != index:
                shown = f"{entry.country} {prefix!r}" if prefix else f"all of {entry.country}"
                yield Fault(path=field, message=f"{shown} is already at $.delivery_areas[{seen}]; remove one of them")
        yield from duplicates(f"{path}.postal_prefixes", "", entry.postal_prefixes or ())


def _unit_rules(document: NetworkDocument) -> Iterator[Fault]:
    for field in ("buffers", "low_stock"):
        rules: Sequence[UnitRuleDocument] = getattr(document.policy, field)
        named = (f"{rule.node_kind or 'every kind'}, {rule.sku_class or 'every product'}" for rule in rules)
        yield from duplicates(f"$.policy.{field}", "", named)
