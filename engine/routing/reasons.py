"""Why units of a plan are backordered, in words that stay stable: one for every backordered line.

no_stock            no node has a unit of the SKU
handling            nodes have units, but do not take the product's handling classes
pinned_node         the only node that may ship the line has too little, or no service may carry it from there in time
insufficient_stock  no single node has enough units for the whole line
barred_node         nodes have enough, but get no new orders of such, by the policy of the run
excluded_node       nodes have enough, but refused the line, or people do not want the order to ship from there
no_eligible_node    nodes that have it are too far, or no service may carry it there in time
no_capacity         nodes that could ship it have not the capacity for it, whatever else they ship
max_nodes           the order ships from as many nodes as it may, and those could not ship it
outbid              there was a node, but its stock or capacity saves more elsewhere, or it costs more than waiting
incomplete_kit      it could ship, but the rest of its kit could not, or not from the same node
incomplete_order    it could ship, but not all of its order could, and that ships complete
stock_moved         the stock went while the run was being committed; the order stays open
unknown_sku         the SKU is no longer in the catalog
order_hold          people have stopped the order; release it to have it routed
malformed           the order cannot be read, or no problem can be made of it; the others of the run go on
pickup_node_off     it is to be picked up at a node that is switched off, and waits for people
too_many_rejections  nodes have refused the order as often as may be; it is left for people

Not here: how the facts of a plan are told apart (solvers/shortages.py).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from engine.routing.batch import Batch
from engine.routing.model import OpenOrder
from engine.routing.run_model import Unrouted
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.problem import IntArray, RoutingProblem
from solvers.shortages import Shortage, shortages

STOCK_MOVED, UNKNOWN_SKU, HANDLING, ORDER_HOLD = "stock_moved", "unknown_sku", "handling", "order_hold"
INCOMPLETE_KIT, INCOMPLETE_ORDER = "incomplete_kit", "incomplete_order"
BARRED_NODE, EXCLUDED_NODE = "barred_node", "excluded_node"
MALFORMED = "malformed"
WAITS_FOR_KIT, WAITS_FOR_ORDER = 1, 2
_NOTHING = {Shortage.NO_STOCK, Shortage.INSUFFICIENT_STOCK}


def backorder_reason(shortage: Shortage) -> str:
    """Return the stable word for a reason."""
    return BARRED_NODE if shortage == Shortage.CLOSED_NODE else shortage.name.lower()


def plan_shortages(problem: RoutingProblem, plan: RoutingPlan) -> tuple[IntArray, list[Shortage]]:
    """Return the backordered rows of a plan, and why each is."""
    rows, shipped = np.flatnonzero(plan.node == BACKORDER), plan.node != BACKORDER
    if not len(rows):
        return rows, []
    owner = problem.line_order
    reasons = shortages(problem, plan.line[rows], owner[plan.line[shipped]], plan.node[shipped])
    return rows, reasons


def count_reasons(problem: RoutingProblem, plan: RoutingPlan) -> dict[str, int]:
    """Return how many lines of a plan wait for each reason, wholly or in part, most first."""
    counted = Counter(backorder_reason(shortage) for shortage in plan_shortages(problem, plan)[1])
    return dict(sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])))


def backorder_reasons(batch: Batch, result: RoutingResult, waits_for: IntArray | None = None) -> list[Unrouted]:
    """Return every backordered part of a plan with its reason; `waits_for` says of lines what rest they wait for."""
    plan, problem = result.plan, batch.problem
    rows, reasons = plan_shortages(problem, plan)
    owner = problem.line_order if len(rows) else rows
    return [
        Unrouted(
            order_id=problem.orders.order_ids[owner[line]],
            line_id=batch.line_ids[line],
            sku=problem.skus[problem.orders.line_sku[line]],
            quantity=int(plan.quantity[row]),
            reason=_reason(
                batch, reason, int(owner[line]), int(line), 0 if waits_for is None else int(waits_for[line])
            ),
        )
        for row, line, reason in zip(rows, plan.line[rows], reasons, strict=True)
    ]


def _reason(batch: Batch, reason: Shortage, order: int, line: int, waits_for: int) -> str:
    is_refused = int(batch.problem.orders.line_sku[line]) in batch.refused
    word = reason_of(reason, is_refused=is_refused, waits_for=waits_for)
    said = batch.orders[order]
    is_excluded = bool(said.forbidden) or any(each.line_id == batch.line_ids[line] for each in said.excluded)
    return EXCLUDED_NODE if word == BARRED_NODE and is_excluded else word


def reason_of(reason: Shortage, *, is_refused: bool, waits_for: int) -> str:
    """Return the word for why a line waits.

    Where no node has enough, that may be since nodes with units refuse the product; what could be served may wait for
    the rest of its kit or order.
    """
    if reason in _NOTHING:
        return HANDLING if is_refused else backorder_reason(reason)
    if waits_for and reason in (Shortage.OUTBID, Shortage.MAX_NODES):
        return INCOMPLETE_KIT if waits_for == WAITS_FOR_KIT else INCOMPLETE_ORDER
    return backorder_reason(reason)


def whole_order(order: OpenOrder, reason: str) -> list[Unrouted]:
    """Return all lines of an order as unrouted for one reason; a blank one if it has none that can be read."""
    if not order.lines:
        return [Unrouted(order_id=order.order_id, line_id="", sku="", quantity=0, reason=reason)]
    return [
        Unrouted(order_id=order.order_id, line_id=line.line_id, sku=line.sku, quantity=line.quantity, reason=reason)
        for line in order.lines
    ]
