"""Policies over HTTP: put a version, get one, list what there is."""

from __future__ import annotations

import json

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import policies as wire
from engine.errors import NotFound
from engine.policies.document import RunPolicyDocument

EXAMPLE = {
    "about": "The weeks before Christmas: fewer parcels, and nothing new for the stores.",
    "split_cost_cents": 250,
    "late_day_cost_cents": 400,
    "max_nodes_per_order": 2,
    "node_kinds": ["dc", "third_party"],
}


async def put_policy(call: Call[RunPolicyDocument, NoQuery]) -> Answer:
    """Makes the next version of the policy. Versions never change; a run takes the one that is the latest as it starts.

    For a field that the document leaves out, the network's own policy counts.
    """
    policy = await call.engine.policies.put(call.path["policy_id"], call.body)
    return Answer(value=wire.PolicyVersion(policy_id=policy.policy_id, version=policy.version, policy=policy.reference))


async def get_policy(call: Call[None, wire.PolicyQuery]) -> Answer:
    """What a version states, by default the latest; fields that it leaves out are not in the answer."""
    policy = await call.engine.policies.get(call.path["policy_id"], call.query.version)
    stated = policy.document.model_dump(mode="json", exclude_unset=True)
    shown = {"policy_id": policy.policy_id, "version": policy.version, **stated}
    return Answer(value=json.dumps(shown, ensure_ascii=False).encode())


async def list_policies(call: Call[None, wire.PoliciesQuery]) -> Answer:
    """The policies by id, each with its latest version, a page at a time."""
    policies, has_more = await call.engine.policies.page(call.query.limit, call.query.starting_after)
    data = [
        wire.PolicyEntry(policy_id=policy.policy_id, version=policy.version, about=policy.document.about)
        for policy in policies
    ]
    return Answer(value=wire.PoliciesPage(data=data, has_more=has_more))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/policies/{policy_id}",
        summary="Put the next version of a policy",
        handler=put_policy,
        body=RunPolicyDocument,
        reply=wire.PolicyVersion,
        scope="policies:write",
        example=EXAMPLE,
        path_examples={"policy_id": "peak"},
    ),
    Endpoint(
        method="GET",
        path="/v1/policies/{policy_id}",
        summary="Get a version of a policy",
        handler=get_policy,
        query=wire.PolicyQuery,
        reply=wire.PolicyReply,
        scope="policies:read",
        refusals=(NotFound,),
        path_examples={"policy_id": "peak"},
    ),
    Endpoint(
        method="GET",
        path="/v1/policies",
        summary="List policies",
        handler=list_policies,
        query=wire.PoliciesQuery,
        reply=wire.PoliciesPage,
        scope="policies:read",
    ),
)
