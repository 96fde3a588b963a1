"""Divides the orders of a plan into blocks that can be improved at the same time, and what is left among the blocks.

A block may use what its own orders hold and its share of what is left. So no two blocks meet, and what comes out does
not depend on how many run at once. Not here: how a block is solved (`blocks.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.assignment import Assignment, restore, take_back
from solvers.offers import Residual
from solvers.pattern_sets import Patterns
from solvers.problem import IntArray
from solvers.tables import Compiled, Tables


class Rivals(NamedTuple):
    """Which orders may use each contested cell: `order[start[row]:start[row + 1]]`."""

    start: IntArray
    order: IntArray


def rivals(compiled: Compiled) -> Rivals:
    """Return the orders that compete for each contested cell."""
    t = compiled.tables
    owner = np.repeat(np.arange(len(t.line_start) - 1), np.diff(t.row_start))
    used = t.row >= 0
    row, order = t.row[used], owner[used]
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(row, minlength=len(compiled.entry)))])
    return Rivals(start.astype(np.int64), order[np.argsort(row, kind="stable")])


def shares(compiled: Compiled, residual: Residual, blocks: list[IntArray]) -> list[Residual]:
    """Divide what is left as evenly as whole units go: stock among the blocks that could use it, capacity among all."""
    interested = np.stack([_touched(compiled.tables, block, len(residual.row)) for block in blocks])
    everyone = np.ones((len(blocks), len(residual.units)), np.bool_)
    rows, units, parcels = (
        _divide(left, who) for left, who in zip(residual, (interested, everyone, everyone), strict=True)
    )
    return [Residual(rows[k], units[k], parcels[k]) for k in range(len(blocks))]


def _divide(left: IntArray, interested: NDArray[np.bool_]) -> IntArray:
    """Return what each of the interested gets of everything that is left; shape (blocks, resources)."""
    count = np.maximum(interested.sum(axis=0), 1)
    rank = (np.cumsum(interested, axis=0) - 1 + np.arange(len(left))) % count
    return np.asarray(np.where(interested, left // count + (rank < left % count), 0))


@njit(cache=True, nogil=True)
def _touched(t: Tables, orders: IntArray, rows: int) -> NDArray[np.bool_]:
    """Return which contested rows the orders could use."""
    touched = np.zeros(rows, np.bool_)
    for o in orders:
        for at in range(t.row_start[o], t.row_start[o + 1]):
            if t.row[at] >= 0:
                touched[t.row[at]] = True
    return touched


def linked_blocks(compiled: Compiled, orders: IntArray, rival: Rivals, size: int, seed: int) -> list[IntArray]:
    """Return the orders in disjoint blocks of up to `size` that compete with each other as far as possible."""
    block = _grow(compiled.tables, orders, rival, size, seed)[orders]
    by_block = np.argsort(block, kind="stable")
    parts = np.split(orders[by_block], np.cumsum(np.bincount(block))[:-1]) if len(orders) else []
    packed: list[list[IntArray]] = []
    held = size
    for part in sorted(parts, key=len, reverse=True):
        if held + len(part) > size:
            packed.append([])
            held = 0
        packed[-1].append(part)
        held += len(part)
    return [np.sort(np.concatenate(found)) for found in packed]


@njit(cache=True, nogil=True)
def _grow(t: Tables, orders: IntArray, rival: Rivals, size: int, seed: int) -> IntArray:
    """Return the number of each order's block (-2: not among `orders`).

    Blocks grow from random orders along contested cells, and have up to `size` orders. Every entry of `rival` is looked
    at once: the first `done` of a cell are in blocks already.
    """
    np.random.seed(seed)
    block = np.full(len(t.line_start) - 1, -2)
    block[orders] = -1
    queue, done = np.empty(len(orders), np.int64), rival.start[:-1].copy()
    number = 0
    for root in np.random.permutation(orders):
        if block[root] != -1:
            continue
        block[root], queue[0], head, tail = number, root, 0, 1
        while head < tail < size:
            o, head = queue[head], head + 1
            for at in range(t.row_start[o], t.row_start[o + 1]):
                row = t.row[at]
                if row < 0:
                    continue
                while done[row] < rival.start[row + 1] and tail < size:
                    other = rival.order[done[row]]
                    done[row] += 1
                    if block[other] == -1:
                        block[other], queue[tail], tail = number, other, tail + 1
        number += 1
    return block


@njit(cache=True, nogil=True)
def adopt(t: Tables, patterns: Patterns, plan: Assignment) -> None:
    """Change the plan to these patterns; all at once, since some take what others give back."""
    for o in patterns.order:
        take_back(t, o, plan)
    for k in range(len(patterns.order)):
        restore(t, patterns.order[k], patterns.cand[patterns.start[k] : patterns.start[k + 1]], plan)
