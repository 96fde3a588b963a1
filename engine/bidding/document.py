"""The document of bid prices: what `PUT /v1/bid-prices` takes and what the engine publishes itself.

Here: its shape, and the same as look-ups. Not here: how prices are made (engine/forecasting).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from msgspec import Struct
from msgspec.json import Decoder
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from engine.errors import Fault
from engine.iso_day import Day
from engine.storage.long_json import pieces_of, without_array, written

Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
MOST_PRICES = 2_000_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BidPriceDocument(_Part):
    """The value of one more unit of a SKU at a node."""

    node_id: Identifier
    sku: Identifier
    price_cents: Annotated[int, Field(strict=True, ge=1, le=10**10)]


class BidPricesDocument(_Part):
    """Prices of positions; a position that is not named has none, and its units are worth nothing to later demand."""

    prices: Annotated[tuple[BidPriceDocument, ...], Field(max_length=MOST_PRICES)]
    made_at: AwareDatetime | None = Field(default=None, description="When they were made, from the stock of that time.")
    horizon_ends_on: Day | None = Field(default=None, description="The last day of the demand that they look at.")
    forecast_version: int | None = Field(
        default=None, description="Of the forecast they were made from; null if they were made elsewhere."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BidPrices:
    """One version of the bid prices: the document as published, and cents by SKU and node id, above 0."""

    version: int
    body: bytes
    made_at: datetime | None
    forecast_version: int | None
    by_sku: Mapping[str, Mapping[str, int]]

    def cents(self, sku: str, node_id: str) -> int:
        """Return what one more unit is worth there, 0 if nothing is published."""
        return self.by_sku.get(sku, {}).get(node_id, 0)


def check_bid_prices(document: BidPricesDocument) -> list[Fault]:
    """Return a fault for each position that stands twice."""
    seen: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    for number, entry in enumerate(document.prices):
        first = seen.setdefault((entry.node_id, entry.sku), number)
        if first != number:
            message = f"{entry.node_id!r} and {entry.sku!r} stand twice, first in $.prices[{first}]; keep one"
            faults.append(Fault(path=f"$.prices[{number}]", message=message))
    return faults


class _Price(Struct):
    node_id: str
    sku: str
    price_cents: int


class _Published(Struct):
    prices: list[_Price]
    made_at: datetime | None = None
    forecast_version: int | None = None


def read_bid_prices(body: bytes, version: int) -> BidPrices:
    """Turn a published document into look-ups; it was checked before, and is not again, as there may be millions."""
    by_sku: dict[str, dict[str, int]] = {}
    for piece in pieces_of(body, _BEGINNING):
        for entry in _decode_prices(piece):
            by_sku.setdefault(entry.sku, {})[entry.node_id] = entry.price_cents
    found = _decode(without_array(body, _BEGINNING))
    return BidPrices(
        version=version,
        body=body,
        made_at=found.made_at,
        forecast_version=found.forecast_version,
        by_sku=MappingProxyType(by_sku),
    )


def write_bid_prices(document: BidPricesDocument) -> bytes:
    """Return a document as it is published."""
    rest = document.model_copy(update={"prices": ()}).model_dump_json(exclude_none=True).encode()
    return written(rest, _BEGINNING, document.prices, _dump_prices)


_BEGINNING = b'{"prices":['
_decode, _decode_prices = Decoder(_Published).decode, Decoder(list[_Price]).decode
_dump_prices = TypeAdapter(Sequence[BidPriceDocument]).dump_json
