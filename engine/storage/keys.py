"""The name of every key, in one place; nothing here talks to the store.

A key is `{tenant:p<partition>}:<word>` or `{tenant:p<partition>}:<word>:<id>`. What stands in braces is the hash tag:
everything one function call touches lies in one slot of a cluster. Stock lies in as many partitions as the store was
begun with, by SKU (engine/inventory/partitions.py); everything else lies in `p0`.
"""

from __future__ import annotations


class Keys:
    """The key names of one tenant and partition.

    `tenant` must not contain braces or colons (`engine.config.Settings.tenant` sees to that); ids are opaque.
    """

    __slots__ = ("prefix",)

    def __init__(self, tenant: str, partition: int = 0) -> None:
        if not tenant or any(mark in tenant for mark in "{}:"):
            raise ValueError(f"a tenant must be non-empty and without braces and colons, got {tenant!r}")
        self.prefix = f"{{{tenant}:p{partition}}}"

    def named(self, word: str, identifier: str | None = None) -> str:
        """Return the key of `word`, or of one `identifier` under it."""
        return f"{self.prefix}:{word}" if identifier is None else f"{self.prefix}:{word}:{identifier}"

    # What engine/inventory keeps.

    def stock(self, sku: str) -> str:
        """Return the key of the packed cells of `sku` (a string, 8 × u32 per node)."""
        return f"{self.prefix}:stock:{sku}"

    def schedule(self, sku: str) -> str:
        """Return the key of the supplies and dated demand of `sku`."""
        return f"{self.prefix}:schedule:{sku}"

    def conditions(self, sku: str) -> str:
        """Return the key of the units of `sku` that cannot be sold, by node and condition."""
        return f"{self.prefix}:conditions:{sku}"

    def quotas(self, sku: str) -> str:
        """Return the key of the channel quotas of `sku`."""
        return f"{self.prefix}:quotas:{sku}"

    def reservation(self, reservation_id: str) -> str:
        """Return the key of one reservation."""
        return f"{self.prefix}:reservation:{reservation_id}"

    @property
    def deadlines(self) -> str:
        """Return the key of the sorted set of reservation deadlines."""
        return f"{self.prefix}:deadlines"

    @property
    def slots(self) -> str:
        """Return the key of the hash node_id → slot in the packed cells."""
        return f"{self.prefix}:slots"

    @property
    def skus(self) -> str:
        """Return the key of the set of SKUs that have a position."""
        return f"{self.prefix}:skus"

    @property
    def stock_epoch(self) -> str:
        """Return the key of the counter that moves with every change of stock."""
        return f"{self.prefix}:stock_epoch"

    @property
    def journal(self) -> str:
        """Return the key of the stream of what happened to stock and reservations."""
        return f"{self.prefix}:journal"

    @property
    def events(self) -> str:
        """Return the key of the stream of what happened to all but positions, see engine/feed/lua/feed.lua."""
        return f"{self.prefix}:events"

    @property
    def fence(self) -> str:
        """Return the key that is written only to ask how far the disks have come (durability)."""
        return f"{self.prefix}:fence"

    @property
    def low_stock(self) -> str:
        """Return the key of the sorted set of positions that are low on stock."""
        return f"{self.prefix}:low_stock"

    @property
    def low_stock_details(self) -> str:
        """Return the key of the hash of what is known of each of them."""
        return f"{self.prefix}:low_stock_details"

    @property
    def low_stock_events(self) -> str:
        """Return the key of the stream of positions that became low, or recovered."""
        return f"{self.prefix}:low_stock_events"

    @property
    def low_stock_cursor(self) -> str:
        """Return the key of how far the journal was read for it."""
        return f"{self.prefix}:low_stock_cursor"

    @property
    def journal_marks(self) -> str:
        """Return the key of the list of events at which each so many more rows were in the journal."""
        return f"{self.prefix}:journal_marks"

    # What engine/inventory keeps only where there are several partitions, see lua/partitions/parts.lua.

    @property
    def partitions(self) -> str:
        """Return the key of the number of partitions that the store was begun with; it lies in p0."""
        return f"{self.prefix}:partitions"

    def part(self, reservation_id: str) -> str:
        """Return the key of the part of a reservation that is at home in another partition."""
        return f"{self.prefix}:part:{reservation_id}"

    @property
    def parts_due(self) -> str:
        """Return the key of the sorted set of parts by when their home has to be asked."""
        return f"{self.prefix}:parts_due"

    @property
    def unfinished(self) -> str:
        """Return the key of the sorted set of reservations whose parts may be behind."""
        return f"{self.prefix}:unfinished"

    @property
    def spreads(self) -> str:
        """Return the key of the hash of changes that were begun over several partitions and have not ended."""
        return f"{self.prefix}:spreads"

    @property
    def awaited(self) -> str:
        """Return the key of the hash of SKUs that await such a change."""
        return f"{self.prefix}:awaited"

    def claim(self, digest: str) -> str:
        """Return the key that says in which partition an idempotency key is answered."""
        return f"{self.prefix}:claim:{digest}"

    @property
    def check_only(self) -> str:
        """Return the key to pass to a function that shall only check whether it could be done."""
        return f"{self.prefix}:check"

    # Idempotency records, see lua/replay.lua.

    def replay(self, digest: str) -> str:
        """Return the key of one idempotency record."""
        return f"{self.prefix}:replay:{digest}"

    @property
    def no_replay(self) -> str:
        """Return the key to pass where a function asks for a record and the call has no idempotency key."""
        return f"{self.prefix}:replay:"

    # Documents, see documents.py.

    def document(self, name: str) -> str:
        """Return the key of one versioned document (a hash)."""
        return f"{self.prefix}:document:{name}"

    @property
    def document_epoch(self) -> str:
        """Return the key of the counter that moves with every put of any document."""
        return f"{self.prefix}:document_epoch"

    def collection(self, collection: str) -> str:
        """Return the key of the hash name → latest version of documents of which every version is kept."""
        return f"{self.prefix}:collection:{collection}"

    def versions(self, collection: str, name: str) -> str:
        """Return the key of the hash version → body of one of them."""
        return f"{self.prefix}:versions:{collection}:{name}"

    # What engine/orders keeps.

    def order(self, order_id: str) -> str:
        """Return the key of one order."""
        return f"{self.prefix}:order:{order_id}"

    @property
    def open_orders(self) -> str:
        """Return the key of the sorted set of open orders."""
        return f"{self.prefix}:open_orders"

    def order_history(self, order_id: str) -> str:
        """Return the key of the steps of one order."""
        return f"{self.prefix}:order_history:{order_id}"

    def archived(self, bucket: str) -> str:
        """Return the key of the hash that names the files of some archived orders (engine/archive)."""
        return f"{self.prefix}:archived:{bucket}"

    def capacity(self, day: int) -> str:
        """Return the key of what committed allocations use of the nodes on one day (an ordinal)."""
        return f"{self.prefix}:capacity:{day}"
