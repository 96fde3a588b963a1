"""The alert policy over HTTP: from when on orders are in jeopardy, and what follows by itself."""

from __future__ import annotations

import json

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import alerts as wire
from engine.exceptions.policy import AlertPolicyDocument

EXAMPLE = {
    "minor_probability": 0.2,
    "re_promise": {"severity": "major", "probability": 0.7, "delay_days": 1},
    "notify": {"severity": "major", "delay_days": 1},
}


async def put_alert_policy(call: Call[AlertPolicyDocument, NoQuery]) -> Answer:
    """Makes the next version of the alert policy, by which orders are looked at from now on.

    Without `re_promise` no promised day is moved, without `notify` no customer is told of a delay by itself.
    """
    policy = await call.engine.alert_policy.put(call.body)
    return Answer(value=wire.AlertPolicyVersion(version=policy.version))


async def get_alert_policy(call: Call[None, NoQuery]) -> Answer:
    """The latest version; before the first, version 0: what holds without one."""
    policy = await call.engine.alert_policy.current()
    shown = {"version": policy.version, **policy.document.model_dump(mode="json")}
    return Answer(value=json.dumps(shown).encode())


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/alert-policy",
        summary="Put the next version of the alert policy",
        handler=put_alert_policy,
        body=AlertPolicyDocument,
        reply=wire.AlertPolicyVersion,
        scope="alert-policy:write",
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/alert-policy",
        summary="Get the alert policy",
        handler=get_alert_policy,
        reply=wire.AlertPolicyReply,
        scope="alert-policy:read",
    ),
)
