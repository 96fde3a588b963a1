"""Returns of an order over HTTP: announce one, list them, and see where units had best come back to."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.orders import ORDER
from api.routes.returns import shown_return
from api.routes.shown_payments import new_tender
from api.schemas import returns as wire
from engine.errors import IllegalState, NotFound
from engine.events.actor import actor
from engine.orders.model import NewLine
from engine.returns.authorising import NewReturn, NewReturnLine
from engine.returns.exchanging import NewExchange


async def authorise_return(call: Call[wire.ReturnBody, NoQuery]) -> Answer:
    """Takes a return of units that have left for the customer, if the return policy allows it.

    It is `authorised`, or `requested` where somebody has to approve it. It goes to the best node, if none is named.
    With an `exchange` the customer gets an order of its own instead.
    """
    body = call.body
    new = NewReturn(
        lines=tuple(
            NewReturnLine(line_id=line.line_id, quantity=line.quantity, reason=line.reason, comment=line.comment)
            for line in body.lines
        ),
        by=body.by or actor(),
        is_exception=body.is_exception,
    )
    found = await call.engine.returns.authorise(
        call.path["order_id"],
        new,
        node_id=body.node_id,
        exchange=None if body.exchange is None else _exchange(body.exchange),
        replay=call.replay,
    )
    shown = shown_return(found.value, found.value.life.returns[-1])
    return Answer(value=shown, status=201, is_replayed=found.replayed)


def _exchange(body: wire.ExchangeBody) -> NewExchange:
    return NewExchange(
        lines=tuple(
            NewLine(sku=line.sku, quantity=line.quantity, unit_price_cents=line.unit_price_cents) for line in body.lines
        ),
        order_id=body.order_id,
        service_level=body.service_level,
        tenders=tuple(map(new_tender, body.tenders)),
    )


async def list_returns(call: Call[None, NoQuery]) -> Answer:
    """All returns of the order, the oldest first."""
    order = await call.engine.orders.get(call.path["order_id"])
    return Answer(value=wire.ReturnsOfOrder(data=[shown_return(order, each) for each in order.life.returns]))


async def list_return_nodes(call: Call[None, wire.ReturnNodesQuery]) -> Answer:
    """The nodes that units of a line may come back to, the best first: what the way costs, less their need of stock."""
    query = call.query
    found = await call.engine.returns.nodes_for(call.path["order_id"], [(query.line_id, query.quantity)])
    data = [
        wire.ReturnNode(
            node_id=each.node_id,
            distance_km=each.distance_km,
            carrier=each.carrier,
            service=each.service,
            way_cents=each.way_cents,
            handling_cents=each.handling_cents,
            need_cents=each.need_cents,
            net_cents=each.net_cents,
        )
        for each in found
    ]
    return Answer(value=wire.ReturnNodes(data=data))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/returns",
        summary="Announce a return of an order",
        handler=authorise_return,
        body=wire.ReturnBody,
        reply=wire.Return,
        scope="orders:write",
        status=201,
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example={"lines": [{"line_id": "1", "quantity": 1, "reason": "damaged"}]},
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/returns",
        summary="List the returns of an order",
        handler=list_returns,
        reply=wire.ReturnsOfOrder,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/return-nodes",
        summary="List where units of an order had best come back to",
        handler=list_return_nodes,
        query=wire.ReturnNodesQuery,
        reply=wire.ReturnNodes,
        scope="orders:read",
        refusals=(NotFound, IllegalState),
        path_examples=ORDER,
    ),
)
