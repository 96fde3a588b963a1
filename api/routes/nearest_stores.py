"""The nearest stores with stock, over HTTP; the body and the reply are those of engine/promising."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.get_it_by import PLACE_EXAMPLE, in_query
from api.schemas.pages import NearestStoresQuery
from engine.errors import InvalidInput, NotFound
from engine.promising.nearest import BasketLine, NearestStores, NearestStoresRequest


async def find_nearest_stores(call: Call[None, NearestStoresQuery]) -> Answer:
    """The stores nearest to a place that have so many units of a SKU now, and when these could be picked up."""
    query = call.query
    request = NearestStoresRequest(
        lines=(BasketLine(sku=query.sku, quantity=query.quantity),),
        destination=query.destination,
        radius_km=query.radius_km,
        kinds=(query.kind,),
        limit=query.limit,
        channel=query.channel,
        group=query.group,
    )
    try:
        return Answer(value=await call.engine.nearest_stores.nearest(request))
    except InvalidInput as error:
        raise in_query(error) from None


async def find_nearest_stores_of_basket(call: Call[NearestStoresRequest, NoQuery]) -> Answer:
    """The stores nearest to a place that have a whole basket now, of several kinds of nodes if asked for."""
    return Answer(value=await call.engine.nearest_stores.nearest(call.body))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/nearest-stores",
        summary="Find the nearest stores with stock",
        handler=find_nearest_stores,
        query=NearestStoresQuery,
        reply=NearestStores,
        scope="nearest-stores:read",
        refusals=(NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/v1/nearest-stores",
        summary="Find the nearest stores that have a basket",
        handler=find_nearest_stores_of_basket,
        body=NearestStoresRequest,
        reply=NearestStores,
        scope="nearest-stores:read",
        refusals=(NotFound,),
        example={
            "lines": [{"sku": "MUG-RED", "quantity": 2}],
            "destination": PLACE_EXAMPLE,
            "radius_km": 2000,
            "kinds": ["store", "dc"],
        },
    ),
)
