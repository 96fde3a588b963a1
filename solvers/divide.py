"""Divides backordered lines where a problem allows it: units that some node still has are shipped after all."""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.assignment import Assignment
from solvers.cost import INFEASIBLE, best_service
from solvers.kernels import inner
from solvers.plan import BACKORDER
from solvers.problem import IntArray
from solvers.tables import FREE, NO_STOCK, Compiled, Tables, move_cents


def divide_lines(compiled: Compiled, plan: Assignment) -> IntArray:
    """Return rows (line in table order, candidate, units) that lower the cost of a plan, shape (n, 3).

    Greedy: each backordered line, order by order, takes from the node where a unit saves most, again and again.
    """
    if not compiled.problem.terms.line_split:
        return np.zeros((0, 3), np.int64)
    rows = [row for o in _short_orders(compiled, plan) for row in _divide(compiled.tables, int(o), plan)]
    return np.array(rows, np.int64).reshape(-1, 3)


def _short_orders(compiled: Compiled, plan: Assignment) -> IntArray:
    short = np.flatnonzero(plan.cand == BACKORDER)
    return np.unique(np.searchsorted(compiled.tables.line_start, short, side="right") - 1)


@njit(cache=True, nogil=True)
def _divide(t: Tables, o: int, plan: Assignment) -> list[tuple[int, int, int]]:
    first, last = t.line_start[o], t.line_start[o + 1]
    lines, cands = last - first, t.cand_start[o + 1] - t.cand_start[o]
    grams, units = np.zeros(cands, np.int64), np.zeros(cands, np.int64)
    for p in range(first, last):
        if plan.cand[p] != BACKORDER:
            grams[plan.cand[p]] += t.weight_g[p]
            units[plan.cand[p]] += t.quantity[p]
    rows = [(0, 0, 0)][:0]
    for p in range(lines):
        if plan.cand[first + p] != BACKORDER:
            continue
        left = t.quantity[first + p]
        unit_g = t.weight_g[first + p] // left
        short_cents = t.short_cents[first + p] // left
        used = np.zeros(cands, np.bool_)
        while left:
            best, at, amount = 0.0, -1, 0
            for i in range(cands):
                take = 0 if used[i] else _most(t, o, i, p, left, units, plan)
                moved_cents = move_cents(t, first + p, t.cand_node[t.cand_start[o] + i]) // t.quantity[first + p]
                each = (unit_g, short_cents - moved_cents)
                saving = _saving(t, o, i, take, each, grams, units) if take else 0
                if take and saving / take > best:
                    best, at, amount = saving / take, i, take
            if at < 0:
                break
            node = t.cand_node[t.cand_start[o] + at]
            plan.residual.row[t.row[t.row_start[o] + at * lines + p]] -= amount
            plan.residual.units[node] -= amount
            plan.residual.parcels[node] -= units[at] == 0
            grams[at], units[at] = grams[at] + amount * unit_g, units[at] + amount
            used[at] = True
            left -= amount
            rows.append((first + p, at, amount))
    return rows


@inner
def _most(t: Tables, o: int, i: int, p: int, left: int, units: IntArray, plan: Assignment) -> int:
    """Return how many units of line p candidate i can still ship."""
    lines = t.line_start[o + 1] - t.line_start[o]
    row, node = t.row[t.row_start[o] + i * lines + p], t.cand_node[t.cand_start[o] + i]
    if row in (NO_STOCK, FREE):
        return 0
    if units[i] == 0 and (plan.residual.parcels[node] < 1 or np.count_nonzero(units) >= t.max_parcels[o]):
        return 0
    return min(left, plan.residual.row[row], plan.residual.units[node])


@inner
def _saving(t: Tables, o: int, i: int, take: int, each: tuple[int, int], grams: IntArray, units: IntArray) -> int:
    """Return the cents saved when candidate i ships so many units more instead of leaving them on backorder.

    `each` is the weight of a unit in grams, and what backordering it costs more than moving it there.
    """
    unit_g, short_cents = each
    c = t.cand_start[o] + i
    node, place, end, due = t.cand_node[c], t.cand_place[c], t.cand_place_end[c], (t.due_days[o], t.service_level[o])
    after = best_service(t.freight, node, place, end, grams[i] + take * unit_g, due, False)[0]
    if after >= INFEASIBLE:
        return 0
    cost = after + t.node_unit_cents[node] * take
    if units[i]:
        cost -= best_service(t.freight, node, place, end, grams[i], due, False)[0]
    else:
        cost += t.node_parcel_cents[node] + (t.split_cents if np.count_nonzero(units) else 0)
    return short_cents * take - cost
