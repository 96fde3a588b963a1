"""The integer programme over known patterns: one for every order, within what stock and capacity allow.

Here: the model, and what it chooses. Not here: which patterns (`near_patterns.py`), which orders (`blocks.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, vstack

from solvers.assignment import Assignment
from solvers.linear import LinearModel, solve_integer
from solvers.offers import Residual
from solvers.pattern_sets import Patterns, taken, with_current
from solvers.plan import BACKORDER, ROUNDINGS
from solvers.problem import FloatArray, IntArray
from solvers.tables import Compiled


def usage(compiled: Compiled, patterns: Patterns) -> csr_matrix:
    """Return what every pattern uses, shape (resources, patterns).

    Resources are numbered: contested rows (each rounding of a row), then units of each node, then its parcels.
    """
    t, count = compiled.tables, len(patterns.order)
    rows, nodes, roundings = len(compiled.entry), len(compiled.node_units), len(ROUNDINGS)
    column = np.repeat(np.arange(count), np.diff(patterns.start))
    shipped = patterns.cand != BACKORDER
    place = (np.arange(len(column)) - patterns.start[column])[shipped]
    column, cand = column[shipped], patterns.cand[shipped].astype(np.int64)
    order = patterns.order[column]
    lines = t.line_start[order + 1] - t.line_start[order]
    row = t.row[t.row_start[order] + cand * lines + place].astype(np.int64)
    quantity, node = t.quantity[t.line_start[order] + place], t.cand_node[t.cand_start[order] + cand].astype(np.int64)
    parcel = np.unique(column * nodes + node)
    parts = [(column, roundings * rows + node, quantity)]
    parts.append((parcel // nodes, roundings * rows + nodes + parcel % nodes, np.ones(len(parcel), np.int64)))
    for k, (p, q) in enumerate(ROUNDINGS):
        used = (row >= 0) & (p * quantity >= q)
        parts.append((column[used], roundings * row[used] + k, p * quantity[used] // q))
    columns, resources, amounts = (np.concatenate([part[k] for part in parts]) for k in range(3))
    shape = (roundings * rows + 2 * nodes, count)
    return csr_matrix((amounts.astype(np.float64), (resources, columns)), shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """What an integer programme over patterns chose: those that are not the plan's, and its bound for all orders."""

    changed: Patterns
    bound_cents: float


def choose_patterns(
    compiled: Compiled,
    orders: IntArray,
    known: Patterns,
    plan: Assignment,
    free: Residual,
    *,
    nodes: int,
    seconds: float | None,
    enough: float = 0.5,
) -> Choosing:
    """Return the best choice of one known pattern for each order, those of the plan among them.

    The orders may use what they hold now and what is `free`. Nodes, seconds and `enough` as for `solve_integer`.
    """
    patterns, current = with_current(compiled, orders, known, plan)
    model, _ = pattern_model(compiled, orders, patterns, free, current)
    solution = solve_integer(model, current, nodes=nodes, seconds=seconds, enough=enough)
    chosen = solution.values > 0.5
    chosen[current] = False
    return Choosing(changed=taken(patterns, np.flatnonzero(chosen)), bound_cents=solution.bound)


def pattern_model(
    compiled: Compiled, orders: IntArray, patterns: Patterns, free: Residual, current: IntArray
) -> tuple[LinearModel, IntArray]:
    """Return the model that chooses one pattern for each of the orders, and the resource of each row after these.

    The orders may use what is `free` and what the patterns at the places `current` hold now. Only resources that the
    patterns could exhaust have a row.
    """
    use = usage(compiled, patterns)
    limit = _limits(free, np.asarray(use[:, current].sum(axis=1)).ravel())
    most = np.asarray(use.sum(axis=1)).ravel()
    binding = np.flatnonzero(most > limit)
    place = np.full(len(compiled.coupled), -1)
    place[orders] = np.arange(len(orders))
    count = len(patterns.order)
    one = csr_matrix((np.ones(count), (place[patterns.order], np.arange(count))), shape=(len(orders), count))
    ones = np.ones(len(orders))
    model = LinearModel(
        cost=patterns.cents.astype(np.float64),
        matrix=csr_matrix(vstack([one, use[binding]])),
        lower=np.concatenate([ones, np.full(len(binding), -np.inf)]),
        upper=np.concatenate([ones, limit[binding]]),
    )
    return model, binding


def _limits(free: Residual, held: FloatArray) -> FloatArray:
    roundings, rows = len(ROUNDINGS), len(free.row)
    units = free.row + held[: roundings * rows : roundings].astype(np.int64)
    row = np.stack([p * units // q for p, q in ROUNDINGS], axis=1).ravel()
    capacity = np.concatenate([free.units, free.parcels]) + held[roundings * rows :]
    return np.concatenate([row.astype(np.float64), capacity])
