"""The return policy over HTTP: put the next version, get the one that holds."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.return_policy import ReturnPolicyReply, ReturnPolicyVersion
from engine.errors import NotFound
from engine.returns.policy import ReturnPolicy

EXAMPLE = {
    "usual": {"window_days": 30, "restocking_percent": 10, "label_paid_by": "customer"},
    "rules": [
        {"rule": "our-fault", "reasons": ["damaged", "defective", "wrong_item"], "refunds_shipping": True},
        {"rule": "sale", "channels": ["outlet"], "window_days": 14, "needs_approval": True},
    ],
    "approval_from_cents": 50000,
    "refund_shares": {"scrap": 50},
}


async def put_return_policy(call: Call[ReturnPolicy, NoQuery]) -> Answer:
    """Makes the next version of the return policy; what is announced from then on goes by it, and nothing before."""
    network = await call.engine.network.current()
    stored = await call.engine.return_policies.put(call.body, network.index.keys())
    return Answer(value=ReturnPolicyVersion(version=stored.version))


async def get_return_policy(call: Call[None, NoQuery]) -> Answer:
    """The version that holds, with what it leaves out; version 0 is what holds until one is put."""
    stored = await call.engine.return_policies.current()
    return Answer(value=ReturnPolicyReply.of(stored))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/return-policy",
        summary="Put the next version of the return policy",
        handler=put_return_policy,
        body=ReturnPolicy,
        reply=ReturnPolicyVersion,
        scope="return-policy:write",
        refusals=(NotFound,),
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/return-policy",
        summary="Get the return policy",
        handler=get_return_policy,
        reply=ReturnPolicyReply,
        scope="return-policy:read",
    ),
)
