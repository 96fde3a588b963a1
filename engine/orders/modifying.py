"""Modifying an order: quantities, added and removed lines, its address, service level and deadline. Pure rules.

Units that go are taken off as by a cancellation; units that come are routed with the next run, and what nodes have
stays there. Another address, level or deadline opens all that has not left again, as far as the order policy lets it;
it keeps its stock until it is routed. Not here: prices (terms.py), promises (modifications.py), making it (the stores).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.model import HoldLine
from engine.orders.destination import Destination
from engine.orders.facts.money import Prices
from engine.orders.life import Amendment
from engine.orders.model import Note, NotedLine, Order
from engine.orders.order_holds import being_merged
from engine.orders.remaining import units_left
from engine.orders.revising import Revision, StockLine, refused, reopened, revision_of
from engine.orders.withdrawing import free_units, withdrawn
from engine.routing.model import AllocationRow


class ModifiedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is to be: one of the order by its `line_id`, or one of another SKU, which is added.

    `quantity` counts what was cancelled of it, too; 0 removes the line. Prices that are left out stay, or are those of
    the catalog; a discount shrinks and grows with the quantity.
    """

    quantity: int
    line_id: str | None = None
    sku: str | None = None
    unit_price_cents: int | None = None
    discount_cents: int | None = None
    tax_code: str = ""
    unit_cost_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModification:
    """What is to be changed of an order; what is None stays. It comes to `expected_total_cents`, or is refused."""

    lines: tuple[ModifiedLine, ...] = ()
    destination: Destination | None = None
    service_level: str | None = None
    need_by: date | None = None
    shipping_cents: int | None = None
    reason: str | None = None
    expected_total_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an order is to be like: its terms, and its prices if it has some."""

    amendment: Amendment
    prices: Prices | None


def modified(
    order: Order, terms: Terms, new: NewModification, by: str, until: str, reserved: Sequence[HoldLine]
) -> Revision:
    """Return an order with other terms; `until` is how far a unit may have come at a node to be touched."""
    before, after = order.life.money.prices, terms.prices
    difference = None if before is None or after is None else after.total_cents - before.total_cents
    note = Note(event="modified", by=by, reason=new.reason, amount_cents=difference, lines=_changed(order, terms))
    why = being_merged(order) or _refusal(order, terms, new, until)
    if why:
        return refused(order, note, why)
    to, given = _without_units(order, terms.amendment, until, reserved)
    money = msgspec.structs.replace(to.life.money, prices=after)
    to = replace(to, life=msgspec.structs.replace(to.life, amendment=terms.amendment, money=money))
    to = _opened(to) if goes_otherwise(order, terms.amendment) else with_more(to)
    return revision_of(order, to, note, given_back=given, uses_change=True)


def check_lines(order: Order, new: NewModification) -> None:
    """Raise InvalidInput with every line that the order does not have, that is added twice, or that says too little."""
    faults, known = list[Fault](), {line.line_id: line for line in order.lines}
    skus, seen = {line.sku for line in order.lines}, set[str]()
    for index, line in enumerate(new.lines):
        path = f"$.lines[{index}]"
        name = line.line_id or line.sku or ""
        if line.line_id is None and line.sku is None:
            faults.append(Fault(path=path, message="names no line; give its line_id, or the sku of one to be added"))
        elif line.sku is None and line.line_id not in known:
            message = f"order {order.order_id} has no line {line.line_id!r}; {nearest(name, known)}"
            faults.append(Fault(path=f"{path}.line_id", message=f"{message}, or add one with its sku"))
        elif line.line_id in known and line.sku not in {None, known[line.line_id].sku}:
            message = f"line {line.line_id!r} is of {known[line.line_id].sku!r}; remove it, and add another line"
            faults.append(Fault(path=f"{path}.sku", message=message))
        elif line.line_id not in known and line.sku in skus:
            faults.append(Fault(path=f"{path}.sku", message=f"the order has a line of {line.sku!r}; change that one"))
        if name in seen:
            faults.append(Fault(path=path, message=f"{name!r} stands twice; name each line once"))
        seen.add(name)
        if line.quantity < 0 or (line.quantity == 0 and line.line_id not in known):
            faults.append(Fault(path=f"{path}.quantity", message=f"{line.quantity} is no quantity; give 1 or more"))
    if not new.lines and new == replace(
        NewModification(), reason=new.reason, expected_total_cents=new.expected_total_cents
    ):
        faults.append(Fault(path="$", message="changes nothing; give lines, a destination, a level, or a deadline"))
    if new.destination is not None and order.captured.picked_up_at is not None:
        message = f"the order is picked up at {order.captured.picked_up_at!r}; cancel it, and capture another one"
        faults.append(Fault(path="$.destination", message=message))
    if faults:
        raise InvalidInput(faults)


def _refusal(order: Order, terms: Terms, new: NewModification, until: str) -> str:
    """Return why an order cannot be changed so, blank if it can."""
    name, left, free = f"Order {order.order_id!r}", units_left(order), free_units(order, until)
    if order.is_cancelled or not any(units > 0 for units in left.values()):
        return f"{name} is {'cancelled' if order.is_cancelled else 'on its way'}; capture another one for what is new."
    demand = {line.line_id: line.quantity for line in terms.amendment.demand}
    for line in order.demand:
        least = line.quantity - free.get(line.line_id, 0)
        if demand.get(line.line_id, 0) < least:
            why = "have left, are cancelled, or have come too far at their node"
            return f"{name} cannot have fewer than {least} units of line {line.line_id!r}: so many {why}."
    if goes_otherwise(order, terms.amendment) and any(free[each] < units for each, units in left.items()):
        return f"{name} cannot go otherwise: units of it have come further than {until!r} at their node."
    wanted, prices = new.expected_total_cents, terms.prices
    if wanted is not None and prices is not None and prices.total_cents != wanted:
        return f"{name} comes to {prices.total_cents} cents so, not to {wanted}. Look at it again with dry_run."
    return ""


def goes_otherwise(order: Order, amendment: Amendment) -> bool:
    """Say whether an order has another address, service level or deadline on its new terms."""
    now = (order.destination, order.wanted_level, order.need_by)
    return now != (amendment.destination, amendment.service_level, amendment.need_by)


def _without_units(
    order: Order, amendment: Amendment, until: str, reserved: Sequence[HoldLine]
) -> tuple[Order, tuple[StockLine, ...]]:
    """Return an order without the units that its new terms have no more, and what its reservation gives back."""
    demand = {line.line_id: line.quantity for line in amendment.demand}
    fewer = {line.line_id: line.quantity - demand.get(line.line_id, 0) for line in order.demand}
    wanted = {line_id: units for line_id, units in fewer.items() if units > 0}
    if not wanted:
        return order, ()
    found = withdrawn(order, wanted, until, reserved)
    return found.order, found.given_back


def _opened(order: Order) -> Order:
    """Return an order all of which that has not left is to be routed anew."""
    if not order.allocation:
        return order
    opened = reopened(order, [row.quantity for row in order.allocation])
    return with_more(opened)


def with_more(order: Order) -> Order:
    """Return an order that was routed with rows for units that have come, and what nodes have staying there."""
    if not order.allocation:
        return order
    rows = dict.fromkeys(units_left(order), 0)
    for row in order.allocation:
        rows[row.line_id] = rows.get(row.line_id, 0) + row.quantity
    skus = {line.line_id: line.sku for line in order.demand}
    more = [
        AllocationRow(line_id=line_id, sku=skus[line_id], quantity=units - rows[line_id])
        for line_id, units in units_left(order).items()
        if units > rows[line_id]
    ]
    if not more:
        return order
    placed = tuple(row for row in order.allocation if row.node_id is not None)
    waiting = _joined([*(row for row in order.allocation if row.node_id is None), *more])
    steering = replace(order.steering, kept=placed)
    return replace(order, allocation=(*placed, *waiting), steering=steering)


def _joined(rows: Sequence[AllocationRow]) -> list[AllocationRow]:
    """Return rows without a node, one for each line."""
    found: dict[str, AllocationRow] = {}
    for row in rows:
        before = found.get(row.line_id)
        found[row.line_id] = row if before is None else replace(before, quantity=before.quantity + row.quantity)
    return list(found.values())


def _changed(order: Order, terms: Terms) -> tuple[NotedLine, ...]:
    """Return the lines whose quantity changes, with what it is then."""
    before = {line.line_id: line for line in order.lines}
    after = {line.line_id: line for line in terms.amendment.lines}
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        NotedLine(line_id=name, quantity=after[name].quantity if name in after else 0)
        for name in names
        if (name in after) != (name in before) or after[name].quantity != before[name].quantity
    )
