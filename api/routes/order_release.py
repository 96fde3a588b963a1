"""Releasing orders to their nodes over HTTP."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.orders import ORDER, shown_order
from api.schemas.orders import Order
from api.schemas.shipments import ReleaseBody
from engine.errors import IllegalState, NotFound


async def release_order(call: Call[ReleaseBody, NoQuery]) -> Answer:
    """Gives each parcel of the order to its node, as a shipment: routing runs leave it where it is from then on.

    All that has a node and was not released yet, or what one node hands over, or what leaves until a day.
    """
    body = call.body
    found = await call.engine.fulfillment.release(
        call.path["order_id"], node_id=body.node_id, until=body.until, by=body.by, replay=call.replay
    )
    return Answer(value=shown_order(found.value), is_replayed=found.replayed)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/release",
        summary="Release an order to its nodes",
        handler=release_order,
        body=ReleaseBody,
        is_body_optional=True,
        reply=Order,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example={"node_id": "chicago-dc"},
    ),
)
