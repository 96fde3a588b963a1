"""What becomes of an order when a node does not ship what was allocated to it: pure rules.

The lines it refuses are open again, and go to other nodes in the next run; what other nodes have stays with them, but
for what goes into one parcel with it at a hub. Of a short pick the units are not there: on hand falls by what was not
found. Broken ones are on hand no more either, and kept as damaged (breaking.py). Not here: making it (the stores),
looking for orders that nodes leave lying (time_outs.py) or that a closed node has (closing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import Fault, InvalidInput
from engine.orders.breaking import with_broken
from engine.orders.folding import folded_rejections
from engine.orders.model import Note, NotedLine, Order
from engine.orders.named_lines import NamedLines
from engine.orders.revising import Revision, StockLine, refused, reopened, revision_of, with_the_rest
from engine.orders.steering import TOO_MANY_REJECTIONS, OrderHold, RejectedLine, Rejection, RejectionKind
from engine.routing.model import AllocationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRejection:
    """What a node says: these lines, all that it was given if none is named; None units are all of the line there."""

    node_id: str
    reason: str
    kind: RejectionKind = RejectionKind.REJECTED
    lines: tuple[tuple[str, int | None], ...] = ()


def rejected(order: Order, new: NewRejection, at: datetime, by: str, most: int) -> Revision:
    """Return what becomes of an order; raises InvalidInput for lines that it does not have.

    After `most` attempts, 0 for any number, it is left for people: with an order hold.
    """
    _check(order, new)
    there = [row.quantity if _is_there(row, new) else 0 for row in order.allocation]
    note = _note(new, by, _units(order, there, new))
    if order.is_cancelled:
        return refused(order, note, f"Order {order.order_id!r} is cancelled; there is nothing left to reject.")
    if not any(there):
        return refused(order, note, f"Node {new.node_id!r} has no unit of order {order.order_id!r} to ship.")
    wanted, short = _opened(order, new, there)
    if short is not None:
        line_id, asked, found = short
        why = f"Node {new.node_id!r} has {found} units of line {line_id!r} to ship, {asked} are rejected; name those."
        return refused(order, note, why)
    opened = with_the_rest(order, wanted)
    lost = wanted if new.kind.takes_stock else [0] * len(wanted)
    steering, lines = order.steering, _units(order, wanted, new)
    rejection = Rejection(
        node_id=new.node_id,
        kind=new.kind,
        reason=new.reason,
        lines=tuple(RejectedLine(line_id=line_id, quantity=units) for line_id, units in lines),
        at=at,
        by=by,
        run_id=order.run_id,
    )
    attempts = steering.attempts + new.kind.is_attempt
    after = reopened(order, opened)
    holds = steering.order_holds
    if not holds and most and attempts >= most:
        holds = (OrderHold(kind=TOO_MANY_REJECTIONS, reason=TOO_MANY_REJECTIONS, at=at, by=by),)
    said = folded_rejections((*steering.rejections, rejection))
    to = replace(after, steering=replace(after.steering, rejections=said, attempts=attempts, order_holds=holds))
    if new.kind is RejectionKind.DAMAGED:
        to = with_broken(to, stock_lines(order, lost), at)
    return revision_of(
        order,
        to,
        _note(new, by, lines),
        given_back=stock_lines(order, [units - gone for units, gone in zip(opened, lost, strict=True)]),
        lost=stock_lines(order, lost),
        uses_change=True,
    )


def stock_lines(order: Order, units: Sequence[int]) -> tuple[StockLine, ...]:
    """Return so many units of each row as lines of the order's reservation, summed per place and day."""
    found: dict[tuple[str, str, int], int] = {}
    for row, count in zip(order.allocation, units, strict=True):
        if count and row.node_id is not None and row.ship_on is not None:
            key = (row.sku, row.node_id, row.ship_on.toordinal())
            found[key] = found.get(key, 0) + count
    return tuple((sku, node_id, count, day) for (sku, node_id, day), count in found.items())


def _check(order: Order, new: NewRejection) -> None:
    faults, named = list[Fault](), NamedLines(order, "name each line once")
    for index, (line_id, quantity) in enumerate(new.lines):
        path = f"$.lines[{index}]"
        faults += named.faults(line_id, f"{path}.line_id")
        if quantity is not None and quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{quantity} is no quantity; give 1 or more"))
    if faults:
        raise InvalidInput(faults)


def _opened(order: Order, new: NewRejection, there: Sequence[int]) -> tuple[list[int], tuple[str, int, int] | None]:
    """Return the units of each row that are refused; or (line, asked, found) of a line that has fewer there."""
    if not new.lines:
        return list(there), None
    opened = [0] * len(there)
    for line_id, quantity in new.lines:
        rows = [index for index, row in enumerate(order.allocation) if row.line_id == line_id and there[index]]
        found = sum(there[index] for index in rows)
        left = found if quantity is None else quantity
        if not found or left > found:
            return opened, (line_id, left, found)
        for index in rows:
            opened[index] = min(left, there[index])
            left -= opened[index]
    return opened, None


def _units(order: Order, units: Sequence[int], new: NewRejection) -> list[tuple[str, int]]:
    """Return the units of each line, of those that are refused by name."""
    found: dict[str, int] = {}
    for row, count in zip(order.allocation, units, strict=True):
        if count and _is_there(row, new):
            found[row.line_id] = found.get(row.line_id, 0) + count
    return list(found.items())


def _is_there(row: AllocationRow, new: NewRejection) -> bool:
    """Return whether a node has to do with a row; a hub finds short, or broken, only what it has itself."""
    if new.kind.takes_stock:
        return row.node_id == new.node_id
    return new.node_id in row.node_ids


def _note(new: NewRejection, by: str, lines: Sequence[tuple[str, int]]) -> Note:
    return Note(
        event=new.kind.value,
        by=by,
        reason=new.reason,
        node_id=new.node_id,
        lines=tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in lines),
    )
