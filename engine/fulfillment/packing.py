"""A shipment goes into cartons: all of its units, each in one of them; pure rules.

With that its labels are asked for. Not here: which cartons are best (cartons.py), buying labels (labels.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.fulfillment.arriving import why_not_whole
from engine.fulfillment.picking import accepted_with
from engine.fulfillment.shipments import noted_lines, shipment_of, why_not, with_shipment
from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.facts.shipments import Carton, Shipment, ShipmentLine, ShipmentState
from engine.orders.life import Life
from engine.orders.model import Note, Order
from engine.orders.released import voids
from engine.orders.revising import Revision, refused, revision_of

LABEL = "carrier.label"
"""The kind of effect that buys the labels of a shipment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCarton:
    """A carton as the node says that it packed it: (line id, units), its weight in all, and its edges outside."""

    lines: tuple[tuple[str, int], ...]
    weight_g: int
    carton: str = ""
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


def packed(
    order: Order, shipment_id: str, cartons: Sequence[NewCarton], at: datetime, by: str, *, needs_label: bool
) -> Revision:
    """Return an order of which a shipment is packed, or packed anew; its labels are bought next if it needs some.

    Raises InvalidInput if the cartons do not hold exactly what is in the shipment.
    """
    shipment = shipment_of(order, shipment_id)
    note = Note(
        event="shipment_packed",
        by=by,
        node_id=shipment.node_id,
        lines=noted_lines(shipment.lines),
        subject=shipment_id,
    )
    why = why_not(order, shipment, ShipmentState.PACKED) or why_not_whole(order, shipment)
    if why is not None:
        return refused(order, note, why)
    _check(shipment, cartons)
    done = msgspec.structs.replace(
        shipment,
        state=ShipmentState.PACKED,
        picked_at=shipment.picked_at or at,
        packed_at=at,
        cartons=tuple(_carton(shipment, number, new) for number, new in enumerate(cartons, 1)),
        tracking_number="",
        problem="",
    )
    to = accepted_with(with_shipment(order, done), done, at)
    to = replace(to, life=with_effects(to.life, *voids(shipment)))
    if needs_label:
        to = asking_for_label(to, done, at)
    return revision_of(order, to, note)


def labels_asked(order: Order, shipment_id: str, at: datetime, by: str) -> Revision | None:
    """Return an order that asks for the labels of a packed shipment once more; None if it has them."""
    shipment = shipment_of(order, shipment_id)
    note = Note(event="label_asked", by=by, node_id=shipment.node_id, subject=shipment_id)
    if shipment.state is not ShipmentState.PACKED:
        why = f"Shipment {shipment_id!r} is {shipment.state.value}; labels are for one that is packed."
        return refused(order, note, why)
    if all(carton.tracking_number for carton in shipment.cartons):
        return None
    again = msgspec.structs.replace(shipment, problem="")
    return revision_of(order, asking_for_label(with_shipment(order, again), again, at), note)


def asking_for_label(order: Order, shipment: Shipment, at: datetime) -> Order:
    """Return an order that asks for the labels of a shipment, in place of what it asked for it before."""
    # Packed anew, its cartons are others, and so are their labels.
    number = order.steering.revision + 1
    subject = shipment.shipment_id
    effect = Effect(effect_id=f"{subject}-label-{number}", kind=LABEL, due_at=at, subject=subject)
    life = _without_label(order.life, subject)
    return replace(order, life=with_effects(life, effect))


def _without_label(life: Life, shipment_id: str) -> Life:
    kept = tuple(each for each in life.effects if (each.kind, each.subject) != (LABEL, shipment_id))
    return msgspec.structs.replace(life, effects=kept)


def _carton(shipment: Shipment, number: int, new: NewCarton) -> Carton:
    sku_of = {line.line_id: line.sku for line in shipment.lines}
    return Carton(
        carton_id=f"{shipment.shipment_id}-{number}",
        weight_g=new.weight_g,
        lines=tuple(ShipmentLine(line_id=line_id, sku=sku_of[line_id], quantity=n) for line_id, n in new.lines),
        carton=new.carton,
        length_mm=new.length_mm,
        width_mm=new.width_mm,
        height_mm=new.height_mm,
    )


def _check(shipment: Shipment, cartons: Sequence[NewCarton]) -> None:
    there, packed_units, faults = (
        {line.line_id: line.quantity for line in shipment.lines},
        dict[str, int](),
        list[Fault](),
    )
    if not cartons:
        faults.append(Fault(path="$.cartons", message="is empty; a packed shipment has at least one carton"))
    for index, carton in enumerate(cartons):
        named = set[str]()
        for number, (line_id, units) in enumerate(carton.lines):
            path = f"$.cartons[{index}].lines[{number}]"
            if line_id not in there:
                message = f"shipment {shipment.shipment_id} has no line {line_id!r}; {nearest(line_id, there)}"
                faults.append(Fault(path=f"{path}.line_id", message=message))
            if line_id in named:
                faults.append(Fault(path=f"{path}.line_id", message=f"{line_id!r} stands twice; give its units once"))
            if units < 1:
                faults.append(Fault(path=f"{path}.quantity", message=f"{units} is no quantity; give 1 or more"))
            named.add(line_id)
            packed_units[line_id] = packed_units.get(line_id, 0) + units
    for line_id, units in there.items():
        if packed_units.get(line_id, 0) != units and not faults:
            message = (
                f"{packed_units.get(line_id, 0)} units of line {line_id!r} are packed, {units} are to be; "
                "say what was not found as a short pick first"
            )
            faults.append(Fault(path="$.cartons", message=message))
    if faults:
        raise InvalidInput(faults)
