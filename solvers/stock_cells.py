"""Stock of many places in one pass: cells of several kinds of counts, weighed and added up, in another order of nodes.

Not here: what the kinds are (engine/inventory), and what is promised of it (engine/availability).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.problem import IntArray
from solvers.promise_freight import BoolArray

NO_SLOT = -1


@njit(cache=True, nogil=True)
def weigh_cells(
    cells: NDArray[np.uint32], slot_of: IntArray, weights: IntArray, marker: int
) -> tuple[IntArray, BoolArray]:
    """Return the weighed sum of the counts of every (product, node), and whether its count of kind `marker` is above 0.

    cells (products, slots, kinds); slot_of (nodes,) is `NO_SLOT` for nodes without a cell, which have nothing; weights
    (kinds,).
    """
    shape = (cells.shape[0], slot_of.shape[0])
    sums, is_marked = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    for product in range(shape[0]):
        for node in range(shape[1]):
            slot = slot_of[node]
            if slot == NO_SLOT:
                continue
            for kind in range(weights.shape[0]):
                sums[product, node] += weights[kind] * np.int64(cells[product, slot, kind])
            is_marked[product, node] = cells[product, slot, marker] > 0
    return sums, is_marked
