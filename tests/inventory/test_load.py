"""The load book on both stores: what reservations are to take of nodes, by day, and what puts it right."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from engine.clock import SettableClock, SystemClock
from engine.inventory.load import LoadBook, NodeLoad, Use, uses_of
from engine.inventory.memory_load import MemoryLoadBook
from engine.inventory.model import HoldLine, Reservation, ReservationState
from engine.inventory.redis_load import LIBRARY, RedisLoadBook
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from engine.storage.client import MultiplexedClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys

TODAY = SystemClock().now().date().toordinal()
"""The store forgets days that are over, by its own clock."""


def no_orders() -> list[Any]:
    return []


@pytest_asyncio.fixture(params=["memory", "redis"])
async def book(request: pytest.FixtureRequest, client: MultiplexedClient, keys: Keys) -> LoadBook:
    if request.param == "memory":
        return MemoryLoadBook(SystemClock(), no_orders)
    await ensure(client, [LIBRARY])
    return RedisLoadBook(client, keys)


async def load(book: LoadBook) -> dict[tuple[str, int], tuple[int, int]]:
    """Units and parcels by node and day, counted from today."""
    units, parcels = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for use in await book.read(TODAY, 10):
        units[use.node_id, use.day - TODAY] += use.units
        parcels[use.node_id, use.day - TODAY] += use.parcels
    return {place: (units[place], parcels[place]) for place in units if units[place] or parcels[place]}


def use(node_id: str, in_days: int, units: int) -> Use:
    return Use(node_id, TODAY + in_days, units, 1)


async def test_uses_of_reservations_add_up_by_node_and_day(book: LoadBook) -> None:
    await book.put("res_1", [use("a", 0, 3), use("b", 2, 1)])
    await book.put("res_2", [use("a", 0, 4)])
    assert await load(book) == {("a", 0): (7, 2), ("b", 2): (1, 1)}


async def test_putting_again_replaces_and_putting_nothing_forgets(book: LoadBook) -> None:
    """Seeded bug: adding the new uses without taking the old ones off."""
    for _ in range(2):
        await book.put("res_1", [use("a", 0, 3)])
    await book.put("res_1", [use("a", 1, 2)])
    assert await load(book) == {("a", 1): (2, 1)}
    await book.put("res_1", ())
    await book.put("res_1", ())
    assert await load(book) == {}


async def test_what_has_left_its_node_stays_counted_on_its_day(book: LoadBook) -> None:
    await book.put("res_1", [use("a", 0, 5)])
    await book.put("res_1", [use("a", 0, 2)], has_left=True)
    assert (await load(book))["a", 0][0] == 5
    await book.put("res_1", ())
    assert (await load(book))["a", 0][0] == 3
    await book.put("res_2", [use("a", 0, 4)])
    await book.put("res_2", (), has_left=True)
    assert (await load(book))["a", 0][0] == 7


async def test_what_leaves_of_an_order_is_not_noted_beside_its_decision(book: LoadBook) -> None:
    """Seeded bug: the rest is noted when the first parcel leaves, and taken off the others' when it is looked at."""
    await book.put("res_1", [use("a", 0, 5)])
    await book.put("res_of_an_order", [use("a", 0, 2)], has_left=True)
    assert await load(book) == {("a", 0): (5, 1)}
    assert list(await book.oldest(9, 0)) == ["res_1"]
    await book.put("res_of_an_order", ())
    assert await load(book) == {("a", 0): (5, 1)}


async def test_a_deadline_that_passes_gives_the_room_back(book: LoadBook) -> None:
    soon = round(SystemClock().now().timestamp() * 1000) + 80
    await book.put("res_1", [use("a", 0, 3)], deadline_ms=soon)
    await book.put("res_2", [use("a", 0, 2)], deadline_ms=soon)
    await book.put("res_2", [use("a", 0, 2)])  # confirmed
    assert await load(book) == {("a", 0): (5, 2)}
    await asyncio.sleep(0.15)
    assert await load(book) == {("a", 0): (2, 1)}


