"""A plan in the making: which candidate ships each line, what is left of everything, and the moves that keep both true.

`serve` takes only what is left, and `restore` what is known to fit, so stock and capacity are never exceeded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import INFEASIBLE, best_service
from solvers.kernels import inner
from solvers.long_orders import serve_long
from solvers.offers import Choice, Duals, Residual
from solvers.patterns import price_order
from solvers.plan import BACKORDER
from solvers.problem import IntArray
from solvers.tables import Compiled, Tables, move_cents


class Assignment(NamedTuple):
    """The candidate (counted from the order's first) that ships each line, or `BACKORDER`, and what that leaves."""

    cand: NDArray[np.int32]
    """Per line, in table order."""
    cents: IntArray
    """The true cost of every order, without prices."""
    residual: Residual

    def copy(self) -> Assignment:
        """Return an independent copy."""
        return Assignment(self.cand.copy(), self.cents.copy(), Residual(*(array.copy() for array in self.residual)))


def nothing_assigned(compiled: Compiled) -> Assignment:
    """Return the assignment that backorders everything."""
    t = compiled.tables
    short = np.concatenate([np.zeros(1, np.int64), np.cumsum(t.short_cents)])[t.line_start]
    return Assignment(
        cand=np.full(len(t.quantity), BACKORDER, np.int32),
        cents=np.diff(short),
        residual=Residual(compiled.row_stock.copy(), compiled.node_units.copy(), compiled.node_parcels.copy()),
    )


@inner
def serve(t: Tables, o: int, duals: Duals, plan: Assignment, out: Choice) -> int:
    """Give order o, which holds nothing, its cheapest pattern at these prices from what is left; return its true cost.

    Exact for orders whose lines are all grouped, a good pattern for others.
    """
    first, last = t.line_start[o], t.line_start[o + 1]
    if t.grouped[o] < last - first:
        serve_long(t, o, duals, plan.residual, plan.cand)
    else:
        price_order(t, o, duals, plan.residual, True, out)
        for p in range(last - first):
            plan.cand[first + p] = BACKORDER
            for i in range(out.size[0]):
                if out.mask[i] >> p & 1:
                    plan.cand[first + p] = out.cand[i]
    take(t, o, plan, 1)
    plan.cents[o] = true_cents(t, o, plan.cand)
    return plan.cents[o]


@njit(cache=True, nogil=True)
def take_back(t: Tables, o: int, plan: Assignment) -> None:
    """Return all that order o holds to what is left, and backorder its lines."""
    take(t, o, plan, -1)
    plan.cand[t.line_start[o] : t.line_start[o + 1]] = BACKORDER


@njit(cache=True, nogil=True)
def restore(t: Tables, o: int, cand: NDArray[np.int32], plan: Assignment) -> None:
    """Give order o, which holds nothing, a pattern that is known to fit."""
    plan.cand[t.line_start[o] : t.line_start[o + 1]] = cand
    take(t, o, plan, 1)
    plan.cents[o] = true_cents(t, o, plan.cand)


@inner
def take(t: Tables, o: int, plan: Assignment, sign: int) -> None:
    """Take (or with -1 give back) the stock and capacity of order o's pattern."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    for p in range(lines):
        i = plan.cand[first + p]
        if i == BACKORDER:
            continue
        node = t.cand_node[t.cand_start[o] + i]
        row = t.row[t.row_start[o] + i * lines + p]
        if row >= 0:
            plan.residual.row[row] -= sign * t.quantity[first + p]
        plan.residual.units[node] -= sign * t.quantity[first + p]
        opens = True
        for before in range(p):
            opens = opens and plan.cand[first + before] != i
        if opens:
            plan.residual.parcels[node] -= sign


@njit(cache=True, nogil=True)
def true_cents(t: Tables, o: int, cand: NDArray[np.int32]) -> int:
    """Return what order o's pattern costs: parcels, splits and backorders, without prices."""
    first, last = t.line_start[o], t.line_start[o + 1]
    cents, parcels = 0, 0
    for p in range(first, last):
        i = cand[p]
        if i == BACKORDER:
            cents += t.short_cents[p]
            continue
        cents += move_cents(t, p, t.cand_node[t.cand_start[o] + i])
        opens, grams, units = True, 0, 0
        for q in range(first, last):
            if cand[q] == i:
                opens = opens and q >= p
                grams, units = grams + t.weight_g[q], units + t.quantity[q]
        if opens:
            c = t.cand_start[o] + i
            node = t.cand_node[c]
            service = best_service(
                t.freight, node, t.cand_place[c], t.cand_place_end[c], grams, (t.due_days[o], t.service_level[o]), False
            )
            cents += service[0] + t.node_parcel_cents[node] + t.node_unit_cents[node] * units
            parcels += 1
            assert service[0] < INFEASIBLE
    return cents + t.split_cents * max(0, parcels - 1)


@njit(cache=True, nogil=True)
def serve_in_sequence(t: Tables, sequence: IntArray, duals: Duals, plan: Assignment, out: Choice) -> int:
    """Serve orders one after another, each at its best at these prices; return their true cost."""
    total = 0
    for o in sequence:
        total += serve(t, o, duals, plan, out)
    return total
