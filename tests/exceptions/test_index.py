"""The list of open alerts, in memory and in the store, and how the watch keeps it in line with orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from watched_world import Watched

from engine.exceptions.index import AlertIndex, ListedAlert, MemoryAlertIndex, RedisAlertIndex
from engine.orders.facts.links import Alert
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture(params=["memory", "redis"])
def index(request: pytest.FixtureRequest, client: StoreClient, keys: Keys) -> AlertIndex:
    return MemoryAlertIndex() if request.param == "memory" else RedisAlertIndex(client, keys)


def listed(order_id: str, severity: str, minutes: int) -> ListedAlert:
    at = NOW + timedelta(minutes=minutes)
    alert = Alert(alert_id=f"alr_{order_id}.1", severity=severity, cause="stock", at=at)
    return ListedAlert(order_id=order_id, channel="web", alert=alert)


async def test_alerts_are_listed_from_the_worst_and_then_from_the_oldest(index: AlertIndex) -> None:
    for order_id, severity, minutes in (
        ("a", "minor", 1),
        ("b", "critical", 9),
        ("c", "critical", 2),
        ("d", "major", 3),
    ):
        await index.put(order_id, [listed(order_id, severity, minutes)])
    assert await _ids(index) == ["c", "b", "d", "a"]
    assert await _ids(index, severity="critical") == ["c", "b"]
    assert await _ids(index, limit=2) == ["c", "b"]
    assert await _ids(index, limit=2, after="alr_b.1") == ["d", "a"]
    assert await _ids(index, severity="major", after="alr_c.1") == ["d"]
    assert await index.page(5, after="alr_gone.1") is None


async def test_an_order_is_listed_with_what_it_has_now(index: AlertIndex) -> None:
    await index.put("a", [listed("a", "minor", 1)])
    await index.put("a", [listed("a", "critical", 1)])
    assert await _ids(index, severity="critical") == ["a"]
    assert await _ids(index, severity="minor") == []
    assert await index.orders() == ["a"]
    await index.put("a", [])
    assert await _ids(index) == []
    assert await index.orders() == []


async def test_what_a_process_left_out_that_died_is_put_right_with_the_next_round(world: Watched) -> None:
    """Catches a watch that lists an alert only when it writes it: it dies between the two, and nobody ever sees it."""
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    world.at(24)
    await world.alerts("o1")
    stores = world.engine.exceptions
    await stores._index.put("o1", ())  # as if it had died behind the order
    world.clock.advance(timedelta(hours=1))
    await world.engine.jeopardy.round()
    found, has_more = await stores.alerts()
    assert [each.order_id for each in found] == ["o1"]
    assert not has_more


async def test_alerts_of_an_order_that_was_cancelled_are_not_listed(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    world.at(24)
    await world.alerts("o1")
    await world.engine.orders.cancel("o1")
    world.clock.advance(timedelta(hours=1))
    await world.engine.jeopardy.round()
    assert await world.engine.exceptions.alerts() == ([], False)


async def _ids(index: AlertIndex, limit: int = 10, **wanted: str) -> list[str]:
    page = await index.page(limit, **wanted)
    assert page is not None
    return [each.order_id for each in page[0]]
