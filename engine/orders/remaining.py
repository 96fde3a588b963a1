"""What of an order is left to route: its demand less what has left a node, or was cancelled.

Not here: routing it (open.py), where its units stand (states.py).
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Captured, Order, OrderState
from engine.routing.model import OrderLine


def units_left(order: Order) -> dict[str, int]:
    """Return the units of each line of the demand that are neither cancelled nor on their way or beyond."""
    left = {line.line_id: line.quantity for line in order.demand}
    for cancelled in order.life.cancelled:
        left[cancelled.line_id] = left.get(cancelled.line_id, 0) - cancelled.quantity
    for shipment in order.life.shipments:
        if shipment.has_left and shipment.state is not ShipmentState.LOST:
            for line in shipment.lines:
                left[line.line_id] = left.get(line.line_id, 0) - line.quantity
    return left


def remaining(order: Order) -> tuple[OrderLine, ...]:
    """Return the lines of the demand that are left, with so many units."""
    left = units_left(order)
    return tuple(
        line if left[line.line_id] == line.quantity else msgspec.structs.replace(line, quantity=left[line.line_id])
        for line in order.demand
        if left[line.line_id] > 0
    )


def to_route(order: Order) -> Captured:
    """Return the order as a routing run is to see it: with its terms of now, and what is left of its demand."""
    captured, amended = order.captured, order.life.amendment
    if amended is not None:
        captured = replace(
            captured,
            lines=amended.lines,
            whole=amended.whole,
            destination=amended.destination,
            service_level=amended.service_level,
            need_by=amended.need_by,
            promised_on=amended.promised_on,
            promised=captured.promised if amended.destination == captured.destination else None,
        )
    demand = remaining(order)
    if demand == captured.demand:
        return captured
    ids = {line.line_id for line in demand}
    whole = tuple(kept for group in captured.whole if len(kept := tuple(each for each in group if each in ids)) > 1)
    return replace(captured, demand=demand, whole=whole)


def routing_state(order: Order) -> OrderState:
    """Return how far the routing of an order has come, by what is left of it and its allocation."""
    left = sum(units for units in units_left(order).values() if units > 0)
    if left == 0 or order.is_cancelled:
        has_shipped = any(shipment.has_left for shipment in order.life.shipments)
        return OrderState.SHIPPED if has_shipped else OrderState.CANCELLED
    placed = sum(row.quantity for row in order.allocation if row.node_id is not None)
    if placed >= left:
        return OrderState.SOURCED
    is_routed = order.allocation or order.run_id is not None or order.state is OrderState.SHIPPED
    return OrderState.BACKORDERED if is_routed else OrderState.CAPTURED
