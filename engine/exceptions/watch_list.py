"""The orders under way that the watch knows: when each has to be looked at again, and what else would be a reason.

An order is due once however many reasons there are, at the earliest of them. Kept as small as may be, and out of the
sight of the garbage collector: there are a hundred thousand of them. Not here: which reasons there are (waking.py).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable

import msgspec

_MOST_POPPED = 2000
"""Entries of the queue that are taken off in one go; most of them may be of orders that were due before."""
_NOTHING: Collection[str] = frozenset[str]()


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of an order: what it says of nodes, the nodes it waits for, and the SKUs whose stock it waits for.

    Of its parcels that have to be worked on it has the node and the day (ordinal), of each node that works on it.
    Tuples are plain and of plain values, which the garbage collector leaves out.
    """

    sightings: tuple[tuple[str, int, int | None, int], ...] = ()
    waits_at: tuple[tuple[str, int], ...] = ()
    skus: tuple[str, ...] = ()


class WatchList:
    """Orders, with an index by each reason to look at them again."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []
        self._at_node: dict[str, set[str]] = {}
        self._of_sku: dict[str, set[str]] = {}

    def wake(self, order_id: str, at: float) -> None:
        """Have an order looked at, at an instant (seconds) or before."""
        if at < self._due.get(order_id, float("inf")):
            self._due[order_id] = at
            heapq.heappush(self._queue, (at, order_id))

    def take(self, now: float, limit: int) -> list[str]:
        """Return orders that are due, those first that have been so for longest; they are due no more."""
        found: list[str] = []
        for _ in range(_MOST_POPPED):
            if not self._queue or self._queue[0][0] > now or len(found) >= limit:
                break
            at, order_id = heapq.heappop(self._queue)
            if self._due.get(order_id) == at:
                del self._due[order_id]
                found.append(order_id)
        return found

    def settle(self, order_ids: Iterable[str]) -> None:
        """Have orders due no more."""
        for order_id in order_ids:
            self._due.pop(order_id, None)

    def is_due(self, now: float, order_id: str | None = None) -> bool:
        """Say whether any order may be due, or whether one is."""
        if order_id is not None:
            return self._due.get(order_id, float("inf")) <= now
        return bool(self._queue) and self._queue[0][0] <= now

    def keep(self, order_id: str, entry: Entry) -> None:
        """Know this of an order in place of what was known."""
        self.drop(order_id)
        self.entries[order_id] = entry
        for node_id, _ in entry.waits_at:
            self._at_node.setdefault(node_id, set()).add(order_id)
        for sku in entry.skus:
            self._of_sku.setdefault(sku, set()).add(order_id)

    def drop(self, order_id: str) -> None:
        """Know nothing of an order any more; it stays due if it is."""
        entry = self.entries.pop(order_id, None)
        if entry is not None:
            _without(self._at_node, (node_id for node_id, _ in entry.waits_at), order_id)
            _without(self._of_sku, entry.skus, order_id)

    def at_node(self, node_id: str) -> Collection[str]:
        """Return the orders that a node has something to do for."""
        return self._at_node.get(node_id, _NOTHING)

    def waiting_for(self, sku: str) -> Collection[str]:
        """Return the orders that wait for stock of a SKU."""
        return self._of_sku.get(sku, _NOTHING)

    @property
    def skus(self) -> Collection[str]:
        """The SKUs for whose stock any order waits."""
        return self._of_sku.keys()


def _without(index: dict[str, set[str]], names: Iterable[str], order_id: str) -> None:
    for name in names:
        among = index.get(name)
        if among is not None:
            among.discard(order_id)
            if not among:
                del index[name]
