"""From plans to points of the textbook model and back; a point counts only if it keeps every row exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.plan import BACKORDER
from solvers.problem import IntArray
from solvers.tables import Tables
from solvers.textbook import Textbook


def amounts(model: Textbook, t: Tables, cand: NDArray[np.int32], divided: IntArray) -> IntArray:
    """Return the x of a plan, which is given as in `conclude.conclude`."""
    order = np.repeat(np.arange(len(t.line_start) - 1), np.diff(t.line_start))
    whole = np.flatnonzero(cand != BACKORDER)
    line = np.concatenate([whole, divided[:, 0]])
    chosen = np.concatenate([cand[whole].astype(np.int64), divided[:, 1]]) + t.cand_start[order[line]]
    units = np.concatenate([t.quantity[whole], divided[:, 2]])
    candidates = len(t.cand_node) + 1
    known = model.line * candidates + model.cand
    rank = np.argsort(known)
    at = rank[np.searchsorted(known, line * candidates + chosen, sorter=rank)]
    x = np.zeros(len(known), np.int64)
    np.add.at(x, at, units // model.units[at])
    return x


def complete(model: Textbook, t: Tables, x: IntArray) -> IntArray | None:
    """Return the cheapest point with this x, or None if a row is broken whatever the other columns are."""
    steps, used = model.steps, np.zeros(len(t.cand_node), np.bool_)
    grams = np.zeros(len(t.cand_node), np.int64)
    np.add.at(grams, model.cand, (t.weight_g // t.quantity)[model.line] * model.units * x)
    used[model.cand[x > 0]] = True
    fits = np.flatnonzero(used[steps.cand] & (steps.least_g <= grams[steps.cand]) & (grams[steps.cand] <= steps.most_g))
    cheapest = fits[np.lexsort((steps.cents[fits], steps.cand[fits]))]
    opened, first = np.unique(steps.cand[cheapest], return_index=True)
    if len(opened) < np.count_nonzero(used):
        return None
    point = np.zeros(len(model.cost), np.int64)
    point[: len(x)] = x
    point[model.step_column[cheapest[first]]] = 1
    order = np.searchsorted(t.cand_start, opened, side="right") - 1
    point[len(point) - len(model.shipped) :] = np.isin(model.shipped, order)
    activity = model.matrix @ point
    kept = (model.lower <= activity) & (activity <= model.upper)
    return point if bool(kept.all() and (x >= 0).all() and (point <= model.most).all()) else None


def point_cents(model: Textbook, point: IntArray) -> int:
    """Return what a point costs."""
    return model.offset + int(model.cost @ point)


def assignment(model: Textbook, t: Tables, point: IntArray, line_split: bool) -> tuple[NDArray[np.int32], IntArray]:
    """Return the plan of a point in the form of `conclude.conclude`: candidates of lines, and rows of divided ones."""
    shipped = np.flatnonzero(point[: len(model.line)])
    line = model.line[shipped]
    order = np.searchsorted(t.line_start, line, side="right") - 1
    chosen = model.cand[shipped] - t.cand_start[order]
    cand = np.full(len(t.quantity), BACKORDER, np.int32)
    if line_split:
        return cand, np.stack([line, chosen, point[shipped]], axis=1)
    cand[line] = chosen
    return cand, np.zeros((0, 3), np.int64)
