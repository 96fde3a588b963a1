"""The reconciliation report over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import payments as wire
from engine.errors import IllegalState, NotFound
from engine.payments.report import Report
from engine.payments.store_credit import Credit

STRIPE_EXAMPLE = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.refunded",
    "created": 1795435200,
    "data": {"object": {"object": "charge", "payment_intent": "pi_1", "amount_refunded": 500}},
}


async def get_payments_report(call: Call[None, wire.ReportQuery]) -> Answer:
    """Compares the ledgers of orders with the books of their payment providers, one authorisation after another.

    And it names the orders whose money does not move. Without a period, those of the last seven days.
    """
    until = call.query.until or call.engine.clock.now()
    since = call.query.since or until - timedelta(days=7)
    return Answer(value=await call.engine.payments.report(since, until))


async def get_store_credit(call: Call[None, NoQuery]) -> Answer:
    """What a code was issued for, what of it is set aside or spent, and what is left."""
    return Answer(value=await call.engine.store_credit.get(call.path["code"]))


async def take_stripe_event(call: Call[bytes, NoQuery]) -> Answer:
    """Takes an event as Stripe sends it to the webhook of a tenant; its signature lets it in, so it needs no key.

    What was refunded or cancelled there goes into the order's ledger, disputes into the report. What is known changes
    nothing, what is not about an order is left.
    """
    engine = call.running(call.path["tenant"])
    if engine is None:
        raise NotFound("There is no such tenant here. Give the webhook's address the one of your keys.")
    signature = call.heads.get(b"stripe-signature", b"").decode("latin-1")
    return Answer(value=wire.TakenStripeEvent(outcome=await engine.stripe_events.take(call.body, signature)))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/payments/stripe-events/{tenant}",
        summary="Take an event of Stripe",
        handler=take_stripe_event,
        body=bytes,
        takes={"application/json": json.dumps(STRIPE_EXAMPLE)},
        reply=wire.TakenStripeEvent,
        scope=None,
        refusals=(NotFound, IllegalState),
    ),
    Endpoint(
        method="GET",
        path="/v1/payments/report",
        summary="Reconcile payments",
        handler=get_payments_report,
        query=wire.ReportQuery,
        reply=Report,
        scope="payments:read",
    ),
    Endpoint(
        method="GET",
        path="/v1/payments/store-credits/{code}",
        summary="Get a store credit",
        handler=get_store_credit,
        reply=Credit,
        scope="payments:read",
        refusals=(NotFound,),
    ),
)
