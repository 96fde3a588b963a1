"""What finds the orders of a tenant, wherever they are: the index, who keeps it, the archive, and the store with both.

Not here: where its parts are (bootstrap.py hands them in).
"""

from __future__ import annotations

from engine.archive.book import ArchiveBook
from engine.archive.files import ArchiveFolder
from engine.archive.orders import with_archive
from engine.archive.service import Archive
from engine.clock import Clock
from engine.config import Settings
from engine.feed.service import EventFeed
from engine.orders.store import OrderStore
from engine.search.contacts import ContactOf
from engine.search.every_order import EveryOrder
from engine.search.files import IndexFolder
from engine.search.following import IndexFollower
from engine.search.service import OrderSearch
from engine.storage.client import StoreClient
from engine.storage.leases import Leases


class Desk:
    """All of it for one tenant; `orders` are those of the store, with the archived ones behind them.

    `index` is there once it is to `follow`.
    """

    index: IndexFollower

    def __init__(
        self, settings: Settings, client: StoreClient, orders: OrderStore, leases: Leases, clock: Clock
    ) -> None:
        tenant, partitions = settings.tenant, settings.partitions
        self._folder = IndexFolder(settings.data_dir / "search" / tenant)
        self._every, self._clock = EveryOrder(client, tenant, partitions), clock
        self._feed = EventFeed(client, tenant, partitions)
        self.search = OrderSearch(self._folder, self._every.terms, orders.get)
        files = ArchiveFolder((settings.archive_dir or settings.data_dir / "archive") / tenant)
        self.archive = Archive(ArchiveBook(client, tenant, partitions), files, self.search.over, leases, clock)
        self.orders = with_archive(orders, self.archive)
        self.archive_after_days = settings.archive_after_days

    def follow(self, contact_of: ContactOf) -> Desk:
        """Keep an index of orders and their customers, whom `contact_of` finds, from now on."""
        self.index = IndexFollower(
            self._folder, self._feed, self.orders, self._every, self.archive, contact_of, self._clock
        )
        return self

    def stop(self) -> None:
        """Stop what searches, and let another process keep the index."""
        self.index.stop()
        self.search.stop()
