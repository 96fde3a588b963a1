"""From what a solver found to what may be committed: mended where it does not know a rule, and checked.

Not here: the mending itself (kits.py, completing.py) and the check itself (plan_check.py).
"""

from __future__ import annotations

from engine.availability.reference import View
from engine.routing.batch import Batch, allocations
from engine.routing.completing import keep_lines_together, keep_orders_complete
from engine.routing.kits import Kept, keep_kits_whole
from engine.routing.model import OrderAllocation
from engine.routing.plan_check import Ground, check_plan
from solvers.plan import RoutingResult


def mended_plan(batch: Batch, result: RoutingResult, view: View) -> Kept:
    """Return a plan that keeps what the solver does not know: whole kits, few nodes a line, complete orders."""
    mended = keep_kits_whole(batch, result)
    most, complete = view.terms.max_nodes_per_line, view.terms.ship_complete
    if most is not None:
        mended = keep_lines_together(batch, mended, most)
    return keep_orders_complete(batch, mended, most) if complete else mended


def verified(batch: Batch, result: RoutingResult, view: View) -> list[OrderAllocation]:
    """Return a plan in the words of orders, checked independently; raises PlanNotVerified."""
    allocated = allocations(batch, result.plan)
    ground = Ground(
        problem=batch.problem,
        orders=batch.orders,
        line_ids=batch.line_ids,
        hand_over=batch.hand_over,
        max_nodes_per_line=view.terms.max_nodes_per_line,
        ship_complete=view.terms.ship_complete,
    )
    check_plan(ground, allocated, result.plan, result.lower_bound_cents)
    return allocated
