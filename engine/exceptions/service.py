"""Exceptions as use cases: the open alerts, the ways out for an order, and accepting one of them.

Not here: the watch, which writes alerts (watch.py), the rules (alerting.py, accepting.py).
"""

from __future__ import annotations

from datetime import datetime

from engine.errors import Fault, IllegalState, InvalidInput
from engine.events.actor import actor
from engine.exceptions.accepting import STALE, accepted
from engine.exceptions.alternatives import Alternative
from engine.exceptions.dry import DryPromises
from engine.exceptions.index import AlertIndex, ListedAlert
from engine.exceptions.leaving import nodes_from
from engine.exceptions.policy import SEVERITIES
from engine.exceptions.proposing import Rest, proposed, rest_of, waiting
from engine.exceptions.seeing import Seeing
from engine.faults import nearest
from engine.inventory.model import HoldLine, Outcome, Replay
from engine.orders.changing import OrderChanges
from engine.orders.effecting import Effects
from engine.orders.model import Order
from engine.orders.revising import Revision, StockLine
from engine.orders.store import OrderStore
from engine.promising.model import Option


class Exceptions:
    """Tells of orders in jeopardy, and gets them out of it."""

    def __init__(
        self,
        *,
        orders: OrderStore,
        changes: OrderChanges,
        effects: Effects,
        index: AlertIndex,
        seeing: Seeing,
        dry: DryPromises,
    ) -> None:
        self._orders, self._changes, self._effects, self._index = orders, changes, effects, index
        self._seeing, self._dry = seeing, dry

    async def alerts(
        self, limit: int = 100, *, severity: str | None = None, after: str | None = None
    ) -> tuple[list[ListedAlert], bool]:
        """Return open alerts, the worst and then the oldest first, and whether there are more.

        Raises InvalidInput for an unknown severity, or to go on after an alert that is over.
        """
        if severity is not None and severity not in SEVERITIES:
            message = f"unknown severity {severity!r}; {nearest(severity, SEVERITIES)}"
            raise InvalidInput(Fault(path="severity", message=message))
        page = await self._index.page(limit, severity=severity, after=after)
        if page is None:
            message = f"alert {after!r} is over, or never was; begin with the first page"
            raise InvalidInput(Fault(path="starting_after", message=message))
        return page

    async def alternatives(self, order_id: str) -> list[Alternative]:
        """Return the ways out for an order as it is now, the best first; none if nothing was promised for it.

        Raises NotFound.
        """
        return await self._alternatives(await self._orders.get(order_id))

    async def accept(
        self, order_id: str, alternative_id: str, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Do what an alternative proposes, and have the order routed so; return it as it was accepted.

        Raises NotFound, IllegalState for an alternative that is not proposed any more.
        """
        before = None if replay is None else await self._orders.recall_revision(replay, order_id)
        if before is not None:
            return before
        proposals = await self.alternatives(order_id)
        chosen = next((each for each in proposals if each.alternative_id == alternative_id), None)
        if chosen is None:
            raise IllegalState(f"Alternative {alternative_id!r} of order {order_id!r} {STALE}")

        def rule(order: Order, at: datetime) -> Revision:
            return accepted(order, chosen, at, by or actor())

        outcome = await self._changes.change(order_id, rule, replay)
        if not outcome.replayed:
            await self._effects.settle(order_id)
        return outcome

    async def _alternatives(self, order: Order) -> list[Alternative]:
        moment = await self._seeing.moment(nodes_from(await self._index.nodes()))
        around = self._seeing.around(order, moment)
        if around is None or order.is_cancelled:
            return []
        held = await self._seeing.held(order)
        rest = rest_of(order, [_reserved(line) for line in held])
        wait = waiting(order, (await self._seeing.look(order, moment)).outlooks, around)
        if not rest.lines:
            return [wait]
        return proposed(order, rest, await self._options(order, rest), wait, around)

    async def _options(self, order: Order, rest: Rest) -> list[Option]:
        """Return all options for the rest of an order.

        Promises know nothing of nodes that are behind, so they are asked again without those it is to leave from now;
        and with other products in place of its own.
        """
        now_at = {row.node_id for row in order.allocation if row.node_id is not None}
        try:
            found = list(await self._dry.options(order, rest.lines, rest.own))
            if now_at:
                found += await self._dry.options(order, rest.lines, rest.own, without=now_at)
            others = await self._dry.options(order, rest.lines, rest.own, substitutes=True)
        except InvalidInput:  # a product or the place is not known any more: there is nothing but to wait
            return []
        swapped = [
            option
            for option in others
            if any(line.substitute_for for shipment in option.shipments for line in shipment.lines)
        ]
        return [*found, *swapped]


def _reserved(line: HoldLine) -> StockLine:
    return line.sku, line.node_id, line.quantity, 0 if line.ship_on is None else line.ship_on.toordinal()
