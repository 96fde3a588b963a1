"""Cancelling an order, or units of its lines, wherever they stand before they leave a node: pure rules.

What is cancelled gives its stock back, and what it has been given to nodes is taken out of their shipments; money that
was set aside for it, or paid, follows in the same step (paying/balancing.py). Not here: making it (the stores).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.model import HoldLine
from engine.orders.life import CancelledUnits, Life
from engine.orders.model import Note, NotedLine, Order
from engine.orders.order_holds import being_merged, with_holds
from engine.orders.remaining import units_left
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.withdrawing import free_units, withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCancellation:
    """What is to be cancelled: units of the customer's lines (None: all that may be), without lines all of it."""

    lines: tuple[tuple[str, int | None], ...] = ()
    reason: str | None = None


def cancelled(
    order: Order,
    new: NewCancellation,
    by: str,
    *,
    catalog: Catalog,
    until: str,
    reserved: Sequence[HoldLine] = (),
) -> Revision | None:
    """Return an order without some units, None if it is cancelled already; raises InvalidInput with every fault.

    `until` is how far a unit may have come at a node, `reserved` what the order's reservation keeps.
    """
    note = Note(event="lines_cancelled" if new.lines else "cancelled", by=by, reason=new.reason)
    if order.is_cancelled and not new.lines:
        return None
    free = free_units(order, until)
    if new.lines:
        check_named(order, new.lines)
        wanted, short = units_of(order, new.lines, free, catalog)
        if short:
            return refused(order, note, short)
    else:
        wanted = {line_id: units for line_id, units in free.items() if units}
    if not wanted or being_merged(order):
        return refused(order, note, being_merged(order) or _nothing_left(order, until))
    left = units_left(order)
    if all(wanted.get(line_id, 0) >= units for line_id, units in left.items()):
        return closed(order, order, wanted, note)
    found = withdrawn(order, wanted, until, reserved)
    to = replace(found.order, life=with_cancelled(found.order.life, wanted))
    lines = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in wanted.items())
    return revision_of(order, to, replace(note, lines=lines), given_back=found.given_back, uses_change=True)


def closed(seen: Order, order: Order, wanted: Mapping[str, int], note: Note) -> Revision:
    """Return an order of which nothing is left, without order holds; its reservation gives back all that it keeps."""
    steering = replace(order.steering, kept=())
    life = with_cancelled(order.life, wanted)
    to = with_holds(replace(order, allocation=(), steering=steering, life=life), [])
    return revision_of(seen, to, note, closes=True, uses_change=True)


def with_cancelled(life: Life, units: Mapping[str, int]) -> Life:
    """Return a life in which more units of lines are cancelled."""
    summed = {each.line_id: each.quantity for each in life.cancelled}
    for line_id, count in units.items():
        summed[line_id] = summed.get(line_id, 0) + count
    said = tuple(CancelledUnits(line_id=line_id, quantity=count) for line_id, count in summed.items() if count)
    return msgspec.structs.replace(life, cancelled=said)


def parts_of(order: Order, line_id: str, catalog: Catalog) -> dict[str, int]:
    """Return what one unit of a customer's line comes down to: units by line of the demand."""
    by_sku = {line.sku: line.line_id for line in order.demand}
    line = next(line for line in order.lines if line.line_id == line_id)
    if line.sku in by_sku and line.sku not in catalog.kits:
        return {by_sku[line.sku]: 1}
    content = catalog.content.get(line.sku)
    components = content.components if content is not None else ()
    return {by_sku[sku]: units for sku, units in components if sku in by_sku}


def units_of(
    order: Order, lines: Sequence[tuple[str, int | None]], free: Mapping[str, int], catalog: Catalog
) -> tuple[dict[str, int], str]:
    """Return the units of each line of the demand that some of the customer's lines are, or why there are not so many.

    `free` are those that may be taken; None asks for all of a line that are.
    """
    rest, wanted = dict(free), dict[str, int]()
    for line_id, quantity in lines:
        parts = parts_of(order, line_id, catalog)
        most = min((rest.get(each, 0) // units for each, units in parts.items()), default=0)
        ordered = next(line.quantity for line in order.lines if line.line_id == line_id)
        most = min(most, ordered)
        asked = most if quantity is None else quantity
        if asked > most or not most:
            why = f"Line {line_id!r} of order {order.order_id!r} has {most} units that can still be cancelled"
            return {}, f"{why}, {asked} are asked for; what has left comes back as a return." if asked else f"{why}."
        for each, units in parts.items():
            wanted[each] = wanted.get(each, 0) + units * asked
            rest[each] -= units * asked
    return wanted, ""


def _nothing_left(order: Order, until: str) -> str:
    if order.is_cancelled:
        return f"Order {order.order_id!r} is cancelled; there is nothing left of it."
    left = any(units > 0 for units in units_left(order).values())
    if left:
        return (
            f"All that is left of order {order.order_id!r} has come further than {until!r}, which is too far to cancel."
        )
    return f"Order {order.order_id!r} cannot be cancelled: units of it have left a node. Take them back as a return."


def check_named(order: Order, lines: Sequence[tuple[str, int | None]]) -> None:
    """Raise InvalidInput for lines that an order does not have, that stand twice, or of which no unit is named."""
    faults, known, seen = list[Fault](), {line.line_id for line in order.lines}, set[str]()
    for index, (line_id, quantity) in enumerate(lines):
        path = f"$.lines[{index}]"
        if line_id not in known:
            message = f"order {order.order_id} has no line {line_id!r}; {nearest(line_id, known)}"
            faults.append(Fault(path=f"{path}.line_id", message=message))
        if line_id in seen:
            faults.append(Fault(path=f"{path}.line_id", message=f"{line_id!r} stands twice; name each line once"))
        seen.add(line_id)
        if quantity is not None and quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{quantity} is no quantity; give 1 or more"))
    if faults:
        raise InvalidInput(faults)
