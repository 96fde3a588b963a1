"""The network document over HTTP."""

from __future__ import annotations

import asyncio

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.network import NetworkReply, NetworkVersion
from engine.errors import NotFound
from engine.network.document import NetworkDocument

EXAMPLE = {
    "currency": "USD",
    "calendars": [{"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"], "country": "US"}],
    "nodes": [
        {
            "node_id": "chicago-dc",
            "kind": "dc",
            "latitude": 41.88,
            "longitude": -87.63,
            "time_zone": "America/Chicago",
            "calendar": "weekdays",
            "cut_off": "15:00",
            "parcel_cost_cents": 150,
            "unit_cost_cents": 20,
        }
    ],
    "zones": [{"zone": "near", "max_km": 800}, {"zone": "far", "max_km": None}],
    "services": [
        {
            "service": "ground",
            "carrier": "acme",
            "service_level": "standard",
            "calendar": "weekdays",
            "rates": [
                {"zone": "near", "max_weight_g": 30000, "cost_cents": 700, "transit_days": 2},
                {"zone": "far", "max_weight_g": 30000, "cost_cents": 1100, "transit_days": 4},
            ],
        }
    ],
    "policy": {"split_cost_cents": 0, "backorder_cost_cents_per_unit": 6000},
}


async def put_network(call: Call[NetworkDocument, NoQuery]) -> Answer:
    """The whole document replaces the one before. Stock, reservations and orders stay as they are."""
    version = await call.engine.network.put(call.body)
    return Answer(value=NetworkVersion(version=version, nodes=len(call.body.nodes)))


async def get_network(call: Call[None, NoQuery]) -> Answer:
    """The document as last put, with its version and every default filled in."""
    network = await call.engine.network.current()
    written = await asyncio.to_thread(network.document.model_dump_json, by_alias=True)
    return Answer(value=f'{{"version":{network.version},{written[1:]}'.encode())


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/network",
        summary="Replace the network: nodes, groups, calendars, zones, services and policy",
        handler=put_network,
        body=NetworkDocument,
        reply=NetworkVersion,
        scope="network:write",
        max_body_bytes=32 * 2**20,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/network",
        summary="Get the network",
        handler=get_network,
        reply=NetworkReply,
        scope="network:read",
        refusals=(NotFound,),
    ),
)
