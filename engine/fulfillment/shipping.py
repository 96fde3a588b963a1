"""A shipment leaves its node: its units leave stock with it, in the same step; a pure rule.

Not here: that it is paid for (engine/orders/paying), and what the carrier says (carrying.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.fulfillment.shipments import noted_lines, shipment_of, why_not, with_shipment
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Note, Order
from engine.orders.rejecting import stock_lines
from engine.orders.released import taken_from
from engine.orders.revising import Revision, refused, revision_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """To whom a node gives a shipment; what is blank is as its label says. If it `needs_number`, then not without."""

    carrier: str = ""
    tracking_number: str = ""
    needs_number: bool = True


def shipped(order: Order, shipment_id: str, handover: Handover, at: datetime, by: str) -> Revision:
    """Return an order of which a shipment has left its node; the rest of it can be routed, and shipped, as before."""
    shipment = shipment_of(order, shipment_id)
    number = handover.tracking_number or shipment.tracking_number
    note = Note(
        event="shipment_shipped",
        by=by,
        node_id=shipment.node_id,
        lines=noted_lines(shipment.lines),
        subject=shipment_id,
        reason=number or None,
    )
    why = why_not(order, shipment, ShipmentState.SHIPPED)
    if why is None and handover.needs_number and not number:
        cause = f": {shipment.problem}" if shipment.problem else " yet"
        why = f"Shipment {shipment_id!r} has no label{cause}. Ask for one, or give its tracking_number."
    if why is not None:
        return refused(order, note, why)
    taken = taken_from(order.allocation, shipment)
    gone = msgspec.structs.replace(
        shipment,
        state=ShipmentState.SHIPPED,
        shipped_at=at,
        carrier=handover.carrier or shipment.carrier,
        tracking_number=number,
        problem="",
    )
    to = _without_rows(with_shipment(order, gone), taken)
    return revision_of(order, to, note, lost=stock_lines(order, taken), leaves=True, uses_change=True)


def _without_rows(order: Order, taken: Sequence[int]) -> Order:
    """Return an order without so many units of each row; what is kept of a row stays kept."""
    left = {
        row: replace(row, quantity=row.quantity - units) if units < row.quantity else None
        for row, units in zip(order.allocation, taken, strict=True)
    }
    allocation = tuple(
        replace(row, quantity=row.quantity - units)
        for row, units in zip(order.allocation, taken, strict=True)
        if units < row.quantity
    )
    kept = tuple(rest for row in order.steering.kept if (rest := left.get(row)) is not None)
    return replace(order, allocation=allocation, steering=replace(order.steering, kept=kept))
