"""Giving what a run has decided on to its nodes: each parcel of an order becomes a shipment; pure rules.

From then on runs keep to it. Not here: which orders are released when (service.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

import msgspec

from engine.fulfillment.shipments import noted_lines, shipment_id_of, shipment_of, why_not, with_shipment
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.model import Note, Order
from engine.orders.released import units_of
from engine.orders.revising import Revision, refused, revision_of
from engine.routing.model import AllocationRow


def released(order: Order, at: datetime, by: str, *, node_id: str | None = None, until: date | None = None) -> Revision:
    """Return an order of which all that has a node and is not with it yet is released.

    Only what `node_id` hands over, and only what leaves `until` a day, if these are given. Nothing to release is
    refused, and so is an order that is cancelled or has an order hold.
    """
    note = Note(event="shipment_released", by=by, node_id=node_id)
    if order.is_cancelled:
        return refused(order, note, f"Order {order.order_id!r} is cancelled; there is nothing to release.")
    hold = order.steering.order_hold
    if hold is not None:
        why = f"Order {order.order_id!r} has an order hold ({hold.reason}). Release that first, then its shipments."
        return refused(order, note, why)
    new = list(_unreleased(order, node_id, until))
    if not new:
        where = "" if node_id is None else f" at {node_id!r}"
        by_when = "" if until is None else f" that leaves until {until}"
        why = f"Order {order.order_id!r} has nothing{where}{by_when} to release: it is {_stands(order)}."
        return refused(order, note, why)
    to = order
    for rows, lines in new:
        to = with_shipment(to, _shipment(to, rows, lines, at))
    added = to.life.shipments[len(order.life.shipments) :]
    said = noted_lines(line for shipment in added for line in shipment.lines)
    subject = added[0].shipment_id if len(added) == 1 else None
    return revision_of(order, to, replace(note, lines=said, subject=subject))


def recalled(order: Order, shipment_id: str, reason: str, by: str) -> Revision:
    """Return an order that has a shipment back from its node: its units are routed as before, and may be again."""
    shipment = shipment_of(order, shipment_id)
    note = Note(
        event="shipment_recalled",
        by=by,
        reason=reason,
        node_id=shipment.node_id,
        lines=noted_lines(shipment.lines),
        subject=shipment_id,
    )
    why = why_not(order, shipment, ShipmentState.RECALLED)
    if why is not None:
        return refused(order, note, why)
    to = with_shipment(order, msgspec.structs.replace(shipment, state=ShipmentState.RECALLED))
    return revision_of(order, to, note)


def can_be_released(order: Order, until: date | None = None) -> bool:
    """Say whether anything of an order would be released now."""
    if order.is_cancelled or order.steering.order_hold is not None:
        return False
    return any(True for _ in _unreleased(order, None, until))


def _unreleased(
    order: Order, node_id: str | None, until: date | None
) -> Iterable[tuple[list[AllocationRow], tuple[ShipmentLine, ...]]]:
    """Yield the rows of each parcel of which units are not in a shipment, and these units."""
    left = units_of(order.allocation)
    for shipment in order.life.shipments:
        for line in shipment.lines if shipment.is_with_node else ():
            left[line.line_id, shipment.parcel] -= line.quantity
    parcels: dict[object, list[AllocationRow]] = {}
    for row in order.allocation:
        if row.node_id is not None:
            parcels.setdefault(row.parcel, []).append(row)
    for rows in parcels.values():
        node, _, ship_on = rows[0].parcel
        if node_id not in {None, node} or (until is not None and ship_on is not None and ship_on > until):
            continue
        found: dict[str, ShipmentLine] = {}
        for row in rows:
            units = left.pop((row.line_id, row.parcel), 0)
            if units > 0:
                found[row.line_id] = ShipmentLine(line_id=row.line_id, sku=row.sku, quantity=units)
        if found:
            yield rows, tuple(found.values())


def _shipment(order: Order, rows: list[AllocationRow], lines: tuple[ShipmentLine, ...], at: datetime) -> Shipment:
    node_id, service, ship_on = rows[0].parcel
    assert node_id is not None and service is not None and ship_on is not None  # noqa: PT018
    senders = dict.fromkeys(str(row.node_id) for row in rows if row.node_id != node_id)
    return Shipment(
        shipment_id=shipment_id_of(order),
        node_id=node_id,
        service=service,
        ship_on=ship_on,
        lines=lines,
        state=ShipmentState.RELEASED,
        released_at=at,
        run_id=order.run_id or "",
        from_node_ids=tuple(senders),
    )


def _stands(order: Order) -> str:
    if any(shipment.is_with_node for shipment in order.life.shipments):
        return "released already"
    return "not routed yet" if not order.allocation and order.run_id is None else order.state.value
