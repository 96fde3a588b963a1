"""Supplies that more reservations wait for than one step may look at: their lines follow page by page."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.clock import SettableClock
from engine.inventory import redis_long_queues
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Hold, HoldLine, Replay, Supply
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.storage.client import MultiplexedClient, Part
from engine.storage.keys import Keys
from tests.inventory.conftest import Days, Stock

NAMES = [f"r{i:02}" for i in range(40)]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_long_queues, "MOST_AT_ONCE", 4)


def supply(quantity: int, day: int, supply_id: str = "po-1") -> Supply:
    return Supply(supply_id=supply_id, node_id="berlin", sku="mug", quantity=quantity, expected_on=Stock.day(day))


async def fill(store: InventoryStore) -> None:
    """Let forty reservations wait for po-1, some to ship later than it comes, and one for po-2."""
    rng = random.Random(2)
    await store.put_supplies([supply(200, 10), supply(9, 12, "po-2")], today=Days())
    for name in NAMES:
        ship_on = rng.choice([None, None, Stock.day(11), Stock.day(14), Stock.day(30)])
        units = rng.randrange(1, 4)
        lines = (HoldLine(sku="mug", node_id="berlin", quantity=units, supply_id="po-1", ship_on=ship_on),)
        await store.hold(Hold(reservation_id=name, lines=lines), today=Days())
    line = HoldLine(sku="mug", node_id="berlin", quantity=1, supply_id="po-2")
    await store.hold(Hold(reservation_id="other", lines=(line,)), today=Days())


async def days_of(store: InventoryStore) -> list[int]:
    lines = [(await store.get_reservation(name)).lines[0] for name in NAMES]
    return [(line.ship_on - Stock.day(0)).days for line in lines if line.ship_on is not None]


async def test_lines_follow_in_pages_as_they_do_in_one_step(redis_store: RedisInventoryStore) -> None:
    """Later, earlier, too small, both, gone: answers and days are those of the store that does it in one step."""
    memory = MemoryInventoryStore(SettableClock(datetime(2026, 3, 2, 9, tzinfo=UTC)))
    for store in (redis_store, memory):
        await fill(store)
    for quantity, day in ((200, 16), (200, 5), (30, 5), (30, 12), (200, 12), (7, 9), (0, 9)):
        paged = (await redis_store.put_supplies([supply(quantity, day)], today=Days())).value
        at_once = (await memory.put_supplies([supply(quantity, day)], today=Days())).value
        key = lambda line: line.reservation_id  # noqa: E731
        assert sorted(paged, key=key) == sorted(at_once, key=key), (quantity, day)
        assert await days_of(redis_store) == await days_of(memory)
        one, other = [(await store.read(["mug"])).positions(0) for store in (redis_store, memory)]
        assert one == other


async def test_lines_of_one_reservation_for_as_many_units_are_told_apart(redis_store: RedisInventoryStore) -> None:
    """The seeded bug: lines known by reservation and units, of which the second has the day of the first."""
    await fill(redis_store)
    one = HoldLine(sku="mug", node_id="berlin", quantity=1, supply_id="po-1")
    hold = Hold(reservation_id="twice", lines=(one, replace(one, ship_on=Stock.day(14))))
    await redis_store.hold(hold, today=Days())
    affected = (await redis_store.put_supplies([supply(200, 12)], today=Days())).value
    days = [(line.ship_on_before, line.ship_on) for line in affected if line.reservation_id == "twice"]
    assert days == [(Stock.day(10), Stock.day(12))]


async def test_the_answer_of_pages_comes_again_for_its_key(redis_store: RedisInventoryStore) -> None:
    await fill(redis_store)
    replay = Replay(digest="put-1", fingerprint="a")
    first = await redis_store.put_supplies([supply(200, 20)], today=Days(), replay=replay)
    assert len(first.value) > 20
    again = await redis_store.put_supplies([supply(200, 20)], today=Days(), replay=replay)
    assert (again.value, again.replayed) == (first.value, True)


class Dying:
    """A client that looks at the store after each page, and dies after so many."""

    def __init__(self, client: MultiplexedClient, look: Callable[[], Awaitable[None]], pages: int) -> None:
        self._client, self._look, self._left = client, look, pages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        if function == "allot_redate_lines_v1":
            self._left -= 1
            if self._left < 0:
                raise ConnectionError("dead")
        reply = await self._client.fcall(function, keys, args)
        await self._look()
        return reply


@pytest.mark.parametrize("day", [5, 16])
async def test_whenever_a_process_dies_no_line_ships_before_its_supply_and_the_next_try_goes_on(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys, day: int
) -> None:
    """The seeded bug: moving the supply first where it comes later, or the lines first where it comes earlier."""

    async def look() -> None:
        view = await redis_store.read(["mug"])
        expected = {each.supply_id: each.expected_on.toordinal() for each in view.position(0, 0).supplies}
        for on, _, supply_id in view.pegs.get((0, 0), ()):
            assert on >= expected[supply_id]

    await fill(redis_store)
    deaths = 0
    for pages in range(1, 40):
        dying: Any = Dying(client, look, pages)
        try:
            await RedisInventoryStore(dying, keys).put_supplies([supply(200, day)], today=Days())
            break
        except ConnectionError:
            deaths += 1
    assert deaths > 5
    assert await client.call("EXISTS", keys.named("following")) == 0
    lines = [(await redis_store.get_reservation(name)).lines[0] for name in NAMES]
    wanted = {name: max(day, number) for name, number in zip(NAMES, await own_days(), strict=True)}
    assert {
        name: (line.ship_on - Stock.day(0)).days for name, line in zip(NAMES, lines, strict=True) if line.ship_on
    } == wanted


async def test_lines_go_on_following_when_the_same_key_comes_again(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: the stored answer given at once, and nobody ever takes the rest of the lines along."""

    async def look() -> None:
        return None

    await fill(redis_store)
    replay = Replay(digest="put-1", fingerprint="a")
    dying: Any = Dying(client, look, 14)
    with pytest.raises(ConnectionError):
        await RedisInventoryStore(dying, keys).put_supplies([supply(200, 5)], today=Days(), replay=replay)
    assert await client.call("HLEN", keys.named("following")) == 1
    again = await redis_store.put_supplies([supply(200, 5)], today=Days(), replay=replay)
    assert again.replayed
    assert await client.call("HLEN", keys.named("following")) == 0
    assert await days_of(redis_store) == [max(5, own) for own in await own_days()]


