"""Whether a plan keeps the rules: one function per rule of the problem folder, each returning its disagreements.

Not here: money and counts (summary_checks.py), the bound (certificate.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.verification.problem import Problem
from engine.verification.shipped import Shipped
from engine.verification.verdict import Check, Disagreement, check


def plan_checks(problem: Problem, shipped: Shipped) -> list[Check]:
    """Return one check for each rule that a plan must keep."""
    return [
        check("lines", "Every ordered unit is planned exactly once", _lines(problem, shipped)),
        check("line_split", "No line is split where that is not allowed", _line_split(problem, shipped)),
        check("pins", "No pinned line leaves another node", _pins(problem, shipped)),
        check("stock", "No node ships more of a SKU than it has", _stock(problem, shipped)),
        check("capacity", "Every node keeps to its units and parcels", _capacity(problem, shipped)),
        check("max_nodes", "No order leaves in more parcels than it may", _max_nodes(shipped)),
        check("max_distance", "No parcel travels farther than allowed", _max_distance(problem, shipped)),
        check("eligibility", "Every parcel has a lane or zone, and a service in time", _eligibility(shipped)),
        check("service", "Every parcel travels by its cheapest service", _service(shipped)),
    ]


def _lines(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    yield from shipped.unknown
    for order in problem.orders.values():
        for line in order.lines:
            rows = shipped.rows_by_line[order.order_id, line.sku]
            planned = sum(row.quantity for row in rows)
            if planned != line.quantity:
                place = rows[0].place if rows else "plan.csv"
                message = f"order {order.order_id}, SKU {line.sku}: {line.quantity} ordered, {planned} planned"
                yield Disagreement(place=place, message=message)


def _line_split(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    if problem.terms.line_split_allowed:
        return
    for (order_id, sku), rows in shipped.rows_by_line.items():
        if len(rows) > 1:
            parts = ", ".join(f"{row.quantity} from {row.node_id or 'nowhere (backorder)'}" for row in rows)
            message = f"order {order_id}, SKU {sku} is split ({parts}), and line_split is never"
            yield Disagreement(place=rows[1].place, message=message)


def _pins(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    for order in problem.orders.values():
        for line in order.lines:
            for row in shipped.rows_by_line[order.order_id, line.sku] if line.pinned_node_id else ():
                if row.node_id and not line.may_leave(row.node_id):
                    message = f"order {order.order_id}, SKU {line.sku} leaves {row.node_id}, and is pinned to "
                    yield Disagreement(place=row.place, message=message + str(line.pinned_node_id))


def _stock(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    used: Counter[tuple[str, str]] = Counter()
    for parcel in shipped.parcels:
        for row in parcel.rows:
            used[row.node_id, row.sku] += row.quantity
    for (node_id, sku), units in sorted(used.items()):
        available = problem.available.get(sku, {}).get(node_id, 0)
        if units > available:
            message = f"{units} units of {sku} leave {node_id}, which has {available}"
            yield Disagreement(place="stock.csv", message=message)


def _capacity(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    units: Counter[str] = Counter()
    parcels: Counter[str] = Counter()
    for parcel in shipped.parcels:
        units[parcel.node.node_id] += parcel.units
        parcels[parcel.node.node_id] += 1
    for node in problem.nodes.values():
        for what, used, capacity in (
            ("units", units[node.node_id], node.capacity_units),
            ("parcels", parcels[node.node_id], node.capacity_parcels),
        ):
            if capacity is not None and used > capacity:
                message = f"{node.node_id} ships {used} {what}, and its capacity_{what} is {capacity}"
                yield Disagreement(place="nodes.csv", message=message)


def _max_nodes(shipped: Shipped) -> Iterator[Disagreement]:
    parcels = Counter(parcel.order.order_id for parcel in shipped.parcels)
    for parcel in shipped.parcels:
        order, most = parcel.order, parcel.order.max_nodes
        count = parcels.pop(order.order_id, 0)  # each order is judged once, at its first parcel
        if most is not None and count > most:
            message = f"order {order.order_id} leaves in {count} parcels, and may in {most}"
            yield Disagreement(place=parcel.place, message=message)


def _max_distance(problem: Problem, shipped: Shipped) -> Iterator[Disagreement]:
    for parcel in shipped.parcels:
        if parcel.too_far:
            message = f"{parcel} travels farther than {problem.terms.max_distance_km:g} km"
            yield Disagreement(place=parcel.place, message=message)


def _eligibility(shipped: Shipped) -> Iterator[Disagreement]:
    for parcel in shipped.parcels:
        due = "" if parcel.order.due_days is None else f" within {parcel.order.due_days} days"
        if parcel.too_far:
            continue
        if not parcel.in_reach:
            yield Disagreement(place=parcel.place, message=f"{parcel} has no lane, or lies beyond the last zone")
        elif not parcel.offers:
            message = f"no service carries {parcel} ({parcel.weight_g} g){due}"
            yield Disagreement(place=parcel.place, message=message)
        else:
            able = [offer.service for offer in parcel.offers]
            for row in parcel.rows:
                if row.service not in able:
                    message = (
                        f"{row.service!r} does not carry {parcel} ({parcel.weight_g} g){due}; {', '.join(able)} would"
                    )
                    yield Disagreement(place=row.place, message=message)


def _service(shipped: Shipped) -> Iterator[Disagreement]:
    for parcel in shipped.parcels:
        by_name = {offer.service: offer for offer in parcel.offers}
        if not parcel.offers:
            continue
        right = parcel.offers[0]
        for row in parcel.rows:
            stated = by_name.get(row.service)
            if stated is not None and stated != right:
                message = (
                    f"{parcel} goes by {row.service} ({stated.cost_cents} cents, {stated.transit_days} days); "
                    f"{right.service} is right ({right.cost_cents} cents, {right.transit_days} days)"
                )
                yield Disagreement(place=row.place, message=message)
