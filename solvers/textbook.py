"""The textbook model of a compiled problem as integer arrays: which node ships which line, which parcels open.

    x[line, candidate]   the line comes from there (units of it, where lines may be split)
    y[candidate, step]   a parcel leaves from there, on this step of weight and service
    a[order]             the order ships something: its first parcel bears no split cost

Where a candidate can ship one line only, whole and on one step, x and y are the same and share a column.

Everything is a whole number, so its optimum is one too. The model is that of the textbooks on fixed-charge location
and assignment (Daskin 2013, Network and Discrete Location); built for a referee, not for size. Not here: solving it
(`textbook_search.py`), plans (`textbook_plan.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, identity, vstack

from solvers.problem import UNLIMITED, IntArray
from solvers.tables import NO_STOCK, Compiled
from solvers.textbook_rows import (
    NO_LOWER,
    Rows,
    charge_splits,
    keep_capacity,
    keep_stock,
    keep_to_the_step,
    limit_parcels,
    open_what_ships,
    serve_each_line,
)
from solvers.textbook_steps import Steps, weight_steps

MOST_COLUMNS = 5_000_000
"""Pairs of a line and a node that could ship it, above which the model is refused: it would not fit."""


class ExactSolver(StrEnum):
    """Who solves the textbook model: two by branch and bound over linear programmes, one by constraint programming."""

    HIGHS = "highs"
    SCIP = "scip"
    CP_SAT = "cp_sat"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactEffort:
    """How much work a search may do."""

    seconds: float | None
    """None: only the work is counted, and on one thread the result repeats."""
    nodes: int
    """Branch-and-bound nodes of HiGHS and SCIP, used without `seconds`."""
    work_seconds: float
    """CP-SAT's own count of work, used without `seconds`."""
    threads: int = 1
    """Of CP-SAT, used with `seconds`; the others take one."""
    target_gap: float = 0.0
    seed: int = 0


