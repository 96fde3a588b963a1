"""The one definition of what a parcel costs; every solver asks here.

A parcel is all units of one order from one node. Its service is the eligible one with the least service plus late
cost, ties by transit days, then by service (services are indexed by name). What a parcel costs at the node (parcel and
unit cost) is added by the tables in `tables.py`, split and backorder cost by the pattern in `patterns.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.problem import ANY_LEVEL, NO_DUE_DATE, UNREACHABLE, IntArray, RoutingProblem

INFEASIBLE = 2**60
"""Cents; the cost of a parcel that no service may carry; above every cost, which stays below 2^53."""


class Freight(NamedTuple):
    """Rate cards and lanes in the form the compiled kernels read; see `problem.RateCards` and `problem.Lanes`."""

    explicit_lanes: bool
    service_level: IntArray
    """Per service."""
    zone_count: int
    start: IntArray
    max_weight_g: IntArray
    cost_cents: IntArray
    transit_days: IntArray
    delivery_days: NDArray[np.int64]
    """Shape (nodes, services, transit days), or (0, 0, 0) where transit days are delivery days."""
    lane_service: IntArray
    lane_cost_cents: IntArray
    lane_transit_days: IntArray
    late_day_cost_cents: int
    """-1: late services are not eligible."""


def empty_array(dimensions: int) -> IntArray:
    """Return an empty read-only array: kernels are compiled per type, and a problem's own arrays are read-only."""
    return _zeros(*(0,) * dimensions)


def _zeros(*shape: int) -> IntArray:
    array = np.zeros(shape, np.int64)
    array.setflags(write=False)
    return array


def _row_major(array: IntArray) -> IntArray:
    """Return the array in row-major order and read-only, as the kernels are compiled for."""
    ordered = np.ascontiguousarray(array)
    ordered.setflags(write=False)
    return ordered


def freight(problem: RoutingProblem) -> Freight:
    """Return the problem's freight terms for the kernels."""
    empty = empty_array(1)
    lanes, rates = problem.lanes, problem.rates
    late = problem.terms.late_day_cost_cents
    delivery, levels = rates.delivery_days, problem.service_level
    return Freight(
        explicit_lanes=lanes is not None,
        service_level=_zeros(len(problem.services)) if levels is None else levels,
        zone_count=len(rates.zones),
        start=rates.start,
        max_weight_g=rates.max_weight_g,
        cost_cents=rates.cost_cents,
        transit_days=rates.transit_days,
        delivery_days=empty_array(3) if delivery is None else _row_major(delivery),
        lane_service=empty if lanes is None else lanes.service,
        lane_cost_cents=empty if lanes is None else lanes.cost_cents,
        lane_transit_days=empty if lanes is None else lanes.transit_days,
        late_day_cost_cents=-1 if late is None else late,
    )


@njit(cache=True, nogil=True, inline="always")
def late_cents(freight: Freight, node: int, service: int, transit_days: int, due_days: int) -> int:
    """Return the late cost of a service in cents; `INFEASIBLE` when it would be late and may not."""
    days = transit_days
    if freight.delivery_days.shape[0] > 0:
        days = freight.delivery_days[node, service, transit_days]
        if days >= UNREACHABLE:
            return INFEASIBLE
    if due_days == NO_DUE_DATE or days <= due_days:
        return 0
    if freight.late_day_cost_cents < 0:
        return INFEASIBLE
    return freight.late_day_cost_cents * (days - due_days)


@njit(cache=True, nogil=True)
def best_service(
    freight: Freight, node: int, place: int, place_end: int, weight_g: int, terms: tuple[int, int], heavier_too: bool
) -> tuple[int, int, int]:
    """Return (service + late cents, late cents, service) of the service that carries the parcel.

    `terms` are the order's due days and the service level it wants. `place` is the destination's zone, or the first
    of the pair's lanes (`place_end` is one past the last). With `heavier_too` the cost is the least over all weights
    from `weight_g` up: a lower bound that never falls as lines are added. Returns `INFEASIBLE` and service -1 when no
    service may carry it.
    """
    due_days, level = terms
    best, best_late, best_transit, best_at = INFEASIBLE, 0, 0, -1
    if freight.explicit_lanes:
        for lane in range(place, place_end):
            service, transit = freight.lane_service[lane], freight.lane_transit_days[lane]
            if level not in (ANY_LEVEL, freight.service_level[service]):
                continue
            late = late_cents(freight, node, service, transit, due_days)
            cost = freight.lane_cost_cents[lane] + late
            if late < INFEASIBLE and (
                cost < best
                or (cost == best and (transit < best_transit or (transit == best_transit and service < best_at)))
            ):
                best, best_late, best_transit, best_at = cost, late, transit, service
        return best, best_late, best_at
    for service in range(len(freight.service_level)):
        if level not in (ANY_LEVEL, freight.service_level[service]):
            continue
        row = service * freight.zone_count + place
        step, end = freight.start[row], freight.start[row + 1]
        while step < end and freight.max_weight_g[step] < weight_g:
            step += 1
        while step < end:
            transit = freight.transit_days[step]
            late = late_cents(freight, node, service, transit, due_days)
            cost = freight.cost_cents[step] + late
            if late < INFEASIBLE and (cost < best or (cost == best and transit < best_transit)):
                best, best_late, best_transit, best_at = cost, late, transit, service
            if not heavier_too:
                break
            step += 1
    return best, best_late, best_at
