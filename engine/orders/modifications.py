"""Modifying an order as a use case: shown first with what it costs and by when it is there, then made.

Not here: the rules (modifying.py, terms.py), what follows elsewhere (effecting.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
from engine.orders.model import Order
from engine.orders.modifying import NewModification, Terms, modified
from engine.orders.paying.ledger import AUTHORISE, REFUND, asked_cents
from engine.orders.paying.taxes import Taxes
from engine.orders.remaining import units_left
from engine.orders.terms import new_terms
from engine.promising import model as promising
from engine.promising.service import PromiseService

TaxesAt = Callable[[int], Awaitable[Taxes | None]]


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
        promises: PromiseService,
        clock: Clock,
        taxes: TaxesAt | None = None,
    ) -> None:
        self._changes, self._cancellations, self._reference = changes, cancellations, reference
        self._policies, self._promises, self._clock, self._taxes = policies, promises, clock, taxes

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
        reserved: Sequence[HoldLine] = await self._cancellations.reserved(order)
        terms = _terms(order, new, view, taxes)
        promised_on = await self._promised_on(order, terms)
        if order.promised_on is not None and promised_on is not None:
            amendment = msgspec.structs.replace(terms.amendment, promised_on=promised_on)
            terms = Terms(amendment=amendment, prices=terms.prices)
        until = policy.document.changes.modify_until
        return (lambda now, _: modified(now, terms, new, by, until, reserved)), promised_on

    async def _promised_on(self, order: Order, terms: Terms) -> date | None:
        """Return the date by which an order can be there on its new terms, None if no option is.

        Units that it has reserved are not counted as free, so what is the last of its kind may have no date.
        """
        now, then = order, terms.amendment
        goes_otherwise = (now.destination, now.wanted_level, now.need_by) != (
            then.destination,
            then.service_level,
            then.need_by,
        )
        before, left = {line.line_id: line.quantity for line in order.demand}, units_left(order)
        asked = {
            line.sku: line.quantity - before.get(line.line_id, 0) + (left.get(line.line_id, 0) if goes_otherwise else 0)
            for line in then.demand
        }
        lines = tuple(promising.WantedLine(sku=sku, quantity=units) for sku, units in asked.items() if units > 0)
        if not lines:
            return order.promised_on
        if len(lines) > promising.MOST_LINES:
            return None
        request = promising.PromiseRequest(
            lines=lines,
            destination=None if order.captured.picked_up_at else _promising_destination(terms),
            channel=order.captured.channel,
            service_levels=(then.service_level,) if then.service_level is not None else None,  # type: ignore[arg-type]
            need_by=then.need_by,
            pickup_node_id=order.captured.picked_up_at,
            quote=1,
        )
        try:
            options = (await self._promises.promise(request)).options
        except InvalidInput:  # where routing goes by more than promises know
            return None
        found = options[0].promised_on if options else None
        if found is None or goes_otherwise or order.promised_on is None:
            return found
        return max(found, order.promised_on)


def _terms(order: Order, new: NewModification, view: View, taxes: Taxes | None) -> Terms:
    return new_terms(order, new, view.network, view.catalog, taxes)


def _promising_destination(terms: Terms) -> promising.Destination:
    place = terms.amendment.destination
    return promising.Destination(
        latitude=place.latitude,
        longitude=place.longitude,
        postal_code=place.postal_code,
        country=place.country,
        time_zone=place.time_zone,
        residential=place.residential,
        is_po_box=place.is_po_box,
    )


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
