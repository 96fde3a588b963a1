"""Open orders and used capacity as a routing run sees them, from what a store keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import msgspec

from engine.orders.model import OrderState
from engine.orders.records import allocation_of, captured_of
from engine.orders.steering import ORDER_HOLD, TOO_MANY_REJECTIONS, OrderHold, Steering, steering_of
from engine.routing.model import AllocationRow, LineNode, OpenOrder, OwnStock, UsedCapacity

_OPEN = {OrderState.CAPTURED, OrderState.BACKORDERED}


MALFORMED = "malformed"
OwnLine = tuple[str, str, int, int]
"""(sku, node_id, quantity, ship_on ordinal if it is dated demand, else 0)."""


def open_order(
    order_id: str,
    state: str,
    doc: str | bytes,
    own_lines: Sequence[OwnLine],
    steering: str | bytes = "",
    rows: str | bytes = "",
) -> OpenOrder | None:
    """Return an order with the lines of its live reservation as a routing run sees it, None if it is not open.

    `steering` is what nodes and people have said of it, and `rows` its allocation then. An order that cannot be read
    is stopped, so that it holds up no other.
    """
    if state not in _OPEN:
        return None
    try:
        order = _read(doc, own_lines, steering, rows)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return OpenOrder(order_id=order_id, lines=(), stopped=MALFORMED)
    demanded = {line.sku for line in order.lines if line.quantity > 0}
    if order.order_id != order_id or not order.lines or len(demanded) < len(order.lines):
        return replace(order, order_id=order_id, stopped=MALFORMED)
    return order


def _read(doc: str | bytes, own_lines: Sequence[OwnLine], steering: str | bytes, rows: str | bytes) -> OpenOrder:
    captured = captured_of(doc)
    place, promised = captured.destination, captured.promised
    found = OpenOrder(
        order_id=captured.order_id,
        lines=captured.demand,
        latitude=place.latitude,
        longitude=place.longitude,
        country=place.country,
        postal_code=place.postal_code,
        need_by=captured.need_by,
        promised_on=captured.promised_on,
        service_level=captured.wanted_level,
        channel=captured.channel,
        customer_class=captured.customer_class,
        time_zone=place.time_zone or (promised.time_zone if promised else None),
        residential=place.residential or (promised is not None and promised.residential),
        is_po_box=place.is_po_box or (promised is not None and promised.is_po_box),
        pickup_node_id=captured.picked_up_at,
        promised_parcels=promised.parcels if promised else (),
        whole=tuple(map(frozenset, captured.whole)),
        own_stock=tuple(
            OwnStock(sku=sku, node_id=node_id, quantity=quantity, ship_on=date.fromordinal(day) if day else None)
            for sku, node_id, quantity, day in own_lines
        ),
        priority=captured.priority,
    )
    return found if not steering else _steered(found, steering_of(steering), allocation_of(rows))


def _steered(order: OpenOrder, said: Steering, allocation: Sequence[AllocationRow]) -> OpenOrder:
    """Return an order with what nodes and people have said of it, and of lines that it still has."""
    lines = {line.line_id for line in order.lines}
    return replace(
        order,
        kept=tuple(row for row in said.kept if row in allocation),
        released=tuple(row for row in said.released if row in allocation),
        excluded=tuple(each for each in said.refused if each.line_id in lines),
        forbidden=frozenset(said.forbidden_node_ids),
        pins=tuple(
            LineNode(line_id=line_id, node_id=node_id) for line_id, node_id in said.pins.items() if line_id in lines
        ),
        priority=order.priority if said.priority is None else said.priority,
        stopped=_why(said.order_holds) if said.order_holds else None,
        revision=said.revision,
    )


def _why(holds: Sequence[OrderHold]) -> str:
    """Return the stable word for why an order is stopped."""
    return TOO_MANY_REJECTIONS if all(hold.kind == TOO_MANY_REJECTIONS for hold in holds) else ORDER_HOLD


def used_capacity(node_id: str, day: date, units: int, parcels: int) -> UsedCapacity:
    """Return what is used of a node on a day."""
    return UsedCapacity(node_id=node_id, ship_on=day, units=units, parcels=parcels)
