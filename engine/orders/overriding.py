"""What becomes of an order when people say how it is to be routed, or nodes that they ship it: pure rules.

Lines that ship from a node where they may not ship any more are open again; they keep their stock until the next run
has found them another node. Not here: making it (the stores), order holds (holding.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.folding import folded_overrides
from engine.orders.model import MOST_PRIORITY, Note, NotedLine, Order
from engine.orders.named_lines import NamedLines
from engine.orders.revising import Revision, refused, reopened, revision_of, with_the_rest
from engine.orders.steering import TOO_MANY_REJECTIONS, Acceptance, Override
from engine.routing.model import LineNode


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride:
    """What people say: pins of lines (None takes one away), nodes the order is not to ship from, its priority."""

    reason: str
    pins: tuple[tuple[str, str | None], ...] = ()
    forbidden_node_ids: tuple[str, ...] | None = None
    priority: int | None = None


def overridden(order: Order, new: NewOverride, at: datetime, by: str, nodes: Collection[str]) -> Revision:
    """Return what becomes of an order; raises InvalidInput with every fault. `nodes` are those of the network.

    People have looked at it: attempts are counted anew, and an order hold for too many of them is released.
    """
    _check(order, new, nodes)
    pins = tuple(LineNode(line_id=line_id, node_id=node_id or "") for line_id, node_id in new.pins)
    note = Note(event="override", by=by, reason=new.reason)
    if order.is_cancelled:
        return refused(order, note, f"Order {order.order_id!r} is cancelled; it is not routed any more.")
    override = Override(
        reason=new.reason,
        at=at,
        by=by,
        pins=pins,
        forbidden_node_ids=new.forbidden_node_ids,
        priority=new.priority,
    )
    steering = replace(
        order.steering,
        overrides=folded_overrides((*order.steering.overrides, override)),
        attempts=0,
        order_holds=tuple(hold for hold in order.steering.order_holds if hold.kind != TOO_MANY_REJECTIONS),
    )
    steered = replace(order, steering=steering)
    opened = with_the_rest(steered, _misplaced(steered))
    if not any(opened):
        return revision_of(order, steered, note)
    lines: dict[str, int] = {}
    for row, units in zip(order.allocation, opened, strict=True):
        if units:
            lines[row.line_id] = lines.get(row.line_id, 0) + units
    noted = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in lines.items())
    return revision_of(order, reopened(steered, opened), replace(note, lines=noted))


def accepted(order: Order, node_id: str, at: datetime, by: str) -> Revision:
    """Return an order of which a node has said that it ships what it was given."""
    note = Note(event="accepted", by=by, node_id=node_id)
    rows = [row for row in order.allocation if node_id in row.node_ids]
    if order.is_cancelled or not rows or order.run_id is None:
        return refused(order, note, f"Node {node_id!r} has no unit of order {order.order_id!r} to ship.")
    others = tuple(each for each in order.steering.acceptances if each.node_id != node_id)
    acceptance = Acceptance(node_id=node_id, run_id=order.run_id, at=at)
    steering = replace(order.steering, acceptances=(*others, acceptance))
    return revision_of(order, replace(order, steering=steering), note)


def _misplaced(order: Order) -> Sequence[int]:
    """Return the units of each row that ship from where they may not ship any more."""
    pins, forbidden = order.steering.pins, set(order.steering.forbidden_node_ids)
    return [
        row.quantity
        if row.node_id is not None and (row.node_ids & forbidden or pins.get(row.line_id, row.node_id) != row.node_id)
        else 0
        for row in order.allocation
    ]


def _check(order: Order, new: NewOverride, nodes: Collection[str]) -> None:
    faults, named = list[Fault](), NamedLines(order, "pin each line once")
    pinned = {**order.steering.pins, **dict(new.pins)}
    forbidden = order.steering.forbidden_node_ids if new.forbidden_node_ids is None else new.forbidden_node_ids
    for index, (line_id, node_id) in enumerate(new.pins):
        path = f"$.pins[{index}]"
        faults += named.faults(line_id, f"{path}.line_id")
        if node_id is not None and node_id not in nodes:
            message = f"unknown node {node_id!r}; {nearest(node_id, nodes)}"
            faults.append(Fault(path=f"{path}.node_id", message=message))
    for index, node_id in enumerate(new.forbidden_node_ids or ()):
        if node_id not in nodes:
            message = f"unknown node {node_id!r}; {nearest(node_id, nodes)}"
            faults.append(Fault(path=f"$.forbidden_node_ids[{index}]", message=message))
    for line_id, node_id in pinned.items():
        if node_id is not None and node_id in forbidden:
            message = f"line {line_id!r} is pinned to {node_id!r}, which is forbidden; take one of both away"
            faults.append(Fault(path="$.forbidden_node_ids", message=message))
    if new.priority is not None and not 0 <= new.priority <= MOST_PRIORITY:
        message = f"{new.priority} is no priority; give 0 (usual) to {MOST_PRIORITY} (first)"
        faults.append(Fault(path="$.priority", message=message))
    if not new.pins and new.forbidden_node_ids is None and new.priority is None:
        faults.append(Fault(path="$", message="says nothing; give pins, forbidden_node_ids or a priority"))
    if faults:
        raise InvalidInput(faults)
