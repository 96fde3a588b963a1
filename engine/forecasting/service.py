"""The forecast as a use case: put it, get it, and publish the bid prices that follow from it and the stock of now.

Of several servers that look whether prices are due, one makes them, under a lease.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.availability.reference import Reference, View
from engine.availability.stock import AtpTable, StockReader
from engine.bidding.document import BidPricesDocument
from engine.bidding.service import BidPriceService
from engine.clock import Clock
from engine.errors import InvalidInput, NotFound
from engine.forecasting.bid_prices import bid_prices
from engine.forecasting.document import ForecastDocument, StoredRow, check_forecast, read_forecast, write_forecast
from engine.forecasting.expected import demanded_skus, still_to_come, understand
from engine.inventory.store import InventoryStore
from engine.storage.documents import Document, DocumentStore
from engine.storage.leases import Leases, leased

NAME = "demand_forecast"
LEASE = "bid_prices"
LEASE_SECONDS = 15.0
"""After so long another server takes over from one that died while it made prices."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """One version of the forecast."""

    version: int
    body: bytes
    rows: tuple[StoredRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Bid prices that were made; `version` is None if they were not published."""

    document: BidPricesDocument
    version: int | None


class ForecastService:
    """Keeps the forecast of demand, and makes bid prices of it."""

    def __init__(
        self,
        documents: DocumentStore,
        reference: Reference,
        inventory: InventoryStore,
        prices: BidPriceService,
        clock: Clock,
        every: timedelta,
        leases: Leases,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._documents, self._reference, self._inventory = documents, reference, inventory
        self._prices, self._clock, self._reader, self._every = prices, clock, StockReader(), every
        self._leases, self._lease_seconds = leases, lease_seconds
        self._forecast: Forecast | None = None
        self._epoch = -1
        self._reading = asyncio.Lock()

    async def put(self, document: ForecastDocument) -> int:
        """Check and store a forecast and return its version; `InvalidInput` with every fault, nothing stored."""
        faults = await asyncio.to_thread(check_forecast, document)
        if faults:
            raise InvalidInput(faults)
        await asyncio.to_thread(understand, document.rows, await self._reference.current())
        return await self._documents.put(NAME, await asyncio.to_thread(write_forecast, document))

    async def current(self) -> Forecast:
        """Return the forecast as last put; `NotFound` before the first."""
        found = await self._find()
        if found is None:
            raise NotFound("There is no forecast yet; put one with PUT /v1/demand-forecast.")
        return found

    async def make(self, *, publish: bool = True) -> Made:
        """Make bid prices of the forecast and the stock of now, and publish them; `NotFound` without a forecast."""
        forecast, view, now = await self.current(), await self._reference.current(), self._clock.now()
        stock = await self._inventory.read(await asyncio.to_thread(demanded_skus, forecast.rows, view))
        local_day = view.days.at(now).local_day
        table = await asyncio.to_thread(self._reader.read, stock, view, local_day, now=now)
        document = await asyncio.to_thread(_made, forecast, view, table, now, int(local_day.min()))
        return Made(document=document, version=await self._prices.put(document) if publish else None)

    async def make_if_due(self) -> bool:
        """Make and publish bid prices if there is a forecast newer than them, or they are older than they may be.

        Nothing is done while another server does it.
        """
        if not await self._is_due():
            return False
        async with leased(self._leases, LEASE, secrets.token_hex(8), self._lease_seconds) as is_mine:
            if not is_mine or not await self._is_due():  # another may have made them meanwhile
                return False
            await self.make()
            return True

    async def _is_due(self) -> bool:
        forecast = await self._find()
        if forecast is None:
            return False
        prices = await self._prices.find()
        if prices is None or prices.forecast_version != forecast.version or prices.made_at is None:
            return True
        return self._clock.now() - prices.made_at >= self._every

    async def _find(self) -> Forecast | None:
        now = await self._documents.epoch()
        if self._epoch != now:
            async with self._reading:  # once for all who wait
                if self._epoch != now:
                    found = await self._documents.get(NAME)
                    if found is not None and (self._forecast is None or self._forecast.version != found.version):
                        self._forecast = await asyncio.to_thread(_read, found)
                    self._epoch = now
        return self._forecast


def _read(found: Document) -> Forecast:
    return Forecast(version=found.version, body=found.body, rows=read_forecast(found.body))


def _made(forecast: Forecast, view: View, table: AtpTable, now: datetime, today: int) -> BidPricesDocument:
    expected = still_to_come(forecast.rows, view, date.fromordinal(today))
    return BidPricesDocument(
        prices=bid_prices(expected, view, table),
        made_at=now,
        horizon_ends_on=max(row.last_on for row in forecast.rows),
        forecast_version=forecast.version,
    )
