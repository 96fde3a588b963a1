"""The money of orders over HTTP: what it is like, more tenders, money back."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.orders import ORDER
from api.routes.shown_payments import new_tender, shown_payments
from api.schemas import order_payments as wire
from engine.errors import IllegalState, NotFound


async def get_order_payments(call: Call[None, NoQuery]) -> Answer:
    """Prices, tenders with what became of them, every answer of a provider, and what is being asked for just now."""
    return Answer(value=shown_payments(await call.engine.payments.get(call.path["order_id"])))


async def add_order_tenders(call: Call[wire.TendersBody, NoQuery]) -> Answer:
    """Adds tenders for what nothing is set aside for, and asks their providers at once.

    The answer is the order as it asks them; look at its payments for what they said.
    """
    body = call.body
    found = await call.engine.payments.add_tenders(
        call.path["order_id"], tuple(map(new_tender, body.tenders)), by=body.by, replay=call.replay
    )
    return Answer(value=shown_payments(found.value), is_replayed=found.replayed)


async def refund_order(call: Call[wire.RefundBody, NoQuery]) -> Answer:
    """Gives money back that was captured, of goodwill; what is lost on its way or sent back is refunded by itself."""
    body = call.body
    found = await call.engine.payments.refund(
        call.path["order_id"], body.amount_cents, body.reason, by=body.by, replay=call.replay
    )
    return Answer(value=shown_payments(found.value), is_replayed=found.replayed)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/payments",
        summary="Get the money of an order",
        handler=get_order_payments,
        reply=wire.OrderPayments,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/tenders",
        summary="Add tenders to an order",
        handler=add_order_tenders,
        body=wire.TendersBody,
        reply=wire.OrderPayments,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example={"tenders": [{"kind": "card", "token": "tok_visa"}]},
    ),
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/refunds",
        summary="Give money of an order back",
        handler=refund_order,
        body=wire.RefundBody,
        reply=wire.OrderPayments,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example={"amount_cents": 500, "reason": "came late"},
    ),
)
