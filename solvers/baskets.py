"""Exact choice of places for one expected order: each place used costs once, each line costs by its place.

By convention the last place means "not served". Not here: live orders with rate cards and days (patterns.py,
promise_parcels.py), and what the prices of a whole forecast are (bidprices.py).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.problem import FloatArray, IntArray

ENOUGH = 1e-12


@njit(cache=True)
def cheapest_places(parcel_cost: FloatArray, line_cost: FloatArray, chosen: IntArray) -> float:
    """Fill `chosen` (lines,) with the place of each line at least total cost, and return that cost.

    `parcel_cost` (places,) is paid once for each place used, `line_cost` (lines, places) for each line; an infinite
    cost excludes. Branch and bound over sets of places: a set is only enlarged while the cheapest lines that the places
    still to come could offer would pay for another parcel. Infinity if no places serve all lines.
    """
    lines, places = line_cost.shape
    best = np.inf
    for place in range(places):
        total = parcel_cost[place]
        for line in range(lines):
            total += line_cost[line, place]
        if total < best:
            best = total
            chosen[:lines] = place
    if lines == 1:
        return best
    to_come = np.empty(
        (lines + 1, places + 1)
    )  # the least that this place or a later one asks; parcels in the last row
    to_come[:, places] = np.inf
    for place in range(places - 1, -1, -1):
        for line in range(lines):
            to_come[line, place] = min(to_come[line, place + 1], line_cost[line, place])
        to_come[lines, place] = min(to_come[lines, place + 1], parcel_cost[place])
    most = min(lines, places)
    so_far = np.full((most + 1, lines), np.inf)
    source = np.zeros((most + 1, lines), np.int64)
    spent = np.zeros(most + 1)
    opened = np.zeros(most + 1, np.int64)
    depth, place = 0, 0
    while True:
        bound = np.inf
        if place < places and depth < most:
            bound = spent[depth] + to_come[lines, place]
            for line in range(lines):
                bound += min(so_far[depth, line], to_come[line, place])
        if not bound < best - ENOUGH:
            if depth == 0:
                return best
            depth -= 1
            place = opened[depth] + 1
            continue
        total = spent[depth] + parcel_cost[place]
        spent[depth + 1] = total
        for line in range(lines):
            if line_cost[line, place] < so_far[depth, line]:
                so_far[depth + 1, line], source[depth + 1, line] = line_cost[line, place], place
            else:
                so_far[depth + 1, line], source[depth + 1, line] = so_far[depth, line], source[depth, line]
            total += so_far[depth + 1, line]
        if total < best - ENOUGH:
            best = total
            chosen[:lines] = source[depth + 1]
        opened[depth] = place
        depth += 1
        place += 1
