"""Learned lead times over HTTP: the file of `allot calibrate --out`, which promises take their dates from."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.lead_times import LeadTimesReply, LeadTimesVersion
from engine.calibration.learned import LearnedDocument
from engine.errors import NotFound

EXAMPLE = {
    "version": 1,
    "shipments": 1200,
    "service_ids": ["ground"],
    "levels": [0.1, 0.5, 0.9],
    "center_days": 3.0,
    "scale_days": 0.8,
    "spread_ratio": 0.8,
    "bins": {"distance_km": [], "weight_g": [], "location_days": []},
    "location": [
        {"fields": ["zone"], "unseen_variance": 0.2, "groups": [["near", -1.0, 0.01], ["far", 1.5, 0.02]]},
        {"fields": ["weekday"], "groups": [[1, 1.0, 0.01], [2, 2.0, 0.01]]},
    ],
    "scale": [{"fields": ["zone"], "groups": [["far", 0.3]]}],
    "shapes": [[-1.1, 0.0, 1.4]],
    "shape_of": [],
}


async def put_lead_times(call: Call[LearnedDocument, NoQuery]) -> Answer:
    """The file of `allot calibrate --out` as it is; it replaces the one before, and counts from the next promise on."""
    version = await call.engine.lead_times.put(call.body)
    return Answer(value=LeadTimesVersion(version=version, shipments=call.body.shipments))


async def get_lead_times(call: Call[None, NoQuery]) -> Answer:
    """The learned file as last put, and its version."""
    stored = await call.engine.lead_times.current()
    return Answer(value=b'{"version":%d,"lead_times":%s}' % (stored.version, stored.body))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/lead-times",
        summary="Replace what was learned of lead times",
        handler=put_lead_times,
        body=LearnedDocument,
        reply=LeadTimesVersion,
        scope="lead-times:write",
        max_body_bytes=64 * 2**20,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/lead-times",
        summary="Get what was learned of lead times",
        handler=get_lead_times,
        reply=LeadTimesReply,
        scope="lead-times:read",
        refusals=(NotFound,),
    ),
)
