"""Open orders and used capacity as a routing run sees them, from what a store keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.orders.model import OrderState
from engine.orders.records import captured_of
from engine.routing.model import OpenOrder, OwnStock, UsedCapacity

_OPEN = {OrderState.CAPTURED, OrderState.BACKORDERED}


OwnLine = tuple[str, str, int, int]
"""(sku, node_id, quantity, ship_on ordinal if it is dated demand, else 0)."""


def open_order(state: str, doc: str | bytes, own_lines: Sequence[OwnLine]) -> OpenOrder | None:
    """Return an order with the lines of its live reservation as a routing run sees it, None if it is not open."""
    if state not in _OPEN:
        return None
    captured = captured_of(doc)
    place, promised = captured.destination, captured.promised
    return OpenOrder(
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
    )


def used_capacity(node_id: str, day: date, units: int, parcels: int) -> UsedCapacity:
    """Return what is used of a node on a day."""
    return UsedCapacity(node_id=node_id, ship_on=day, units=units, parcels=parcels)
