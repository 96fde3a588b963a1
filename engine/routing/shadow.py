"""A shadow run beside what is live: the same orders and the same stock, under the network's own policy.

Nothing is committed. Here: the second plan, and what tells the two apart. Not here: the run (routing_turns.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.availability.reference import View
from engine.inventory.model import StockView
from engine.routing.channels import Planned, Turn, summary_of_turns
from engine.routing.model import OpenOrder, OrderAllocation
from engine.routing.phases import Phases
from engine.routing.run_ledger import Step
from engine.routing.run_model import RunRequest
from engine.routing.run_summary import summary_of
from engine.routing.solving import Solver, Table
from engine.routing.steered import to_route

MOST_TOLD = 50
"""Orders that are told one by one."""
FIGURES = ("total_cost_cents", "lower_bound_cents", "gap", "costs", "parcels", "split_orders", "backordered_units")


class Shadow:
    """Solves the turns of a shadow run once more as they would be live, and compares."""

    def __init__(self, solver: Solver, live: View, request: RunRequest, turns: int) -> None:
        self._solver, self._live, self._turns = solver, live, turns
        self._request = replace(request, policy=None, method="auto")
        self._planned = Planned()
        self._summaries: list[tuple[str | None, Mapping[str, Any]]] = []
        self._alike = self._elsewhere = 0
        self._changed: list[dict[str, Any]] = []

    async def compare(self, turn: Turn, stock: StockView | None, step: Step) -> None:
        """Compare what a turn decided with what the network's own policy would."""
        table = Table(
            view=self._live,
            channel=turn.channel,
            planned=self._planned,
            turns=self._turns,
            stock=stock,
            phases=Phases(),
        )
        decided = {each.order_id for each in step.allocations}  # all but those of which no problem can be made
        free, _ = to_route([order for order in turn.orders if order.order_id in decided], self._live.network)
        solved = await self._solver.solve(free, table, self._request, None)
        self._summaries.append((turn.channel, summary_of(solved.batch, solved.result, solved.relaxed, solved.hubs)))
        if self._turns > 1:
            self._planned.add(turn.orders, solved.allocations)
        live = {each.order_id: each for each in solved.allocations}
        orders = {order.order_id: order for order in turn.orders}
        for each in step.allocations:
            self._elsewhere += _leaves_what_is_held(orders[each.order_id], each)
            before, after = _rows(live[each.order_id]), _rows(each)
            if before == after:
                self._alike += 1
            else:
                self._changed.append({"order_id": each.order_id, "live": before, "shadow": after})

    def document(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the comparison as a run's summary has it; `summary` is that of the shadow run."""
        live = summary_of_turns(self._summaries)
        names = dict.fromkeys((*live["costs"], *summary["costs"]))
        costs = {name: summary["costs"].get(name, 0) - live["costs"].get(name, 0) for name in names}
        return {
            "live": {name: live[name] for name in FIGURES},
            "difference": {
                "costs": costs,
                **{name: summary[name] - live[name] for name in ("parcels", "split_orders", "backordered_units")},
            },
            "orders_alike": self._alike,
            "orders_changed": len(self._changed),
            "orders_leaving_what_they_hold": self._elsewhere,
            "changed": self._changed[:MOST_TOLD],
        }


def _rows(allocation: OrderAllocation) -> list[dict[str, Any]]:
    """Return what becomes of an order, sorted."""
    rows = [
        {
            "line_id": row.line_id,
            "node_id": row.node_id,
            "service": row.service,
            "quantity": row.quantity,
            **({} if row.hub is None else {"hub_node_id": row.hub.node_id}),
        }
        for row in allocation.rows
    ]
    return sorted(rows, key=lambda row: (row["line_id"], row["node_id"] or ""))


def _leaves_what_is_held(order: OpenOrder, allocation: OrderAllocation) -> bool:
    """Return whether an order would ship units of a SKU from other nodes than it holds some at."""
    held: dict[str, set[str]] = {}
    for own in order.own_stock:
        held.setdefault(own.sku, set()).add(own.node_id)
    return any(row.node_id not in held.get(row.sku, {row.node_id}) for row in allocation.rows)
