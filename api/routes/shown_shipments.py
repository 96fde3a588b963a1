"""Shipments of orders as they go over the wire."""

from __future__ import annotations

from api.schemas import shipments as wire
from api.schemas.order_steering import LineUnits
from engine.fulfillment.arriving import awaited
from engine.orders.facts import shipments as facts
from engine.orders.model import Order


def shown_shipment(order: Order, shipment: facts.Shipment) -> wire.ReleasedShipment:
    """Return a shipment as it goes over the wire."""
    return wire.ReleasedShipment(
        shipment_id=shipment.shipment_id,
        order_id=order.order_id,
        node_id=shipment.node_id,
        from_node_ids=list(shipment.from_node_ids),
        arrivals=[
            wire.HubUnits(node_id=each.node_id, line_id=each.line_id, quantity=each.quantity)
            for each in shipment.arrivals
        ],
        awaited=[
            wire.HubUnits(node_id=node_id, line_id=line_id, quantity=units)
            for (node_id, line_id), units in (awaited(order, shipment) if shipment.from_node_ids else {}).items()
        ],
        service=shipment.service,
        ship_on=shipment.ship_on,
        state=shipment.state.value,
        lines=[
            wire.ReleasedLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in shipment.lines
        ],
        cartons=[_carton(carton) for carton in shipment.cartons],
        carrier=shipment.carrier or None,
        tracking_number=shipment.tracking_number or None,
        wave_id=shipment.wave_id or None,
        released_at=shipment.released_at,
        picked_at=shipment.picked_at,
        packed_at=shipment.packed_at,
        shipped_at=shipment.shipped_at,
        delivered_at=shipment.delivered_at,
        predicted_on=shipment.predicted_on,
        proof=shipment.proof or None,
        problem=shipment.problem or None,
        events=[
            wire.ShipmentEvent(
                event=event.event,
                at=event.at,
                place=event.place or None,
                detail=event.detail or None,
                carton_id=event.carton_id or None,
            )
            for event in shipment.events
        ],
    )


def _carton(carton: facts.Carton) -> wire.ShippedCarton:
    return wire.ShippedCarton(
        carton_id=carton.carton_id,
        carton=carton.carton or None,
        weight_g=carton.weight_g,
        length_mm=carton.length_mm,
        width_mm=carton.width_mm,
        height_mm=carton.height_mm,
        lines=[LineUnits(line_id=line.line_id, quantity=line.quantity) for line in carton.lines],
        tracking_number=carton.tracking_number or None,
        label_cents=carton.label_cents,
        label_url=carton.label_url or None,
    )
