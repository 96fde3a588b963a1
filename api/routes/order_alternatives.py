"""Ways out for an order in jeopardy over HTTP: what could be done, and doing it."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.orders import ORDER, shown_order
from api.routes.shown_alerts import shown_alternative
from api.schemas import alerts as wire
from api.schemas.orders import Order
from engine.errors import IllegalState, NotFound


async def list_alternatives(call: Call[None, NoQuery]) -> Answer:
    """What could be done with the part of an order that no node is picking yet, worked out from the stock of now.

    Nothing is held for them. None for an order that was promised for no day.
    """
    found = await call.engine.exceptions.alternatives(call.path["order_id"])
    return Answer(value=wire.AlternativesReply(data=[shown_alternative(each) for each in found]))


async def accept_alternative(call: Call[wire.AcceptanceOfAlternative, NoQuery]) -> Answer:
    """Has an order sent as an alternative proposes, and promises its day from now on.

    Lines that ship from elsewhere then are open at once, keep their stock, and are routed by a run of their own. One
    that is not proposed any more, as the order, its stock or its dates have moved, is refused.
    """
    found = await call.engine.exceptions.accept(
        call.path["order_id"],
        call.path["alternative_id"],
        by=call.body.by,
        replay=call.replay,
    )
    return Answer(value=shown_order(found.value), is_replayed=found.replayed)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/alternatives",
        summary="List ways out for an order",
        handler=list_alternatives,
        reply=wire.AlternativesReply,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/alternatives/{alternative_id}/accept",
        summary="Accept a way out for an order",
        handler=accept_alternative,
        body=wire.AcceptanceOfAlternative,
        is_body_optional=True,
        reply=Order,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples={**ORDER, "alternative_id": "alt_0123456789abcdef01234567"},
        example={"by": "anna"},
    ),
)
