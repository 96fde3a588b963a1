"""Which rows of a problem's tables are of which lines: their own where they have some, else that of their SKU.

Not here: what the tables say (solvers/problem.py).
"""

from __future__ import annotations

from solvers.problem import IntArray, Orders


def value_rows(orders: Orders) -> IntArray:
    """Return the row of `RoutingProblem.unit_value_cents` of each line."""
    return orders.line_sku if orders.line_value_row is None else orders.line_value_row


def closed_rows(orders: Orders) -> IntArray:
    """Return the row of `RoutingProblem.closed` of each line."""
    return orders.line_sku if orders.line_closed_row is None else orders.line_closed_row
