"""What a routing run tells of itself: what became of its orders, and the figures of its plan in money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.routing.batch import Batch
from engine.routing.hub_plan import HubPlan, plan_with_hubs
from engine.routing.model import Verdict, VerdictOutcome
from engine.routing.plan_costs import plan_of
from engine.routing.relaxing import Relaxed, relaxed_document
from engine.routing.result import costs_document
from engine.routing.run_model import RunRequest
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult, SolveStatus


@dataclass(slots=True)
class Tally:
    """What became of the orders of a run; `moved` of the last round of a turn, `moved_before` of earlier turns."""

    rounds: int = 0
    batches: int = 0
    committed: int = 0
    gone: int = 0
    moved: int = 0
    moved_before: int = 0

    def add(self, verdicts: Sequence[Verdict]) -> set[str]:
        """Count the verdicts of one round, and return the orders that have to be solved again."""
        outcomes = [verdict.outcome for verdict in verdicts]
        self.committed += outcomes.count(VerdictOutcome.COMMITTED)
        self.gone += outcomes.count(VerdictOutcome.GONE)
        self.moved = outcomes.count(VerdictOutcome.MOVED)
        return {verdict.order_id for verdict in verdicts if verdict.outcome == VerdictOutcome.MOVED}

    def document(self) -> dict[str, int]:
        """Return the counts under their names in a run's summary."""
        return {
            "rounds": self.rounds,
            "committed_orders": self.committed,
            "gone_orders": self.gone,
            "moved_orders": self.moved_before + self.moved,
        }


def policy_of(request: RunRequest) -> dict[str, str]:
    """Return the version of the policy that a run was made under, if it named one, as its summary has it."""
    return {} if request.policy is None else {"policy": request.policy}


def _in_money(batch: Batch, result: RoutingResult) -> RoutingResult:
    """Return a result without what only ranks plans: bid prices, weights, what backorders of held units cost more.

    It is taken off the bound as well: that is then a bound for plans of which all this comes to no more.
    """
    plan, bound = result.plan, result.lower_bound_cents
    paid = _paid(batch, plan)
    added = plan.costs.total - paid.costs.total
    return replace(
        result,
        plan=paid,
        lower_bound_cents=None if bound is None else max(0, bound - added),
    )


def _paid(batch: Batch, plan: RoutingPlan) -> RoutingPlan:
    """Return a plan at what it costs."""
    problem, paid = batch.problem, batch.paid
    if problem.rates is not paid.rates or problem.nodes is not paid.nodes or problem.terms != paid.terms:
        return plan_of(paid, plan.line, plan.node, plan.quantity, plan.service)
    waits = plan.node == BACKORDER  # only units count other than they cost, so that no parcel need be looked at
    short = int(plan.quantity[waits].sum()) * paid.terms.backorder_cost_cents_per_unit
    return replace(plan, costs=replace(plan.costs, backorder=short, value=0))


def _over_hubs(batch: Batch, result: RoutingResult, hubs: HubPlan) -> RoutingResult:
    """Return a result in money with its orders that go over a hub."""
    assert batch.hubs is not None
    paid = plan_with_hubs(batch.paid, batch.hubs, hubs)
    added = plan_with_hubs(batch.problem, batch.hubs, hubs).costs.total - paid.costs.total
    bound = None if hubs.bound_cents is None else max(0, hubs.bound_cents - added)
    reason = "work_done" if result.stop_reason == "optimal" and bound != paid.costs.total else result.stop_reason
    return replace(result, plan=paid, lower_bound_cents=bound, stop_reason=reason)


def summary_of(
    batch: Batch, result: RoutingResult, relaxed: Sequence[Relaxed] = (), hubs: HubPlan | None = None
) -> dict[str, Any]:
    """Return the plan's figures as in summary.json, for what the run solved first, and the soft limits it broke."""
    result = _in_money(batch, result) if hubs is None else _over_hubs(batch, result, hubs)
    return {
        "total_cost_cents": result.total_cost_cents,
        "lower_bound_cents": result.lower_bound_cents,
        "gap": result.gap,
        "solve_status": str(SolveStatus.FEASIBLE if relaxed else result.status),
        "costs": costs_document(result.plan.costs),
        "orders": batch.problem.order_count,
        "parcels": result.plan.parcels,
        "split_orders": result.plan.split_orders,
        "backordered_units": result.plan.backordered_units,
        "method": str(result.method),
        "stop_reason": result.stop_reason,
        "solve_seconds": round(result.compile_seconds + result.solve_seconds, 3),
        **({} if hubs is None else {"hub_parcels": len(hubs.parcels)}),
        **relaxed_document([each.document() for each in relaxed]),
    }
