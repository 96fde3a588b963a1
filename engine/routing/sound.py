"""From what both passes decided to what may be committed: in the words of orders, and checked.

Not here: how plans are mended before (completing.py), the check itself (plan_check.py).
"""

from __future__ import annotations

from engine.availability.reference import View
from engine.routing.batch import allocations
from engine.routing.hub_check import check_hubs
from engine.routing.hub_plan import allocations_with_hubs, plan_with_hubs
from engine.routing.model import OrderAllocation
from engine.routing.plan_check import Ground, check_plan
from engine.routing.second_pass import INCOMPLETE, BothPasses


def verified(both: BothPasses, view: View) -> list[OrderAllocation]:
    """Return a plan in the words of orders, checked independently; raises PlanNotVerified."""
    batch, result = both.batch, both.kept.result
    allocated = allocations(batch, result.plan)
    ground = Ground(
        problem=batch.problem,
        orders=batch.orders,
        line_ids=batch.line_ids,
        hand_over=batch.hand_over,
        max_nodes_per_line=view.terms.max_nodes_per_line,
        ship_complete=view.terms.ship_complete,
        in_part=frozenset(each.order_id for each in both.relaxed if each.constraint == INCOMPLETE),
    )
    check_plan(ground, allocated, result.plan, result.lower_bound_cents)
    if both.hubs is None or not both.hubs.parcels:
        return allocated
    assert batch.hubs is not None
    plan = plan_with_hubs(batch.problem, batch.hubs, both.hubs)
    whole = allocations_with_hubs(batch, plan, both.hubs)
    check_hubs(ground, batch, view, whole, plan, both.hubs.bound_cents)
    return whole
