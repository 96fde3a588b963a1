"""What a parcel from a node to an order costs to carry: distance, zone, due date, and the cheapest service by weight.

Here: everything between a pair (node, order) and its best offer. Not here: node costs, splits, plans.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from engine.verification.problem import Node, Order, Place, Problem, Rate

EARTH_RADIUS_KM = 6371.0088
TOLERANCE_KM = 1e-6
IMPOSSIBLE = 1 << 200
"""A cost above every possible one, for what cannot be shipped; an integer, so that all sums stay integers."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Offer:
    """One way to carry a parcel; the least offer is the right one: service and late cost, then days, then name."""

    cost_cents: int
    transit_days: int
    service: str
    late_cents: int

    @property
    def shipping_cents(self) -> int:
        """The service's own price, without the cost of being late."""
        return self.cost_cents - self.late_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The offers for parcels of any weight from one node to one order, as steps over the weight.

    A parcel of w grams is of the first step whose `limits_g` is not below w; beyond the last step nothing carries it.
    `offers[i]` is every eligible offer of step i, the right one first; `cheapest[i]` its cost in cents, or IMPOSSIBLE.
    """

    limits_g: Sequence[float]
    offers: Sequence[tuple[Offer, ...]]
    cheapest: Sequence[int]

    def offers_for(self, weight_g: int) -> tuple[Offer, ...]:
        """Return the eligible offers for a parcel of so many grams, the right one first."""
        step = bisect_left(self.limits_g, weight_g)
        return self.offers[step] if step < len(self.offers) else ()

    def costs(self, weights_g: Sequence[int]) -> list[int]:
        """Return the cost in cents of parcels of these weights."""
        by_step = [*self.cheapest, IMPOSSIBLE]
        limits_g = self.limits_g
        return [by_step[bisect_left(limits_g, weight_g)] for weight_g in weights_g]


def build_tariff(rates: Sequence[Rate], due_days: int | None, late_day_cost_cents: int | None) -> Tariff:
    """Build the tariff of a set of service steps for an order that is due in so many days (None: no deadline)."""
    steps: dict[str, list[tuple[float, Rate]]] = {}
    for rate in rates:
        limit_g = math.inf if rate.max_weight_g is None else rate.max_weight_g
        steps.setdefault(rate.service, []).append((limit_g, rate))
    for found in steps.values():
        found.sort(key=lambda step: step[0])
    limits_g = sorted({limit_g for found in steps.values() for limit_g, _ in found})
    offers = [_offers_at(limit_g, steps, due_days, late_day_cost_cents) for limit_g in limits_g]
    cheapest = [found[0].cost_cents if found else IMPOSSIBLE for found in offers]
    return Tariff(limits_g=limits_g, offers=offers, cheapest=cheapest)


def _offers_at(
    limit_g: float,
    steps: dict[str, list[tuple[float, Rate]]],
    due_days: int | None,
    late_day_cost_cents: int | None,
) -> tuple[Offer, ...]:
    offers: list[Offer] = []
    for service, found in steps.items():
        rate = next((rate for upper_g, rate in found if upper_g >= limit_g), None)
        if rate is None:
            continue
        late_days = 0 if due_days is None else max(0, rate.transit_days - due_days)
        if late_days and late_day_cost_cents is None:
            continue
        late_cents = late_days * (late_day_cost_cents or 0)
        cost_cents = rate.cost_cents + late_cents
        offers.append(
            Offer(cost_cents=cost_cents, transit_days=rate.transit_days, service=service, late_cents=late_cents)
        )
    return tuple(sorted(offers))


class Tariffs:
    """Finds the tariff of every pair (node, order) of a problem, or None where the node may not serve the order."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._most_km = problem.terms.max_distance_km
        self._limits_km = [zone.max_km + TOLERANCE_KM for zone in problem.zones]
        self._by_zone: dict[tuple[int, int | None], Tariff] = {}

    def tariff(self, node: Node, order: Order) -> Tariff | None:
        """Return how parcels travel from `node` to `order`; None if there is no lane or zone, or it is too far."""
        if self.too_far(node, order):
            return None
        late_day_cost_cents = self._problem.terms.late_day_cost_cents
        if self._problem.lanes is not None:
            rates = self._problem.lanes.get(order.order_id, {}).get(node.node_id)
            return build_tariff(rates, order.due_days, late_day_cost_cents) if rates else None
        if node.place is None or order.place is None:
            return None
        zone = bisect_left(self._limits_km, distance_km(node.place, order.place))
        if zone == len(self._limits_km):
            return None
        key = (zone, order.due_days)
        found = self._by_zone.get(key)
        if found is None:
            found = build_tariff(self._problem.zones[zone].rates, order.due_days, late_day_cost_cents)
            self._by_zone[key] = found
        return found

    def too_far(self, node: Node, order: Order) -> bool:
        """Say whether the order lies beyond `max_distance_km` of the node; unknown places are not too far."""
        if self._most_km is None or node.place is None or order.place is None:
            return False
        return distance_km(node.place, order.place) > self._most_km + TOLERANCE_KM


def distance_km(a: Place, b: Place) -> float:
    """Return the great-circle distance in kilometres by the haversine formula (Sinnott 1984)."""
    phi_a, phi_b = math.radians(a.latitude), math.radians(b.latitude)
    across = math.sin((phi_b - phi_a) / 2) ** 2
    along = math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, across + along)))