async def own_days() -> list[int]:
    """Return the day that each reservation asked for, 0 for none."""
    rng, found = random.Random(2), list[int]()
    for _ in NAMES:
        ship_on = rng.choice([None, None, Stock.day(11), Stock.day(14), Stock.day(30)])
        rng.randrange(1, 4)
        found.append(0 if ship_on is None else (ship_on - Stock.day(0)).days)
    return found


class Overtaking:
    """A client before whose calls that put supplies behind pages somebody pegs a line; the first three of them."""

    def __init__(self, client: MultiplexedClient, store: RedisInventoryStore) -> None:
        self._client, self._store = client, store
        self.made: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        if function == "allot_put_supplies_v1" and len(args) > 5 and len(self.made) < 3:
            self.made.append(f"new-{len(self.made)}")
            line = HoldLine(sku="mug", node_id="berlin", quantity=1, supply_id="po-1")
            await self._store.hold(Hold(reservation_id=self.made[-1], lines=(line,)), today=Days())
        return await self._client.fcall(function, keys, args)


@pytest.mark.parametrize("day", [5, 16])
async def test_lines_that_are_pegged_while_others_follow_are_not_left_behind(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys, day: int
) -> None:
    """The seeded bug: a supply that moves behind its pages without looking who has come meanwhile."""
    await fill(redis_store)
    overtaking: Any = Overtaking(client, redis_store)
    affected = (await RedisInventoryStore(overtaking, keys).put_supplies([supply(200, day)], today=Days())).value
    assert overtaking.made
    for name in overtaking.made:
        assert (await redis_store.get_reservation(name)).lines[0].ship_on == Stock.day(day)
    if day == 16:
        assert len(overtaking.made) == 3
        moved = {line.reservation_id for line in affected}
        assert moved >= {name for name, own in zip(NAMES, await own_days(), strict=True) if own < day}
