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
from solvers.cost import INFEASIBLE, best_service
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
    """Return the nodes that could ship a line of the problem, alone or with others of its order, if asked first."""
    t = tables
    order = int(np.searchsorted(t.line_start, line, side="right")) - 1
    first, last = int(t.line_start[order]), int(t.line_start[order + 1])
    lines = last - first
    place = int(np.flatnonzero(t.line[first:last] == line)[0])
    if t.max_parcels[order] == 0:
        return []
    divisible = t.divisible
    weight_g = int(t.weight_g[first + place]) // (int(t.quantity[first + place]) if divisible else 1)
    terms = (int(t.due_days[order]), int(t.service_level[order]))
    found = []
    for i, c in enumerate(range(int(t.cand_start[order]), int(t.cand_start[order + 1]))):
        node, lane, end = int(t.cand_node[c]), int(t.cand_place[c]), int(t.cand_place_end[c])
        has = t.row[t.row_start[order] + i * lines + place] != NO_STOCK
        if has and best_service(t.freight, node, lane, end, weight_g, terms, lines > 1 or divisible)[0] < INFEASIBLE:
            found.append(node)
    return found


def backorder_reasons(batch: Batch, result: RoutingResult) -> list[Unrouted]:
    """Return every backordered part of a plan with its reason."""
    plan, problem = result.plan, batch.problem
    short = np.flatnonzero(plan.node == BACKORDER)
    if not len(short):
        return []
    tables, owner = compile_tables(problem, whole_lines=True).tables, problem.line_order
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
