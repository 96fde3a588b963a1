"""Get it by, over HTTP: for product pages, when one unit could arrive and what that costs; from memory."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.pages import GetItByQuery
from engine.errors import Fault, InvalidInput, NotFound
from engine.promising.get_it_by import GetItBy, GetItByRequest, PageLine

_IN_QUERY = {"$.lines[0].": "query.", "$.destination.": "query.", "$.destination": "query", "$.": "query."}


async def look_up_get_it_by(call: Call[None, GetItByQuery]) -> Answer:
    """When one unit of a SKU could arrive at a place at the earliest, and when at the least cost.

    From stock as it was at `as_of`, about a second ago at most: what a promise of one unit from that stock would say.
    """
    query = call.query
    request = GetItByRequest(
        lines=(PageLine(sku=query.sku),), destination=query.destination, channel=query.channel, group=query.group
    )
    try:
        return Answer(value=await call.engine.get_it_by.get_it_by(request))
    except InvalidInput as error:
        raise in_query(error) from None


async def look_up_get_it_by_of_many(call: Call[GetItByRequest, NoQuery]) -> Answer:
    """The same for up to 500 SKUs of a page, to one place."""
    return Answer(value=await call.engine.get_it_by.get_it_by(call.body))


def in_query(error: InvalidInput) -> InvalidInput:
    """Return the faults of a request that was made from a query string, with the names of its parameters."""
    return InvalidInput([Fault(path=_renamed(fault.path), message=fault.message) for fault in error.faults])


def _renamed(path: str) -> str:
    for begin, name in _IN_QUERY.items():
        if path.startswith(begin):
            return name + path.removeprefix(begin)
    return path


PLACE_EXAMPLE = {"latitude": 40.71, "longitude": -74.01}

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/get-it-by",
        summary="Look up when a product could arrive",
        handler=look_up_get_it_by,
        query=GetItByQuery,
        reply=GetItBy,
        scope="get-it-by:read",
        refusals=(NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/v1/get-it-by",
        summary="Look up when the products of a page could arrive",
        handler=look_up_get_it_by_of_many,
        body=GetItByRequest,
        reply=GetItBy,
        scope="get-it-by:read",
        refusals=(NotFound,),
        example={"lines": [{"sku": "MUG-RED"}, {"sku": "TEA-50"}], "destination": PLACE_EXAMPLE},
    ),
)
