"""A node begins to pick a shipment, by itself or with others in a wave; pure rules.

What it does not find it says as a short pick (engine/orders/rejecting.py), which takes it out of the shipment. Not
here: waves (waves.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from engine.fulfillment.shipments import noted_lines, shipment_of, why_not, with_shipment
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.steering import Acceptance


def picked(order: Order, shipment_id: str, at: datetime, by: str, wave_id: str = "") -> Revision:
    """Return an order of which a node picks a shipment from now on; with that it has accepted it."""
    shipment = shipment_of(order, shipment_id)
    note = Note(
        event="shipment_picking",
        by=by,
        node_id=shipment.node_id,
        lines=noted_lines(shipment.lines),
        subject=shipment_id,
        reason=wave_id or None,
    )
    why = why_not(order, shipment, ShipmentState.PICKING)
    if why is not None:
        return refused(order, note, why)
    begun = msgspec.structs.replace(shipment, state=ShipmentState.PICKING, picked_at=at, wave_id=wave_id)
    return revision_of(order, accepted_with(with_shipment(order, begun), begun, at), note)


def accepted_with(order: Order, shipment: Shipment, at: datetime) -> Order:
    """Return an order that the node of a shipment has accepted, since it works on it."""
    run_id = order.run_id
    known = order.steering.acceptances
    if run_id is None or any(each.node_id == shipment.node_id and each.run_id == run_id for each in known):
        return order
    others = tuple(each for each in known if each.node_id != shipment.node_id)
    acceptances = (*others, Acceptance(node_id=shipment.node_id, run_id=run_id, at=at))
    return replace(order, steering=replace(order.steering, acceptances=acceptances))
