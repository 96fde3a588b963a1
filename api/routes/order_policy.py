"""The order policy over HTTP: what orders are checked for when they are captured."""

from __future__ import annotations

import json

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import order_policy as wire
from engine.errors import NotFound
from engine.orders.checking.document import OrderPolicyDocument

EXAMPLE = {
    "about": "Checks of the web shop.",
    "address": {"required": ["postal_code", "country"], "postal_code_formats": True},
    "prices": {"max_percent_below_catalog": 40},
    "duplicates": {"within_minutes": 30},
    "fraud": {
        "hold_from": 50,
        "refuse_from": 90,
        "rules": [
            {"rule": "dear and nobody known", "score": 40, "when": {"is_guest": True, "total_cents_from": 50000}},
            {
                "rule": "many at once",
                "score": 30,
                "when": {"recent": {"by": "address", "orders_from": 4, "within_minutes": 60}},
            },
        ],
    },
    "holds": [
        {"rule": "second thoughts", "kind": "regret", "when": {"channels": ["web"]}, "release_after_minutes": 30}
    ],
    "approvals": [{"rule": "large discount", "when": {"discount_percent_from": 25}}],
}


async def put_order_policy(call: Call[OrderPolicyDocument, NoQuery]) -> Answer:
    """Makes the next version of the order policy, in force for orders captured from now on. Versions never change.

    A part that is left out is not checked; `{}` checks nothing.
    """
    policy = await call.engine.order_policies.put(call.body)
    return Answer(value=wire.OrderPolicyVersion(version=policy.version))


async def get_order_policy(call: Call[None, wire.OrderPolicyQuery]) -> Answer:
    """What a version states, by default the latest; fields that it leaves out are not in the answer."""
    policy = await call.engine.order_policies.get(call.query.version)
    stated = policy.document.model_dump(mode="json", exclude_unset=True)
    return Answer(value=json.dumps({"version": policy.version, **stated}, ensure_ascii=False).encode())


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/order-policy",
        summary="Put the next version of the order policy",
        handler=put_order_policy,
        body=OrderPolicyDocument,
        reply=wire.OrderPolicyVersion,
        scope="order-policy:write",
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/order-policy",
        summary="Get a version of the order policy",
        handler=get_order_policy,
        query=wire.OrderPolicyQuery,
        reply=wire.OrderPolicyReply,
        scope="order-policy:read",
        refusals=(NotFound,),
    ),
)
