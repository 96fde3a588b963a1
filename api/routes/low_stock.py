"""Low stock over HTTP: the positions that are low now, and every time one became so or recovered."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint
from api.schemas import low_stock as wire


async def list_low_stock(call: Call[None, wire.LowStockQuery]) -> Answer:
    """Positions whose `available` is at their threshold or below, longest first.

    Thresholds are `low_stock_units` of products in the catalog, and `low_stock` of the network's policy.
    """
    query = call.query
    found, has_more = await call.engine.low_stock.low(limit=query.limit, after=query.starting_after or 0)
    data = [
        wire.LowPositionReply(
            number=position.number,
            sku=position.sku,
            node_id=position.node_id,
            available=position.available,
            threshold=position.threshold,
            since=position.since,
        )
        for position in found
    ]
    return Answer(value=wire.LowStockReply(data=data, has_more=has_more))


async def list_low_stock_events(call: Call[None, wire.LowStockQuery]) -> Answer:
    """Each time a position became `low`, and each time it `recovered`, newest first; once per crossing."""
    query = call.query
    found, has_more = await call.engine.low_stock.events(limit=query.limit, before=query.starting_after)
    data = [
        wire.LowStockEventReply(
            number=event.number,
            state=event.state,
            sku=event.sku,
            node_id=event.node_id,
            available=event.available,
            threshold=event.threshold,
            at=event.at,
            event=event.event,
        )
        for event in found
    ]
    return Answer(value=wire.LowStockEventsReply(data=data, has_more=has_more))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/low-stock",
        summary="List positions that are low on stock",
        handler=list_low_stock,
        query=wire.LowStockQuery,
        reply=wire.LowStockReply,
        scope="low-stock:read",
    ),
    Endpoint(
        method="GET",
        path="/v1/low-stock/events",
        summary="List when positions became low, or recovered",
        handler=list_low_stock_events,
        query=wire.LowStockQuery,
        reply=wire.LowStockEventsReply,
        scope="low-stock:read",
    ),
)
