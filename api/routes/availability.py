"""Availability over HTTP; the body and the reply are those of engine/availability."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from engine.availability.model import Availability, AvailabilityRequest
from engine.errors import NotFound


async def look_up_availability(call: Call[AvailabilityRequest, NoQuery]) -> Answer:
    """What can be promised now and on each day from today, by node and summed.

    It holds nothing, and what a node lacks does not lessen what another has.
    """
    return Answer(value=await call.engine.availability.document(call.body))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/availability",
        summary="Look up what is available to promise",
        handler=look_up_availability,
        body=AvailabilityRequest,
        reply=Availability,
        scope="availability:read",
        refusals=(NotFound,),
        example={"lines": [{"sku": "MUG-RED"}], "horizon_days": 7},
    ),
)
