"""Values of the lines of long orders: what a sweep makes of them, and how they are improved one order at a time.

A value is the multiplier of "this line is dealt with once" in the relaxation of `relaxation.py`. Sweeps move values
along with the prices (`prices.py`); once prices stand still, every order's values can be improved on their own, by the
same Adam-like steps.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.cost import INFEASIBLE, best_service
from solvers.kernels import inner
from solvers.offers import BIG, Duals, stock_charge
from solvers.problem import FloatArray, IntArray
from solvers.relaxation import Relaxed, line_end, relaxed_order
from solvers.tables import NO_STOCK, Tables, move_cents

BETA, RHO = 0.9, 0.99
FIRST_STEP, NEXT_STEP, LAST_STEP = 0.3, 0.03, 0.001
"""Length of a step as a share of what the lines would cost alone: the first from nowhere, the first from values that
are there already, and the last."""


@inner
def lines_alone(t: Tables, o: int, duals: Duals, alone: FloatArray) -> None:
    """Write what each line of order o costs by itself, in a parcel of its own or backordered, to its part of `alone`.

    Where lines may be divided: what a unit of it costs if all of it travels together, told at its first piece.
    """
    first, last = t.line_start[o], t.line_start[o + 1]
    p = first
    while p < last:
        end, units = line_end(t, p, last)
        weight_g = t.weight_g[p] // t.quantity[p] * units
        least = t.short_cents[p] * duals.unit * (units if t.divisible else 1)
        for c in range(t.cand_start[o], t.cand_start[o + 1]):
            row = t.row[t.row_start[o] + (c - t.cand_start[o]) * (last - first) + p - first]
            if row == NO_STOCK:
                continue
            node, own = t.cand_node[c], (t.due_days[o], t.service_level[o])
            cents = best_service(t.freight, node, t.cand_place[c], t.cand_place_end[c], weight_g, own, True)[0]
            if cents < INFEASIBLE:
                cost = (cents + t.node_parcel_cents[node] + t.split_cents) * duals.unit + duals.parcels[node]
                cost += (t.node_unit_cents[node] * duals.unit + duals.units[node]) * units
                cost += (move_cents(t, p, node) * units // t.quantity[p]) * duals.unit
                least = min(least, cost + stock_charge(duals.row, row, units))
        alone[p:end] = 0.0
        alone[p] = least / units if t.divisible else least
        p = end


@inner
def relax_order(
    t: Tables,
    o: int,
    duals: Duals,
    worth: FloatArray,
    out: Relaxed,
    row: FloatArray,
    units: FloatArray,
    parcels: FloatArray,
    lines: FloatArray,
) -> float:
    """Return the relaxation's bound on order o, and add what it uses to `row`, `units` and `parcels`.

    `lines` gets, per line, how much of it nobody ships (negative: how much too much), 0 where its value is right.
    """
    first, last = t.line_start[o], t.line_start[o + 1]
    value = relaxed_order(t, o, duals, worth, out)
    any_chosen = False
    lines[first:last] = 0.0
    for i in range(t.cand_start[o + 1] - t.cand_start[o]):
        if not out.chosen[i]:
            continue
        any_chosen = True
        node = t.cand_node[t.cand_start[o] + i]
        parcels[node] += 1.0
        p = first
        while p < last:
            end, quantity = line_end(t, p, last)
            share = out.share[i, p - first]
            if share > 0.0:
                lines[p] -= share
                units[node] += share * quantity
                at = t.row[t.row_start[o] + i * (last - first) + p - first]
                if at >= 0:
                    row[at, 0] += share * quantity
                    row[at, 1] += share * (quantity // 2)
                    row[at, 2] += share * (quantity // 3)
                    row[at, 3] += share * (2 * quantity // 3)
            p = end
    p = first
    while p < last and any_chosen:
        end, _ = line_end(t, p, last)
        lines[p] += 1.0
        if worth[p] >= t.short_cents[p] * duals.unit and lines[p] > 0.0:
            lines[p] = 0.0
        p = end
    return value


@njit(cache=True, nogil=True)
def improve_values(
    t: Tables, orders: IntArray, duals: Duals, worth: FloatArray, out: Relaxed, steps: int, whole_numbers: bool
) -> FloatArray:
    """Return the best bound on each order, and write the values that prove it to `worth`.

    Begins at the values there, or, where the order has none, at half of what its lines cost alone. With
    `whole_numbers` values are rounded before they are tried.
    """
    found = np.empty(len(orders))
    row, units = np.zeros((len(duals.row), 4)), np.zeros(len(duals.units))
    parcels = np.zeros(len(duals.units))
    lines, alone, tried = np.zeros(len(worth)), np.zeros(len(worth)), worth.copy()
    for k in range(len(orders)):
        o = orders[k]
        first, last = t.line_start[o], t.line_start[o + 1]
        lines_alone(t, o, duals, alone)
        begin = NEXT_STEP
        if not worth[first:last].any():
            begin, tried[first:last] = FIRST_STEP, 0.5 * alone[first:last]
        mean, square = np.zeros(last - first), np.zeros(last - first)
        found[k] = -BIG
        for step in range(steps):
            if whole_numbers:
                for p in range(first, last):
                    tried[p] = np.rint(tried[p])
            value = relax_order(t, o, duals, tried, out, row, units, parcels, lines)
            if value > found[k]:
                found[k] = value
                worth[first:last] = tried[first:last]
            length = begin * (LAST_STEP / begin) ** (step / max(steps - 1, 1))
            settled = True
            for p in range(first, last):
                gradient = lines[p]
                settled = settled and abs(gradient) < 1e-9
                at = p - first
                mean[at] = BETA * mean[at] + (1.0 - BETA) * gradient
                square[at] = RHO * square[at] + (1.0 - RHO) * gradient * gradient
                direction = mean[at] / (1.0 - BETA ** (step + 1))
                direction /= np.sqrt(square[at] / (1.0 - RHO ** (step + 1))) + 1e-9
                moved = tried[p] + length * alone[p] * direction
                tried[p] = max(0.0, min(t.short_cents[p] * duals.unit, moved))
            if settled:
                break
    return found
