"""The parcels of a plan for its check: what is in them, how far they go, and what their services ask, by arrays.

Distances are haversines, steps of rates are looked up by weight: nothing of this is the solvers' (solvers/cost.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.problem import (
    ANY_LEVEL,
    DISTANCE_TOLERANCE_KM,
    EARTH_RADIUS_KM,
    NO_DUE_DATE,
    UNREACHABLE,
    FloatArray,
    IntArray,
    RoutingProblem,
)

NO_ZONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """One parcel per order and node; `of_row` tells the parcel of each shipped row, `first` a row of each parcel."""

    problem: RoutingProblem
    order: IntArray
    node: IntArray
    weight_g: IntArray
    zone: IntArray
    """`NO_ZONE` beyond the last zone, or farther than is allowed."""
    first: IntArray
    of_row: IntArray

    def carried_by(self, service: IntArray) -> NDArray[np.bool_]:
        """Return whether a service (one per parcel) carries each parcel: to its zone, its weight, in time."""
        problem = self.problem
        step, late = self._step(service), problem.terms.late_day_cost_cents
        known = step >= 0
        days = np.full(len(step), UNREACHABLE, np.int64)
        days[known] = self._days(service[known], step[known], self.node[known])
        due = problem.orders.due_days[self.order]
        in_time = (due == NO_DUE_DATE) | (days <= due) | (late is not None)
        level = problem.orders.service_level
        fits = np.ones(len(step), np.bool_)
        if level is not None and problem.service_level is not None:
            wanted = level[self.order]
            fits = (wanted == ANY_LEVEL) | (wanted == problem.service_level[service])
        carried: NDArray[np.bool_] = known & (days < UNREACHABLE) & in_time & fits
        return carried

    def cents_by(self, service: IntArray) -> tuple[IntArray, IntArray]:
        """Return what the service of each parcel costs, and being late, in cents; all must be carried."""
        problem, step = self.problem, self._step(service)
        due, days = problem.orders.due_days[self.order], self._days(service, step, self.node)
        overdue = np.where(due == NO_DUE_DATE, 0, np.maximum(days - due, 0))
        return problem.rates.cost_cents[step], overdue * (problem.terms.late_day_cost_cents or 0)

    def _step(self, service: IntArray) -> IntArray:
        """Return the step of the rate card of each parcel, -1 if there is none for its zone and weight."""
        rates = self.problem.rates
        found = np.full(len(service), -1, np.int64)
        card = service * len(rates.zones) + self.zone
        for each in np.unique(card[self.zone >= 0]).tolist():
            of_card = np.flatnonzero((card == each) & (self.zone >= 0))
            begin, end = int(rates.start[each]), int(rates.start[each + 1])
            step = begin + np.searchsorted(rates.max_weight_g[begin:end], self.weight_g[of_card], side="left")
            found[of_card] = np.where(step < end, step, -1)
        return found

    def _days(self, service: IntArray, step: IntArray, node: IntArray) -> IntArray:
        rates = self.problem.rates
        transit = rates.transit_days[step]
        return transit if rates.delivery_days is None else rates.delivery_days[node, service, transit]


def parcels_of(problem: RoutingProblem, line: IntArray, node: IntArray, quantity: IntArray) -> Parcels:
    """Return the parcels of shipped rows: line, node and units of each."""
    count = len(problem.nodes.node_ids)
    key = problem.line_order[line] * count + node
    found, first, of_row = np.unique(key, return_index=True, return_inverse=True)
    of_row = of_row.reshape(-1)
    weight = np.zeros(len(found), np.int64)
    np.add.at(weight, of_row, problem.weight_g[problem.orders.line_sku[line]] * quantity)
    order, at = np.divmod(found, max(1, count))
    return Parcels(
        problem=problem,
        order=order,
        node=at,
        weight_g=weight,
        zone=zones_of(problem, order, at),
        first=first,
        of_row=of_row,
    )


def zones_of(problem: RoutingProblem, order: IntArray, node: IntArray) -> IntArray:
    """Return the zone of each pair of order and node; `NO_ZONE` as for parcels."""
    km = _haversine_km(
        problem.orders.latitude[order],
        problem.orders.longitude[order],
        problem.nodes.latitude[node],
        problem.nodes.longitude[node],
    )
    zone = np.searchsorted(problem.rates.zone_max_km, km - DISTANCE_TOLERANCE_KM, side="left")
    reached = (km <= problem.terms.max_distance_km + DISTANCE_TOLERANCE_KM) & (zone < len(problem.rates.zones))
    return np.where(reached, zone, NO_ZONE)


def _haversine_km(
    latitude: FloatArray, longitude: FloatArray, to_latitude: FloatArray, to_longitude: FloatArray
) -> FloatArray:
    """Return great-circle distances in km of points in degrees."""
    phi, to_phi = np.radians(latitude), np.radians(to_latitude)
    half = np.sin((to_phi - phi) / 2) ** 2
    half += np.cos(phi) * np.cos(to_phi) * np.sin(np.radians(to_longitude - longitude) / 2) ** 2
    km: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return km
