"""Which nodes could ship a line of which order: by stock, by what an order holds already, by distance or lanes.

A candidate is such a pair of order and node, with the zone (or the lanes) that its freight is priced by. Not here: what
a parcel costs, and what is contested (`tables.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import empty_array
from solvers.kernels import inner
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, IntArray, RoutingProblem

NO_CELL, OWN = -1, -2
"""Instead of a stock entry: the node has too little, or the order holds the units there already."""
_NONE_CLOSED = np.zeros((0, 0), np.bool_)
_NONE_CLOSED.setflags(write=False)


class Supply(NamedTuple):
    """What decides which nodes an order may use."""

    own_node: IntArray
    """Where the order already holds the line, or -1."""
    line_start: IntArray
    sku: IntArray
    least: IntArray
    """Units a node must have to be of use to the line."""
    pinned_node: IntArray
    """The only node that may ship the line, or -1."""
    closed_row: IntArray
    closed: NDArray[np.bool_]
    """Nodes that ship lines of a row only if the order holds them there; without rows if there is none."""
    stock_start: IntArray
    stock_node: IntArray
    available: IntArray
    explicit_lanes: bool
    lane_start: IntArray
    lane_node: IntArray
    node_at: NDArray[np.float64]
    order_at: NDArray[np.float64]
    zone_reach: NDArray[np.float64]
    reach: float


def supply_of(problem: RoutingProblem, line_start: IntArray, line: IntArray, quantity: IntArray) -> Supply:
    """Return the facts that decide candidates; `line` (of the problem) and `quantity` are per line of the tables."""
    orders, lanes, empty = problem.orders, problem.lanes, empty_array(1)
    own_node, pinned_node = by_line(orders.line_own_node, line, -1), by_line(orders.line_pinned_node, line, -1)
    return Supply(
        own_node=np.where((pinned_node >= 0) & (pinned_node != own_node), -1, own_node),
        line_start=line_start,
        sku=orders.line_sku[line],
        least=np.ones_like(quantity) if problem.terms.line_split else quantity,
        pinned_node=pinned_node,
        closed_row=(orders.line_sku if orders.line_closed_row is None else orders.line_closed_row)[line],
        closed=_NONE_CLOSED if problem.closed is None else problem.closed,
        stock_start=problem.stock.start,
        stock_node=problem.stock.node,
        available=problem.stock.available,
        explicit_lanes=lanes is not None,
        lane_start=empty if lanes is None else lanes.start,
        lane_node=empty if lanes is None else lanes.node,
        node_at=unit_vectors(problem.nodes.latitude, problem.nodes.longitude),
        order_at=unit_vectors(problem.orders.latitude, problem.orders.longitude),
        zone_reach=_squared_chord(problem.rates.zone_max_km),
        reach=float(_squared_chord(np.array([problem.terms.max_distance_km]))[0]),
    )


def by_line(values: IntArray | None, line: IntArray, default: int) -> IntArray:
    """Return what a column of the problem's lines says of each line of the tables."""
    return np.full(len(line), default, np.int64) if values is None else values[line]


