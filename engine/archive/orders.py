"""The store of orders with the archive behind it: an order that is not in the store is read from there.

What changes an archived order puts it back first. All else is as the store does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from engine.archive.model import Kept
from engine.archive.service import Archive
from engine.errors import NotFound
from engine.inventory.model import Outcome, Replay
from engine.orders.clearing import Clearing
from engine.orders.model import Captured, HistoryEntry, Order
from engine.orders.records import fingerprint
from engine.orders.replies import OrderArchived
from engine.orders.revising import Revision
from engine.orders.states import is_over
from engine.orders.store import OrderStore


def with_archive(store: OrderStore, archive: Archive) -> OrderStore:
    """Return a store of orders that has archived ones too."""
    return cast(OrderStore, _ArchivedOrders(store, archive))


class _ArchivedOrders:
    def __init__(self, store: OrderStore, archive: Archive) -> None:
        self._store, self._archive = store, archive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def capture(self, captured: Captured, **more: Any) -> Outcome[Order]:
        """Keep a new order; the same as an archived one is that order."""
        try:
            return await self._store.capture(captured, **more)
        except OrderArchived as error:
            kept = await self._kept(captured.order_id)
            if kept is None or kept.fields["fingerprint"].decode() != fingerprint(captured):
                raise
            return Outcome(value=kept.order, replayed=bool(getattr(error, "replayed", False)))

    async def get(self, order_id: str) -> Order:
        """Return an order, archived or not."""
        try:
            return await self._store.get(order_id)
        except NotFound:
            kept = await self._kept(order_id)
        return await self._store.get(order_id) if kept is None else kept.order  # it may have been put back just now

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order, archived or not."""
        try:
            return await self._store.history(order_id)
        except NotFound:
            kept = await self._kept(order_id)
        return await self._store.history(order_id) if kept is None else kept.history

    async def revise(self, revision: Revision, *, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order; one that is over may be archived, and is put back first."""
        if is_over(revision.seen):
            await self._archive.put_back(revision.order_id)
        return await self._store.revise(revision, replay=replay)

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order; of one that is archived, as of one that is over."""
        await self._archive.put_back(order_id)
        return await self._store.cancel(order_id, replay=replay)

    async def clear(self, clearings: Sequence[Clearing]) -> list[str]:
        """Take what is personal out of orders, archived or not."""
        by_id = {each.seen.order_id: each for each in clearings}
        archived = await self._archive.rewrite({name: partial(_cleared, clearing=by_id[name]) for name in by_id})
        return await self._store.clear([each for name, each in by_id.items() if name not in archived])

    async def _kept(self, order_id: str) -> Kept | None:
        return (await self._archive.find([order_id])).get(order_id)


def _cleared(kept: Kept, clearing: Clearing) -> Kept:
    """Return an archived order without what is personal in it; its steps say so."""
    life, routed, told = clearing.life
    fields = {**kept.fields, "doc": clearing.doc.encode(), "life": life.encode(), "routed": routed.encode()}
    step = f"{round(kept.changed_at.timestamp() * 1000)} {told}  {clearing.written}"
    return replace(kept, fields=fields, steps=(*kept.steps, step.encode()))
