"""What becomes of units that came back: sold again, refurbished or scrapped. A pure rule.

What is sold again is in stock as any other; what is refurbished lies there as damaged until it is; what is scrapped is
gone. By what becomes of them it is known how much is paid back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.conditions import Condition
from engine.orders.facts.returns import Disposition, Return, ReturnLine
from engine.orders.model import Note, NotedLine, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.returns.amounts import paid_back
from engine.returns.authorising import exchange_effects
from engine.returns.paying import asked_for_refund
from engine.returns.steps import moved, over_ids, return_of, settled, with_return

GOES_TO = {
    Disposition.RESTOCK: Condition.SELLABLE.value,
    Disposition.REFURBISH: Condition.DAMAGED.value,
    Disposition.SCRAP: "",
}
"""In which condition units are once it is known what becomes of them; scrapped ones are gone."""
_COUNTED_IN = {
    Disposition.RESTOCK: "restocked",
    Disposition.REFURBISH: "refurbished",
    Disposition.SCRAP: "scrapped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """Units of a SKU and what becomes of them; with a `refund_percent` that is paid back, not the policy's share."""

    sku: str
    quantity: int
    disposition: Disposition
    refund_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInspection:
    """What somebody found who looked at what came."""

    units: tuple[Inspected, ...]
    by: str
    reason: str = ""


def inspected(order: Order, return_id: str, new: NewInspection, at: datetime) -> Revision:
    """Return an order of whose return it is known what becomes of units; raises NotFound, InvalidInput."""
    before = return_of(order, return_id)
    _check(before, new)
    note = Note(
        event="return_inspected", by=new.by, node_id=before.node_id, subject=return_id, reason=new.reason or None
    )
    if why := _short(before, new):
        return refused(order, note, why)
    changed, moves, told = before, list[tuple[ReturnLine, int, str, str]](), dict[str, int]()
    for found in new.units:
        left = found.quantity
        for place, line in enumerate(changed.lines):
            units = min(left, line.waiting) if line.sku == found.sku else 0
            if units:
                left -= units
                changed = _decided(order, changed, place, units, found)
                moves.append((line, units, Condition.QUALITY_HOLD.value, GOES_TO[found.disposition]))
                told[line.line_id or line.sku] = told.get(line.line_id or line.sku, 0) + units
    changed, effects = moved(changed, moves, at)
    changed, money = asked_for_refund(order, settled(changed, at), at)
    due = exchange_effects(changed, at)
    after = with_return(order, changed, *effects, *money, *due, without=over_ids(changed))
    lines = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in told.items())
    return revision_of(order, after, replace(note, lines=lines))


def _decided(order: Order, changed: Return, place: int, units: int, found: Inspected) -> Return:
    """Return a return with what becomes of units of one of its lines, and what is paid back for them."""
    line = changed.lines[place]
    counted = _COUNTED_IN[found.disposition]
    line = msgspec.structs.replace(line, **{counted: getattr(line, counted) + units})
    if not changed.pays_on_receipt:
        share = changed.refund_shares.of(found.disposition) if found.refund_percent is None else found.refund_percent
        line = paid_back(order, changed, line, units, share)
    lines = (*changed.lines[:place], line, *changed.lines[place + 1 :])
    return msgspec.structs.replace(changed, lines=lines)


def _check(before: Return, new: NewInspection) -> None:
    skus, faults = {line.sku for line in before.lines}, list[Fault]()
    for index, found in enumerate(new.units):
        path = f"$.lines[{index}]"
        if found.sku not in skus:
            message = f"return {before.return_id} has no {found.sku!r}; {nearest(found.sku, skus)}"
            faults.append(Fault(path=f"{path}.sku", message=message))
        if found.quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{found.quantity} is no quantity; give 1 or more"))
        if found.refund_percent is not None and not 0 <= found.refund_percent <= 100:
            message = f"{found.refund_percent} is no share; give 0 to 100 percent"
            faults.append(Fault(path=f"{path}.refund_percent", message=message))
        if found.refund_percent is not None and before.pays_on_receipt:
            message = "money went back when the units came, by the return policy; leave it out"
            faults.append(Fault(path=f"{path}.refund_percent", message=message))
    if not new.units:
        faults.append(Fault(path="$.lines", message="is empty; say what becomes of which units"))
    if faults:
        raise InvalidInput(faults)


def _short(before: Return, new: NewInspection) -> str:
    """Return why there are not so many units to look at, blank if there are."""
    named: dict[str, int] = {}
    for found in new.units:
        named[found.sku] = named.get(found.sku, 0) + found.quantity
    for sku, quantity in named.items():
        waiting = sum(line.waiting for line in before.lines if line.sku == sku)
        if quantity > waiting:
            return (
                f"Return {before.return_id!r} has {waiting} units of {sku!r} to inspect, {quantity} are named; receive "
                "the others first."
            )
    return ""
