"""Modifying an order as a use case: shown first with what it costs and by when it is there, then made.

Not here: the rules (modifying.py, terms.py), what follows elsewhere (effecting.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.errors import IllegalState, InvalidInput
from engine.events.actor import actor
from engine.inventory.model import HoldLine, Outcome, Replay
from engine.orders.cancellations import Cancellations
from engine.orders.changing import OrderChanges, Rule
from engine.orders.checking.service import OrderPolicies
from engine.orders.life import Amendment
from engine.orders.model import Order
from engine.orders.modifying import NewModification, goes_otherwise, modified
from engine.orders.paying.ledger import AUTHORISE, REFUND, asked_cents
from engine.orders.paying.taxes import Taxes
from engine.orders.remaining import units_left
from engine.orders.revising import StockLine
from engine.orders.terms import new_terms
from engine.promising.model import Option
from engine.routing.model import OrderLine

TaxesAt = Callable[[int], Awaitable[Taxes | None]]
Ways = Callable[[Order, Sequence[OrderLine], Sequence[StockLine]], Awaitable[Sequence[Option]]]
"""The ways in which lines of an order can be sent from now on, with lines of stock that are its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a modification would come to: the order as it would be, and what would follow for its money.

    `opened_units` had a node and would be routed anew; `promised_on` is the date by which what is new of it can be
    there, None if that is not known.
    """

    order: Order
    difference_cents: int | None
    refund_cents: int
    authorise_cents: int
    opened_units: int
    promised_on: date | None


class Modifications:
    """Modifies orders of a tenant as far as its order policy allows it."""

    def __init__(
        self,
        changes: OrderChanges,
        cancellations: Cancellations,
        reference: Reference,
        policies: OrderPolicies,
        ways: Ways,
        clock: Clock,
        taxes: TaxesAt | None = None,
    ) -> None:
        self._changes, self._cancellations, self._reference = changes, cancellations, reference
        self._policies, self._ways, self._clock, self._taxes = policies, ways, clock, taxes

    async def preview(self, order_id: str, new: NewModification, *, by: str | None = None) -> Preview:
        """Return what a modification would come to, and change nothing.

        Raises NotFound, InvalidInput with every fault, IllegalState if it cannot be made.
        """
        order = await self._changes.get(order_id)
        view = await self._reference.current()
        rule, promised_on = await self._rule(order, new, view, by or actor())
        revision = rule(order, self._clock.now())
        assert revision is not None
        if revision.refusal is not None:
            raise IllegalState(revision.refusal)
        before, after = order.life.money.prices, revision.to.life.money.prices
        return Preview(
            order=revision.to,
            difference_cents=None if before is None or after is None else after.total_cents - before.total_cents,
            refund_cents=asked_cents(revision.to, REFUND) - asked_cents(order, REFUND),
            authorise_cents=asked_cents(revision.to, AUTHORISE) - asked_cents(order, AUTHORISE),
            opened_units=_opened_units(order, revision.to),
            promised_on=promised_on,
        )

    async def modify(
        self, order_id: str, new: NewModification, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Modify an order; what it asks for elsewhere is left to be settled. Raises as `preview`."""
        view, who = await self._reference.current(), by or actor()

        async def look(order: Order) -> Rule:
            return (await self._rule(order, new, view, who))[0]

        return await self._changes.change_seen(order_id, look, replay)

    async def _rule(self, order: Order, new: NewModification, view: View, by: str) -> tuple[Rule, date | None]:
        """Return the rule that makes a modification of an order as it is, and the date that is promised with it."""
        policy = await self._policies.at(view.epoch)
        taxes = None if self._taxes is None else await self._taxes(view.epoch)
        reserved = await self._cancellations.reserved(order)
        terms = new_terms(order, new, view.network, view.catalog, taxes)
        promised_on = await self._promised_on(order, terms.amendment, reserved)
        if order.promised_on is not None and (promised_on is not None or goes_otherwise(order, terms.amendment)):
            terms = replace(terms, amendment=msgspec.structs.replace(terms.amendment, promised_on=promised_on))
        until = policy.document.changes.modify_until
        return (lambda now, _: modified(now, terms, new, by, until, reserved)), promised_on

    async def _promised_on(self, order: Order, then: Amendment, reserved: Sequence[HoldLine]) -> date | None:
        """Return the date by which an order can be there on its new terms, None if there is no way.

        If it is to go otherwise, all that has not left is asked for, and what it has reserved is there for it; else
        only the units that come.
        """
        is_other, left = goes_otherwise(order, then), units_left(order)
        before = {line.line_id: line.quantity for line in order.demand}
        lines = [
            msgspec.structs.replace(
                line,
                quantity=line.quantity - before.get(line.line_id, 0) + (left.get(line.line_id, 0) if is_other else 0),
            )
            for line in then.demand
        ]
        asked = [line for line in lines if line.quantity > 0]
        if not asked:
            return order.promised_on
        amended = replace(order, life=msgspec.structs.replace(order.life, amendment=then))
        try:
            options = await self._ways(amended, asked, _own(reserved) if is_other else ())
        except InvalidInput:  # it is not known any more where the network has it
            return None
        found = [
            option
            for option in options
            if then.service_level in {None, option.service_level}
            and (then.need_by is None or option.promised_on <= then.need_by)
        ]
        if not found:
            return None
        best = min(found, key=lambda option: option.total_cost_cents).promised_on
        return best if is_other or order.promised_on is None else max(best, order.promised_on)


def _own(reserved: Sequence[HoldLine]) -> list[StockLine]:
    """Return what is reserved as lines of stock, but for units that wait for a supply."""
    return [
        (line.sku, line.node_id, line.quantity, 0 if line.ship_on is None else line.ship_on.toordinal())
        for line in reserved
        if line.supply_id is None
    ]


def _opened_units(before: Order, after: Order) -> int:
    """Return how many units have a node, are still to ship, and have none then."""
    left, left_then = units_left(before), units_left(after)
    placed, placed_then = _placed(before), _placed(after)
    return sum(
        max(0, units - placed_then.get(line_id, 0) - max(0, left.get(line_id, 0) - left_then.get(line_id, 0)))
        for line_id, units in placed.items()
    )


def _placed(order: Order) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in order.allocation:
        if row.node_id is not None:
            found[row.line_id] = found.get(row.line_id, 0) + row.quantity
    return found
