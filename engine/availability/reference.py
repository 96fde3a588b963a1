"""The network, the catalog and the learned lead times of one moment, read together.

Here: one view of all, cached by the store's epoch; its bid prices are the last known, and newer ones follow when they
are read. Not here: what is in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.bidding.document import BidPrices
from engine.bidding.following import KnownPrices
from engine.bidding.service import BidPriceService
from engine.calibration.lead_times import LeadTimes
from engine.calibration.service import LeadTimeService
from engine.catalog.model import Catalog
from engine.catalog.service import CatalogService
from engine.errors import InvalidInput
from engine.inventory.buffers import buffers_of
from engine.inventory.rules import UnitRules
from engine.network.days import NetworkDays
from engine.network.model import Network
from engine.network.run_terms import USUAL, RunTerms
from engine.network.service import NetworkService
from engine.storage.documents import DocumentStore

Meant = TypeVar("Meant")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A network with its days, a catalog and learned lead times, if there are any, as of one epoch, and bid prices."""

    epoch: int
    days: NetworkDays
    catalog: Catalog
    lead_times: LeadTimes | None = None
    terms: RunTerms = USUAL
    """What the policy of a routing run asks for beside the network's own."""
    bid_prices: BidPrices | None = None

    @property
    def network(self) -> Network:
        """The network of the view."""
        return self.days.network

    @property
    def buffers(self) -> UnitRules | None:
        """What is kept back of positions by rule, None if there is no rule."""
        return buffers_of(self.network, self.catalog)


class Reference:
    """Gives the current view, or a view that was current beside another read."""

    def __init__(
        self,
        documents: DocumentStore,
        networks: NetworkService,
        catalogs: CatalogService,
        lead_times: LeadTimeService | None = None,
        bid_prices: BidPriceService | None = None,
    ) -> None:
        self._documents = documents
        self._networks = networks
        self._catalogs = catalogs
        self._lead_times = lead_times
        self._bid_prices = bid_prices
        self._known = None if bid_prices is None else KnownPrices(bid_prices, self._exchange_prices)
        self._latest: View | None = None
        self._asking: asyncio.Task[int] | None = None

    @property
    def latest(self) -> View | None:
        """The view last read, perhaps no longer current; None before the first."""
        return self._latest

    async def current(self) -> View:
        """Return the current view; `NotFound` before the first network or catalog."""
        epoch = await asyncio.shield(self._epoch_soon())
        latest = self._latest
        if latest is None or latest.epoch != epoch:
            days = await self._networks.days(epoch)
            catalog = await self._catalogs.current(epoch)
            learned = None if self._lead_times is None else await self._lead_times.find(epoch)
            latest = self._latest = View(
                epoch=epoch,
                days=days,
                catalog=catalog,
                lead_times=None if learned is None else learned.lead_times,
                bid_prices=None if self._known is None else self._known.latest,
            )
            if self._known is not None:
                self._known.follow(epoch)
        return latest

    async def current_with_prices(self) -> View:
        """Return the current view with the bid prices that are published now; waits for them, unlike `current`."""
        view = await self.current()
        prices = None if self._bid_prices is None else await self._bid_prices.find(view.epoch)
        return view if prices is view.bid_prices else replace(view, bid_prices=prices)

    async def stop(self) -> None:
        """Read no more beside the requests."""
        if self._known is not None:
            await self._known.stop()

    def _exchange_prices(self) -> None:
        """Have the latest view say what is known of bid prices now."""
        view, known = self._latest, self._known
        if view is not None and known is not None and view.bid_prices is not known.latest:
            self._latest = replace(view, bid_prices=known.latest)

    async def beside(
        self, understand: Callable[[View], Meant], read: Callable[[Meant], Awaitable[Read]]
    ) -> tuple[View, Meant, Read]:
        """Return a view, what a request means in it, and what was read for that; again with a newer view if need be.

        The epoch of the latest view is checked beside the read, in the same round trip. `InvalidInput` of `understand`
        is raised of a current view only.
        """
        view = self._latest or await self.current()
        while True:
            try:
                meant = understand(view)
            except InvalidInput:
                newer = await self.current()
                if newer is view:
                    raise
                view = newer
                continue
            epoch = self._epoch_soon()
            found = await read(meant)
            if not epoch.done():  # its reply has come with that of the read, and its task is next
                await asyncio.sleep(0)
            if (epoch.result() if epoch.done() else await asyncio.shield(epoch)) == view.epoch:
                return view, meant, found
            view = await self.current()

    def _epoch_soon(self) -> asyncio.Task[int]:
        """Return the task that asks for the epoch after this turn of the loop; all reads that begin in it share it."""
        asking = self._asking
        if asking is None or asking.done() or asking.get_loop() is not asyncio.get_running_loop():
            asking = self._asking = asyncio.create_task(self._ask_for_epoch())
            asking.add_done_callback(_retrieve)
        return asking

    async def _ask_for_epoch(self) -> int:
        self._asking = None  # what begins from now on may have to know of a later one
        return await self._documents.epoch()


def _retrieve(epoch: asyncio.Task[int]) -> None:
    """Mark a failure as seen: the read beside it fails too, and one error is enough."""
    if not epoch.cancelled():
        epoch.exception()
