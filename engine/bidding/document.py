"""The document of bid prices: what `PUT /v1/bid-prices` takes and what the engine publishes itself.

Here: its shape, and the same as look-ups. Not here: how prices are made (engine/forecasting).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from msgspec import Struct
from msgspec.json import Decoder
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from engine.errors import Fault
from engine.iso_day import Day

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
    end = body.rindex(b"]")
    by_sku: dict[str, dict[str, int]] = {}
    for part in _parts(body, end):
        for entry in _decode_part(part):
            by_sku.setdefault(entry.sku, {})[entry.node_id] = entry.price_cents
    found = _decode(_BEGINNING + body[end:])
    return BidPrices(
        version=version,
        body=body,
        made_at=found.made_at,
        forecast_version=found.forecast_version,
        by_sku=MappingProxyType(by_sku),
    )


def _parts(body: bytes, end: int) -> Iterator[bytes]:
    """Yield the prices of a document as it is written here, in pieces: while one is decoded no thread has its turn.

    No text has an end of one entry and the beginning of the next in it, since quotes are escaped there.
    """
    if not body.startswith(_BEGINNING):
        raise ValueError(f"bid prices begin with {_BEGINNING!r}, not {body[: len(_BEGINNING)]!r}")
    begin = len(_BEGINNING)
    while begin < end:
        cut = body.find(_BETWEEN, begin + _PART_BYTES, end)
        last = end if cut < 0 else cut + 1
        yield b"[" + body[begin:last] + b"]"
        begin = last + 1


_BEGINNING, _BETWEEN = b'{"prices":[', b'},{"'
_PART_BYTES = 2**18
_decode, _decode_part = Decoder(_Published).decode, Decoder(list[_Price]).decode
