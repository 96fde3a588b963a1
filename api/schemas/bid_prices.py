"""The wire forms of bid prices and of the forecast that they are made from."""

from __future__ import annotations

from pydantic import BaseModel

from api.schemas.fields import Reply
from engine.bidding.document import BidPricesDocument
from engine.forecasting.document import ForecastDocument


class BidPricesReply(BaseModel):
    """The bid prices as last published."""

    version: int
    bid_prices: BidPricesDocument


class BidPricesVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many positions have a price."""

    version: int
    prices: int


class ForecastReply(BaseModel):
    """The forecast as last put."""

    version: int
    forecast: ForecastDocument


class ForecastVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many rows it has."""

    version: int
    rows: int
