"""The exact subset programme of one order: which nodes ship which lines, by which service, at what cost and when.

Here: compiled kernels on integer arrays. A parcel is a set of lines (a bit mask) from one node by one service; a plan
is a set of parcels of distinct nodes that share no line. Found are, exactly, the plans that serve the most units (and
of those the lines of the cheapest) and that no other such plan beats: no other costs no more, arrives no later and has
no more parcels, and is better in one of these. Where two are alike in all three, one is found.

That is by the cheapest plan of at most so many parcels by a deadline, for fewer and fewer parcels, then for the day
before the latest of those, until no plan is left. With a deadline D, the cheapest plan of at most k parcels arrives on
some day; let L be the latest of these days. What arrives in L … D with at most k parcels is beaten by the plan for k,
so no day is missed.

First every parcel (node, mask) gets its best service; then a partition programme over masks and parcel counts,
F(k, M) = min over S ⊆ M of parcel(S) + F(k−1, M∖S), with the best node of each S. That relaxation may use one node
twice, which the rules forbid: the nodes used twice are then taken out and put back one by one, each for at most one
parcel, until the plan has none; the relaxation bounds the true optimum from below, so the first such plan is optimal.

Not here: stock, calendars and time (the caller hands in days as ordinals), merging of lines beyond `MASK_LINES`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers import promise_dates as dates
from solvers.kernels import inner
from solvers.problem import IntArray
from solvers.promise_dates import MEDIAN, NEVER, NINETIETH, Days, bin_of, learned_arrivals
from solvers.promise_freight import BoolArray, Cards, carriage, is_torn
from solvers.promise_parcels import (
    INFINITE,
    Ask,
    Atp,
    Parcels,
    days_alone,
    days_covered,
    is_better,
    mask_sums,
    no_offers,
    no_parcels,
    price_again,
)

MASK_LINES = 10
"""Lines beyond this number are too many subsets; the caller merges them first."""

MOST_PLANS = 24
"""Plans that are kept; beyond, the last one, which is the earliest of all, takes the place of the one before."""
NODE, SERVICE, MASK, SHIP_DAY, ARRIVAL_DAY, COST, RATE, RESIDENTIAL, REMOTE, OVERSIZE, FUEL, PACKAGING = range(12)
"""Columns of a parcel in a plan; from `RATE` on what `COST` has beside the node's cost, as in `Bill`."""
MEDIAN_DAY, NINETIETH_DAY = 12, 13
"""Further columns: the median and the ninetieth percentile of the day of arrival."""


