"""The commit of what a run decided: against the limits and days of now, for whoever works on the run now.

An order that the store has otherwise than it was read is told, and holds up no other. Not here: what is decided
(routing_turns.py), the step itself (engine/orders).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

from engine.availability.reference import View
from engine.clock import Clock
from engine.errors import InvalidInput
from engine.events.actor import acting_as
from engine.inventory.buffers import kept_at
from engine.routing.model import NodeCapacity, OrderAllocation, OrderBook, Verdict
from engine.routing.poison import malformed_of
from engine.routing.reasons import MALFORMED
from engine.routing.run_model import Unrouted

log = logging.getLogger("allot.runs")


class Committer:
    """Commits allocations of runs."""

    def __init__(self, orders: OrderBook, clock: Clock) -> None:
        self._orders, self._clock = orders, clock

    async def commit(
        self, run_id: str, epoch: int, view: View, allocations: Sequence[OrderAllocation]
    ) -> tuple[list[Verdict], list[Unrouted]]:
        """Return the verdicts, and the lines of orders that could not be committed as they are not what was read.

        Raises LeaseLost, Unavailable.
        """
        try:
            return await self._commit(run_id, epoch, view, allocations), []
        except InvalidInput as error:
            wrong = malformed_of(error, allocations)
            if not wrong:
                raise
        log.error("not committed by run %s, as the store has them otherwise: %s", run_id, sorted(wrong))
        malformed = [
            Unrouted(order_id=each.order_id, line_id=row.line_id, sku=row.sku, quantity=row.quantity, reason=MALFORMED)
            for each in allocations
            if each.order_id in wrong
            for row in each.rows
        ]
        left = [each for each in allocations if each.order_id not in wrong]
        return await self._commit(run_id, epoch, view, left), malformed

    async def _commit(
        self, run_id: str, epoch: int, view: View, allocations: Sequence[OrderAllocation]
    ) -> list[Verdict]:
        today = view.days.at(self._clock.now())
        dates = {node_id: date.fromordinal(day) for node_id, day in today.by_node.items()}
        kept = None
        if view.buffers is not None:
            rows = (row for allocation in allocations for row in allocation.rows)
            kept = kept_at(view.buffers, ((row.sku, row.node_id) for row in rows if row.node_id is not None))
        with acting_as(run_id):
            return await self._orders.commit(
                run_id, allocations, capacities=_daily_capacities(view), today=dates, buffers=kept, epoch=epoch
            )


def _daily_capacities(view: View) -> dict[str, NodeCapacity]:
    return {
        node.node_id: NodeCapacity(units=node.capacity_units, parcels=node.capacity_parcels)
        for node in view.network.document.nodes
        if node.capacity_units is not None or node.capacity_parcels is not None
    }
