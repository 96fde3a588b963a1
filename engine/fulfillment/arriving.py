"""Units that other nodes send to a hub come there part by part, and are packed together, or leave part by part. Pure.

A hub that says what has come is not let pack what has not; one that never says so packs as it always did. The stock of
a sender falls when the hub's shipment leaves. Not here: which units go over hubs (engine/routing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.fulfillment.shipments import shipment_id_of, shipment_of, why_not, with_shipment
from engine.orders.facts.shipments import Arrival, Shipment, ShipmentLine, ShipmentState
from engine.orders.model import Note, NotedLine, Order
from engine.orders.revising import Revision, refused, revision_of

Place = tuple[str, str]
"""The node that sends units to the hub, and their line."""


def arrived(
    order: Order, shipment_id: str, node_id: str, lines: Sequence[tuple[str, int]] | None, at: datetime, by: str
) -> Revision:
    """Return an order of which units of a node have come to the hub; all that it still sends if no line is named.

    Raises InvalidInput for a node that sends nothing there, and for lines and units that it does not send.
    """
    shipment = shipment_of(order, shipment_id)
    note = Note(event="hub_received", by=by, node_id=node_id, subject=shipment_id)
    if why := _against(order, shipment):
        return refused(order, note, why)
    still = {line_id: units for (sender, line_id), units in awaited(order, shipment).items() if sender == node_id}
    if node_id not in shipment.from_node_ids:
        message = (
            f"{node_id!r} sends nothing to {shipment.node_id!r} for it; {nearest(node_id, shipment.from_node_ids)}"
        )
        raise InvalidInput(Fault(path="$.node_id", message=message))
    if not still:
        return refused(order, note, f"All that node {node_id!r} sends for shipment {shipment_id!r} has come.")
    came = list(still.items()) if lines is None else list(lines)
    _check(came, still, node_id)
    new = [Arrival(node_id=node_id, line_id=line_id, quantity=units, at=at, by=by) for line_id, units in came]
    changed = msgspec.structs.replace(shipment, arrivals=(*shipment.arrivals, *new))
    noted = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in came)
    note = Note(event=note.event, by=by, node_id=node_id, subject=shipment_id, lines=noted)
    return revision_of(order, with_shipment(order, changed), note)


def parted(order: Order, shipment_id: str, at: datetime, by: str) -> Revision:
    """Return an order of whose shipment at a hub what is still to come is a shipment of its own."""
    shipment = shipment_of(order, shipment_id)
    note = Note(event="shipment_parted", by=by, node_id=shipment.node_id, subject=shipment_id)
    if why := _against(order, shipment):
        return refused(order, note, why)
    lacking = missing(order, shipment)
    kept = _less(shipment.lines, lacking)
    if not lacking or not kept:
        there = "all of it is" if not lacking else "nothing of it is"
        return refused(order, note, f"Shipment {shipment_id!r} cannot be parted: {there} at its hub.")
    senders = {sender for sender, _ in awaited(order, shipment)}
    rest = msgspec.structs.replace(
        shipment,
        shipment_id=shipment_id_of(order),
        lines=tuple(
            msgspec.structs.replace(line, quantity=lacking[line.line_id])
            for line in shipment.lines
            if line.line_id in lacking
        ),
        from_node_ids=tuple(each for each in shipment.from_node_ids if each in senders),
        released_at=at,
        wave_id="",
        arrivals=(),
    )
    came = {each.node_id for each in shipment.arrivals}
    first = msgspec.structs.replace(
        shipment, lines=kept, from_node_ids=tuple(each for each in shipment.from_node_ids if each in came)
    )
    noted = tuple(NotedLine(line_id=line.line_id, quantity=line.quantity) for line in rest.lines)
    to = with_shipment(with_shipment(order, first), rest)
    said = Note(
        event=note.event, by=by, node_id=note.node_id, subject=shipment_id, lines=noted, reason=rest.shipment_id
    )
    return revision_of(order, to, said)


def awaited(order: Order, shipment: Shipment) -> dict[Place, int]:
    """Return what nodes still send to a shipment's hub, for it and for others of its parcel."""
    sent: dict[Place, int] = {}
    for row in order.allocation if shipment.is_with_node else ():
        if row.hub is not None and row.node_id is not None and row.parcel == shipment.parcel:
            place = (row.node_id, row.line_id)
            sent[place] = sent.get(place, 0) + row.quantity
    for each in _of_parcel(order, shipment):
        for arrival in each.arrivals:
            place = (arrival.node_id, arrival.line_id)
            sent[place] = sent.get(place, 0) - arrival.quantity
    wanted = {line_id for line_id, units in missing(order, shipment).items() if units}
    return {place: units for place, units in sent.items() if units > 0 and place[1] in wanted}


