"""Freight by weight as one list of steps per candidate, for orders too long to have a cost for every parcel.

A tariff is what one or more candidates share: service and late cost as a step function of a parcel's weight. Not here:
which service carries a parcel (`cost.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import Freight, best_service
from solvers.problem import IntArray

ANY_WEIGHT = 2**60
"""The limit in grams of a step that carries everything."""


class Tariffs(NamedTuple):
    """Steps `start[f]:start[f + 1]` of tariff f, by ascending limit; a parcel pays the first that is not below it."""

    of: IntArray
    """The tariff of every candidate; -1 where no relaxation asks."""
    start: IntArray
    limit_g: IntArray
    cents: IntArray
    """The least service + late cost of a parcel at the limit, or `INFEASIBLE`."""


def tariffs_of(
    asked: NDArray[np.bool_],
    order: IntArray,
    node: IntArray,
    place: tuple[IntArray, IntArray],
    terms: tuple[IntArray, IntArray],
    freight: Freight,
) -> Tariffs:
    """Return the tariffs of the candidates that are `asked` for.

    `order` and `node` are those of each candidate, `place` its zone (or its first lane, and one past its last),
    `terms` due days and service level by order. Candidates with equal terms share a tariff.
    """
    own_calendar = freight.delivery_days.shape[0] > 0 or freight.explicit_lanes
    keys = np.stack([*place, terms[0][order], terms[1][order], node if own_calendar else np.zeros_like(node)], axis=1)
    of = np.full(len(node), -1, np.int64)
    _, first, inverse = np.unique(keys[asked], axis=0, return_index=True, return_inverse=True)
    of[asked] = inverse.reshape(-1)
    some = np.flatnonzero(asked)[first]
    pairs = (node[some], place[0][some], place[1][some], terms[0][order[some]], terms[1][order[some]])
    start, limit_g, cents = _steps(freight, *pairs)
    return Tariffs(of, start, limit_g, cents)


@njit(cache=True, nogil=True)
def _steps(
    freight: Freight, node: IntArray, place: IntArray, place_end: IntArray, due_days: IntArray, level: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return starts, limits and costs of one tariff per entry; equal neighbors are merged."""
    start = np.zeros(len(node) + 1, np.int64)
    most = 1 if freight.explicit_lanes else len(freight.max_weight_g)
    limits, costs = np.empty(most, np.int64), np.empty(most, np.int64)
    all_limits, all_costs = [0][:0], [0][:0]
    for f in range(len(node)):
        count = 0
        if freight.explicit_lanes:
            limits[0], count = ANY_WEIGHT, 1
        else:
            for service in range(len(freight.service_level)):
                row = service * freight.zone_count + place[f]
                for step in range(freight.start[row], freight.start[row + 1]):
                    limits[count] = freight.max_weight_g[step]
                    count += 1
        found = np.unique(limits[:count])
        for k in range(len(found)):
            weight_g = 0 if freight.explicit_lanes else int(found[k])
            own = (due_days[f], level[f])
            costs[k] = best_service(freight, node[f], place[f], place_end[f], weight_g, own, False)[0]
        for k in range(len(found)):
            if k == len(found) - 1 or costs[k] != costs[k + 1]:
                all_limits.append(found[k])
                all_costs.append(costs[k])
        start[f + 1] = len(all_limits)
    return start, np.array(all_limits, np.int64), np.array(all_costs, np.int64)