def unit_vectors(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points on the unit sphere, shape (n, 3); squared chords between them grow with great-circle distance."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _squared_chord(distance_km: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = (distance_km + DISTANCE_TOLERANCE_KM) / EARTH_RADIUS_KM
    return np.where(angle >= np.pi, np.inf, (2 * np.sin(np.minimum(angle, np.pi) / 2)) ** 2)


@inner
def place_of(supply: Supply, o: int, n: int) -> tuple[int, int]:
    """Return the zone of a pair (or its first lane, and one past its last), or (-1, -1) when it is not eligible."""
    chord = 0.0
    for axis in range(3):
        chord += (supply.node_at[n, axis] - supply.order_at[o, axis]) ** 2
    if chord > supply.reach:
        return -1, -1
    if supply.explicit_lanes:
        first, last = supply.lane_start[o], supply.lane_start[o + 1]
        begin = first + np.searchsorted(supply.lane_node[first:last], n)
        end = begin
        while end < last and supply.lane_node[end] == n:
            end += 1
        return (begin, end) if end > begin else (-1, -1)
    for zone in range(len(supply.zone_reach)):
        if chord <= supply.zone_reach[zone]:
            return zone, zone
    return -1, -1


@njit(cache=True, nogil=True, inline="always")
def _has(supply: Supply, p: int, e: int) -> bool:
    """Return whether a stock entry is of use to a line, and at a node that may ship it."""
    pinned, node = supply.pinned_node[p], supply.stock_node[e]
    return supply.available[e] >= supply.least[p] and (pinned < 0 or pinned == node) and not is_closed(supply, p, node)


@njit(cache=True, nogil=True, inline="always")
def is_closed(supply: Supply, p: int, node: int) -> bool:
    """Return whether a node ships a line only if the order holds it there."""
    return supply.closed.shape[0] > 0 and supply.closed[supply.closed_row[p], node]


@inner
def _find_candidates(supply: Supply, o: int, seen: IntArray, found: IntArray) -> int:
    """Write the nodes that could ship a line of order o to `found`, ascending; return how many."""
    count = 0
    for p in range(supply.line_start[o], supply.line_start[o + 1]):
        own = supply.own_node[p]
        if own >= 0 and seen[own] != o:
            seen[own] = o
            if place_of(supply, o, own)[0] >= 0:
                found[count] = own
                count += 1
        k = supply.sku[p]
        for e in range(supply.stock_start[k], supply.stock_start[k + 1]):
            n = supply.stock_node[e]
            if _has(supply, p, e) and seen[n] != o:
                seen[n] = o
                if place_of(supply, o, n)[0] >= 0:
                    found[count] = n
                    count += 1
    found[:count].sort()
    return count


@njit(cache=True, nogil=True)
def count_candidates(supply: Supply) -> IntArray:
    """Return how many candidates each order has."""
    orders, nodes = len(supply.line_start) - 1, len(supply.node_at)
    counts = np.zeros(orders, np.int64)
    seen, found = np.full(nodes, -1, np.int64), np.empty(nodes, np.int64)
    for o in range(orders):
        counts[o] = _find_candidates(supply, o, seen, found)
    return counts


@njit(cache=True, nogil=True)
def fill_candidates(
    supply: Supply, cand_start: IntArray, row_start: IntArray
) -> tuple[IntArray, IntArray, IntArray, NDArray[np.int32]]:
    """Return node, place and place end of every candidate, and the stock entry of each (candidate, line)."""
    node = np.empty(cand_start[-1], np.int64)
    place, place_end = np.empty_like(node), np.empty_like(node)
    cell = np.full(row_start[-1], NO_CELL, np.int32)
    nodes = len(supply.node_at)
    seen, found, at = np.full(nodes, -1, np.int64), np.empty(nodes, np.int64), np.zeros(nodes, np.int64)
    for o in range(len(cand_start) - 1):
        first, lines = supply.line_start[o], supply.line_start[o + 1] - supply.line_start[o]
        for i in range(_find_candidates(supply, o, seen, found)):
            c = cand_start[o] + i
            node[c] = found[i]
            place[c], place_end[c] = place_of(supply, o, found[i])
            at[found[i]] = i
        for p in range(lines):
            k = supply.sku[first + p]
            for e in range(supply.stock_start[k], supply.stock_start[k + 1]):
                n = supply.stock_node[e]
                if not _has(supply, first + p, e) or seen[n] != o:
                    continue
                i = at[n]
                if i < cand_start[o + 1] - cand_start[o] and node[cand_start[o] + i] == n:
                    cell[row_start[o] + i * lines + p] = e
            own = supply.own_node[first + p]
            for i in range(cand_start[o + 1] - cand_start[o]):
                if node[cand_start[o] + i] == own:
                    cell[row_start[o] + i * lines + p] = OWN
    return node, place, place_end, cell
