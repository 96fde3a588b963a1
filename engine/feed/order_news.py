"""What has happened to orders, as the feed of events tells it."""

from __future__ import annotations

from engine.errors import CursorExpired
from engine.exceptions.news import News
from engine.feed.model import ARCHIVED, OrderData, wanted
from engine.feed.service import NOW, EventFeed

_AT_ONCE = 200


class FeedOrderNews:
    """Reads on in the feed, from the moment at which it is first asked."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed, self._wanted = feed, wanted(["order.*"], "types")
        self._cursor: str | None = None

    async def heard(self) -> News:
        """Return what has happened since the last time; lost is what the feed does not keep any more."""
        if self._cursor is None:
            self._cursor = (await self._feed.page(NOW, limit=1, wanted=self._wanted)).next_cursor
            return News(is_lost=True)
        try:
            page = await self._feed.page(self._cursor, limit=_AT_ONCE, wanted=self._wanted, is_without_stock=True)
        except CursorExpired:
            self._cursor = None
            return await self.heard()
        self._cursor = page.next_cursor
        last = {event.data.order_id: event.type for event in page.events if isinstance(event.data, OrderData)}
        return News(
            changed=tuple(order_id for order_id, kind in last.items() if kind != ARCHIVED),
            gone=tuple(order_id for order_id, kind in last.items() if kind == ARCHIVED),
            has_more=page.has_more,
        )
