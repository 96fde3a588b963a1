"""Bid prices over HTTP: what a unit of stock is worth to later demand; published by the engine, or from elsewhere."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.bid_prices import BidPricesReply, BidPricesVersion
from engine.bidding.document import BidPricesDocument
from engine.errors import NotFound

EXAMPLE = {"prices": [{"node_id": "chicago-dc", "sku": "MUG-RED", "price_cents": 215}], "horizon_ends_on": "2026-12-31"}


async def put_bid_prices(call: Call[BidPricesDocument, NoQuery]) -> Answer:
    """Prices made elsewhere; they replace those before. With a forecast, the engine soon replaces them by its own."""
    version = await call.engine.bid_prices.put(call.body)
    return Answer(value=BidPricesVersion(version=version, prices=len(call.body.prices)))


async def get_bid_prices(call: Call[None, NoQuery]) -> Answer:
    """The bid prices as last published; positions that are not named have none."""
    found = await call.engine.bid_prices.current()
    return Answer(value=b'{"version":%d,"bid_prices":%s}' % (found.version, found.body))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/bid-prices",
        summary="Publish bid prices made elsewhere",
        handler=put_bid_prices,
        body=BidPricesDocument,
        reply=BidPricesVersion,
        scope="bid-prices:write",
        max_body_bytes=64 * 2**20,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/bid-prices",
        summary="Get the bid prices",
        handler=get_bid_prices,
        reply=BidPricesReply,
        scope="bid-prices:read",
        refusals=(NotFound,),
    ),
)
