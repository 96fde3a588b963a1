"""A promise is kept for its life, so that a reservation can name it; in memory and in the real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import InvalidInput, NotFound, PromiseExpired, PromiseStale
from engine.inventory.model import Hold, HoldLine
from engine.promising.store import RedisPromiseStore

both_stores = pytest.mark.parametrize("world", ["memory", "redis"], indirect=True)


@both_stores
async def test_an_option_says_what_to_hold_kits_as_products(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5), ("a", "saucer", 5))
    promise = await world.promise(("set", 2), ("cup", 1))
    lines = (await world.service.promised_hold(promise.promise_id, promise.options[0].option_id)).lines
    assert lines == (
        HoldLine(sku="cup", quantity=4, node_id="a", ship_on=day(0)),
        HoldLine(sku="saucer", quantity=2, node_id="a", ship_on=day(0)),
        HoldLine(sku="cup", quantity=1, node_id="a", ship_on=day(0)),
    )


@both_stores
async def test_every_option_can_be_held(world: Any) -> None:
    """A later supply makes dated demand; holding one option after another takes the stock the promise saw."""
    await world.stock(("a", "cup", 3))
    await world.supply("a", "cup", 3, in_days=2)
    today = {"a": world.clock.now().date().toordinal()}
    for number in range(2):
        promise = await world.promise(("cup", 3))
        lines = (await world.service.promised_hold(promise.promise_id, promise.options[0].option_id)).lines
        await world.inventory.hold(Hold(reservation_id=f"res_{number}", lines=lines), today=today)
    assert (await world.promise(("cup", 3))).options == ()


@both_stores
async def test_an_unknown_option_or_promise_is_named(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    with pytest.raises(InvalidInput, match="has no option 'opt_9'"):
        await world.service.promised_hold(promise.promise_id, "opt_9")
    for unknown in ("prm_zz", "prm_", "", f"prm_{'f' * 28}"):
        with pytest.raises(NotFound, match="Ask for a new one"):
            await world.service.promised_hold(unknown, "opt_1")


async def test_a_promise_expires(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    world.clock.advance(timedelta(seconds=899))
    assert await world.service.promised_hold(promise.promise_id, "opt_1")
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(PromiseExpired):
        await world.service.promised_hold(promise.promise_id, "opt_1")
    await world.promise(("cup", 1))  # a later promise forgets the earlier one
    with pytest.raises(PromiseExpired):
        await world.service.promised_hold(promise.promise_id, "opt_1")


async def test_a_day_that_can_no_longer_be_kept_is_stale_and_asked_for_again_it_is_a_later_one(
    world: Any, day: Any
) -> None:
    """At 14:55 a parcel still leaves today; five minutes later, within the life of the promise, it does not."""
    await world.stock(("a", "cup", 5))
    world.clock.advance(timedelta(hours=2, minutes=55))
    promise = await world.promise(("cup", 1))
    assert promise.options[0].shipments[0].ship_on == day(0)
    assert await world.service.promised_hold(promise.promise_id, "opt_1")
    world.clock.advance(timedelta(minutes=5))
    with pytest.raises(PromiseStale, match="on 2026-03-05 at the earliest; promised was 2026-03-04"):
        await world.service.promised_hold(promise.promise_id, "opt_1")
    fresh = await world.service.fresh(promise.promise_id)
    assert fresh.promise_id != promise.promise_id
    assert fresh.options[0].promised_on == day(3)
    assert await world.service.promised_hold(fresh.promise_id, "opt_1")


async def test_a_day_that_is_kept_by_later_stock_is_not_stale_when_a_cut_off_passes(world: Any, day: Any) -> None:
    await world.supply("a", "cup", 5, in_days=2)
    world.clock.advance(timedelta(hours=2, minutes=55))
    promise = await world.promise(("cup", 1))
    world.clock.advance(timedelta(minutes=5))
    hold = await world.service.promised_hold(promise.promise_id, "opt_1")
    assert [line.ship_on for line in hold.lines] == [day(2)]


async def test_a_service_that_does_not_come_any_more_makes_an_option_stale(world: Any, network: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    network["nodes"][0]["services"] = ["air"]
    await world.put_network(network)
    with pytest.raises(PromiseStale, match="a does not ship by ground any more"):
        await world.service.promised_hold(promise.promise_id, "opt_1")
    assert [option.labels for option in (await world.service.fresh(promise.promise_id)).options]


@pytest.mark.parametrize("pickup_node_id", [None, "a"])
async def test_a_node_that_has_closed_for_good_makes_an_option_stale(
    world: Any, network: Any, pickup_node_id: str | None
) -> None:
    """Seeded bug: the day that never comes is written as a date."""
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), pickup_node_id=pickup_node_id)
    network["nodes"][0]["closures"] = [{"from": "2026-03-01", "to": "2031-01-01"}]
    await world.put_network(network)
    with pytest.raises(PromiseStale, match="any more"):
        await world.service.promised_hold(promise.promise_id, promise.options[0].option_id)


async def test_an_expired_promise_can_be_asked_for_again_for_as_long_again(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    world.clock.advance(timedelta(seconds=901))
    with pytest.raises(PromiseExpired):
        await world.service.promised_hold(promise.promise_id, "opt_1")
    assert (await world.service.fresh(promise.promise_id)).options
    world.clock.advance(timedelta(seconds=900))
    assert await world.service.fresh(promise.promise_id) is None


@pytest.mark.parametrize("world", ["redis"], indirect=True)
async def test_another_process_finds_a_promise_and_the_store_expires_it(world: Any, client: Any, keys: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    elsewhere = RedisPromiseStore(client, keys)
    assert await elsewhere.find(promise.promise_id) is not None
    life = await client.call("PTTL", keys.named("promise", promise.promise_id))
    assert 1_790_000 < life <= 1_800_000  # twice its life, to be renewed


@pytest.mark.parametrize("world", ["redis"], indirect=True)
async def test_a_promise_is_found_before_it_is_written(world: Any, client: Any, keys: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    assert await client.call("EXISTS", keys.named("promise", promise.promise_id)) == 0
    assert await world.service.promised_hold(promise.promise_id, "opt_1")
    await world.promises.settle()
    assert await client.call("EXISTS", keys.named("promise", promise.promise_id)) == 1
    assert await world.service.promised_hold(promise.promise_id, "opt_1")