async def test_those_put_longest_ago_are_looked_at_first(book: LoadBook) -> None:
    for name in ("res_1", "res_2", "res_3"):
        await book.put(name, [use("a", 0, 1)])
        await asyncio.sleep(0.005)
    await book.put("res_1", [use("a", 0, 1)])
    await asyncio.sleep(0.005)
    assert list(await book.oldest(2, 0)) == ["res_2", "res_3"]
    assert list(await book.oldest(9, 0)) == ["res_2", "res_3", "res_1"]
    assert list(await book.oldest(9, 60)) == []


async def test_orders_that_were_committed_are_in_the_load(client: MultiplexedClient, keys: Keys) -> None:
    await ensure(client, [LIBRARY])
    await client.call("HSET", keys.capacity(TODAY), "a", "6 2")
    book = RedisLoadBook(client, keys)
    await book.put("res_1", [use("a", 0, 3)])
    assert await load(book) == {("a", 0): (9, 3)}


# What a reservation takes.

LIMITED = frozenset({"a", "b"})


def line(quantity: int, node_id: str = "a", in_days: int | None = None) -> HoldLine:
    ship_on = None if in_days is None else date.fromordinal(TODAY + in_days)
    return HoldLine(sku="cup", quantity=quantity, node_id=node_id, ship_on=ship_on)


def test_lines_of_a_node_and_day_are_one_parcel_and_other_nodes_have_no_load() -> None:
    lines = [line(2), line(3, in_days=0), line(1, in_days=2), line(9, node_id="free"), line(4, node_id="b", in_days=-3)]
    today = {"a": TODAY, "b": TODAY, "free": TODAY}
    assert uses_of(lines, LIMITED, today) == (use("a", 0, 5), use("a", 2, 1), use("b", 0, 4))


class Places:
    """A network of two nodes, of which the first has a capacity."""

    def __init__(self) -> None:
        node = {"kind": "dc", "latitude": 0, "longitude": 0, "time_zone": "UTC", "calendar": "daily"}
        document = {
            "nodes": [node | {"node_id": "a", "capacity_units": 9}, node | {"node_id": "free"}],
            "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
        }
        self.days = NetworkDays(compile_network(NetworkDocument.model_validate(document), 1))


async def test_a_note_that_was_missed_is_put_right_when_it_is_looked_at() -> None:
    """As when a process dies between a change and its note, or a routing run takes the stock of an order over."""
    clock = SettableClock(datetime.fromordinal(TODAY).replace(hour=12, tzinfo=UTC))
    book, places = MemoryLoadBook(clock, no_orders), Places()
    known: dict[str, Reservation] = {}

    async def reservation(reservation_id: str) -> Reservation:
        from engine.errors import NotFound

        if reservation_id not in known:
            raise NotFound("gone")
        return known[reservation_id]

    async def world() -> Places:
        return places

    desk = NodeLoad(book=book, reservation=reservation, world=world, latest=lambda: None, clock=clock)
    for name, state in (("res_1", "held"), ("res_2", "confirmed"), ("res_3", "confirmed"), ("res_4", "held")):
        known[name] = Reservation(
            reservation_id=name,
            state=ReservationState(state),
            expires_at=clock.now() + timedelta(minutes=9) if state == "held" else None,
            lines=(line(2), line(7, node_id="free")),
        )
        await desk.note(known[name])
    assert await load(book) == {("a", 0): (8, 4)}
    assert await desk.look_again() == 0  # they were put just now
    known["res_1"] = Reservation(
        reservation_id="res_1", state=ReservationState.CANCELLED, expires_at=None, lines=(line(2),)
    )
    known["res_2"] = Reservation(
        reservation_id="res_2", state=ReservationState.CONFIRMED, expires_at=None, lines=(line(1, in_days=1),)
    )
    del known["res_4"]
    clock.advance(timedelta(seconds=61))
    assert await desk.look_again() == 4
    assert await load(book) == {("a", 1): (1, 1), ("a", 0): (2, 1)}
