"""When parcels leave and arrive, as arrays over nodes: what promises ask for one order, for many orders at once.

The kernels of solvers/promise_dates.py say when a parcel of a promise arrives; these say the same of whole tables. Not
here: the day tables themselves (day_tables.py), room in a node's day, what a parcel costs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.network.days import NEVER
from solvers.promise_dates import LEVEL, PROMISED, Days, learned_arrivals

IntArray = NDArray[np.int64]


def hand_over(t: Days, service: IntArray, earliest: IntArray) -> IntArray:
    """Return the first day of hand-over from `earliest` on, or `NEVER`; both (nodes, services), all nodes in order."""
    offset = earliest - t.first_day
    inside = (offset >= 0) & (offset < t.common.shape[1])
    pair = t.pair[service].T
    return np.where(inside, t.common[pair, np.where(inside, offset, 0)], NEVER)


def by_rate_card(t: Days, service: IntArray, handed_over: IntArray, transit_days: int) -> IntArray:
    """Return the day of delivery after so many operating days, with 0 on the first from the hand-over on, or `NEVER`.

    `handed_over` (nodes, services) are days at the destination. The same as `solvers.promise_dates.transit`.
    """
    return arrival(t.first_day, t.before, t.nth, t.calendar[service][None, :], handed_over, transit_days)


def arrival(
    first_day: int, before: IntArray, nth: IntArray, calendar: IntArray, handed_over: IntArray, transit_days: int
) -> IntArray:
    """Return the same by tables that stand alone; `calendar` are rows of `before` and `nth`, as in `Days`."""
    offset = handed_over - first_day
    inside = (offset >= 0) & (offset < nth.shape[1])
    passed = before[calendar, np.where(inside, offset + (transit_days > 0), 0)]
    index = passed + max(transit_days, 1) - 1
    inside &= index < nth.shape[1]
    return np.where(inside, nth[calendar, np.where(inside, index, 0)], NEVER)


def by_history(t: Days, service: IntArray, leaves: IntArray, zone: int, kind: int, distance_km: float) -> IntArray:
    """Return the promised day of parcels that leave on a day, by what was learned, or `NEVER`.

    `leaves` is (nodes, services); all go to places of one zone and distance, and are of one bin of weight.
    """
    node, column = np.nonzero(leaves < NEVER)
    trips = np.empty((len(node), LEVEL + 1), dtype=np.int64)
    trips[:, 0], trips[:, 1], trips[:, 2], trips[:, 3] = service[column], node, zone, kind
    trips[:, 4], trips[:, LEVEL] = leaves[node, column], PROMISED
    found = np.full(leaves.shape, NEVER, dtype=np.int64)
    found[node, column] = learned_arrivals(t, trips, np.full(leaves.shape[0], distance_km))
    return found
