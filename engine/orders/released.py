"""What of an order's allocation its nodes have been given to ship, and what becomes of that when rows change.

A shipment that has not left is made of rows of one parcel. Whoever takes units of such rows away (a node that refuses
them, people who pin a line elsewhere, a cancellation) takes them out of the shipment with it; nothing else does, since
runs keep to what is released. Not here: releasing and shipping (engine/fulfillment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from engine.orders.facts.effects import Effect
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.model import Order
from engine.routing.model import AllocationRow

VOID = "carrier.void"
"""The kind of effect that gives a label back."""
_LEAST_DONE_FIRST = (ShipmentState.RELEASED, ShipmentState.PICKING, ShipmentState.PACKED)
Place = tuple[str, object]
"""A line and the parcel that units of it travel in."""


def work_of(order: Order) -> list[tuple[str, str]]:
    """Return the nodes that have shipments of an order with them, each with its place in the list of its orders.

    The list of a node is by the day of its first shipment of the order, then by order id.
    """
    days: dict[str, int] = {}
    for shipment in order.life.shipments if not order.is_cancelled else ():
        for node_id in shipment.node_ids if shipment.is_with_node else ():
            day = shipment.ship_on.toordinal()
            days[node_id] = min(day, days.get(node_id, day))
    return [(node_id, place_of(day, order.order_id)) for node_id, day in sorted(days.items())]


def place_of(day: int, order_id: str) -> str:
    """Return where an order stands in the list of a node's orders, whose first shipment leaves on a day (ordinal)."""
    return f"{day:07d} {order_id}"


def fitted(order: Order) -> Order:
    """Return an order whose shipments hold no more than its rows have for them, and whose runs keep to the rest.

    Of shipments of one parcel those that are done least lose units first. One that is packed has to be packed again,
    and one that loses all is recalled; labels that were bought for what is not packed any more are given back.
    """
    left = units_of(order.allocation)
    there = dict(left)
    fitting: dict[str, Shipment] = {}
    # What is done most takes its units first.
    for state in reversed(_LEAST_DONE_FIRST):
        for shipment in order.life.shipments:
            if shipment.state is state:
                fitting[shipment.shipment_id] = _fitting(shipment, left)
    life = order.life
    found = [fitting.get(each.shipment_id, each) for each in life.shipments]
    shipments = tuple(_unlabelled(each) for each in found)
    if shipments != life.shipments:
        given_back = tuple(effect for each in found if _is_unpacked(each) for effect in voids(each))
        life = msgspec.structs.replace(life, shipments=shipments, effects=(*life.effects, *given_back))
    given = {place: units - left[place] for place, units in there.items()}
    steering, released = order.steering, _given_rows(order.allocation, given)
    if released != steering.released:
        kept = (*(row for row in steering.kept if row not in released), *released)
        steering = replace(steering, released=released, kept=tuple(row for row in kept if row in order.allocation))
    return replace(order, life=life, steering=steering)


def voids(shipment: Shipment) -> tuple[Effect, ...]:
    """Return what gives the labels of a shipment's cartons back to their carrier."""
    numbers = [carton.tracking_number for carton in shipment.cartons if carton.tracking_number]
    at = shipment.packed_at or shipment.released_at
    return tuple(
        Effect(effect_id=f"{shipment.shipment_id}-void-{number}", kind=VOID, due_at=at, subject=number)
        for number in numbers
    )


def units_of(rows: Sequence[AllocationRow]) -> dict[Place, int]:
    """Return the units that rows with a node have, by line and parcel."""
    units: dict[Place, int] = {}
    for row in rows:
        if row.node_id is not None:
            place = (row.line_id, row.parcel)
            units[place] = units.get(place, 0) + row.quantity
    return units


def _given_rows(rows: Sequence[AllocationRow], given: dict[Place, int]) -> tuple[AllocationRow, ...]:
    """Return the rows of which any unit is in a shipment: they stay as they are, all of each."""
    left, found = dict(given), list[AllocationRow]()
    for row in rows:
        place = (row.line_id, row.parcel)
        if row.node_id is not None and left.get(place, 0) > 0:
            left[place] -= row.quantity
            found.append(row)
    return tuple(found)


def taken_from(rows: Sequence[AllocationRow], shipment: Shipment) -> list[int]:
    """Return how many units of each row are those of a shipment, which its rows have to have.

    What has come to its hub is of the rows of the nodes that it came from.
    """
    wanted = {line.line_id: line.quantity for line in shipment.lines}
    taken = [0] * len(rows)
    came: dict[tuple[str | None, str], int] = {}
    for arrival in shipment.arrivals:
        place = (arrival.node_id, arrival.line_id)
        came[place] = came.get(place, 0) + arrival.quantity
    mine = [index for index, row in enumerate(rows) if row.node_id is not None and row.parcel == shipment.parcel]

    def take(index: int, most: int) -> None:
        row = rows[index]
        units = min(row.quantity - taken[index], most, wanted.get(row.line_id, 0))
        taken[index] += units
        wanted[row.line_id] = wanted.get(row.line_id, 0) - units
        came[row.node_id, row.line_id] = came.get((row.node_id, row.line_id), 0) - units

    for index in mine if came else ():
        if rows[index].hub is not None:
            take(index, max(0, came.get((rows[index].node_id, rows[index].line_id), 0)))
    for index in sorted(mine, key=lambda each: rows[each].hub is not None):  # what is the hub's own first
        take(index, rows[index].quantity)
    assert not any(wanted.values()), f"shipment {shipment.shipment_id} holds units that the order has no rows for"
    return taken


def _fitting(shipment: Shipment, left: dict[Place, int]) -> Shipment:
    """Return a shipment with as many units of its lines as are left, and take these."""
    lines = list[ShipmentLine]()
    for line in shipment.lines:
        place = (line.line_id, shipment.parcel)
        units = min(line.quantity, left.get(place, 0))
        if units:
            left[place] -= units
            lines.append(line if units == line.quantity else msgspec.structs.replace(line, quantity=units))
    if tuple(lines) == shipment.lines:
        return shipment
    if not lines:
        return msgspec.structs.replace(shipment, state=ShipmentState.RECALLED)
    state = ShipmentState.PICKING if shipment.state is ShipmentState.PACKED else shipment.state
    return msgspec.structs.replace(shipment, lines=tuple(lines), state=state)


def _is_unpacked(shipment: Shipment) -> bool:
    """Say whether a shipment has cartons that it is not in any more."""
    return bool(shipment.cartons) and not shipment.has_left and shipment.state is not ShipmentState.PACKED


def _unlabelled(shipment: Shipment) -> Shipment:
    if not _is_unpacked(shipment):
        return shipment
    return msgspec.structs.replace(shipment, cartons=(), packed_at=None, tracking_number="", problem="")
