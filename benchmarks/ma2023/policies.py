"""Serving a sequence of orders: by a place drawn for each line, or each order exactly at given prices.

Whatever has no units left at its place is not served, as in the paper; only the exact programme looks at what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numba import njit

from benchmarks.ma2023.rounding import dilated, force_open, jasin_sinha
from benchmarks.ma2023.world import World
from solvers.baskets import cheapest_places
from solvers.bidsweeps import Sweeps, sweep_prices
from solvers.problem import FloatArray, IntArray


class Scheme(IntEnum):
    """How a place is drawn for each line."""

    CLOSEST = 0
    JASIN_SINHA = 1
    DILATED = 2
    FORCE_OPEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often prices are made anew over the horizon, and by how many warm sweeps."""

    times: int
    sweeps: int


def cost_by_scheme(world: World, arrivals: IntArray, scheme: Scheme, share: FloatArray, seed: int) -> float:
    """Return what it costs to serve the arrivals where the scheme sends them."""
    f = world.fluid
    return _serve_drawn(
        arrivals, f.line_start, f.line_sku, f.parcel_cost, f.line_cost, share, world.closest,
        f.available[0].astype(np.int64), int(scheme), seed,
    )  # fmt: skip


def cost_by_prices(world: World, arrivals: IntArray, first: FloatArray, cadence: Cadence) -> float:
    """Return what it costs to serve each order exactly at bid prices, made anew as often as the cadence says.

    `first` (1, skus, nodes) are the multipliers to begin with. A cadence of no sweeps keeps them.
    """
    f = world.fluid
    stock, steps, cost = f.available[0].astype(np.int64), first, 0.0
    edges = np.linspace(0, len(arrivals), max(cadence.times, 1) + 1).astype(np.int64)
    for begin, end in pairwise(edges.tolist()):
        if begin and cadence.sweeps:
            problem = world.left_to_come(len(arrivals) - begin, stock)
            steps = sweep_prices(problem, steps, Sweeps(count=cadence.sweeps, first_step=0.3, last_step=0.01)).steps
        cost += _serve_exactly(
            arrivals[begin:end], f.line_start, f.line_sku, f.parcel_cost, f.line_cost, steps[0], stock
        )
    return cost


@njit(cache=True)
def _serve_drawn(
    arrivals: IntArray,
    line_start: IntArray,
    line_sku: IntArray,
    parcel_cost: FloatArray,
    line_cost: FloatArray,
    share: FloatArray,
    closest: IntArray,
    stock: IntArray,
    scheme: int,
    seed: int,
) -> float:
    np.random.seed(seed)
    places = parcel_cost.shape[1]
    chosen, used = np.zeros(64, np.int64), np.zeros(places, np.bool_)
    total = 0.0
    for arrived in arrivals:
        if arrived < 0:
            continue
        begin, end = line_start[arrived], line_start[arrived + 1]
        if scheme == 0:
            chosen[: end - begin] = closest[begin:end]
        elif scheme == 1:
            jasin_sinha(share[begin:end], chosen)
        elif scheme == 2:
            dilated(share[begin:end], chosen)
        else:
            force_open(share[begin:end], chosen)
        used[:] = False
        for line in range(end - begin):
            place, sku = chosen[line], line_sku[begin + line]
            if place < places - 1 and stock[sku, place] > 0:
                stock[sku, place] -= 1
            else:
                place = places - 1
            total += line_cost[begin + line, place]
            if not used[place]:
                used[place] = True
                total += parcel_cost[arrived, place]
    return total


@njit(cache=True)
def _serve_exactly(
    arrivals: IntArray,
    line_start: IntArray,
    line_sku: IntArray,
    parcel_cost: FloatArray,
    line_cost: FloatArray,
    prices: FloatArray,
    stock: IntArray,
) -> float:
    places = parcel_cost.shape[1]
    chosen, used = np.zeros(64, np.int64), np.zeros(places, np.bool_)
    total = 0.0
    for arrived in arrivals:
        if arrived < 0:
            continue
        begin, end = line_start[arrived], line_start[arrived + 1]
        priced = line_cost[begin:end].copy()
        for line in range(end - begin):
            sku = line_sku[begin + line]
            for place in range(places - 1):
                if stock[sku, place] > 0:
                    priced[line, place] += prices[sku, place]
                else:
                    priced[line, place] = np.inf
        cheapest_places(parcel_cost[arrived], priced, chosen)
        used[:] = False
        for line in range(end - begin):
            place = chosen[line]
            if place < places - 1:
                stock[line_sku[begin + line], place] -= 1
            total += line_cost[begin + line, place]
            if not used[place]:
                used[place] = True
                total += parcel_cost[arrived, place]
    return total
