"""Promises over HTTP; the body and the reply are those of engine/promising."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from engine.errors import NotFound
from engine.promising.model import Promise, PromiseRequest


async def promise(call: Call[PromiseRequest, NoQuery]) -> Answer:
    """Dated and priced options for one order: every way to serve it that no other beats in cost, day and parcels.

    With `explain`, each node says why it was chosen or not, and what choosing it would cost more.
    A promise holds nothing: name one of its options in POST /v1/reservations to hold its stock.
    """
    return Answer(value=await call.engine.promising.promise(call.body))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/promises",
        summary="Promise an order: when, from where, at what cost",
        handler=promise,
        body=PromiseRequest,
        reply=Promise,
        scope="promises:read",
        refusals=(NotFound,),
        example={
            "destination": {"latitude": 40.71, "longitude": -74.01},
            "lines": [{"sku": "MUG-RED", "quantity": 2}, {"sku": "TEA-50", "quantity": 1}],
        },
    ),
)