class TooLarge(ValueError):
    """The textbook model of a problem would not fit; the message has the numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Textbook:
    """min offset + cost·v subject to lower ≤ matrix·v ≤ upper, 0 ≤ v ≤ most, v whole; columns are x, then y, then a."""

    line: IntArray
    """Of every x: the line, in table order."""
    cand: IntArray
    """Of every x: the candidate, counted over all orders."""
    units: IntArray
    """Of every x: the units of the line that one of it means."""
    steps: Steps
    step_column: IntArray
    """The column of the y of each step."""
    shipped: IntArray
    """Of every a: the order."""
    order: IntArray
    """Of every column."""
    offset: int
    """What backordering everything costs, in cents."""
    cost: IntArray
    most: IntArray
    matrix: csr_matrix
    lower: IntArray
    """`NO_LOWER` where there is no limit."""
    upper: IntArray
    """`UNLIMITED` where there is no limit."""


def check_size(compiled: Compiled) -> None:
    """Raise TooLarge if the model would have more than `MOST_COLUMNS` x."""
    columns = int((compiled.tables.row != NO_STOCK).sum())
    if columns > MOST_COLUMNS:
        raise TooLarge(
            f"the textbook model would have {columns:,} pairs of an order line and a node, more than {MOST_COLUMNS:,}; "
            "use method auto, which proves its gap too"
        )


def textbook(compiled: Compiled) -> Textbook:
    """Return the model; raise TooLarge if it would not fit."""
    check_size(compiled)
    t, split = compiled.tables, compiled.problem.terms.line_split
    steps = weight_steps(t, split)
    line, cand, row = _pairs(compiled, steps)
    units = np.ones_like(line) if split else t.quantity[line]
    most = np.minimum(_limit(compiled, cand, row), t.quantity[line]) // units
    able = most > 0
    line, cand, row, units, most = line[able], cand[able], row[able], units[able], most[able]
    owner = np.repeat(np.arange(len(t.cand_start) - 1), np.diff(t.cand_start))
    shipped = _split_orders(compiled, owner[steps.cand])
    grams = (t.weight_g // t.quantity)[line] * units
    x = np.arange(len(line))
    y = _step_columns(cand, grams, most, steps)
    a = np.arange(len(shipped)) + max(len(x), int(y.max(initial=-1)) + 1)
    columns = int(a[-1]) + 1 if len(a) else max(len(x), int(y.max(initial=-1)) + 1)
    rows = Rows()
    serve_each_line(rows, compiled, line, x, units)
    open_what_ships(rows, cand, most, steps, x, y)
    keep_to_the_step(rows, grams, cand, most, steps, x, y)
    limit_parcels(rows, compiled, owner[steps.cand], steps, y)
    charge_splits(rows, shipped, owner[steps.cand], y, a)
    keep_stock(rows, compiled, row, units, x)
    keep_capacity(rows, compiled, t.cand_node[cand], t.cand_node[steps.cand], units, x, y)
    matrix, lower, upper = rows.matrix(columns)
    cost = np.zeros(columns, np.int64)
    moved = np.where(t.current_node[line] == t.cand_node[cand], 0, t.moved_cents[line])
    if len(t.value_cents):
        moved += t.value_cents[t.value_row[line], t.cand_node[cand]] * t.quantity[line]
    cost[x] = t.node_unit_cents[t.cand_node[cand]] * units - (t.short_cents[line] - moved) * units // t.quantity[line]
    cost[y] += steps.cents + t.node_parcel_cents[t.cand_node[steps.cand]] + t.split_cents
    cost[a] = -t.split_cents
    order = np.zeros(columns, np.int64)
    order[y], order[x], order[a] = owner[steps.cand], owner[cand], shipped
    return Textbook(
        line=line,
        cand=cand,
        units=units,
        steps=steps,
        step_column=y,
        shipped=shipped,
        order=order,
        offset=int(t.short_cents.sum()),
        cost=cost,
        most=np.concatenate([most, np.ones(columns - len(x), np.int64)]),
        matrix=matrix,
        lower=lower,
        upper=upper,
    )


def _pairs(compiled: Compiled, steps: Steps) -> tuple[IntArray, IntArray, NDArray[np.int32]]:
    """Return line, candidate and contested row of every pair of a line and a candidate that can carry a unit of it."""
    t = compiled.tables
    lines = np.diff(t.line_start)
    at = np.flatnonzero(t.row != NO_STOCK)
    order = np.searchsorted(t.row_start, at, side="right") - 1
    place, position = np.divmod(at - t.row_start[order], lines[order])
    line, cand = t.line_start[order] + position, t.cand_start[order] + place
    heaviest = np.full(len(t.cand_node), -1, np.int64)
    np.maximum.at(heaviest, steps.cand, steps.most_g)
    grams = t.weight_g[line]
    carried = heaviest[cand] >= (grams // t.quantity[line] if compiled.problem.terms.line_split else grams)
    return line[carried], cand[carried], t.row[at][carried]


def _step_columns(cand: IntArray, grams: IntArray, most: IntArray, steps: Steps) -> IntArray:
    """Return the column of every step: its own, or that of the only x there is at its candidate."""
    found, of_x, lines = np.unique(cand, return_inverse=True, return_counts=True)
    first = np.searchsorted(steps.cand, found)
    once = (lines == 1) & (np.searchsorted(steps.cand, found, side="right") - first == 1)
    x = np.flatnonzero(once[of_x])
    step = first[of_x[x]]
    same = (most[x] == 1) & (steps.least_g[step] <= grams[x]) & (grams[x] <= steps.most_g[step])
    column = np.full(len(steps.cand), -1, np.int64)
    column[step[same]] = x[same]
    own = column < 0
    column[own] = len(cand) + np.arange(int(own.sum()))
    return column


def _limit(compiled: Compiled, cand: IntArray, row: NDArray[np.int32]) -> IntArray:
    """Return the most units that each pair could ship alone."""
    stock = np.full(len(row), UNLIMITED, np.int64)
    stock[row >= 0] = compiled.row_stock[row[row >= 0]]
    node = compiled.tables.cand_node[cand]
    return np.where(compiled.node_parcels[node] > 0, np.minimum(stock, compiled.node_units[node]), 0)


def _split_orders(compiled: Compiled, order_of_step: IntArray) -> IntArray:
    """Return the orders with a step, if a split costs anything."""
    return np.unique(order_of_step) if compiled.tables.split_cents else np.zeros(0, np.int64)


def with_order_costs(model: Textbook, short_cents: IntArray, start: IntArray) -> tuple[Textbook, IntArray]:
    """Return the model with one column more per order, what it costs, which alone have a cost; and the start.

    `short_cents` is what backordering each order costs. The optimum is the same: no order costs less than nothing, and
    one that costs more than its backorder is better backordered.
    """
    orders, columns = len(short_cents), len(model.cost)
    each = csr_matrix((model.cost, (model.order, np.arange(columns))), shape=(orders, columns))
    none = csr_matrix((model.matrix.shape[0], orders), dtype=np.int64)
    cents = each @ start + short_cents
    widened = replace(
        model,
        offset=0,
        cost=np.concatenate([np.zeros(columns, np.int64), np.ones(orders, np.int64)]),
        most=np.concatenate([model.most, np.maximum(short_cents, cents)]),
        matrix=vstack([hstack([model.matrix, none]), hstack([each, -identity(orders, np.int64)])]).tocsr(),
        lower=np.concatenate([model.lower, np.full(orders, NO_LOWER)]),
        upper=np.concatenate([model.upper, -short_cents]),
    )
    return widened, np.concatenate([start, cents])
