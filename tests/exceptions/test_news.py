"""The watch on a real store: what it hears from the feed, and what it begins with."""

from __future__ import annotations

from pathlib import Path

from watched_world import CUSTOMER, catalog_document, network_document

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.exceptions.alerting import open_alerts
from engine.exceptions.news import News
from engine.feed.order_news import FeedOrderNews
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder


async def late(engine: Engine, order_id: str) -> None:
    """Capture an order that was to arrive yesterday, and has no stock."""
    now = engine.clock.now()
    to = Destination(latitude=CUSTOMER[0], longitude=CUSTOMER[1])
    due = now.date().replace(year=now.year - 1)
    await engine.orders.capture(
        NewOrder(order_id=order_id, channel="web", destination=to, lines=(NewLine(sku="MUG", quantity=1),), need_by=due)
    )


async def test_the_watch_of_a_store_begins_with_all_orders_and_then_hears_of_those_that_change(
    store_address: str, tenant: str, tmp_path: Path
) -> None:
    """Catches a watch that begins with what it hears: an order of before it came is never looked at."""
    settings = Settings(redis_url=store_address, tenant=tenant, durability="memory", data_dir=tmp_path)
    async with allot_engine(settings) as engine:
        await engine.network.put(NetworkDocument.model_validate(network_document()))
        await engine.catalog.put(CatalogDocument.model_validate(catalog_document()))
        assert engine.feed is not None
        news = FeedOrderNews(engine.feed)
        assert await news.heard() == News(is_lost=True)
        for number in range(3):
            await late(engine, f"o{number}")
        assert set((await news.heard()).changed) == {"o0", "o1", "o2"}
        await engine.jeopardy.round()
        found, _ = await engine.exceptions.alerts()
        assert {each.order_id for each in found} == {"o0", "o1", "o2"}
        await late(engine, "o3")
        await engine.orders.cancel("o1")
        heard = await news.heard()
        assert {"o1", "o3"} <= set(heard.changed)
        await engine.jeopardy.round()
        found, _ = await engine.exceptions.alerts()
        assert {each.order_id for each in found} == {"o0", "o2", "o3"}
        assert open_alerts(await engine.orders.get("o1")) == ()
        assert engine.desk is not None
        await engine.desk.index.catch_up()
        assert await engine.desk.archive.step(-1) == 1
        assert "o1" in (await news.heard()).gone
