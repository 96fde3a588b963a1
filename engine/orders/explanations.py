"""Why an order was routed as it was: what a routing run kept of its decision, explained when somebody asks.

Not here: what is kept (engine/routing/explained_runs.py), how it is explained (engine/routing/explaining.py).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from engine.errors import ExplanationNotKept, NotRouted
from engine.orders.model import Order, OrderState
from engine.orders.store import OrderStore
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.explaining import explain_decision
from engine.routing.explanation import OrderExplanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An explanation, of which run, and whether the order is still as that run decided.

    It is not where a run was a dry run or could not commit it, where another has decided since, where a node did not
    ship what it was given then, and once the order is cancelled.
    """

    order: Order
    run_id: str
    decided_at: datetime
    is_in_force: bool
    explanation: OrderExplanation


class ExplanationService:
    """Explains orders of past routing runs."""

    def __init__(self, orders: OrderStore, runs: ExplainedRuns, days: int) -> None:
        self._orders, self._runs, self._days = orders, runs, days

    async def explain(self, order_id: str, run_id: str | None = None) -> Explained:
        """Explain the decision on an order that is in force, or that of one run, dry runs too.

        Raises NotFound; NotRouted if no run has decided on it; ExplanationNotKept if that is too long ago, or `run_id`
        did not look at it.
        """
        order = await self._orders.get(order_id)
        decided = run_id or order.run_id or await self._runs.left_by(order_id)
        if decided is None:
            raise NotRouted(_waiting(order))
        found = await self._runs.find(decided, order_id)
        if found is None:
            raise ExplanationNotKept(await self._missing(order, decided, run_id))
        return Explained(
            order=order,
            run_id=decided,
            decided_at=found.at,
            is_in_force=_is_in_force(order, decided),
            explanation=await asyncio.to_thread(explain_decision, found.decision),
        )

    async def _missing(self, order: Order, decided: str, asked: str | None) -> str:
        if asked is None and order.run_id is None:
            return (
                f"Run {decided} left order {order.order_id!r} open without routing it; "
                f"GET /v1/routing-runs/{decided} says why under `unrouted`."
            )
        if not self._days:
            return "No explanations are kept: ALLOT_EXPLANATION_DAYS is 0."
        if asked is not None and asked != order.run_id:
            return f"Run {asked} has not routed order {order.order_id!r}, or more than {self._days} days ago."
        return (
            f"Run {decided} routed order {order.order_id!r}, and how is not kept any more "
            f"(ALLOT_EXPLANATION_DAYS: {self._days})."
        )


def _is_in_force(order: Order, decided: str) -> bool:
    was_refused = any(rejection.run_id == decided for rejection in order.steering.rejections)
    return decided == order.run_id and order.state is not OrderState.CANCELLED and not was_refused


def _waiting(order: Order) -> str:
    if order.state is OrderState.CANCELLED:
        return f"Order {order.order_id!r} was cancelled before any routing run decided on it."
    return (
        f"Order {order.order_id!r} is {order.state.value}, and no routing run has decided on it yet. "
        "Start one by POST /v1/routing-runs; a dry run explains too, under its run_id."
    )
