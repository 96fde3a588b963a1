"""The true optimum of problems small enough to try everything; tests import it as `brute_force`.

It shares nothing with the solvers or the checker but the checker's record types: it tries every assignment of every
line (or of every unit, where lines may be split) and costs it from the contract, line by line.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.verification.prices import Prices
from engine.verification.problem import Line, Node, Order, Place, Problem

EARTH_RADIUS_KM = 6371.0088
TOLERANCE_KM = 1e-6

Pattern = tuple[Mapping[str, int], ...]
"""For every line of an order: units by node, those under "" backordered."""
Use = Counter[tuple[str, str]]
"""Units by (node, SKU), and under the pseudo-SKUs "(units)" and "(parcels)" what the node ships in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What was decided before, by (order, SKU): the only node that may ship a line, and the node that has it now."""

    pinned: Mapping[tuple[str, str], str] = field(default_factory=dict)
    current: Mapping[tuple[str, str], str] = field(default_factory=dict)
    move_cost_cents: int = 0

    def allows(self, order: Order, pattern: Pattern) -> bool:
        """Say whether no pinned line leaves another node."""
        return all(
            node_id in ("", self.pinned.get((order.order_id, line.sku), node_id))
            for line, units in zip(order.lines, pattern, strict=True)
            for node_id in units
        )

    def cents(self, order: Order, pattern: Pattern, *, split: bool) -> int:
        """Return what it costs that lines (their units, where lines may be split) are not where they were."""
        cost = 0
        for line, units in zip(order.lines, pattern, strict=True):
            node_id = self.current.get((order.order_id, line.sku))
            moved = 0 if node_id is None else line.quantity - units.get(node_id, 0)
            each = math.ceil(self.move_cost_cents / line.quantity)
            cost += each * moved if split else self.move_cost_cents * (moved > 0)
        return cost


def earlier_of(settings: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Earlier:
    """Return what `pins` and `current_plan` say, read row by row as the contract has it; None is a blank."""
    nodes, before = {row["node_id"] for row in tables["nodes"]}, tables.get("current_plan", ())
    rows_of = Counter((row["order_id"], row["sku"]) for row in before)
    return Earlier(
        pinned={(row["order_id"], row["sku"]): row["node_id"] for row in tables.get("pins", ())},
        current={
            (row["order_id"], row["sku"]): row["node_id"]
            for row in before
            if rows_of[row["order_id"], row["sku"]] == 1 and row["node_id"] in nodes
        },
        move_cost_cents=settings.get("move_cost_cents", 0),
    )


def distance_km(a: Place, b: Place) -> float:
    """Return the great-circle distance by the angle between two vectors, which is exact near and far."""

    def point(place: Place) -> tuple[float, float, float]:
        lat, lon = math.radians(place.latitude), math.radians(place.longitude)
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    p, q = point(a), point(b)
    across = math.dist((p[1] * q[2], p[2] * q[0], p[0] * q[1]), (p[2] * q[1], p[0] * q[2], p[1] * q[0]))
    return EARTH_RADIUS_KM * math.atan2(across, sum(x * y for x, y in zip(p, q, strict=True)))


def service_cost(problem: Problem, order: Order, node: Node, weight_g: int) -> int | None:
    """Return service plus late cents of a parcel, None if no service may carry it."""
    km = distance_km(node.place, order.place) if node.place and order.place else None
    most_km = problem.terms.max_distance_km
    if km is not None and most_km is not None and km > most_km + TOLERANCE_KM:
        return None
    if problem.lanes is not None:
        steps = list(problem.lanes.get(order.order_id, {}).get(node.node_id, ()))
    else:
        assert km is not None
        steps = list(next((zone.rates for zone in problem.zones if zone.max_km + TOLERANCE_KM >= km), ()))
    best: int | None = None
    for service in {rate.service for rate in steps}:
        able = [rate for rate in steps if rate.service == service and _carries(rate.max_weight_g, weight_g)]
        if not able:
            continue
        rate = min(able, key=lambda rate: math.inf if rate.max_weight_g is None else rate.max_weight_g)
        late = 0 if order.due_days is None else max(0, rate.transit_days - order.due_days)
        if late and problem.terms.late_day_cost_cents is None:
            continue
        cost = rate.cost_cents + late * (problem.terms.late_day_cost_cents or 0)
        best = cost if best is None else min(best, cost)
    return best


def _carries(max_weight_g: int | None, weight_g: int) -> bool:
    return max_weight_g is None or max_weight_g >= weight_g


def pattern_cost(problem: Problem, order: Order, pattern: Pattern) -> int | None:
    """Return what a pattern costs in cents, None if it is not allowed for the order on its own."""
    nodes = sorted({node_id for units in pattern for node_id in units if node_id})
    if order.max_nodes is not None and len(nodes) > order.max_nodes:
        return None
    terms = problem.terms
    cost = terms.split_cost_cents * max(0, len(nodes) - 1)
    cost += terms.backorder_cost_cents_per_unit * sum(units.get("", 0) for units in pattern)
    for node_id in nodes:
        node = problem.nodes[node_id]
        shipped = [units.get(node_id, 0) for units in pattern]
        weight = sum(
            units * problem.weight_g.get(line.sku, 0) for units, line in zip(shipped, order.lines, strict=True)
        )
        carriage = service_cost(problem, order, node, weight)
        if carriage is None:
            return None
        cost += node.parcel_cost_cents + carriage + node.unit_cost_cents * sum(shipped)
    return cost


def ways(line: Line, node_ids: tuple[str, ...], *, split: bool) -> Iterator[Mapping[str, int]]:
    """Yield every way to deal with a line."""
    choices = ("", *node_ids)
    if not split:
        yield from ({choice: line.quantity} for choice in choices)
        return
    for combination in itertools.combinations_with_replacement(choices, line.quantity):
        yield Counter(combination)


def use(order: Order, pattern: Pattern) -> Use:
    """Return what a pattern uses."""
    used: Use = Counter()
    for line, units in zip(order.lines, pattern, strict=True):
        for node_id, count in units.items():
            if node_id:
                used[node_id, line.sku] += count
                used[node_id, "(units)"] += count
    used.update((node_id, "(parcels)") for node_id in {node_id for node_id, _ in used})
    return used


def limit(problem: Problem, node_id: str, what: str) -> int | None:
    """Return what there is of a resource, None if there is no limit."""
    node = problem.nodes[node_id]
    capacity = {"(units)": node.capacity_units, "(parcels)": node.capacity_parcels}
    return capacity[what] if what in capacity else problem.available.get(what, {}).get(node_id, 0)


def fits(problem: Problem, used: Use) -> bool:
    """Say whether there is enough of everything."""
    limits = ((limit(problem, *resource), count) for resource, count in used.items())
    return all(most is None or count <= most for most, count in limits)


def patterns(problem: Problem, order: Order) -> Iterator[tuple[int, Pattern, Use]]:
    """Yield every pattern that is feasible for the order alone, with its cost in cents and what it uses."""
    split, node_ids = problem.terms.line_split_allowed, tuple(problem.nodes)
    holding = [
        tuple(n for n in node_ids if problem.available.get(line.sku, {}).get(n, 0) >= (1 if split else line.quantity))
        for line in order.lines
    ]
    each = (ways(line, nodes, split=split) for line, nodes in zip(order.lines, holding, strict=True))
    for pattern in itertools.product(*each):
        used = use(order, pattern)
        cost = pattern_cost(problem, order, pattern) if fits(problem, used) else None
        if cost is not None:
            yield cost, pattern, used


def optimum_cents(problem: Problem, earlier: Earlier | None = None) -> int:
    """Return the least cost of all plans, by branch and bound over every order's patterns."""
    before, split = earlier or Earlier(), problem.terms.line_split_allowed
    choices: list[list[tuple[int, list[tuple[tuple[str, str], int]]]]] = []
    for order in problem.orders.values():
        everything = problem.terms.backorder_cost_cents_per_unit * sum(line.quantity for line in order.lines)
        everything += before.cents(order, tuple({} for _ in order.lines), split=split)
        found = (
            (cost + before.cents(order, pattern, split=split), list(used.items()))
            for cost, pattern, used in patterns(problem, order)
            if before.allows(order, pattern)
        )
        worth = [choice for choice in found if choice[0] < everything]
        choices.append(sorted([*worth, (everything, [])], key=lambda choice: choice[0]))
    least_after = [*reversed(list(itertools.accumulate(found[0][0] for found in reversed(choices)))), 0]
    left: dict[tuple[str, str], float] = {}
    for costed in choices:
        for _, used in costed:
            for resource, _count in used:
                most = limit(problem, *resource)
                left[resource] = math.inf if most is None else most
    best = math.inf

    def search(at: int, cost: int) -> None:
        nonlocal best
        if cost + least_after[at] >= best:
            return
        if at == len(choices):
            best = cost
            return
        for cents, used in choices[at]:
            if cost + cents + least_after[at + 1] >= best:
                return
            if all(left[resource] >= count for resource, count in used):
                for resource, count in used:
                    left[resource] -= count
                search(at + 1, cost + cents)
                for resource, count in used:
                    left[resource] += count

    search(0, 0)
    return int(best)


def cheapest_millicents(problem: Problem, prices: Prices, order: Order, earlier: Earlier | None = None) -> int:
    """Return the least cost of an order at the prices by trying every pattern."""
    before, split = earlier or Earlier(), problem.terms.line_split_allowed

    def priced(cost: int, pattern: Pattern) -> int:
        total = 1000 * (cost + before.cents(order, pattern, split=split))
        for line, units in zip(order.lines, pattern, strict=True):
            for node_id, count in units.items():
                found = prices.stock.get(line.sku, {}).get(node_id, ())
                total += sum(price.p * count // price.q * price.price_millicents for price in found)
                total += count * prices.units.get(node_id, 0)
        return total + sum(prices.parcels.get(node_id, 0) for node_id in {n for units in pattern for n in units if n})

    found = ((cost, pattern) for cost, pattern, _ in patterns(problem, order) if before.allows(order, pattern))
    return min(priced(cost, pattern) for cost, pattern in found)
