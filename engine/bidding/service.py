"""Bid prices as a use case: publish them, get those of the moment.

There may be millions, so that reading and checking them is left to a thread. Not here: who must not wait for that
(following.py).
"""

from __future__ import annotations

import asyncio

from engine.bidding.document import BidPrices, BidPricesDocument, check_bid_prices, read_bid_prices, write_bid_prices
from engine.errors import InvalidInput, NotFound
from engine.storage.documents import DocumentStore

NAME = "bid_prices"


class BidPriceService:
    """Publishes and serves bid prices; those of the moment are kept, and read again when the epoch has moved."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._prices: BidPrices | None = None
        self._epoch = -1
        self._reading = asyncio.Lock()

    @property
    def latest(self) -> BidPrices | None:
        """The prices that were last read, perhaps no longer those published; None before the first."""
        return self._prices

    async def put(self, document: BidPricesDocument) -> int:
        """Check and publish prices and return their version; `InvalidInput` with every fault, nothing stored."""
        faults = await asyncio.to_thread(check_bid_prices, document)
        if faults:
            raise InvalidInput(faults)
        body = await asyncio.to_thread(write_bid_prices, document)
        version = await self._documents.put(NAME, body)
        self._keep(await asyncio.to_thread(read_bid_prices, body, version))
        return version

    async def current(self, epoch: int | None = None) -> BidPrices:
        """Return the prices as last published; `NotFound` before the first."""
        found = await self.find(epoch)
        if found is None:
            raise NotFound("There are no bid prices yet; put a forecast with PUT /v1/demand-forecast, or the prices.")
        return found

    async def find(self, epoch: int | None = None) -> BidPrices | None:
        """Return the prices as last published, None before the first; pass the store's `epoch` if it is known."""
        now = await self._documents.epoch() if epoch is None else epoch
        if self._epoch != now:
            async with self._reading:  # once for all who wait
                if self._epoch != now:
                    if await self._documents.version(NAME) not in {None, self._prices and self._prices.version}:
                        found = await self._documents.get(NAME)
                        if found is not None:
                            self._keep(await asyncio.to_thread(read_bid_prices, found.body, found.version))
                    self._epoch = now
        return self._prices

    def _keep(self, prices: BidPrices) -> None:
        """Keep prices, unless newer ones were read meanwhile."""
        if self._prices is None or self._prices.version < prices.version:
            self._prices = prices