def missing(order: Order, shipment: Shipment) -> dict[str, int]:
    """Return the units of a shipment's lines that are neither the hub's own nor have come to it."""
    own: dict[str, int] = {}
    for row in order.allocation:
        if row.hub is None and row.node_id is not None and row.parcel == shipment.parcel:
            own[row.line_id] = own.get(row.line_id, 0) + row.quantity
    for each in _of_parcel(order, shipment):
        lacking: dict[str, int] = {}
        came = _came(each)
        for line in each.lines:
            units = max(0, line.quantity - came.get(line.line_id, 0))
            taken = min(units, own.get(line.line_id, 0))
            own[line.line_id] = own.get(line.line_id, 0) - taken
            if units > taken:
                lacking[line.line_id] = units - taken
        if each.shipment_id == shipment.shipment_id:
            return lacking
    return {}


def why_not_whole(order: Order, shipment: Shipment) -> str | None:
    """Return why a shipment at a hub cannot be packed yet, None if it can: its hub has not said that all has come."""
    if not shipment.arrivals:
        return None
    places = awaited(order, shipment)
    if not places or not missing(order, shipment):
        return None
    told = ", ".join(f"{units} of line {line_id!r} from {node_id!r}" for (node_id, line_id), units in places.items())
    return f"Shipment {shipment.shipment_id!r} waits at its hub for {told}. Receive that, or part the shipment."


def _against(order: Order, shipment: Shipment) -> str | None:
    what = f"Shipment {shipment.shipment_id!r}"
    if not shipment.from_node_ids:
        return f"{what} goes over no hub; all of it is at node {shipment.node_id!r}."
    if shipment.state not in {ShipmentState.RELEASED, ShipmentState.PICKING}:
        return f"{what} is {shipment.state.value}; nothing comes to it any more."
    return why_not(order, shipment, ShipmentState.PACKED)


def _check(came: Sequence[tuple[str, int]], still: Mapping[str, int], node_id: str) -> None:
    faults, named = list[Fault](), set[str]()
    for index, (line_id, units) in enumerate(came):
        path = f"$.lines[{index}]"
        if line_id not in still:
            message = f"{node_id!r} sends no more of line {line_id!r}; {nearest(line_id, still)}"
            faults.append(Fault(path=f"{path}.line_id", message=message))
        elif not 1 <= units <= still[line_id]:
            message = f"{units} is not a quantity; {node_id!r} still sends {still[line_id]} of line {line_id!r}"
            faults.append(Fault(path=f"{path}.quantity", message=message))
        if line_id in named:
            faults.append(Fault(path=f"{path}.line_id", message=f"{line_id!r} stands twice; give its units once"))
        named.add(line_id)
    if faults:
        raise InvalidInput(faults)


def _of_parcel(order: Order, shipment: Shipment) -> list[Shipment]:
    return [each for each in order.life.shipments if each.is_with_node and each.parcel == shipment.parcel]


def _came(shipment: Shipment) -> dict[str, int]:
    came: dict[str, int] = {}
    for each in shipment.arrivals:
        came[each.line_id] = came.get(each.line_id, 0) + each.quantity
    return came


def _less(lines: Sequence[ShipmentLine], lacking: Mapping[str, int]) -> tuple[ShipmentLine, ...]:
    left = (msgspec.structs.replace(line, quantity=line.quantity - lacking.get(line.line_id, 0)) for line in lines)
    return tuple(line for line in left if line.quantity)