@inner
def partition(
    parcels: Parcels, alone: BoolArray, most_parcels: int, lines: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return cost and arrival of the best of each (stage, parcel count, mask), and the (node, mask) chosen last for it.

    Stage 0 lets every node not in `alone` ship any number of parcels; each later stage adds one node of `alone`, for at
    most one parcel. Costs add up, arrivals take the later.
    """
    cost, arrival = parcels.cost, parcels.arrival
    masks = cost.shape[1]
    best_node = np.full(masks, -1, dtype=np.int64)
    single = np.full(cost.shape[0], -1, dtype=np.int64)
    stages = 1
    for e in range(cost.shape[0]):
        if alone[e]:
            single[stages - 1] = e
            stages += 1
            continue
        for mask in range(1, masks):
            held = best_node[mask]
            if cost[e, mask] < INFINITE and (
                held < 0 or is_better(False, cost[e, mask], arrival[e, mask], cost[held, mask], arrival[held, mask])
            ):
                best_node[mask] = e
    total = np.full((stages, most_parcels + 1, masks), INFINITE, dtype=np.int64)
    latest = np.full((stages, most_parcels + 1, masks), NEVER, dtype=np.int64)
    node_of = np.full((stages, most_parcels + 1, masks), -1, dtype=np.int64)
    part_of = np.zeros((stages, most_parcels + 1, masks), dtype=np.int64)
    total[0, 0, 0] = 0
    latest[0, 0, 0] = 0
    size = mask_sums(np.ones(lines, dtype=np.int64))
    for count in range(1, most_parcels + 1):
        for mask in range(1, masks):
            if size[mask] < count:
                continue
            lowest = mask & -mask
            others = mask ^ lowest
            rest = others
            while True:  # `rest` runs through the subsets of `others`; the parcel is what is left of the mask
                part = mask ^ rest
                node = best_node[part]
                if node >= 0 and total[0, count - 1, rest] < INFINITE:
                    new_total = total[0, count - 1, rest] + cost[node, part]
                    new_latest = max(latest[0, count - 1, rest], arrival[node, part])
                    if is_better(False, new_total, new_latest, total[0, count, mask], latest[0, count, mask]):
                        total[0, count, mask] = new_total
                        latest[0, count, mask] = new_latest
                        node_of[0, count, mask] = node
                        part_of[0, count, mask] = part
                if rest == 0:
                    break
                rest = (rest - 1) & others
    for stage in range(1, stages):
        node = single[stage - 1]
        for count in range(most_parcels + 1):
            for mask in range(masks):
                total[stage, count, mask] = total[stage - 1, count, mask]
                latest[stage, count, mask] = latest[stage - 1, count, mask]
                if count == 0 or size[mask] < count:
                    continue
                part = mask
                while part > 0:
                    rest = mask ^ part
                    if cost[node, part] < INFINITE and total[stage - 1, count - 1, rest] < INFINITE:
                        new_total = total[stage - 1, count - 1, rest] + cost[node, part]
                        new_latest = max(latest[stage - 1, count - 1, rest], arrival[node, part])
                        if is_better(
                            False, new_total, new_latest, total[stage, count, mask], latest[stage, count, mask]
                        ):
                            total[stage, count, mask] = new_total
                            latest[stage, count, mask] = new_latest
                            node_of[stage, count, mask] = node
                            part_of[stage, count, mask] = part
                    part = (part - 1) & mask
    return total, latest, node_of, part_of


@inner
def choice(
    total: IntArray, latest: IntArray, units: IntArray, whole: IntArray, split_cost: int, target: int, limit: int
) -> tuple[int, int]:
    """Return the cheapest (mask, parcel count) of at most `limit` parcels; with a `target` mask, of that mask only.

    Without one, more units go before less cost. A mask that has a part of a set of `whole` does not count.
    """
    counts, masks = total.shape
    best_mask, best_count, best_units = 0, 0, 0
    best = (np.int64(0), np.int64(0), np.int64(0))
    for mask in range(1, masks):
        if (target >= 0 and mask != target) or (whole.shape[0] > 0 and is_torn(mask, whole)):
            continue
        for count in range(1, min(counts, limit + 1)):
            if total[count, mask] >= INFINITE or (target < 0 and units[mask] < best_units):
                continue
            money = total[count, mask] + split_cost * (count - 1)
            key = (money, latest[count, mask], np.int64(count))
            if best_mask == 0 or (target < 0 and units[mask] > best_units) or key < best:
                best_mask, best_count, best_units, best = mask, count, units[mask], key
    return best_mask, best_count


@inner
def _relaxed(parcels: Parcels, most_parcels: int, lines: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return `partition` with every node free to ship any number of parcels."""
    nobody = np.zeros(parcels.cost.shape[0], dtype=np.bool_)
    return partition(parcels, nobody, most_parcels, lines)


@inner
def _best_plan(
    relaxed: tuple[IntArray, IntArray, IntArray, IntArray],
    parcels: Parcels,
    units: IntArray,
    whole: IntArray,
    split_cost: int,
    target: int,
    limit: int,
) -> tuple[IntArray, int, int]:
    """Return the cheapest plan of at most `limit` parcels: its (eligible node, mask)s, how many, the mask it serves."""
    alone = np.zeros(parcels.cost.shape[0], dtype=np.bool_)
    total, latest, node_of, part_of = relaxed
    most_parcels = total.shape[1] - 1
    lines = 0
    while 1 << lines < units.shape[0]:
        lines += 1
    plan = np.zeros((most_parcels, 2), dtype=np.int64)
    while True:
        last = total.shape[0] - 1
        served, count = choice(total[last], latest[last], units, whole, split_cost, target, limit)
        mask, left, rows, stage = served, count, 0, last
        while left > 0:
            node = node_of[stage, left, mask]
            if node < 0:
                stage -= 1
                continue
            part = part_of[stage, left, mask]
            plan[rows, 0], plan[rows, 1] = node, part
            rows += 1
            mask ^= part
            left -= 1
            if stage > 0:
                stage -= 1
        is_clean = True
        for one in range(rows):
            for other in range(one):
                if plan[one, 0] == plan[other, 0]:
                    alone[plan[one, 0]] = True
                    is_clean = False
        if is_clean:
            return plan, rows, served
        total, latest, node_of, part_of = partition(parcels, alone, most_parcels, lines)


@njit(cache=True, nogil=True, inline="always")
def _record(
    found: IntArray, plan: IntArray, rows: int, nodes: IntArray, parcels: Parcels, ask: Ask, cards: Cards
) -> None:
    """Write the parcels of a plan, NODE … PACKAGING, their cost without what their units are worth."""
    for row in range(rows):
        e, mask = plan[row, 0], plan[row, 1]
        node, service = nodes[e], parcels.service[e, mask]
        found[row, NODE] = node
        found[row, SERVICE] = service
        found[row, MASK] = mask
        found[row, SHIP_DAY] = parcels.ship_day[e, mask]
        found[row, ARRIVAL_DAY] = parcels.arrival[e, mask]
        weight_g, units, value = np.int64(0), np.int64(0), np.int64(0)
        for line in range(ask.weight_g.shape[0]):
            weight_g += ask.weight_g[line] if mask >> line & 1 else 0
            units += ask.units[line] if mask >> line & 1 else 0
            if ask.values.shape[0] > 0:
                value += ask.values[node, line] if mask >> line & 1 else 0
        found[row, COST] = parcels.cost[e, mask] - value
        if cards.rules.plain and ask.goods.plain:
            found[row, RATE] = found[row, COST] - cards.parcel_cost[node] - cards.unit_cost[node] * units
            continue
        bill = carriage(cards, ask.goods, service, ask.zone[node], mask, int(weight_g))
        found[row, RATE] = bill.rate
        found[row, RESIDENTIAL] = bill.residential
        found[row, REMOTE] = bill.remote
        found[row, OVERSIZE] = bill.oversize
        found[row, FUEL] = bill.fuel
        found[row, PACKAGING] = bill.packaging


@njit(cache=True, nogil=True)
def spread(plans: IntArray, counts: IntArray, ask: Ask, t: Days) -> None:
    """Write the median and the ninetieth percentile of arrivals; both are the arrival where there is no history."""
    known, weight_g = t.learned, mask_sums(ask.weight_g)
    trips = np.empty((2 * counts.sum(), 6), dtype=np.int64)
    trip = 0
    for plan in range(counts.shape[0]):
        for row in range(counts[plan]):
            parcel = plans[plan, row]
            parcel[MEDIAN_DAY] = parcel[NINETIETH_DAY] = parcel[ARRIVAL_DAY]
            if not known.knows[parcel[SERVICE]]:
                continue
            for level in (MEDIAN, NINETIETH):
                trips[trip, dates.SERVICE], trips[trip, dates.NODE] = parcel[SERVICE], parcel[NODE]
                trips[trip, dates.ZONE] = ask.zone[parcel[NODE]]
                trips[trip, dates.KIND] = bin_of(known.weight_ends, weight_g[parcel[MASK]])
                trips[trip, dates.LEAVES], trips[trip, dates.LEVEL] = parcel[SHIP_DAY], level
                trip += 1
    if trip == 0:
        return
    arrives = learned_arrivals(t, trips[:trip], ask.distance_km)
    trip = 0
    for plan in range(counts.shape[0]):
        for row in range(counts[plan]):
            if known.knows[plans[plan, row, SERVICE]]:
                plans[plan, row, MEDIAN_DAY], plans[plan, row, NINETIETH_DAY] = arrives[trip], arrives[trip + 1]
                trip += 2


@inner
def _last_arrival(plan: IntArray, rows: int, parcels: Parcels) -> int:
    latest = 0
    for row in range(rows):
        latest = max(latest, parcels.arrival[plan[row, 0], plan[row, 1]])
    return latest


@inner
def is_beaten(worth: IntArray, counts: IntArray, found: int, cost: int, last: int, rows: int) -> bool:
    """Say whether one of the plans found costs no more, arrives no later and has no more parcels."""
    beaten = False
    for one in range(found):
        beaten = beaten or (worth[one, 0] <= cost and worth[one, 1] <= last and counts[one] <= rows)
    return beaten


@inner
def _useful_nodes(alone: IntArray, nodes: IntArray) -> tuple[IntArray, IntArray]:
    """Return the nodes that can cover some line by itself, and their rows of `alone`."""
    rows = np.empty(alone.shape, dtype=np.int64)
    kept = np.empty(alone.shape[0], dtype=np.int64)
    count = 0
    for e in range(alone.shape[0]):
        is_useful = False
        for line in range(alone.shape[1]):
            rows[count, line] = alone[e, line]
            is_useful = is_useful or alone[e, line] < NEVER
        if is_useful:
            kept[count] = nodes[e]
            count += 1
    return kept[:count], rows[:count]


@njit(cache=True, nogil=True)
def promise_order(
    demand: IntArray, local_day: IntArray, atp: Atp, ask: Ask, cards: Cards, t: Days
) -> tuple[IntArray, IntArray, int]:
    """Return the plans of one order from live ATP that no other beats in cost, last arrival and parcels.

    What units are worth counts in that cost, and is in no column. demand (lines, products) in units; local_day (all
    nodes,) the day it is at each node. The result: plans (plans, parcels, 14) with the columns NODE … NINETIETH_DAY,
    the cheapest first, the earliest last; how many parcels each has (plans,); the mask of lines they serve: 0 if there
    are none, also if not all can be served and `ask.complete`.
    """
    lines = ask.units.shape[0]
    most = min(ask.most_parcels, lines)
    plans = np.zeros((MOST_PLANS, max(most, 1), NINETIETH_DAY + 1), dtype=np.int64)
    counts = np.zeros(MOST_PLANS, dtype=np.int64)
    worth = np.zeros((MOST_PLANS, 2), dtype=np.int64)
    nodes, alone = _useful_nodes(days_alone(demand, ask.nodes, local_day, atp), ask.nodes)
    if most <= 0 or nodes.shape[0] == 0:
        return plans[:0], counts[:0], 0
    covered = days_covered(alone, demand, nodes, local_day, atp)
    units = mask_sums(ask.units)
    served = (1 << lines) - 1 if ask.complete else -1
    found, deadline, latest, limit = 0, ask.need_by, 0, 0
    offers, parcels = no_offers(covered.shape, ask), no_parcels(covered.shape)
    # One loop with one call of each kernel, since every further call is compiled in again and costs seconds.
    while True:
        if limit == 0:
            price_again(False, deadline, covered, nodes, ask, cards, t, offers, parcels)
            relaxed = _relaxed(parcels, most, lines)
            limit, latest = most, 0
        plan, rows, mask = _best_plan(relaxed, parcels, units, ask.goods.whole, ask.split_cost, served, limit)
        if mask > 0:
            last, cost = _last_arrival(plan, rows, parcels), ask.split_cost * (rows - 1)
            for row in range(rows):
                cost += parcels.cost[plan[row, 0], plan[row, 1]]
            served, limit, latest = mask, rows - 1, max(latest, last)
            if not is_beaten(worth, counts, found, cost, last, rows):
                found = min(found + 1, MOST_PLANS)
                worth[found - 1, 0], worth[found - 1, 1] = cost, last
                counts[found - 1] = rows
                plans[found - 1] = 0
                _record(plans[found - 1], plan, rows, nodes, parcels, ask, cards)
        else:
            limit = 0
        if limit == 0:
            if latest == 0:
                break
            deadline = latest - 1
    spread(plans[:found], counts[:found], ask, t)
    return plans[:found], counts[:found], max(served, 0) if found > 0 else 0
