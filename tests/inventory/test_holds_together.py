"""Holds that are asked for at the same moment leave together, and each is decided and answered as if it were alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from engine.errors import IdempotencyConflict, IllegalState, InsufficientStock, StoreReplyError, TooManyHolds
from engine.events.actor import acting_as
from engine.inventory.model import Hold, HoldLimit, HoldLine, Outcome, PositionCount, Replay, Reservation
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys

TODAY = {"berlin": 738_000, "rome": 738_000}
Result = Outcome[Reservation] | BaseException


def wanted(name: str, units: int = 1, sku: str = "mug", limit: HoldLimit | None = None) -> Hold:
    return Hold(reservation_id=name, lines=(HoldLine(sku=sku, node_id="berlin", quantity=units),), limit=limit)


def key(name: str, body: str = "body") -> Replay:
    return Replay(digest=name, fingerprint=body)


async def put(store: RedisInventoryStore, on_hand: int, sku: str = "mug") -> None:
    await store.put_positions([PositionCount(sku=sku, node_id="berlin", on_hand=on_hand)])


async def at_once(store: RedisInventoryStore, *holds: tuple[Hold, Replay | None]) -> list[Result]:
    calls = [store.hold(hold, today=TODAY, replay=replay) for hold, replay in holds]
    return await asyncio.gather(*calls, return_exceptions=True)


async def held(store: RedisInventoryStore, sku: str = "mug") -> int:
    return (await store.read([sku])).position(0, 0).held


async def function_calls(client: MultiplexedClient) -> int:
    """Return how many functions the server has run."""
    stats = (await client.call("INFO", "commandstats")).decode()
    return int(stats.split("cmdstat_fcall:calls=")[1].split(",")[0])


async def test_holds_of_one_moment_leave_as_one_or_two_calls(
    redis_store: RedisInventoryStore, client: MultiplexedClient
) -> None:
    await put(redis_store, 100)
    before = await function_calls(client)
    found = await at_once(redis_store, *((wanted(f"r{i}"), None) for i in range(60)))
    assert all(isinstance(outcome, Outcome) for outcome in found)
    assert await function_calls(client) - before == 2
    assert await held(redis_store) == 60


async def test_each_gets_the_answer_to_its_own_question(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 5)
    found = await at_once(redis_store, *((wanted(f"r{i}", 2), None) for i in range(4)))
    names = [outcome.value.reservation_id for outcome in found if isinstance(outcome, Outcome)]
    assert names == ["r0", "r1"]
    assert [type(outcome) for outcome in found[2:]] == [InsufficientStock] * 2


async def test_one_that_has_expired_and_comes_again_gives_its_units_back_once(redis_store: RedisInventoryStore) -> None:
    """The seeded bug: what the call has expired is read anew, and expires once more."""
    await put(redis_store, 5)
    await redis_store.hold(replace(wanted("a", 2), ttl_seconds=0.05), today=TODAY)
    await redis_store.hold(wanted("b", 3), today=TODAY)
    await asyncio.sleep(0.1)
    found = await at_once(redis_store, *((wanted(name, 2), None) for name in ("a", "c", "d")))
    assert [type(outcome) for outcome in found] == [IllegalState, Outcome, InsufficientStock]
    assert await held(redis_store) == 5


async def test_a_key_that_comes_twice_at_the_same_moment_has_one_effect(redis_store: RedisInventoryStore) -> None:
    """The seeded bug: records looked up before any of them is written, so that both hold."""
    await put(redis_store, 5)
    found = await at_once(redis_store, (wanted("a"), key("k")), (wanted("b"), key("k")), (wanted("c"), key("other")))
    outcomes = [outcome for outcome in found if isinstance(outcome, Outcome)]
    assert [(outcome.value.reservation_id, outcome.replayed) for outcome in outcomes] == [
        ("a", False),
        ("a", True),
        ("c", False),
    ]
    assert await held(redis_store) == 2


async def test_answers_are_kept_under_the_key_of_each(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 5)
    first = await at_once(redis_store, (wanted("a"), key("ka")), (wanted("b", 9), key("kb")), (wanted("c"), None))
    again = await at_once(redis_store, (wanted("x"), key("ka")), (wanted("y", 9), key("kb")))
    alone = await redis_store.hold(wanted("z"), today=TODAY, replay=key("ka"))
    assert isinstance(first[0], Outcome)
    assert isinstance(again[0], Outcome)
    assert first[0].value == again[0].value == alone.value
    assert again[0].replayed
    assert isinstance(again[1], InsufficientStock)
    assert again[1].replayed
    assert await held(redis_store) == 2


async def test_another_body_under_a_key_is_refused_and_the_others_go_on(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 5)
    found = await at_once(
        redis_store,
        (wanted("a"), key("k", "one")),
        (wanted("b"), key("k", "two")),
        (wanted("c"), None),
    )
    assert [type(outcome) for outcome in found] == [Outcome, IdempotencyConflict, Outcome]
    late = await at_once(redis_store, (wanted("d"), key("k", "three")), (wanted("e"), None))
    assert [type(outcome) for outcome in late] == [IdempotencyConflict, Outcome]
    assert await held(redis_store) == 3


async def test_the_history_says_who_held_what(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 5)
    await put(redis_store, 5, "cup")

    async def as_shop(name: str, sku: str) -> None:
        with acting_as(name):
            await redis_store.hold(wanted(f"of {name} {sku}", sku=sku), today=TODAY)

    await asyncio.gather(as_shop("one", "mug"), as_shop("two", "mug"), as_shop("three", "cup"))
    of_mug = (await redis_store.history("mug", "berlin")).events[0]
    assert (of_mug.act, of_mug.who, of_mug.whys) == ("hold", "one, two", ("of one mug", "of two mug"))
    assert (await redis_store.history("cup", "berlin")).events[0].who == "three"


async def test_a_hold_that_the_store_cannot_do_fails_alone(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: whoever asks at the same moment as a hold on a damaged cell is failed with it."""
    await put(redis_store, 5)
    await put(redis_store, 5, "cup")
    await client.call("SETRANGE", keys.stock("cup"), 16, b"\xff\xff\xff\xff")  # a version beyond all versions
    found = await at_once(redis_store, (wanted("a"), None), (wanted("b", sku="cup"), None), (wanted("c"), None))
    assert [type(outcome) for outcome in found] == [Outcome, StoreReplyError, Outcome]
    assert await held(redis_store) == 2


