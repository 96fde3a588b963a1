"""The reconciliation report over HTTP."""

from __future__ import annotations

from datetime import timedelta

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import payments as wire
from engine.payments.report import Report
from engine.payments.store_credit import Credit


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


ENDPOINTS = (
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
    ),
)
