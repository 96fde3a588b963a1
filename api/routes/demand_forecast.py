"""The forecast of demand over HTTP; bid prices are made from it."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.bid_prices import ForecastReply, ForecastVersion
from engine.errors import NotFound
from engine.forecasting.document import ForecastDocument

EXAMPLE = {
    "rows": [
        {
            "sku": "MUG-RED",
            "quantity": 140.5,
            "first_on": "2026-12-01",
            "last_on": "2026-12-31",
            "latitude": 40.7,
            "longitude": -74.0,
        }
    ]
}


async def put_demand_forecast(call: Call[ForecastDocument, NoQuery]) -> Answer:
    """Expected units by SKU, place and days; it replaces the one before, and bid prices follow within seconds."""
    version = await call.engine.forecast.put(call.body)
    return Answer(value=ForecastVersion(version=version, rows=len(call.body.rows)))


async def get_demand_forecast(call: Call[None, NoQuery]) -> Answer:
    """The forecast as last put, and its version."""
    found = await call.engine.forecast.current()
    return Answer(value=b'{"version":%d,"forecast":%s}' % (found.version, found.body))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/demand-forecast",
        summary="Replace the forecast of demand",
        handler=put_demand_forecast,
        body=ForecastDocument,
        reply=ForecastVersion,
        scope="demand-forecast:write",
        refusals=(NotFound,),
        max_body_bytes=64 * 2**20,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/demand-forecast",
        summary="Get the forecast of demand",
        handler=get_demand_forecast,
        reply=ForecastReply,
        scope="demand-forecast:read",
        refusals=(NotFound,),
    ),
)
