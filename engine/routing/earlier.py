"""What was decided before, line by line: the rows of `pins.csv` and `current_plan.csv` found among the order lines.

A pin that is of no order line is a fault. A row of an earlier plan that is of none is left out: its order has gone, or
the node has. Not here: ids and rows that stand twice (`assembly.py`), what pins and moves mean (`solvers/problem.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidInput
from engine.routing.csv_table import MOST_FAULTS, CsvTable
from engine.routing.ids import UNKNOWN
from solvers.problem import IntArray

NOWHERE = -1
"""The node of a line that is not pinned, or that an earlier plan does not have at one node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLines:
    """The order lines of a problem, sorted by order and SKU."""

    order: IntArray
    sku: IntArray
    skus: int
    """How many SKUs there are."""

    def find(self, order: IntArray, sku: IntArray) -> IntArray:
        """Return the line of each pair, `UNKNOWN` where there is none; indices may be `UNKNOWN` too."""
        known = self.order * self.skus + self.sku
        wanted = np.where((order == UNKNOWN) | (sku == UNKNOWN), UNKNOWN, order * self.skus + sku)
        line = np.searchsorted(known, wanted)
        found = np.append(known, UNKNOWN)[line] == wanted
        return np.where(found & (wanted != UNKNOWN), line, UNKNOWN)


def pinned_nodes(table: CsvTable, lines: OrderLines, order: IntArray, sku: IntArray, node: IntArray) -> IntArray:
    """Return the only node that may ship each line, or `NOWHERE`; raise InvalidInput for pins of no order line.

    `order`, `sku` and `node` are the indices of the table's rows.
    """
    line = lines.find(order, sku)
    missing = np.flatnonzero(line == UNKNOWN)[:MOST_FAULTS]
    if len(missing):
        order_ids, skus = (table.text.cells[column].texts(missing) for column in ("order_id", "sku"))
        raise InvalidInput(
            [
                table.fault(row, "sku", f"order {order_id!r} has no line of SKU {name!r}; leave the pin out")
                for row, order_id, name in zip(missing.tolist(), order_ids, skus, strict=True)
            ]
        )
    pinned = np.full(len(lines.order), NOWHERE, np.int64)
    pinned[line] = node
    return pinned


def current_nodes(lines: OrderLines, order: IntArray, sku: IntArray, node: IntArray) -> IntArray:
    """Return where an earlier plan has the whole of each line, or `NOWHERE`.

    `order`, `sku` and `node` are the indices of the plan's rows. A line in several rows is divided, over nodes or with
    a part that is backordered: it is nowhere, as is one whose node is blank or not known any more.
    """
    line = lines.find(order, sku)
    row = np.flatnonzero(line != UNKNOWN)
    rows_of = np.bincount(line[row], minlength=len(lines.order))
    current = np.full(len(lines.order), NOWHERE, np.int64)
    current[line[row]] = node[row]
    return np.where(rows_of == 1, current, NOWHERE)
