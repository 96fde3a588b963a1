"""Units that were kept to be refurbished: mended they are sold again, the others are scrapped. A pure rule.

Until then they lie at the return's node as damaged. What is paid back for them was decided by the inspection, and does
not change. A return may be closed long before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.conditions import Condition
from engine.orders.facts.returns import Return, ReturnLine
from engine.orders.model import Note, NotedLine, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.returns.steps import moved, return_of, with_return


class RefurbishedAs(StrEnum):
    """What becomes of units that were to be refurbished."""

    RESTOCK = "restock"
    SCRAP = "scrap"


GOES_TO = {RefurbishedAs.RESTOCK: Condition.SELLABLE.value, RefurbishedAs.SCRAP: ""}
"""In which condition they are then; scrapped ones are gone."""
_COUNTED_IN = {RefurbishedAs.RESTOCK: "mended", RefurbishedAs.SCRAP: "given_up"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refurbished:
    """Units of a SKU and what became of them."""

    sku: str
    quantity: int
    outcome: RefurbishedAs


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefurbishment:
    """What somebody has done with units that were to be refurbished."""

    units: tuple[Refurbished, ...]
    by: str
    reason: str = ""


def refurbished(order: Order, return_id: str, new: NewRefurbishment, at: datetime) -> Revision:
    """Return an order of whose return units were refurbished, or given up; raises NotFound, InvalidInput."""
    before = return_of(order, return_id)
    _check(before, new)
    note = Note(
        event="return_refurbished", by=new.by, node_id=before.node_id, subject=return_id, reason=new.reason or None
    )
    if why := _short(before, new):
        return refused(order, note, why)
    lines, moves, told = list(before.lines), list[tuple[ReturnLine, int, str, str]](), dict[str, int]()
    for done in new.units:
        left = done.quantity
        for place, line in enumerate(lines):
            units = min(left, line.to_refurbish) if line.sku == done.sku else 0
            if units:
                left -= units
                counted = _COUNTED_IN[done.outcome]
                lines[place] = msgspec.structs.replace(line, **{counted: getattr(line, counted) + units})
                moves.append((line, units, Condition.DAMAGED.value, GOES_TO[done.outcome]))
                told[line.line_id or line.sku] = told.get(line.line_id or line.sku, 0) + units
    changed, effects = moved(msgspec.structs.replace(before, lines=tuple(lines)), moves, at)
    noted = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in told.items())
    return revision_of(order, with_return(order, changed, *effects), replace(note, lines=noted))


def _check(before: Return, new: NewRefurbishment) -> None:
    skus, faults = {line.sku for line in before.lines}, list[Fault]()
    for index, done in enumerate(new.units):
        path = f"$.lines[{index}]"
        if done.sku not in skus:
            message = f"return {before.return_id} has no {done.sku!r}; {nearest(done.sku, skus)}"
            faults.append(Fault(path=f"{path}.sku", message=message))
        if done.quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{done.quantity} is no quantity; give 1 or more"))
    if not new.units:
        faults.append(
            Fault(path="$.lines", message="is empty; say which units were refurbished, or are to be scrapped")
        )
    if faults:
        raise InvalidInput(faults)


def _short(before: Return, new: NewRefurbishment) -> str:
    """Return why there are not so many units to refurbish, blank if there are."""
    named: dict[str, int] = {}
    for done in new.units:
        named[done.sku] = named.get(done.sku, 0) + done.quantity
    for sku, quantity in named.items():
        waiting = sum(line.to_refurbish for line in before.lines if line.sku == sku)
        if quantity > waiting:
            return (
                f"Return {before.return_id!r} has {waiting} units of {sku!r} to refurbish, {quantity} are named; "
                "inspect the others first, with the disposition refurbish."
            )
    return ""
