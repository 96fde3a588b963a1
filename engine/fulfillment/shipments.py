"""A shipment in its order: found by its id, put back changed, and which step may follow which.

An id says which order it is of, so that nothing else has to know: `shp_<order id>-<number>`. Not here: the steps
(releasing.py, picking.py, packing.py, shipping.py, carrying.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

import msgspec

from engine.errors import NotFound
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.model import NotedLine, Order

S = ShipmentState
STEPS: Mapping[ShipmentState, frozenset[ShipmentState]] = MappingProxyType(
    {
        S.RELEASED: frozenset({S.PICKING, S.PACKED, S.RECALLED}),
        S.PICKING: frozenset({S.PACKED, S.RECALLED}),
        S.PACKED: frozenset({S.SHIPPED, S.PACKED, S.RECALLED}),
        S.SHIPPED: frozenset({S.DELIVERED, S.LOST}),
        S.DELIVERED: frozenset(),
        S.LOST: frozenset(),
        S.RECALLED: frozenset(),
    }
)
"""What people, nodes and carriers may make of a shipment in each state."""
_PREFIX = "shp_"


def shipment_id_of(order: Order) -> str:
    """Return the id of the next shipment of an order."""
    return f"{_PREFIX}{order.order_id}-{len(order.life.shipments) + 1}"


def is_shipment_id(subject: str) -> bool:
    """Say whether an id is that of a shipment, and not of a return."""
    return subject.startswith(_PREFIX)


def order_id_of(shipment_id: str) -> str:
    """Return the order that a shipment is of; raises NotFound for what is no such id."""
    order_id, dash, number = shipment_id.removeprefix(_PREFIX).rpartition("-")
    if not shipment_id.startswith(_PREFIX) or not dash or not order_id or not number.isdecimal():
        raise unknown_shipment(shipment_id)
    return order_id


def unknown_shipment(shipment_id: str) -> NotFound:
    """Return the error that names a shipment which there is not."""
    return NotFound(f"There is no shipment {shipment_id!r}. Shipments of an order are named with it.")


def shipment_of(order: Order, shipment_id: str) -> Shipment:
    """Return a shipment of an order; raises NotFound."""
    for shipment in order.life.shipments:
        if shipment.shipment_id == shipment_id:
            return shipment
    raise unknown_shipment(shipment_id)


def with_shipment(order: Order, shipment: Shipment) -> Order:
    """Return an order with a shipment as it is now; a new one comes last."""
    known = order.life.shipments
    shipments = tuple(shipment if each.shipment_id == shipment.shipment_id else each for each in known)
    if shipments == known and shipment not in known:
        shipments = (*known, shipment)
    return replace(order, life=msgspec.structs.replace(order.life, shipments=shipments))


def why_not(order: Order, shipment: Shipment, to: ShipmentState) -> str | None:
    """Return why a shipment cannot go into a state now; None if it can."""
    what = f"Shipment {shipment.shipment_id!r}"
    if to not in STEPS[shipment.state]:
        legal = ", ".join(sorted(state.value for state in STEPS[shipment.state]))
        follows = f"from there it can be: {legal}" if legal else "nothing follows that"
        return f"{what} is {shipment.state.value}, and cannot be {to.value}; {follows}."
    if order.is_cancelled and to is not S.RECALLED:
        return f"{what} is of order {order.order_id!r}, which is cancelled; put its units back."
    hold = order.steering.order_hold
    if hold is not None and shipment.is_with_node and to is not S.RECALLED:
        return f"{what} waits: its order has an order hold ({hold.reason}). Release that first."
    return None


def noted_lines(lines: Iterable[ShipmentLine]) -> tuple[NotedLine, ...]:
    """Return lines of a shipment as a step of the history names them."""
    return tuple(NotedLine(line_id=line.line_id, quantity=line.quantity) for line in lines)
