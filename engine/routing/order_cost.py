"""What one order costs, however its lines are shipped: the parcel kernel of the solvers on one order at a time.

Stock and capacity do not matter here; reach, lanes, services, weight and deadlines do. Not here: what a parcel's
service costs (solvers/cost.py), what stands in a node's way (explaining.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.routing.explanation import RoutedCosts
from solvers.candidates import supply_of
from solvers.cost import INFEASIBLE, best_service, freight
from solvers.problem import ANY_LEVEL, EARTH_RADIUS_KM, NO_DUE_DATE, RoutingProblem


class Load(NamedTuple):
    """What is in a parcel: units, their weight, and of how many lines they are."""

    units: int
    weight_g: int
    lines: int

    def plus(self, units: int, weight_g: int, lines: int = 1) -> Load:
        """Return the load with more in it."""
        return Load(self.units + units, self.weight_g + weight_g, self.lines + lines)


NO_LOAD = Load(0, 0, 0)
Parts = Mapping[int, tuple[tuple[int, int], ...]]
"""(node, units) of each line of the order; what is missing is backordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a parcel is and costs, in cents."""

    service: int
    load: Load
    shipping: int
    handling: int
    units_cents: int
    late: int

    @property
    def cents(self) -> int:
        """All of it."""
        return self.shipping + self.handling + self.units_cents + self.late


class OrderCost:
    """Costs of a problem of one order, in money: what only ranks plans (units that are held already) is left out."""

    def __init__(self, problem: RoutingProblem) -> None:
        orders = problem.orders
        self.problem = problem
        self.quantity: list[int] = orders.line_quantity.tolist()
        self.weight_g: list[int] = problem.weight_g[orders.line_sku].tolist()
        self._freight = freight(problem)
        level = ANY_LEVEL if orders.service_level is None else int(orders.service_level[0])
        self._due, self._level = int(orders.due_days[0]), level
        self._place = self._places()
        self._parcels: dict[tuple[int, Load], Parcel | None] = {}

    def distance_km(self, node: int) -> float | None:
        """Return the great-circle distance to a node, None where either has no coordinates."""
        found = float(self._km[node])
        return None if np.isnan(found) else round(found, 1)

    def is_within_reach(self, node: int) -> bool:
        """Return whether a zone, or a lane, leads from the node to the order."""
        return node in self._place

    def parcel(self, node: int, load: Load) -> Parcel | None:
        """Return the parcel of a load from a node; None if no service may carry it."""
        key = (node, load)
        if key not in self._parcels:
            self._parcels[key] = self._made(node, load)
        return self._parcels[key]

    def is_carried_late(self, node: int, load: Load) -> bool:
        """Return whether some service would carry a parcel if it had no deadline."""
        return self._best(node, load.weight_g, NO_DUE_DATE)[0] < INFEASIBLE

    def loads(self, parts: Parts) -> dict[int, Load]:
        """Return what each node ships."""
        found: dict[int, Load] = {}
        for line, places in parts.items():
            for node, units in places:
                found[node] = found.get(node, NO_LOAD).plus(units, self.weight_g[line] * units)
        return found

    def costs(self, parts: Parts) -> RoutedCosts | None:
        """Return what the order costs so; None if a parcel cannot be carried."""
        terms, made = self.problem.terms, list[Parcel]()
        for node, load in self.loads(parts).items():
            parcel = self.parcel(node, load)
            if parcel is None:
                return None
            made.append(parcel)
        short = sum(self.quantity) - sum(parcel.load.units for parcel in made)
        return RoutedCosts(
            shipping_cents=sum(parcel.shipping for parcel in made),
            handling_cents=sum(parcel.handling for parcel in made),
            units_cents=sum(parcel.units_cents for parcel in made),
            split_cents=terms.split_cost_cents * max(0, len(made) - 1),
            late_cents=sum(parcel.late for parcel in made),
            backorder_cents=terms.backorder_cost_cents_per_unit * short,
            moves_cents=sum(self.moves_cents(line, parts.get(line, ())) for line in range(len(self.quantity))),
        )

    def moves_cents(self, line: int, parts: tuple[tuple[int, int], ...]) -> int:
        """Return what a line costs because an earlier plan has it at another node."""
        current, cents = self.problem.orders.line_current_node, self.problem.terms.move_cost_cents
        if current is None or current[line] < 0 or not cents:
            return 0
        quantity, stays = self.quantity[line], sum(units for node, units in parts if node == current[line])
        if self.problem.terms.line_split:
            return (quantity - stays) * -(-cents // quantity)
        return 0 if stays else cents

    def _best(self, node: int, weight_g: int, due: int) -> tuple[int, int, int]:
        place, end = self._place.get(node, (-1, -1))
        if place < 0:
            return INFEASIBLE, 0, -1
        cents, late, service = best_service(self._freight, node, place, end, weight_g, (due, self._level), False)
        return int(cents), int(late), int(service)

    def _made(self, node: int, load: Load) -> Parcel | None:
        cents, late, service = self._best(node, load.weight_g, self._due)
        if cents >= INFEASIBLE:
            return None
        nodes = self.problem.nodes
        return Parcel(
            service=service,
            load=load,
            shipping=cents - late,
            handling=int(nodes.parcel_cost_cents[node]),
            units_cents=int(nodes.unit_cost_cents[node]) * load.units,
            late=late,
        )

    def _places(self) -> dict[int, tuple[int, int]]:
        """Return the zone of every node within reach, or its first lane and one past its last."""
        problem = self.problem
        lines = np.arange(len(problem.orders.line_sku))
        supply = supply_of(problem, problem.orders.line_start, lines, problem.orders.line_quantity)
        chord = ((supply.node_at - supply.order_at) ** 2).sum(axis=1)
        self._km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(chord) / 2))
        is_near = ~(chord > supply.reach)
        if problem.lanes is not None:
            node = problem.lanes.node
            begin, end = (np.searchsorted(node, np.arange(len(chord)), side=side) for side in ("left", "right"))
            reached = np.flatnonzero(is_near & (end > begin)).tolist()
            return {n: (int(begin[n]), int(end[n])) for n in reached}
        zone = np.searchsorted(supply.zone_reach, chord)
        reached = np.flatnonzero(is_near & (zone < len(supply.zone_reach))).tolist()
        return {n: (int(zone[n]), int(zone[n])) for n in reached}
