"""For which orders the watch has a reason to look: the others are not even read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from watched_world import Watched, network_document

from engine.exceptions.alerting import open_alerts
from engine.exceptions.leaving import Sighting
from engine.exceptions.node_tally import NodeTally
from engine.exceptions.watch_list import Entry, WatchList
from engine.network.document import NetworkDocument
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of


class Read:
    """The orders of a store, which notes those that are read."""

    def __init__(self, store: Any) -> None:
        self._store, self.orders = store, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def get(self, order_id: str) -> Order:
        self.orders.append(order_id)
        found: Order = await self._store.get(order_id)
        return found


@pytest.fixture
def read(world: Watched) -> Read:
    watch: Any = world.engine.jeopardy
    watch._orders = Read(watch._orders)
    return watch._orders


async def looked_at(world: Watched, read: Read) -> list[str]:
    """Go round, and return the orders that were looked at."""
    read.orders.clear()
    await world.engine.jeopardy.round()
    return sorted(set(read.orders))


def noted(order: Order, _: object) -> Revision:
    return revision_of(order, order, Note(event="noted", by="test"))


async def test_an_order_to_which_nothing_happens_is_read_once_a_day(world: Watched, read: Read) -> None:
    await world.count(east={"MUG": 9})
    world.at(19)
    await world.order("o1", due=27)
    await world.route()
    await world.ship("o1")
    assert await looked_at(world, read) == ["o1"]
    for _ in range(3):
        world.clock.advance(timedelta(hours=2))
        assert await looked_at(world, read) == []
    world.at(20)
    assert await looked_at(world, read) == ["o1"]
    await world.deliver("o1")
    assert await looked_at(world, read) == ["o1"]
    world.at(23)
    assert await looked_at(world, read) == []


async def test_an_order_is_read_when_it_changes_and_no_other(world: Watched, read: Read) -> None:
    await world.count(east={"MUG": 9})
    for number in range(4):
        await world.order(f"o{number}", due=27)
    await world.route()
    assert await looked_at(world, read) == ["o0", "o1", "o2", "o3"]
    await world.engine.changes.change("o2", noted)
    assert await looked_at(world, read) == ["o2"]
    assert await looked_at(world, read) == []


async def test_the_hour_counts_for_parcels_that_are_due_or_overdue(world: Watched, read: Read) -> None:
    await world.count(east={"MUG": 9})
    await world.order("o1", due=27)
    await world.route()
    assert await looked_at(world, read) == ["o1"]
    world.clock.advance(timedelta(hours=1))
    assert await looked_at(world, read) == ["o1"]


async def test_units_without_a_node_are_looked_at_when_their_stock_moves_or_an_hour_has_passed(
    world: Watched, read: Read
) -> None:
    """Catches a watch that wakes an order when it changes only: its supply is in stock, and nobody says so."""
    await world.count(east={"MUG": 0, "TEA": 5})
    await world.order("o1", due=23)
    await world.route()
    await world.alerts("o1")
    await world.alerts("o1")  # what its stock is, has been seen now
    await world.count(east={"TEA": 7})
    assert await looked_at(world, read) == []
    await world.supply("SUP", "MUG", 5, day=25)
    assert await looked_at(world, read) == ["o1"]
    (alert,) = open_alerts(await world.engine.orders.get("o1"))
    assert "supply" in alert.message
    world.clock.advance(timedelta(hours=1))
    assert await looked_at(world, read) == ["o1"]


async def test_a_node_that_falls_behind_is_a_reason_for_the_orders_that_wait_there(world: Watched, read: Read) -> None:
    """Catches a watch that counts how nodes are doing, and does not wake those for which it makes a difference."""
    await world.count(east={"MUG": 9}, west={"TEA": 9})
    for number in range(3):
        await world.order(f"late{number}", due=30)
    await world.route()
    world.at(23)
    await world.order("elsewhere", due=30, sku="TEA")
    await world.order("new", due=24)
    await world.route()
    assert [alert.cause for alert in await world.alerts("new")] == ["node_late"]
    for number in range(3):
        await world.engine.orders.cancel(f"late{number}")
    assert await looked_at(world, read) == ["late0", "late1", "late2", "new"]
    assert open_alerts(await world.engine.orders.get("new")) == ()


async def test_another_network_is_a_reason_for_all_orders(world: Watched, read: Read) -> None:
    await world.count(east={"MUG": 9})
    for number in range(3):
        await world.order(f"o{number}", due=27)
    await world.route()
    await looked_at(world, read)
    await world.engine.network.put(NetworkDocument.model_validate(network_document(cut_off="14:00")))
    assert await looked_at(world, read) == ["o0", "o1", "o2"]


async def test_a_page_that_fails_is_looked_at_again(world: Watched, read: Read) -> None:
    """Catches orders that are taken off the list before they were looked at: a store that is away loses them."""
    await world.count(east={"MUG": 9})
    await world.order("o1", due=23)
    await world.route()
    world.at(24)
    store, read._store = read._store, None
    with pytest.raises(AttributeError):
        await world.engine.jeopardy.round()
    read._store = store
    (alert,) = await world.alerts("o1")
    assert alert.severity == "critical"


async def test_rounds_go_page_by_page(world: Watched) -> None:
    await world.count(east={"MUG": 50})
    for number in range(7):
        await world.order(f"o{number}", due=27)
    await world.route()
    watch, pages = world.engine.jeopardy, 1
    while await watch._page(limit=2):
        pages += 1
    assert pages == 4


def test_an_order_is_due_once_at_the_earliest_of_its_reasons() -> None:
    found = WatchList()
    for at in (30.0, 10.0, 20.0):
        found.wake("o1", at)
    found.wake("o2", 15.0)
    assert not found.is_due(9)
    assert found.take(40, limit=9) == ["o1", "o2"]
    assert found.take(40, limit=9) == []


def test_what_is_known_of_an_order_is_in_place_of_what_was_known() -> None:
    found = WatchList()
    found.keep("o1", Entry(waits_at=(("east", 5),), skus=("MUG",)))
    found.keep("o1", Entry(waits_at=(("west", 5),)))
    assert (set(found.at_node("east")), set(found.at_node("west")), set(found.skus)) == (set(), {"o1"}, set())
    found.drop("o1")
    assert set(found.at_node("west")) == set()


async def test_parcels_that_are_counted_no_more_leave_nothing_behind(world: Watched) -> None:
    """What was counted one by one and taken out again is as if it had never been counted."""
    world.at(24)
    view, now = await world.engine.reference.current(), world.clock.now()
    due = date(2026, 11, 20).toordinal()
    late, in_time = Sighting("east", due, None, 4), Sighting("east", due, due, 1)
    tally = NodeTally()
    tally.begin([], now)
    tally.add([late, in_time, late])
    assert await tally.count(view, now) == {"east"}
    assert tally.nodes.behind_days == {"east": 2}
    tally.remove([late, late])
    assert await tally.count(view, now) == {"east"}
    assert tally.nodes.behind_days == {}
    tally.remove([in_time])
    tally.begin([], now)
    assert await tally.count(view, now) == frozenset()


async def test_runs_that_decide_nothing_new_are_no_reason_and_no_step(world: Watched, read: Read) -> None:
    await world.count(east={"MUG": 1})
    await world.order("o1", 3, due=27)
    await world.route()
    await world.alerts("o1")
    before = await world.engine.orders.history("o1")
    first = await world.engine.orders.get("o1")
    run = await world.route()
    order = await world.engine.orders.get("o1")
    assert (order.run_id, order.reservation_id) == (run.run_id, first.reservation_id)
    assert await world.engine.orders.history("o1") == before
    assert await looked_at(world, read) == ["o1"]  # it has seen its own alert
    assert await looked_at(world, read) == []
