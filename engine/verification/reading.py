"""Reading a problem folder into a `Problem`, complaining with file, line and column.

Here: what the cells mean, references, duplicates, the limit on costs. Not here: which files there are (folder.py),
CSV itself (table.py), problem.json (settings.py), pins and an earlier plan (earlier.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.verification.earlier import current_nodes, pinned_nodes, with_earlier
from engine.verification.folder import FolderFiles, read_files
from engine.verification.problem import Line, Node, Order, Place, Problem, Rate, Terms, Zone
from engine.verification.settings import read_terms
from engine.verification.table import MOST, MOST_UNITS, Faults, Table, refuse_duplicates, refuse_unknown


def read_problem(folder: Path) -> Problem:
    """Read a problem folder; raise InvalidInput with every place found where it breaks the contract."""
    faults = Faults()
    files = read_files(folder, faults)
    terms = read_terms(files.settings)
    tables = files.tables
    nodes = _nodes(tables["nodes"], files)
    weight_g = _weights(tables.get("products"), files)
    orders = _orders(tables["orders"], tables["order_lines"], terms, files)
    ordered = [(row, sku) for row, sku in enumerate(tables["order_lines"].columns["sku"])]
    stocked = [(row, sku) for row, sku in enumerate(tables["stock"].columns["sku"])]
    if weight_g or not files.has_lanes:
        for table, cells in ((tables["order_lines"], ordered), (tables["stock"], stocked)):
            refuse_unknown(table, "sku", cells, weight_g, "products.csv")
    pinned = pinned_nodes(tables.get("pins"), orders, nodes)
    current = current_nodes(tables.get("current_plan"), orders, nodes)
    problem = Problem(
        terms=terms,
        nodes=nodes,
        orders=with_earlier(orders, pinned, current, terms),
        weight_g=weight_g,
        available=_available(tables["stock"], nodes),
        zones=() if files.has_lanes else _zones(tables["zones"], tables["rates"]),
        lanes=_lanes(tables["lanes"], nodes, orders) if files.has_lanes else None,
        sha256=files.sha256,
        has_current_plan="current_plan" in tables,
    )
    if files.has_lanes and "zones" in tables and "rates" in tables:
        _zones(tables["zones"], tables["rates"])  # unused beside lanes, and still not allowed to be wrong
    faults.stop_if_any()
    _refuse_unbounded_costs(problem)
    return problem


def _nodes(table: Table, files: FolderFiles) -> dict[str, Node]:
    names = table.names("node_id")
    refuse_duplicates(table, "node_id", names)
    table.whole_or_blank("priority", least=-MOST)
    columns = zip(
        names,
        _places(table, files),
        table.whole("parcel_cost_cents"),
        table.whole("unit_cost_cents"),
        table.whole_or_blank("capacity_units"),
        table.whole_or_blank("capacity_parcels"),
        strict=True,
    )
    nodes = [
        Node(
            node_id=node_id,
            place=place,
            parcel_cost_cents=parcel_cost_cents,
            unit_cost_cents=unit_cost_cents,
            capacity_units=capacity_units,
            capacity_parcels=capacity_parcels,
        )
        for node_id, place, parcel_cost_cents, unit_cost_cents, capacity_units, capacity_parcels in columns
    ]
    return {node.node_id: node for node in sorted(nodes, key=lambda node: node.node_id)}


def _places(table: Table, files: FolderFiles) -> list[Place | None]:
    latitudes = table.decimal_or_blank("latitude", least=-90, most=90, blank=files.has_lanes)
    longitudes = table.decimal_or_blank("longitude", least=-180, most=180, blank=files.has_lanes)
    places: list[Place | None] = []
    for row, (latitude, longitude) in enumerate(zip(latitudes, longitudes, strict=True)):
        if latitude is not None and longitude is not None:
            places.append(Place(latitude=latitude, longitude=longitude))
            continue
        places.append(None)
        if bool(table.columns["latitude"][row]) != bool(table.columns["longitude"][row]):
            table.fault(row, "latitude", "latitude and longitude must both be given or both be blank")
    return places


def _weights(table: Table | None, files: FolderFiles) -> dict[str, int]:
    """Return grams by SKU; beside lanes a weight may be blank (it does not matter) and the table absent."""
    if table is None:
        return {}
    names = table.names("sku")
    refuse_duplicates(table, "sku", names)
    grams = table.whole_or_blank("weight_g") if files.has_lanes else table.whole("weight_g")
    return {name: weight or 0 for name, weight in zip(names, grams, strict=True)}


def _available(table: Table, nodes: dict[str, Node]) -> dict[str, dict[str, int]]:
    node_ids, skus = table.names("node_id"), table.names("sku")
    refuse_unknown(table, "node_id", list(enumerate(node_ids)), nodes, "nodes.csv")
    refuse_duplicates(table, "sku", list(zip(node_ids, skus, strict=True)))
    available: dict[str, dict[str, int]] = defaultdict(dict)
    for node_id, sku, units in zip(node_ids, skus, table.whole("available"), strict=True):
        available[sku][node_id] = units
    return dict(available)


def _orders(orders: Table, lines: Table, terms: Terms, files: FolderFiles) -> dict[str, Order]:
    names = orders.names("order_id")
    refuse_duplicates(orders, "order_id", names)
    owners, skus = lines.names("order_id"), lines.names("sku")
    known = set(names)
    refuse_unknown(lines, "order_id", list(enumerate(owners)), known, "orders.csv")
    refuse_duplicates(lines, "sku", list(zip(owners, skus, strict=True)))
    lines_of: dict[str, list[Line]] = defaultdict(list)
    for owner, sku, quantity in zip(owners, skus, lines.whole("quantity", least=1, most=MOST_UNITS), strict=True):
        lines_of[owner].append(Line(sku=sku, quantity=quantity))
    columns = zip(
        names,
        _places(orders, files),
        orders.whole_or_blank("due_days"),
        orders.whole_or_blank("max_nodes"),
        strict=True,
    )
    found = [
        Order(
            order_id=order_id,
            place=place,
            due_days=due_days,
            max_nodes=terms.max_nodes_per_order if max_nodes is None else max_nodes,
            lines=tuple(sorted(lines_of[order_id], key=lambda line: line.sku)),
        )
        for order_id, place, due_days, max_nodes in columns
    ]
    return {order.order_id: order for order in sorted(found, key=lambda order: order.order_id)}


def _zones(zones: Table, rates: Table) -> tuple[Zone, ...]:
    names = zones.names("zone")
    refuse_duplicates(zones, "zone", names)
    radii = zones.decimal_or_blank("max_km", least=0, most=math.inf, blank=True)
    limits = [math.inf if radius is None else radius for radius in radii]
    refuse_duplicates(zones, "max_km", limits)
    services, zone_cells = rates.names("service"), rates.names("zone")
    refuse_unknown(rates, "zone", list(enumerate(zone_cells)), set(names), "zones.csv")
    steps = rates.whole("max_weight_g")
    refuse_duplicates(rates, "max_weight_g", list(zip(services, zone_cells, steps, strict=True)))
    rates_of: dict[str, list[Rate]] = defaultdict(list)
    columns = zip(services, zone_cells, steps, rates.whole("cost_cents"), rates.whole("transit_days"), strict=True)
    for service, zone, step, cost_cents, transit_days in columns:
        rate = Rate(service=service, max_weight_g=step, cost_cents=cost_cents, transit_days=transit_days)
        rates_of[zone].append(rate)
    by_radius = sorted(zip(limits, names, strict=True))
    return tuple(Zone(zone=name, max_km=limit, rates=tuple(rates_of[name])) for limit, name in by_radius)


def _lanes(table: Table, nodes: dict[str, Node], orders: dict[str, Order]) -> dict[str, dict[str, tuple[Rate, ...]]]:
    node_ids, order_ids, services = table.names("node_id"), table.names("order_id"), table.names("service")
    refuse_unknown(table, "node_id", list(enumerate(node_ids)), nodes, "nodes.csv")
    refuse_unknown(table, "order_id", list(enumerate(order_ids)), orders, "orders.csv")
    refuse_duplicates(table, "service", list(zip(node_ids, order_ids, services, strict=True)))
    lanes: dict[str, dict[str, tuple[Rate, ...]]] = defaultdict(dict)
    columns = zip(node_ids, order_ids, services, table.whole("cost_cents"), table.whole("transit_days"), strict=True)
    for node_id, order_id, service, cost_cents, transit_days in columns:
        rate = Rate(service=service, max_weight_g=None, cost_cents=cost_cents, transit_days=transit_days)
        lanes[order_id][node_id] = (*lanes[order_id].get(node_id, ()), rate)
    return dict(lanes)


def _refuse_unbounded_costs(problem: Problem) -> None:
    """Refuse a problem whose worst conceivable total is not below 2^53 cents, as sums would no longer be exact."""
    terms, nodes = problem.terms, problem.nodes.values()
    rates = [rate for zone in problem.zones for rate in zone.rates]
    rates += [rate for lanes in (problem.lanes or {}).values() for found in lanes.values() for rate in found]
    longest = max((rate.transit_days for rate in rates), default=0)
    parcel = max((node.parcel_cost_cents for node in nodes), default=0)
    parcel += max((rate.cost_cents for rate in rates), default=0)
    unit = max(terms.backorder_cost_cents_per_unit, max((node.unit_cost_cents for node in nodes), default=0))
    total = 0
    for order in problem.orders.values():
        parts = order.units if terms.line_split_allowed else len(order.lines)
        parcels = min(parts, len(problem.nodes), parts if order.max_nodes is None else order.max_nodes)
        late = (terms.late_day_cost_cents or 0) * max(
            0, longest - (longest if order.due_days is None else order.due_days)
        )
        total += order.units * unit + parcels * (parcel + late) + max(0, parcels - 1) * terms.split_cost_cents
        total += sum(line.move_cost_cents for line in order.lines)
    if total > MOST:
        message = f"the worst total cost could reach {total} cents; keep it below 2^53: lower costs or quantities"
        raise InvalidInput(Fault(path="problem.json", message=message))
