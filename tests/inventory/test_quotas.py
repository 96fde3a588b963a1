"""Channel quotas: what a channel has not used of its own is there for it, whatever the others take."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.errors import InsufficientStock, Unavailable
from engine.inventory.drift import Drift
from engine.inventory.model import Hold, HoldLine, PositionCount, Supply
from engine.inventory.quotas import PositionQuotas, Quota
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.storage.client import MultiplexedClient, Part
from engine.storage.keys import Keys
from tests.inventory.conftest import Stock

LONG_AGO, SOMEDAY = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


async def put(stock: Stock, *quotas: Quota, sku: str = "mug", node_id: str = "berlin") -> tuple[Quota, ...]:
    """Put the quotas of one position, and return them as they are now."""
    (found,) = await stock.store.put_quotas([PositionQuotas(sku=sku, node_id=node_id, quotas=quotas)])
    return found.quotas


async def hold(stock: Stock, name: str, quantity: int, channel: str | None, *, ship_on: date | None = None) -> None:
    line = HoldLine(sku="mug", node_id="berlin", quantity=quantity, ship_on=ship_on)
    await stock.store.hold(Hold(reservation_id=name, lines=(line,), channel=channel), today=stock.today)


async def free(stock: Stock, channel: str | None) -> int:
    """Return what is available to a channel, as the refusal of too much says."""
    with pytest.raises(InsufficientStock) as refused:
        await hold(stock, f"too-much-{random.random()}", 10**6, channel)
    return refused.value.lines[0].available


async def used(stock: Stock) -> list[int]:
    (position,) = await stock.store.positions("mug")
    assert position.quotas is not None
    return [quota.used for quota in position.quotas]


async def test_a_reserve_is_there_for_its_channel_and_for_nobody_else(stock: Stock) -> None:
    await stock.count(10)
    await put(stock, Quota(channel="web", reserve=4))
    assert [await free(stock, channel) for channel in ("web", "shop", None)] == [10, 6, 6]
    await hold(stock, "a", 6, "shop")
    assert [await free(stock, channel) for channel in ("web", "shop", None)] == [4, 0, 0]
    await hold(stock, "b", 4, "web")
    assert await free(stock, "web") == 0


async def test_without_overflow_a_channel_takes_no_more_than_its_own(stock: Stock) -> None:
    await stock.count(10)
    await put(stock, Quota(channel="web", reserve=3, overflow=False))
    assert [await free(stock, channel) for channel in ("web", "shop")] == [3, 7]
    await hold(stock, "a", 2, "web")
    assert [await free(stock, channel) for channel in ("web", "shop")] == [1, 7]


async def test_a_share_is_of_what_is_there_now_and_not_kept_back(stock: Stock) -> None:
    await stock.count(21, safety_stock=2)
    await put(stock, Quota(channel="web", share=50))
    assert await free(stock, "shop") == 10
    await stock.count(9, safety_stock=2)
    assert await free(stock, "shop") == 4
    line = HoldLine(sku="mug", node_id="berlin", quantity=100)
    too_many = Hold(reservation_id="b", lines=(line,), channel="shop")
    with pytest.raises(InsufficientStock) as refused:
        await stock.store.hold(too_many, today=stock.today, buffers={("mug", "berlin"): 5})
    assert refused.value.lines[0].available == 2


async def test_a_released_quota_is_as_if_it_were_not_there(stock: Stock) -> None:
    await stock.count(10)
    clock = getattr(stock.store, "_clock", None)
    soon = (clock.now() if clock else datetime.now(UTC)) + timedelta(seconds=0.5)
    await put(
        stock,
        Quota(channel="web", reserve=4, overflow=False, release_at=soon),
        Quota(channel="shop", reserve=1, release_at=SOMEDAY),
        Quota(channel="fair", reserve=2, release_at=LONG_AGO),
    )
    assert [await free(stock, channel) for channel in ("web", "shop", "fair", None)] == [4, 6, 5, 5]
    await stock.wait(0.6)
    assert [await free(stock, channel) for channel in ("web", "shop", "fair", None)] == [9, 10, 9, 9]


async def test_a_reserve_stands_again_once_its_units_are_consumed_cancelled_or_expired(stock: Stock) -> None:
    await stock.count(20)
    await put(stock, Quota(channel="web", reserve=8))
    await hold(stock, "consumed", 3, "web")
    await hold(stock, "cancelled", 2, "web", ship_on=stock.day(5))
    await hold(stock, "other", 1, None)
    brief = Hold(
        reservation_id="expired",
        lines=(stock.line(1),),
        channel="web",
        ttl_seconds=0.01,
    )
    await stock.store.hold(brief, today=stock.today)
    assert await used(stock) == [6]
    await stock.wait(0.02)
    await stock.store.sweep()
    assert await used(stock) == [5]
    await stock.store.confirm("consumed")
    assert await used(stock) == [5]
    await stock.store.consume("consumed", lines=[stock.line(1)])
    assert await used(stock) == [4]
    await stock.store.cancel("cancelled", lines=[stock.line(1, ship_on=stock.day(5))])
    await stock.store.cancel("cancelled")
    assert await used(stock) == [2]
    await stock.store.cancel("consumed")
    assert await used(stock) == [0]
    assert await free(stock, None) == 20 - 1 - 1 - 8


async def test_quotas_put_over_open_reservations_count_them(stock: Stock) -> None:
    """The seeded bug: quotas that begin with nothing used keep back what their channel has already."""
    await stock.count(20)
    await hold(stock, "a", 3, "web")
    await hold(stock, "b", 2, "web", ship_on=stock.day(4))
    await hold(stock, "c", 4, "shop")
    await stock.store.confirm("a")
    (web, fair) = await put(stock, Quota(channel="web", reserve=6), Quota(channel="fair", reserve=1))
    assert (web.used, fair.used) == (5, 0)
    (shop, web) = await put(stock, Quota(channel="shop", share=10), Quota(channel="web", reserve=7))
    assert (shop.used, web.used) == (4, 5)
    assert await free(stock, None) == 20 - 9 - 2
    await stock.store.cancel("b")
    assert await used(stock) == [4, 3]


async def test_an_empty_list_removes_the_quotas_of_its_position_only(stock: Stock) -> None:
    await stock.count(10)
    await stock.count(10, node_id="rome")
    quota = Quota(channel="web", reserve=4)
    places = [PositionQuotas(sku="mug", node_id=node_id, quotas=(quota,)) for node_id in ("berlin", "rome")]
    await stock.store.put_quotas(places)
    assert await put(stock) == ()
    shown = {position.node_id: position.quotas for position in await stock.store.positions("mug")}
    assert shown == {"berlin": (), "rome": (quota,)}
    assert await free(stock, "shop") == 10
    await put(stock)


async def test_of_too_little_those_listed_first_have_theirs_first(stock: Stock) -> None:
    """The seeded bug: parts that are not bounded by what is there, so that each keeps the units from the other."""
    await stock.count(5)
    await put(stock, Quota(channel="web", reserve=4), Quota(channel="shop", reserve=4))
    assert [await free(stock, channel) for channel in ("web", "shop", None)] == [4, 1, 0]
    await hold(stock, "a", 4, "web")
    await hold(stock, "b", 1, "shop")


async def test_units_that_come_later_are_kept_back_too_and_no_more(stock: Stock) -> None:
    await stock.count(2)
    supply = Supply(supply_id="po", sku="mug", node_id="berlin", quantity=8, expected_on=stock.day(3))
    await stock.store.put_supplies([supply], today=stock.today)
    await put(stock, Quota(channel="web", reserve=5))
    assert await free(stock, "shop") == 0
    with pytest.raises(InsufficientStock):
        await hold(stock, "a", 6, "shop", ship_on=stock.day(3))
    await hold(stock, "a", 5, "shop", ship_on=stock.day(3))
    await hold(stock, "b", 2, "web")
    await hold(stock, "c", 3, "web", ship_on=stock.day(3))
    assert await used(stock) == [5]


async def test_lines_of_one_hold_share_what_their_channel_may_take(stock: Stock) -> None:
    await stock.count(10)
    await put(stock, Quota(channel="web", reserve=4))
    lines = (stock.line(4), stock.line(3, ship_on=stock.day(3)))
    with pytest.raises(InsufficientStock):
        await stock.store.hold(Hold(reservation_id="a", lines=lines, channel="shop"), today=stock.today)
    await stock.store.hold(Hold(reservation_id="a", lines=lines, channel="web"), today=stock.today)


async def test_holds_of_a_batch_see_what_those_before_them_used(stock: Stock) -> None:
    await stock.count(10)
    await put(stock, Quota(channel="web", reserve=4))
    holds = [
        Hold(reservation_id=name, lines=(stock.line(quantity),), channel=channel)
        for name, quantity, channel in (("a", 5, "shop"), ("b", 2, None), ("c", 5, "web"), ("d", 1, "shop"))
    ]
    verdicts = (await stock.store.hold_many(holds, today=stock.today)).value
    assert [isinstance(verdict, InsufficientStock) for verdict in verdicts] == [False, True, False, True]
    assert await used(stock) == [5]


async def test_what_crosses_partitions_is_used_in_each(stock: Stock) -> None:
    """The seeded bug: a part that forgets the channel of its reservation."""
    skus = ("mug", "cup", "pot")
    for sku in skus:
        await stock.count(10, sku=sku)
        await put(stock, Quota(channel="web", reserve=8), sku=sku)

    async def used_of_all() -> list[int]:
        views = await stock.store.read(skus)
        return [views.quotas[i, views.node_ids.index("berlin")][0].used for i in range(len(skus))]

    lines = tuple(stock.line(5, sku=sku) for sku in skus)
    await stock.store.hold(Hold(reservation_id="a", lines=lines, channel="web"), today=stock.today)
    with pytest.raises(InsufficientStock):
        await stock.store.hold(Hold(reservation_id="b", lines=lines, channel="shop"), today=stock.today)
    assert await used_of_all() == [5, 5, 5]
    await stock.store.confirm("a")
    await stock.store.consume("a", lines=[stock.line(2, sku=sku) for sku in skus])
    assert await used_of_all() == [3, 3, 3]
    await stock.store.cancel("a", lines=[stock.line(1, sku="cup")])
    assert await used_of_all() == [3, 2, 3]
    await stock.store.cancel("a")
    assert await used_of_all() == [0, 0, 0]


async def test_many_clients_of_other_channels_never_eat_a_reserve(stock: Stock) -> None:
    await stock.count(60)
    await put(stock, Quota(channel="web", reserve=20), Quota(channel="shop", share=25))

    async def grab(channel: str | None) -> int:
        taken = 0
        for _ in range(30):
            try:
                await hold(stock, f"{channel}-{random.random()}", 1, channel)
            except InsufficientStock:
                break
            taken += 1
        return taken

    fair, pool = await asyncio.gather(grab("fair"), grab(None))
    assert fair + pool == 60 - 20 - 15
    assert await asyncio.gather(grab("web"), grab("shop")) == [20, 15]


async def test_a_refreshed_view_has_the_quotas_of_a_fresh_one(stock: Stock) -> None:
    """The seeded bug: a view that follows the cells of the journal and keeps the quotas it had."""
    rng, view = random.Random(5), await stock.store.snapshot()
    names: list[str] = []
    for node_id, sku in (("berlin", "mug"), ("rome", "mug"), ("berlin", "cup")):
        await stock.count(50, sku=sku, node_id=node_id)
    for step in range(60):
        place = {"sku": rng.choice(("mug", "cup")), "node_id": rng.choice(("berlin", "rome"))}
        if rng.random() < 0.3:
            quota = Quota(channel=rng.choice(("web", "shop")), reserve=rng.randint(0, 5))
            await put(stock, *((quota,) if rng.random() < 0.8 else ()), **place)
        elif rng.random() < 0.7:
            names.append(f"r{step}")
            wanted = Hold(reservation_id=names[-1], lines=(HoldLine(quantity=1, **place),), channel="web")
            try:
                await stock.store.hold(wanted, today=stock.today)
            except InsufficientStock:
                names.pop()
        elif names:
            await stock.store.cancel(names.pop())
        if rng.random() < 0.5:
            view = await stock.store.refresh(view)
            fresh = await stock.store.snapshot()
            assert [view.positions(i) for i in range(len(view.skus))] == [
                fresh.positions(i) for i in range(len(fresh.skus))
            ]


async def test_quotas_of_a_reader_that_has_seen_none_yet_are_read(
    redis_store: RedisInventoryStore, client, keys
) -> None:  # type: ignore[no-untyped-def]
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=5)])
    reader = RedisInventoryStore(client, keys)
    assert (await reader.read(["mug"])).quotas == {}
    quota = Quota(channel="web", reserve=2)
    await redis_store.put_quotas([PositionQuotas(sku="mug", node_id="berlin", quotas=(quota,))])
    assert (await reader.read(["cup", "mug"])).quotas == {(1, 0): (quota,)}


class Meddler:
    """A client that changes something just before quotas are put with what was counted."""

    def __init__(self, client: MultiplexedClient, meddle: Callable[[int], Any]) -> None:
        self._client, self._meddle, self.calls = client, meddle, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        if function == "allot_put_quotas_v1":
            self.calls += 1
            await self._meddle(self.calls)
        return await self._client.fcall(function, keys, args)


def wanted(name: str, quantity: int) -> Hold:
    line = HoldLine(sku="mug", node_id="berlin", quantity=quantity)
    return Hold(reservation_id=name, lines=(line,), channel="web")


async def test_what_is_reserved_while_reservations_are_counted_is_counted(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: quotas written with a count of reservations that the position has left behind."""
    today = {"berlin": 738_000}
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=50)])
    await redis_store.hold(wanted("a", 3), today=today)

    async def meddle(call: int) -> None:
        if call in {2, 3}:
            await redis_store.hold(wanted(f"late-{call}", 2), today=today)

    store: InventoryStore = RedisInventoryStore(Meddler(client, meddle), keys)  # type: ignore[arg-type]
    quotas = [PositionQuotas(sku="mug", node_id="berlin", quotas=(Quota(channel="web", reserve=20),))]
    (found,) = await store.put_quotas(quotas)
    assert found.quotas[0].used == 7
    for name in ("a", "late-2", "late-3"):
        await redis_store.cancel(name)

    async def always(call: int) -> None:
        await redis_store.hold(wanted(f"always-{call}", 1), today=today)

    store = RedisInventoryStore(Meddler(client, always), keys)  # type: ignore[arg-type]
    await redis_store.put_quotas([PositionQuotas(sku="mug", node_id="berlin", quotas=())])
    with pytest.raises(Unavailable, match="quieter time"):
        await store.put_quotas(quotas)
    assert (await redis_store.read(["mug"])).quotas == {}


async def test_the_reconciler_finds_and_repairs_what_channels_use(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    today = {"berlin": 738_000}
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=50)])
    quotas = (Quota(channel="shop", reserve=5), Quota(channel="web", reserve=20))
    await redis_store.put_quotas([PositionQuotas(sku="mug", node_id="berlin", quotas=quotas)])
    await redis_store.hold(wanted("a", 3), today=today)
    await redis_store.hold(wanted("b", 4), today=today)
    reconciler = Reconciler(client, keys)
    assert (await reconciler.reconcile()).drifts == ()
    await client.call("DEL", keys.reservation("b"))
    about = {"sku": "mug", "node_id": "berlin", "day": None, "booked": 7, "reserved": 3}
    held, web = Drift(quantity="held", **about), Drift(quantity="used", channel="web", **about)  # type: ignore[arg-type]
    assert (await reconciler.reconcile()).drifts == (held, web)
    repaired = await reconciler.reconcile(repair=True)
    assert [drift.is_repaired for drift in repaired.drifts] == [True, True]
    assert (await reconciler.reconcile()).drifts == ()
    assert [quota.used for quota in (await redis_store.read(["mug"])).quotas[0, 0]] == [0, 3]
