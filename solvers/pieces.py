"""The lines of the tables: an order's lines as they are, or, where they may be divided, in pieces.

A piece is never divided further. Of an order of few units every unit is a piece, so that the exact programme over
subsets of pieces is exact for the order. Of a larger one pieces double (1, 1, 2, 4, …), so that most divisions can be
put together from few of them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.problem import IntArray, RoutingProblem


def table_lines(problem: RoutingProblem, most_units: int, *, whole: bool) -> tuple[IntArray, IntArray, IntArray]:
    """Return where each order's table lines start, the problem's line of each, and its units.

    Orders of up to `most_units` units are divided into units. With `whole` no line is divided.
    """
    orders = problem.orders
    if whole or not problem.terms.line_split:
        # copies, since kernels are compiled per type, and a problem's own arrays are read-only
        return orders.line_start.copy(), np.arange(len(orders.line_sku)), orders.line_quantity.copy()
    return _pieces(orders.line_start, orders.line_quantity, most_units)


@njit(cache=True, nogil=True)
def _pieces(line_start: IntArray, quantity: IntArray, most_units: int) -> tuple[IntArray, IntArray, IntArray]:
    start, line, units = np.zeros(len(line_start), np.int64), [0][:0], [0][:0]
    for o in range(len(line_start) - 1):
        few = quantity[line_start[o] : line_start[o + 1]].sum() <= most_units
        for at in range(line_start[o], line_start[o + 1]):
            left, piece = int(quantity[at]), 1
            while left:
                piece = min(piece, left)
                line.append(at)
                units.append(piece)
                left -= piece
                if not few and left < quantity[at] - 1:
                    piece *= 2
        start[o + 1] = len(line)
    return start, np.array(line, np.int64), np.array(units, np.int64)