async def test_a_caller_that_gives_up_takes_nobody_along(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 5)
    tasks = [asyncio.create_task(redis_store.hold(wanted(f"r{i}"), today=TODAY)) for i in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in found] == [Outcome, asyncio.CancelledError, Outcome]


async def test_callers_who_do_not_agree_about_the_day_are_each_taken_at_their_word(
    redis_store: RedisInventoryStore,
) -> None:
    """At midnight: for one caller the day is over, so what ships on it is dated no more."""
    await put(redis_store, 5)
    day = date.fromordinal(738_001)

    async def hold(name: str, today: int) -> None:
        line = HoldLine(sku="mug", node_id="berlin", quantity=1, ship_on=day)
        await redis_store.hold(Hold(reservation_id=name, lines=(line,)), today={"berlin": today})

    await asyncio.gather(hold("a", 738_000), hold("b", 738_001), hold("c", 738_000))
    position = (await redis_store.read(["mug"])).position(0, 0)
    assert (position.held, [demand.quantity for demand in position.dated]) == (1, [2])


async def test_a_limit_of_open_holds_counts_those_of_the_same_moment(redis_store: RedisInventoryStore) -> None:
    await put(redis_store, 9)
    limit = HoldLimit(holder="key_a", most=2)
    asked = [(wanted(f"r{i}", limit=limit), key(f"k{i}")) for i in range(4)]
    found = await at_once(redis_store, *asked)
    assert [type(outcome) for outcome in found] == [Outcome, Outcome, TooManyHolds, TooManyHolds]
    await redis_store.cancel("r0")
    again = await at_once(redis_store, asked[2], asked[3])
    assert [type(outcome) for outcome in again] == [Outcome, TooManyHolds]
    with pytest.raises(TooManyHolds, match="key_a"):
        await redis_store.hold(wanted("late", limit=limit), today=TODAY)


async def test_expiry_stops_after_some_thousand_lines_so_that_others_are_served(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: a bound on reservations only, behind which one hold waits for a million lines."""
    await put(redis_store, 10_000)
    lines = tuple(HoldLine(sku="mug", node_id="berlin", quantity=1) for _ in range(500))
    for number in range(12):
        await redis_store.hold(Hold(reservation_id=f"large{number}", lines=lines, ttl_seconds=0.001), today=TODAY)
    await asyncio.sleep(0.01)
    expired = await client.fcall("allot_sweep_v1", [keys.deadlines], ["test", 1000])
    assert 1 <= expired <= 7
    await redis_store.sweep()
    assert await held(redis_store) == 0
