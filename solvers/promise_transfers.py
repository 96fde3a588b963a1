"""What transfers bring to hubs: what each costs, when it leaves its node, and from when it may be handed over there.

Here: compiled kernels on integer arrays; and what parcels cost by component, once plans are found. Not here: which
plans there are (promise_hubs.py), days of transfers (engine/network/hubs.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.problem import IntArray
from solvers.promise_dates import NEVER, Load, with_room
from solvers.promise_freight import Cards, carriage
from solvers.promise_options import FUEL, MASK, NODE, OVERSIZE, PACKAGING, RATE, REMOTE, RESIDENTIAL, SERVICE
from solvers.promise_parcels import INFINITE, Ask, mask_sums

HEAVIEST_G = 10**12
NO_MOMENT = NEVER * 1440
"""No less than this is no moment."""


class Transfers(NamedTuple):
    """The transfers that an order may use; days and moments as in engine/network/hubs.py.

    Of each: `source` (transfers,), a row of `covered`; `ready`, `shift`, `pair` and `kind`; `cents` (transfers, 3) of
    each, of a kilogram and of a unit; `unit_cents` and `bars`, what its node takes for a unit and does not handle;
    `load` (transfers,), the row of its node in the load.
    """

    source: IntArray
    ready: IntArray
    shift: IntArray
    pair: IntArray
    kind: IntArray
    cents: IntArray
    unit_cents: IntArray
    bars: IntArray
    load: IntArray
    common: IntArray
    taken: IntArray


@njit(cache=True, nogil=True)
def send_parts(
    covered: IntArray, ask: Ask, handling: IntArray, transfers: Transfers, load: Load, first_day: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return cost, day of leaving and moment at the hub of all that transfers could bring, each (transfers, masks).

    covered (sources, masks) is as by `days_covered`; handling (masks,) are classes.
    """
    weight_g, units = mask_sums(ask.weight_g), mask_sums(ask.units)
    shape = (transfers.source.shape[0], covered.shape[1])
    cost, leaves = np.full(shape, INFINITE, dtype=np.int64), np.full(shape, NEVER, dtype=np.int64)
    moment = np.full(shape, NO_MOMENT, dtype=np.int64)
    common, taken, horizon = transfers.common, transfers.taken, transfers.common.shape[1]
    for t in range(shape[0]):
        pair, row = transfers.pair[t], transfers.load[t]
        for mask in range(1, shape[1]):
            earliest = max(covered[transfers.source[t], mask], transfers.ready[t])
            if handling[mask] & transfers.bars[t] or earliest - first_day >= horizon:
                continue
            day = common[pair, earliest - first_day]
            if row >= 0:
                day = with_room(load, row, common, pair, first_day, earliest, units[mask])
            there = day + transfers.shift[t] - first_day
            if day >= NEVER or there < 0 or there >= horizon:
                continue
            if taken[transfers.kind[t], there] < NO_MOMENT:
                grams = min(weight_g[mask], HEAVIEST_G)
                kilograms = grams // 1000 * transfers.cents[t, 1] + (grams % 1000 * transfers.cents[t, 1] + 500) // 1000
                each = transfers.cents[t, 2] + transfers.unit_cents[t]
                cost[t, mask] = transfers.cents[t, 0] + kilograms + each * units[mask]
                leaves[t, mask] = day
                moment[t, mask] = taken[transfers.kind[t], there]
    return cost, leaves, moment


@njit(cache=True, nogil=True)
def bill_parcels(plans: IntArray, counts: IntArray, ask: Ask, cards: Cards) -> None:
    """Write RATE … PACKAGING of the parcels of plans."""
    weight_g = mask_sums(ask.weight_g)
    for plan in range(plans.shape[0]):
        for row in range(counts[plan]):
            found = plans[plan, row]
            node, mask = found[NODE], found[MASK]
            bill = carriage(cards, ask.goods, found[SERVICE], ask.zone[node], mask, weight_g[mask])
            found[RATE], found[RESIDENTIAL], found[REMOTE] = bill.rate, bill.residential, bill.remote
            found[OVERSIZE], found[FUEL], found[PACKAGING] = bill.oversize, bill.fuel, bill.packaging
