"""Why units of a plan are backordered, in words that stay stable.

no_stock            no node has a unit of the SKU
insufficient_stock  no single node has enough units for the whole line
no_eligible_node    nodes that have it are too far, or no service may carry it there in time
outbid              there was a node, but its stock or capacity saves more elsewhere, or it costs more than waiting
stock_moved         the stock went while the run was being committed; the order stays open
unknown_sku         the SKU is no longer in the catalog
"""

from __future__ import annotations

import numpy as np

from engine.routing.batch import Batch
from engine.routing.model import OpenOrder
from engine.routing.run_model import Unrouted
from solvers.plan import BACKORDER, RoutingResult
from solvers.problem import RoutingProblem
from solvers.tables import NO_STOCK, Tables, compile_tables

STOCK_MOVED, UNKNOWN_SKU = "stock_moved", "unknown_sku"


def backorder_reason(problem: RoutingProblem, tables: Tables, line: int) -> str:
    """Return why a line of the problem is not shipped, or not in full."""
    sku, quantity = problem.orders.line_sku[line], problem.orders.line_quantity[line]
    available = problem.stock.available[problem.stock.start[sku] : problem.stock.start[sku + 1]]
    if eligible_nodes(tables, line):
        return "outbid"
    if not len(available):
        return "no_stock"
    return "no_eligible_node" if available.max() >= quantity else "insufficient_stock"


def eligible_nodes(tables: Tables, line: int) -> list[int]:
    """Return the nodes that could ship a line of the problem, if they were asked first."""
    order = int(np.searchsorted(tables.line_start, line, side="right")) - 1
    first, last = int(tables.line_start[order]), int(tables.line_start[order + 1])
    lines = last - first
    place = int(np.flatnonzero(tables.line[first:last] == line)[0])
    start = int(tables.row_start[order])
    return [
        int(tables.cand_node[tables.cand_start[order] + i])
        for i in range(int(tables.cand_start[order + 1] - tables.cand_start[order]))
        if tables.row[start + i * lines + place] != NO_STOCK
    ]


def backorder_reasons(batch: Batch, result: RoutingResult) -> list[Unrouted]:
    """Return every backordered part of a plan with its reason."""
    plan, problem = result.plan, batch.problem
    short = np.flatnonzero(plan.node == BACKORDER)
    if not len(short):
        return []
    tables, owner = compile_tables(problem).tables, problem.line_order
    return [
        Unrouted(
            order_id=problem.orders.order_ids[owner[line]],
            line_id=batch.line_ids[line],
            sku=problem.skus[problem.orders.line_sku[line]],
            quantity=int(plan.quantity[row]),
            reason=backorder_reason(problem, tables, int(line)),
        )
        for row, line in zip(short, plan.line[short], strict=True)
    ]


def whole_order(order: OpenOrder, reason: str) -> list[Unrouted]:
    """Return all lines of an order as unrouted for one reason."""
    return [
        Unrouted(order_id=order.order_id, line_id=line.line_id, sku=line.sku, quantity=line.quantity, reason=reason)
        for line in order.lines
    ]
