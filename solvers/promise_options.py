"""The exact subset programme of one order: which nodes ship which lines, by which service, at what cost and when.

Here: compiled kernels on integer arrays. A parcel is a set of lines (a bit mask) from one node by one service; a plan
is a set of parcels of distinct nodes that share no line. Three plans are found, exactly:

    cheapest   most units served, then least cost, earliest last arrival, fewest parcels
    fastest    the same lines, earliest last arrival, then least cost, fewest parcels
    fewest     the same lines, fewest parcels, then least cost, earliest last arrival

First every parcel (node, mask) gets its best service; then a partition programme over masks and parcel counts,
F(k, M) = min over S ⊆ M of parcel(S) + F(k−1, M∖S), with the best node of each S. That relaxation may use one node
twice, which the rules forbid: the nodes used twice are then taken out and put back one by one, each for at most one
parcel, until the plan has none; the relaxation bounds the true optimum from below, so the first such plan is optimal.

Not here: stock, calendars and time (the caller hands in days as ordinals), merging of lines beyond `MASK_LINES`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MASK_LINES = 10
NEVER = 2**30
INFINITE = 2**62

CHEAPEST, FASTEST, FEWEST = 0, 1, 2
NODE, SERVICE, MASK, SHIP_DAY, ARRIVAL_DAY, COST, SHIPPING = range(7)
"""Columns of a parcel in a plan."""


class Atp(NamedTuple):
    """Available to promise by cell (product × all nodes + node): today, and later ascending steps in compressed rows."""

    today: IntArray
    step_offset: IntArray
    step_day: IntArray
    step_atp: IntArray


class Cards(NamedTuple):
    """What nodes and services cost; the weight steps of (service × `zones` + zone) are compressed rows."""

    parcel_cost: IntArray
    unit_cost: IntArray
    serves: BoolArray
    offset: IntArray
    max_weight_g: IntArray
    cost: IntArray
    transit_days: IntArray
    zones: int


class Days(NamedTuple):
    """Day tables from ordinal `first_day` on.

    `ready` (services, nodes) is the first day an order could be handed over; `common` (pairs, horizon) the next day on
    which both work, `pair` (services, nodes) its row; `before` (calendars, horizon + 1) counts the operating days
    before a day and `nth` (calendars, horizon) lists them, `calendar` (services,) says which.
    """

    first_day: int
    ready: IntArray
    pair: IntArray
    common: IntArray
    calendar: IntArray
    before: IntArray
    nth: IntArray


class Ask(NamedTuple):
    """One order: its lines, the nodes and services it may use, and its limits.

    `nodes` (eligible,) and `services` (allowed, in order of preference on ties) are numbers; `zone` and `shift` (all
    nodes,) give the destination's zone and how many days its date differs from the node's. Days are ordinals.
    """

    units: IntArray
    weight_g: IntArray
    nodes: IntArray
    services: IntArray
    zone: IntArray
    shift: IntArray
    need_by: int
    most_parcels: int
    split_cost: int
    complete: bool


class Parcels(NamedTuple):
    """The best parcel of every (eligible node, mask); `cost` is `INFINITE` where there is none."""

    cost: IntArray
    service: IntArray
    ship_day: IntArray
    arrival: IntArray
    shipping: IntArray


@njit(cache=True, nogil=True)
def _covered_from(atp: Atp, cell: int, quantity: int, today: int) -> int:
    """Return the first day on which the ATP of a cell reaches a quantity, `NEVER` if none."""
    if atp.today[cell] >= quantity:
        return today
    for step in range(atp.step_offset[cell], atp.step_offset[cell + 1]):
        if atp.step_atp[step] >= quantity:
            return atp.step_day[step]
    return NEVER


@njit(cache=True, nogil=True)
def days_covered(demand: IntArray, nodes: IntArray, local_day: IntArray, atp: Atp) -> IntArray:
    """Return the first day on which a node's ATP covers all lines of a mask together, shape (nodes, 2^lines).

    demand (lines, products) in units; nodes (eligible,) node numbers; local_day (all nodes,) the day it is there.
    """
    lines, products = demand.shape
    all_nodes = local_day.shape[0]
    days = np.full((nodes.shape[0], 1 << lines), NEVER, dtype=np.int64)
    shared = np.zeros(products, dtype=np.bool_)
    for product in range(products):
        shared[product] = (demand[:, product] > 0).sum() > 1
    any_shared = shared.any()
    for e in range(nodes.shape[0]):
        node = nodes[e]
        today = local_day[node]
        days[e, 0] = today
        for line in range(lines):
            latest = today
            for product in range(products):
                if demand[line, product] > 0 and latest < NEVER:
                    day = _covered_from(atp, product * all_nodes + node, demand[line, product], today)
                    latest = max(latest, day)
            bit = 1 << line
            for rest in range(bit):
                days[e, bit | rest] = max(latest, days[e, rest])
        if any_shared:
            _cover_together(demand, shared, node, today, all_nodes, atp, days[e])
    return days


@njit(cache=True, nogil=True)
def _cover_together(
    demand: IntArray, shared: BoolArray, node: int, today: int, all_nodes: int, atp: Atp, days: IntArray
) -> None:
    """Delay the masks in which several lines draw on the same product until ATP covers their sum."""
    for mask in range(1, days.shape[0]):
        for product in range(demand.shape[1]):
            if not shared[product] or days[mask] >= NEVER:
                continue
            total = 0
            for line in range(demand.shape[0]):
                if mask >> line & 1:
                    total += demand[line, product]
            if total > 0:
                days[mask] = max(days[mask], _covered_from(atp, product * all_nodes + node, total, today))


@njit(cache=True, nogil=True)
def _arrival(t: Days, calendar: int, handed_over: int, transit_days: int) -> int:
    """Return the first operating day from the hand-over on, or the given number of operating days after it."""
    index = handed_over - t.first_day
    if index < 0 or index >= t.nth.shape[1]:
        return NEVER
    place = t.before[calendar, index] if transit_days == 0 else t.before[calendar, index + 1] + transit_days - 1
    return t.nth[calendar, place] if place < t.nth.shape[1] else NEVER


@njit(cache=True, nogil=True)
def _rate_step(cards: Cards, cell: int, weight_g: int) -> int:
    """Return the lightest weight step that carries a weight, -1 if none does."""
    low, high = cards.offset[cell], cards.offset[cell + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if cards.max_weight_g[middle] >= weight_g:
            high = middle
        else:
            low = middle + 1
    return low if low < end else -1


@njit(cache=True, nogil=True)
def price_parcels(by_arrival: bool, deadline: int, covered: IntArray, ask: Ask, cards: Cards, t: Days) -> Parcels:
    """Return the best service of every parcel that arrives by `deadline`; `covered` comes from `days_covered`.

    Best is least cost, then earliest arrival, then first in `ask.services`; `by_arrival`, arrival comes before cost.
    """
    shape = covered.shape
    weight_g, units = _mask_sums(ask.weight_g), _mask_sums(ask.units)
    best = Parcels(
        np.full(shape, INFINITE, dtype=np.int64),
        np.full(shape, -1, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
    )
    for e in range(shape[0]):
        node = ask.nodes[e]
        for mask in range(1, shape[1]):
            if covered[e, mask] >= NEVER:
                continue
            for service in ask.services:
                if not cards.serves[service, node]:
                    continue
                step = _rate_step(cards, service * cards.zones + ask.zone[node], weight_g[mask])
                if step < 0:
                    continue
                index = max(covered[e, mask], t.ready[service, node]) - t.first_day
                if index >= t.common.shape[1]:
                    continue
                ship_day = t.common[t.pair[service, node], index]
                handed_over = ship_day + ask.shift[node]
                arrival = _arrival(t, t.calendar[service], handed_over, cards.transit_days[step])
                if arrival > deadline or arrival >= NEVER:
                    continue
                cost = cards.parcel_cost[node] + cards.cost[step] + cards.unit_cost[node] * units[mask]
                if _better(by_arrival, cost, arrival, best.cost[e, mask], best.arrival[e, mask]):
                    best.cost[e, mask] = cost
                    best.service[e, mask] = service
                    best.ship_day[e, mask] = ship_day
                    best.arrival[e, mask] = arrival
                    best.shipping[e, mask] = cards.cost[step]
    return best


@njit(cache=True, nogil=True)
def _better(by_arrival: bool, cost: int, arrival: int, than_cost: int, than_arrival: int) -> bool:
    if by_arrival:
        return arrival < than_arrival or (arrival == than_arrival and cost < than_cost)
    return cost < than_cost or (cost == than_cost and arrival < than_arrival)


@njit(cache=True, nogil=True)
def _partition(
    by_arrival: bool, parcels: Parcels, alone: BoolArray, most_parcels: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the best cost and arrival of each (stage, parcel count, mask), and the (node, mask) chosen last to reach it.

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
                held < 0 or _better(by_arrival, cost[e, mask], arrival[e, mask], cost[held, mask], arrival[held, mask])
            ):
                best_node[mask] = e
    total = np.full((stages, most_parcels + 1, masks), INFINITE, dtype=np.int64)
    latest = np.full((stages, most_parcels + 1, masks), NEVER, dtype=np.int64)
    node_of = np.full((stages, most_parcels + 1, masks), -1, dtype=np.int64)
    part_of = np.zeros((stages, most_parcels + 1, masks), dtype=np.int64)
    total[0, 0, 0] = 0
    latest[0, 0, 0] = 0
    for count in range(1, most_parcels + 1):
        for mask in range(1, masks):
            lowest = mask & -mask
            others = mask ^ lowest
            rest = others
            while True:  # `rest` runs through the subsets of `others`; the parcel is what is left of the mask
                part = mask ^ rest
                node = best_node[part]
                if node >= 0 and total[0, count - 1, rest] < INFINITE:
                    new_total = total[0, count - 1, rest] + cost[node, part]
                    new_latest = max(latest[0, count - 1, rest], arrival[node, part])
                    if _better(by_arrival, new_total, new_latest, total[0, count, mask], latest[0, count, mask]):
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
                if count == 0 or mask == 0:
                    continue
                part = mask
                while part > 0:
                    rest = mask ^ part
                    if cost[node, part] < INFINITE and total[stage - 1, count - 1, rest] < INFINITE:
                        new_total = total[stage - 1, count - 1, rest] + cost[node, part]
                        new_latest = max(latest[stage - 1, count - 1, rest], arrival[node, part])
                        if _better(
                            by_arrival, new_total, new_latest, total[stage, count, mask], latest[stage, count, mask]
                        ):
                            total[stage, count, mask] = new_total
                            latest[stage, count, mask] = new_latest
                            node_of[stage, count, mask] = node
                            part_of[stage, count, mask] = part
                    part = (part - 1) & mask
    return total, latest, node_of, part_of


@njit(cache=True, nogil=True)
def _choice(
    objective: int, total: IntArray, latest: IntArray, units: IntArray, split_cost: int, target: int
) -> tuple[int, int]:
    """Return the (mask, parcel count) that is best by an objective; with a `target` mask, of that mask only."""
    counts, masks = total.shape
    best_mask, best_count, best_units = 0, 0, 0
    best = (np.int64(0), np.int64(0), np.int64(0))
    for mask in range(1, masks):
        if target >= 0 and mask != target:
            continue
        for count in range(1, counts):
            if total[count, mask] >= INFINITE or (target < 0 and units[mask] < best_units):
                continue
            money = total[count, mask] + split_cost * (count - 1)
            if objective == CHEAPEST:
                key = (money, latest[count, mask], np.int64(count))
            elif objective == FASTEST:
                key = (latest[count, mask], money, np.int64(count))
            else:
                key = (np.int64(count), money, latest[count, mask])
            if best_mask == 0 or (target < 0 and units[mask] > best_units) or key < best:
                best_mask, best_count, best_units, best = mask, count, units[mask], key
    return best_mask, best_count


@njit(cache=True, nogil=True)
def _best_plan(
    objective: int, parcels: Parcels, units: IntArray, split_cost: int, most_parcels: int, target: int
) -> tuple[IntArray, int, int]:
    """Return the best plan as rows of (eligible node, mask), its length, and the mask it serves."""
    alone = np.zeros(parcels.cost.shape[0], dtype=np.bool_)
    plan = np.zeros((most_parcels, 2), dtype=np.int64)
    while True:
        total, latest, node_of, part_of = _partition(objective == FASTEST, parcels, alone, most_parcels)
        last = total.shape[0] - 1
        served, count = _choice(objective, total[last], latest[last], units, split_cost, target)
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


@njit(cache=True, nogil=True)
def _record(found: IntArray, plan: IntArray, rows: int, nodes: IntArray, parcels: Parcels) -> None:
    """Write the parcels of a plan, NODE … SHIPPING."""
    for row in range(rows):
        e, mask = plan[row, 0], plan[row, 1]
        found[row, NODE] = nodes[e]
        found[row, SERVICE] = parcels.service[e, mask]
        found[row, MASK] = mask
        found[row, SHIP_DAY] = parcels.ship_day[e, mask]
        found[row, ARRIVAL_DAY] = parcels.arrival[e, mask]
        found[row, COST] = parcels.cost[e, mask]
        found[row, SHIPPING] = parcels.shipping[e, mask]


@njit(cache=True, nogil=True)
def _last_arrival(plan: IntArray, rows: int, parcels: Parcels) -> int:
    latest = 0
    for row in range(rows):
        latest = max(latest, parcels.arrival[plan[row, 0], plan[row, 1]])
    return latest


@njit(cache=True, nogil=True)
def _mask_sums(values: IntArray) -> IntArray:
    """Return the sum of the values of every mask."""
    sums = np.zeros(1 << values.shape[0], dtype=np.int64)
    for line in range(values.shape[0]):
        bit = 1 << line
        for rest in range(bit):
            sums[bit | rest] = sums[rest] + values[line]
    return sums


@njit(cache=True, nogil=True)
def promise_options(covered: IntArray, ask: Ask, cards: Cards, t: Days) -> tuple[IntArray, IntArray, int]:
    """Return the cheapest, the fastest and the fewest-parcels plan of one order.

    `covered` (eligible nodes, 2^lines) comes from `days_covered`. The result: plans (3, parcels, 7) with the columns
    NODE … SHIPPING, by objective; how many parcels each has (3,); the mask of lines served: 0 if none can be, or if
    not all and `ask.complete`.
    """
    lines = ask.units.shape[0]
    most = min(ask.most_parcels, lines)
    plans = np.zeros((3, max(most, 1), 7), dtype=np.int64)
    counts = np.zeros(3, dtype=np.int64)
    if most <= 0 or ask.nodes.shape[0] == 0:
        return plans, counts, 0
    units = _mask_sums(ask.units)
    target = (1 << lines) - 1 if ask.complete else -1
    parcels = price_parcels(False, ask.need_by, covered, ask, cards, t)
    plan, rows, served = _best_plan(CHEAPEST, parcels, units, ask.split_cost, most, target)
    if served == 0:
        return plans, counts, 0
    _record(plans[CHEAPEST], plan, rows, ask.nodes, parcels)
    _record(plans[FASTEST], plan, rows, ask.nodes, parcels)
    _record(plans[FEWEST], plan, rows, ask.nodes, parcels)
    counts[:] = rows
    latest = _last_arrival(plan, rows, parcels)
    if rows > 1:
        plan, rows, _ = _best_plan(FEWEST, parcels, units, ask.split_cost, most, served)
        _record(plans[FEWEST], plan, rows, ask.nodes, parcels)
        counts[FEWEST] = rows

    by_day = price_parcels(True, ask.need_by, covered, ask, cards, t)
    plan, rows, _ = _best_plan(FASTEST, by_day, units, ask.split_cost, most, served)
    soonest = _last_arrival(plan, rows, by_day)
    if soonest < latest:
        parcels = price_parcels(False, soonest, covered, ask, cards, t)
        plan, rows, _ = _best_plan(CHEAPEST, parcels, units, ask.split_cost, most, served)
        _record(plans[FASTEST], plan, rows, ask.nodes, parcels)
        counts[FASTEST] = rows
    return plans, counts, served
