"""What becomes of a shipment on its way: what the carrier says of it, delivery with its proof, loss and damage.

Units that are lost, or arrive broken, are wanted again, and routed anew; or they are cancelled. Pure rules. Not here:
what units that a node finds broken before they leave are: a short pick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from engine.errors import Fault, InvalidInput
from engine.fulfillment.shipments import noted_lines, shipment_id_of, shipment_of, why_not, with_shipment
from engine.orders.facts.shipments import CarrierEvent, Carton, Shipment, ShipmentLine, ShipmentState
from engine.orders.life import CancelledUnits
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.routing.model import AllocationRow

MOST_EVENTS = 100
"""Events of a carrier that an order keeps for a shipment; the oldest go first."""


class CarrierSays(StrEnum):
    """What carriers say of a shipment, each in the words of its own; here in ours."""

    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    FAILED_ATTEMPT = "failed_attempt"
    AWAITING_PICKUP = "awaiting_pickup"
    RETURNED_TO_SENDER = "returned_to_sender"
    DELIVERED = "delivered"
    DAMAGED = "damaged"
    LOST = "lost"
    INFORMATION = "information"

    @property
    def has_it(self) -> bool:
        """Whether the carrier has the shipment, or has had it."""
        return self is not CarrierSays.INFORMATION


class Remedy(StrEnum):
    """What becomes of units that do not arrive."""

    SEND_AGAIN = "send_again"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What does not arrive of a shipment, and why: some of its cartons, or all where none is named."""

    reason: str
    remedy: Remedy = Remedy.SEND_AGAIN
    is_damaged: bool = False
    carton_ids: tuple[str, ...] = ()


def delivered(order: Order, shipment_id: str, arrived_at: datetime, proof: str, by: str) -> Revision | None:
    """Return an order of which a shipment has arrived; None if that is known."""
    shipment = shipment_of(order, shipment_id)
    if shipment.state is ShipmentState.DELIVERED and proof in {"", shipment.proof}:
        return None
    note = _note("shipment_delivered", shipment, by, None)  # a proof names people, and stays with the shipment
    if shipment.state is ShipmentState.DELIVERED:
        return revision_of(order, with_shipment(order, msgspec.structs.replace(shipment, proof=proof)), note)
    why = why_not(order, shipment, ShipmentState.DELIVERED)
    if why is not None:
        return refused(order, note, why)
    there = msgspec.structs.replace(
        shipment, state=ShipmentState.DELIVERED, delivered_at=arrived_at, proof=proof or shipment.proof
    )
    to = with_shipment(order, there)
    return revision_of(order, to, note)


def lost(order: Order, shipment_id: str, loss: Loss, by: str) -> Revision:
    """Return an order of which a shipment, or cartons of it, do not arrive: their units are open again or cancelled.

    Cartons that are lost become a shipment of their own; the others go on. Raises InvalidInput for unknown cartons.
    """
    shipment = shipment_of(order, shipment_id)
    event = "shipment_damaged" if loss.is_damaged else "shipment_lost"
    note = _note(event, shipment, by, loss.reason)
    why = why_not(order, shipment, ShipmentState.LOST)
    if why is not None:
        return refused(order, note, why)
    gone, rest = _parted(order, shipment, loss.carton_ids)
    gone = msgspec.structs.replace(gone, state=ShipmentState.LOST, problem=loss.reason)
    to = order if rest is None else with_shipment(order, rest)
    to = with_shipment(to, gone)
    to = _open_again(to, gone.lines) if loss.remedy is Remedy.SEND_AGAIN else _cancelled(to, gone.lines)
    return revision_of(order, to, replace(note, lines=noted_lines(gone.lines), subject=gone.shipment_id))


def reported(order: Order, shipment_id: str, event: CarrierEvent, by: str) -> Revision | None:
    """Return an order with one more event of a carrier, whatever follows from it; None if it is known already."""
    shipment = shipment_of(order, shipment_id)
    if event in shipment.events:
        return None
    events = sorted((*shipment.events, event), key=lambda each: each.at)[-MOST_EVENTS:]
    if event not in events:
        return None
    note = Note(event="carrier_event", by=by, reason=event.event, subject=shipment_id, node_id=shipment.node_id)
    return revision_of(order, with_shipment(order, msgspec.structs.replace(shipment, events=tuple(events))), note)


def has_arrived(shipment: Shipment) -> bool:
    """Say whether the carrier has delivered all cartons of a shipment."""
    said = [event for event in shipment.events if event.event == CarrierSays.DELIVERED]
    if any(not event.carton_id for event in said):
        return True
    there = {event.carton_id for event in said}
    return bool(there) and all(carton.carton_id in there for carton in shipment.cartons)


def _parted(order: Order, shipment: Shipment, carton_ids: Sequence[str]) -> tuple[Shipment, Shipment | None]:
    """Return what of a shipment is in such cartons, and the rest; all of it and None if no carton is named."""
    known = {carton.carton_id: carton for carton in shipment.cartons}
    unknown = [carton_id for carton_id in carton_ids if carton_id not in known]
    if unknown:
        message = f"shipment {shipment.shipment_id} has no carton {unknown[0]!r}; it has {', '.join(known) or 'none'}"
        raise InvalidInput(Fault(path="$.carton_ids", message=message))
    gone = tuple(carton for carton_id, carton in known.items() if carton_id in carton_ids)
    if not gone or len(gone) == len(known):
        return shipment, None
    rest = tuple(carton for carton in shipment.cartons if carton not in gone)
    left = msgspec.structs.replace(shipment, cartons=rest, lines=_lines(rest))
    own = msgspec.structs.replace(
        shipment,
        shipment_id=shipment_id_of(order),
        cartons=gone,
        lines=_lines(gone),
        tracking_number=gone[0].tracking_number,
        events=tuple(event for event in shipment.events if event.carton_id in carton_ids),
    )
    return own, left


def _lines(cartons: Sequence[Carton]) -> tuple[ShipmentLine, ...]:
    found: dict[str, ShipmentLine] = {}
    for carton in cartons:
        for line in carton.lines:
            units = line.quantity + (found[line.line_id].quantity if line.line_id in found else 0)
            found[line.line_id] = msgspec.structs.replace(line, quantity=units)
    return tuple(found.values())


def _open_again(order: Order, lines: Sequence[ShipmentLine]) -> Order:
    """Return an order with so many more units that have no node; all it has stays where it is."""
    units = {(line.line_id, line.sku): line.quantity for line in lines}
    for row in order.allocation:
        if row.node_id is None:
            units[row.line_id, row.sku] = units.get((row.line_id, row.sku), 0) + row.quantity
    placed = tuple(row for row in order.allocation if row.node_id is not None)
    rest = (AllocationRow(line_id=line_id, sku=sku, quantity=count) for (line_id, sku), count in units.items())
    return replace(order, allocation=(*placed, *rest), steering=replace(order.steering, kept=placed))


def _cancelled(order: Order, lines: Sequence[ShipmentLine]) -> Order:
    said = tuple(CancelledUnits(line_id=line.line_id, quantity=line.quantity) for line in lines)
    return replace(order, life=msgspec.structs.replace(order.life, cancelled=(*order.life.cancelled, *said)))


def _note(event: str, shipment: Shipment, by: str, reason: str | None) -> Note:
    return Note(
        event=event,
        by=by,
        reason=reason,
        node_id=shipment.node_id,
        lines=noted_lines(shipment.lines),
        subject=shipment.shipment_id,
    )
