"""Plans in which a hub packs what several nodes send into one parcel: the subset programme with hubs, exactly.

Here: compiled kernels on integer arrays. A part is a set of lines (a bit mask) that one node sends to a hub, or that
the hub has itself; it may be handed over there from a moment on. A parcel of a hub is made of parts of distinct nodes;
which service takes it on, at what cost and until when, depends on its lines and on the moment of its last part. So of
every hub, moment and mask the cheapest parts that are there by then are found,
F(M) = min over S ⊆ M of part(S) + F(M∖S), and a hub is one more row of the partition programme (promise_options.py).

In a plan a node's stock goes into one parcel, and a node ships one parcel to the customer. The programme with rows for
nodes and hubs does not see that a node sends twice, or ships twice. Such a plan is taken apart: either all that the
node sends has a certain line of the first of the two, or nothing that it sends has it. Both are again such programmes,
and each bounds the true best from below; so the first plan without such a node that no open programme beats is optimal.
Beyond `MOST_TRIED` programmes for one plan the best found so far counts.

Not here: what transfers cost and when they arrive (promise_transfers.py), and parcels (promise_parcels.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.kernels import inner
from solvers.problem import IntArray
from solvers.promise_dates import NEVER
from solvers.promise_options import (
    ARRIVAL_DAY,
    COST,
    MASK,
    MOST_PLANS,
    NINETIETH_DAY,
    NODE,
    SERVICE,
    SHIP_DAY,
    choice,
    is_beaten,
    partition,
)
from solvers.promise_parcels import INFINITE, Ask, Parcels, is_better, mask_sums

MOST_TRIED = 2_000
SENDS, SHIPS = 0, 1
"""What a node is used for; for either once in a plan."""


class Parts(NamedTuple):
    """What may be sent to hubs: `node` and `hub` (parts,), `cost` (parts, masks), `INFINITE` if not at all.

    `rank` (parts, masks) is the place of its moment among those of its hub.
    """

    node: IntArray
    hub: IntArray
    cost: IntArray
    rank: IntArray


class Offered(NamedTuple):
    """Parcels by (row, mask, service), as in `promise_parcels.Offers`.

    `row` (shippers, services) is where the offers of each shipper, or of each moment of a hub, stand; -1 for none.
    """

    row: IntArray
    cost: IntArray
    arrival: IntArray
    ship_day: IntArray


class Plan(NamedTuple):
    """Room for one plan: `parcels` (parcels, 14), `pieces` (parcels, lines, 2) as of `hub_plans`.

    `uses` (…, 3) are SENDS or SHIPS, the node, its lines.
    """

    parcels: IntArray
    pieces: IntArray
    uses: IntArray


class Lot(NamedTuple):
    """Who ships, who sends each part, when parcels of hubs leave, and of which parts they are made."""

    shipper: IntArray
    sender: IntArray
    leaves: IntArray
    part_of: IntArray
    lines_of: IntArray


@njit(cache=True, nogil=True)
def in_time(offered: Offered, deadline: int) -> Parcels:
    """Return the best offer of every (shipper, mask) that arrives by a deadline; `service` is its place among them."""
    shape = (offered.row.shape[0], offered.cost.shape[1])
    best = Parcels(
        np.full(shape, INFINITE, dtype=np.int64),
        np.full(shape, -1, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
    )
    for shipper in range(shape[0]):
        for place in range(offered.row.shape[1]):
            row = offered.row[shipper, place]
            for mask in range(1, shape[1]) if row >= 0 else range(0):
                cost, arrival = offered.cost[row, mask, place], offered.arrival[row, mask, place]
                if arrival > deadline or arrival >= NEVER:
                    continue
                if is_better(False, cost, arrival, best.cost[shipper, mask], best.arrival[shipper, mask]):
                    best.cost[shipper, mask], best.arrival[shipper, mask] = cost, arrival
                    best.service[shipper, mask] = place
                    best.ship_day[shipper, mask] = offered.ship_day[row, mask, place]
    return best


@njit(cache=True, nogil=True)
def gather(
    parts: Parts, hub: int, need: IntArray, ban: IntArray, total: IntArray, part_of: IntArray, lines_of: IntArray
) -> None:
    """Write what it costs at least to have lines at a hub by each of its moments, and the last part and its lines.

    need and ban (nodes,) are lines that all, and none, of what a node sends has; total, part_of and lines_of are
    (moments, masks). A node may be used more than once.
    """
    moments, masks = total.shape
    best, who = np.full(masks, INFINITE, dtype=np.int64), np.full(masks, -1, dtype=np.int64)
    for moment in range(moments):
        for part in range(parts.node.shape[0]):
            node = parts.node[part]
            for mask in range(1, masks) if parts.hub[part] == hub else range(0):
                if parts.rank[part, mask] != moment or parts.cost[part, mask] >= best[mask]:
                    continue
                if mask & ban[node] == 0 and mask & need[node] == need[node]:
                    best[mask], who[mask] = parts.cost[part, mask], part
        total[moment, :] = INFINITE
        total[moment, 0] = 0
        for mask in range(1, masks):
            others = mask & (mask - 1)
            rest = others
            while True:  # `rest` runs through the subsets of `others`; the part is what is left of the mask
                lines = mask ^ rest
                if best[lines] < INFINITE and total[moment, rest] < INFINITE:
                    cents = best[lines] + total[moment, rest]
                    if cents < total[moment, mask]:
                        total[moment, mask], part_of[moment, mask], lines_of[moment, mask] = cents, who[lines], lines
                if rest == 0:
                    break
                rest = (rest - 1) & others


@inner
def with_hubs(
    near: Parcels, onwards: Parcels, shipper: IntArray, first: IntArray, at_hub: IntArray, need: IntArray, ban: IntArray
) -> Parcels:
    """Return the parcels of nodes, then those of hubs, without those that `need` and `ban` (2, nodes) rule out.

    `onwards` (moments, masks), and `at_hub`, what it costs to have the lines there, are of all hubs, one after another:
    hub h has `first[h]:first[h + 1]`. Of a parcel of a hub `ship_day` is its moment. need and ban have lines that all,
    and none, of what a node sends (row 0) and ships (row 1) has.
    """
    nodes, masks, hubs = near.cost.shape[0], near.cost.shape[1], first.shape[0] - 1
    shape = (nodes + hubs, masks)
    found = Parcels(
        np.full(shape, INFINITE, dtype=np.int64),
        np.full(shape, -1, dtype=np.int64),
        np.full(shape, -1, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
    )
    for row in range(nodes + hubs):
        node = shipper[row]
        for mask in range(1, masks):
            if mask & ban[1, node] or mask & need[1, node] != need[1, node]:
                continue
            if row < nodes:
                if mask & ban[0, node] == 0 and mask & need[0, node] == need[0, node]:
                    found.cost[row, mask], found.arrival[row, mask] = near.cost[row, mask], near.arrival[row, mask]
                    found.service[row, mask] = near.service[row, mask]
                continue
            for moment in range(first[row - nodes], first[row - nodes + 1]):
                if onwards.cost[moment, mask] >= INFINITE or at_hub[moment, mask] >= INFINITE:
                    continue
                cost, arrival = onwards.cost[moment, mask] + at_hub[moment, mask], onwards.arrival[moment, mask]
                if is_better(False, cost, arrival, found.cost[row, mask], found.arrival[row, mask]):
                    found.cost[row, mask], found.arrival[row, mask] = cost, arrival
                    found.service[row, mask], found.ship_day[row, mask] = onwards.service[moment, mask], moment
    return found


@inner
def _conflict(uses: IntArray, count: int) -> int:
    """Return a use (kind, node, lines) whose node a later use of its kind has too, -1 if there is none."""
    for one in range(count):
        for other in range(one):
            if uses[one, 0] == uses[other, 0] and uses[one, 1] == uses[other, 1]:
                return other
    return -1


@inner
def _ruled(branch: IntArray, at: int, nodes: int) -> tuple[IntArray, IntArray]:
    """Return the lines that all, and none, of what a node sends (row 0) and ships (row 1) has in a programme."""
    need, ban = np.zeros((2, nodes), dtype=np.int64), np.zeros((2, nodes), dtype=np.int64)
    while at > 0:
        rule = need if branch[at, 4] == 1 else ban
        rule[branch[at, 1], branch[at, 2]] |= branch[at, 3]
        at = branch[at, 0]
    return need, ban


@inner
def _unfold(
    plan: Plan, rows: int, mask: int, node_of: IntArray, lines_at: IntArray, near: Parcels, parcels: Parcels, lot: Lot
) -> int:
    """Write the parcels of a plan, their pieces, and who is used for what; return how many uses there are."""
    used, plan.pieces[:] = 0, 0
    shippers = near.cost.shape[0]
    for row in range(rows):
        shipper, lines_in = node_of[0, rows - row, mask], lines_at[0, rows - row, mask]
        mask ^= lines_in
        plan.parcels[row, NODE], plan.parcels[row, MASK] = lot.shipper[shipper], lines_in
        plan.parcels[row, SERVICE] = parcels.service[shipper, lines_in]
        plan.parcels[row, COST], plan.parcels[row, ARRIVAL_DAY] = (
            parcels.cost[shipper, lines_in],
            parcels.arrival[shipper, lines_in],
        )
        plan.uses[used, 0], plan.uses[used, 1], plan.uses[used, 2] = SHIPS, lot.shipper[shipper], lines_in
        used += 1
        if shipper < shippers:
            plan.parcels[row, SHIP_DAY] = near.ship_day[shipper, lines_in]
            plan.uses[used, 0], plan.uses[used, 1], plan.uses[used, 2] = SENDS, lot.shipper[shipper], lines_in
            used += 1
            continue
        moment, rest, piece = parcels.ship_day[shipper, lines_in], lines_in, 0
        plan.parcels[row, SHIP_DAY] = lot.leaves[moment, lines_in]
        while rest > 0:
            part, of_it = lot.part_of[moment, rest], lot.lines_of[moment, rest]
            plan.pieces[row, piece, 0], plan.pieces[row, piece, 1] = part, of_it
            plan.uses[used, 0], plan.uses[used, 1], plan.uses[used, 2] = SENDS, lot.sender[part], of_it
            rest ^= of_it
            piece += 1
            used += 1
    return used


@inner
def _best_plan(
    best: Plan,
    near: Parcels,
    onwards: Parcels,
    shipper: IntArray,
    first: IntArray,
    parts: Parts,
    nodes: int,
    units: IntArray,
    ask: Ask,
    target: int,
    limit: int,
) -> tuple[int, int]:
    """Write the cheapest plan of at most `limit` parcels, and return the mask it serves, 0 if none, and its parcels."""
    hubs, masks, moments = first.shape[0] - 1, near.cost.shape[1], onwards.cost.shape[0]
    lines, most = ask.units.shape[0], best.parcels.shape[0]
    nobody = np.zeros(near.cost.shape[0] + hubs, dtype=np.bool_)
    at_hub = np.empty((moments, masks), dtype=np.int64)
    part_of, lines_of = np.empty((moments, masks), dtype=np.int64), np.empty((moments, masks), dtype=np.int64)
    lot = Lot(shipper, parts.node, onwards.ship_day, part_of, lines_of)
    plan = Plan(best.parcels.copy(), best.pieces.copy(), best.uses.copy())
    branch = np.zeros((2 * MOST_TRIED + 2, 5), dtype=np.int64)
    waiting = np.zeros(2 * MOST_TRIED + 2, dtype=np.int64)
    branches, left, tried, best_mask, best_rows = 1, 1, 0, 0, 0
    best_key = (np.int64(0), np.int64(0), np.int64(0))
    while left > 0 and tried < MOST_TRIED:
        left -= 1
        tried += 1
        at = waiting[left]
        need, ban = _ruled(branch, at, nodes)
        for hub in range(hubs):
            begin, end = first[hub], first[hub + 1]
            gather(parts, hub, need[0], ban[0], at_hub[begin:end], part_of[begin:end], lines_of[begin:end])
        parcels = with_hubs(near, onwards, shipper, first, at_hub, need, ban)
        total, last_day, node_of, lines_at = partition(parcels, nobody, most, lines)
        mask, rows = choice(total[0], last_day[0], units, ask.goods.whole, ask.split_cost, target, limit)
        if mask == 0 or units[mask] < units[best_mask]:
            continue
        key = (total[0, rows, mask] + ask.split_cost * (rows - 1), last_day[0, rows, mask], np.int64(rows))
        if best_mask > 0 and units[mask] == units[best_mask] and not key < best_key:
            continue
        used = _unfold(plan, rows, mask, node_of, lines_at, near, parcels, lot)
        clash = _conflict(plan.uses, used)
        if clash < 0:
            best_mask, best_rows, best_key = mask, rows, key
            best.parcels[:], best.pieces[:] = plan.parcels, plan.pieces
            continue
        for is_needed in range(2):
            branch[branches, 0], branch[branches, 4] = at, is_needed
            branch[branches, 1], branch[branches, 2] = plan.uses[clash, 0], plan.uses[clash, 1]
            branch[branches, 3] = plan.uses[clash, 2] & -plan.uses[clash, 2]
            waiting[left] = branches
            left += 1
            branches += 1
    return best_mask, best_rows


@njit(cache=True, nogil=True)
def hub_plans(
    direct: Offered, onward: Offered, shipper: IntArray, first: IntArray, parts: Parts, nodes: int, ask: Ask
) -> tuple[IntArray, IntArray, IntArray, int]:
    """Return the plans of one order that no other beats in cost, last arrival and parcels, with parcels of hubs.

    `direct` are parcels of nodes, `onward` of the moments of hubs; hub h has the moments `first[h]:first[h + 1]`.
    `shipper` (shippers + hubs,) are the nodes of both, numbered 0 to `nodes` - 1 as those of `parts`. The result: plans
    and counts as of `promise_order`, but NODE is such a number, SERVICE a place in `ask.services`, and nothing stands
    in RATE to PACKAGING and the quantiles; pieces (plans, parcels, lines, 2), of parcels of hubs the part and the lines
    of each piece, no lines behind the last; and the mask of the lines served.
    """
    units, lines = mask_sums(ask.units), ask.units.shape[0]
    most = min(ask.most_parcels, lines)
    plans = np.zeros((MOST_PLANS, max(most, 1), NINETIETH_DAY + 1), dtype=np.int64)
    pieces = np.zeros((MOST_PLANS, max(most, 1), lines, 2), dtype=np.int64)
    counts, worth = np.zeros(MOST_PLANS, dtype=np.int64), np.zeros((MOST_PLANS, 2), dtype=np.int64)
    if most <= 0:
        return plans[:0], counts[:0], pieces[:0], 0
    best = Plan(plans[0].copy(), pieces[0].copy(), np.zeros((3 * lines, 3), dtype=np.int64))
    served = (1 << lines) - 1 if ask.complete else -1
    found, deadline, latest, limit = 0, ask.need_by, 0, 0
    while True:
        if limit == 0:
            near, onwards = in_time(direct, deadline), in_time(onward, deadline)
            limit, latest = most, 0
        mask, rows = _best_plan(best, near, onwards, shipper, first, parts, nodes, units, ask, served, limit)
        limit = max(rows - 1, 0)
        if mask > 0:
            last, cost = best.parcels[:rows, ARRIVAL_DAY].max(), ask.split_cost * (rows - 1)
            cost += best.parcels[:rows, COST].sum()
            served, latest = mask, max(latest, last)
            if not is_beaten(worth, counts, found, cost, last, rows):
                found = min(found + 1, MOST_PLANS)
                worth[found - 1, 0], worth[found - 1, 1] = cost, last
                counts[found - 1] = rows
                plans[found - 1], pieces[found - 1] = best.parcels, best.pieces
        if limit == 0:
            if latest == 0:
                break
            deadline = latest - 1
    return plans[:found], counts[:found], pieces[:found], max(served, 0) if found > 0 else 0
