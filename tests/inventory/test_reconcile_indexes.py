"""The reconciler recounts open holds, and looks for reservations where they have to be found, while holds are made."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import date

import pytest

from engine.errors import Refused, TooManyHolds
from engine.inventory.drift import IndexDrift, OpenHoldsDrift
from engine.inventory.model import Hold, HoldLimit, HoldLine, PositionCount, Supply
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.partitions import Partitions
from engine.inventory.redis_open_holds import OpenHoldsCheck
from engine.inventory.redis_reads import StockReads
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.seen_keys import SeenKeys
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys

TODAY = {"berlin": 738_000}
LATER = date.fromordinal(738_005)
ANNA, BEN = HoldLimit(holder="key_anna", most=3), HoldLimit(holder="key_ben", most=10**6)


def hold(
    name: str,
    limit: HoldLimit | None = ANNA,
    *,
    sku: str = "mug",
    ship_on: date | None = None,
    supply: str | None = None,
) -> Hold:
    line = HoldLine(sku=sku, node_id="berlin", quantity=1, ship_on=ship_on, supply_id=supply)
    return Hold(reservation_id=name, lines=(line,), limit=limit)


@pytest.fixture
async def busy(redis_store: RedisInventoryStore) -> RedisInventoryStore:
    """Three holds of anna and two of ben, of which one waits for a supply, one is dated, and one is confirmed."""
    await redis_store.put_positions([PositionCount(sku=sku, node_id="berlin", on_hand=900) for sku in ("mug", "cup")])
    supply = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=9, expected_on=LATER)
    await redis_store.put_supplies([supply], today=TODAY)
    for wanted in (
        *(hold("a1"), hold("a2", sku="cup"), hold("a3", supply="po-1")),
        *(hold("b1", BEN, ship_on=LATER), hold("b2", BEN), hold("free", None)),
    ):
        await redis_store.hold(wanted, today=TODAY)
    await redis_store.confirm("b2")
    return redis_store


async def test_open_holds_that_are_counted_wrong_are_named_and_repaired(
    busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    reconciler = Reconciler(client, keys)
    sound = await reconciler.reconcile()
    assert (sound.open_holds, sound.are_open_holds_judged, sound.is_sound) == ((), True, True)
    counts = keys.named("open_holds")
    await client.call("HSET", counts, "key_anna", 1, "nobody", 4)
    await client.call("HDEL", counts, "key_ben")
    wrong = (
        OpenHoldsDrift(holder="key_anna", booked=1, held=3),
        OpenHoldsDrift(holder="key_ben", booked=0, held=1),
        OpenHoldsDrift(holder="nobody", booked=4, held=0),
    )
    found = await reconciler.reconcile()
    assert (found.open_holds, found.unrepaired) == (wrong, 3)
    repaired = await reconciler.reconcile(repair=True)
    assert repaired.open_holds == tuple(replace(drift, is_repaired=True) for drift in wrong)
    assert repaired.is_sound
    assert (await reconciler.reconcile()).open_holds == ()
    with pytest.raises(TooManyHolds, match="'key_anna' has 3 open holds"):
        await busy.hold(hold("a4"), today=TODAY)
    assert sorted(await client.call("HGETALL", counts)) == [b"1", b"3", b"key_anna", b"key_ben"]


async def test_reservations_that_do_not_stand_under_their_dated_lines_are_named_and_repaired(
    busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await client.call("ZREM", keys.named("dated", "mug"), "a3")
    await client.call("ZADD", keys.named("dated", "cup"), 1, "a2", 2, "gone")
    reconciler = Reconciler(client, keys)
    wrong = (
        IndexDrift(sku="cup", reservation_id="a2", is_entered=True),
        IndexDrift(sku="cup", reservation_id="gone", is_entered=True),
        IndexDrift(sku="mug", reservation_id="a3", is_entered=False),
    )
    found = await reconciler.reconcile()
    assert (found.dated_index, found.drifts, found.unrepaired) == (wrong, (), 3)
    repaired = await reconciler.reconcile(repair=True)
    assert repaired.dated_index == tuple(replace(drift, is_repaired=True) for drift in wrong)
    after = await reconciler.reconcile()
    assert (after.dated_index, after.is_sound) == ((), True)
    moved = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=9, expected_on=date.fromordinal(738_009))
    affected = (await busy.put_supplies([moved], today=TODAY)).value
    assert [line.reservation_id for line in affected] == ["a3"]


async def test_parts_in_other_partitions_stand_under_their_dated_lines_too(
    partitioned_store: PartitionedInventoryStore, client: MultiplexedClient, tenant: str
) -> None:
    skus = [f"sku-{i}" for i in range(6)]
    await partitioned_store.put_positions([PositionCount(sku=sku, node_id="berlin", on_hand=9) for sku in skus])
    lines = tuple(HoldLine(sku=sku, node_id="berlin", quantity=1, ship_on=LATER) for sku in skus)
    await partitioned_store.hold(Hold(reservation_id="wide", lines=lines, limit=ANNA), today=TODAY)
    reconciler = PartitionedReconciler(client, tenant, 4)
    sound = await reconciler.reconcile()
    assert (sound.dated_index, sound.open_holds, sound.is_sound) == ((), (), True)
    for number in range(4):
        for sku in skus:
            await client.call("DEL", Keys(tenant, number).named("dated", sku))
    found = await reconciler.reconcile(repair=True)
    assert sorted(drift.sku for drift in found.dated_index) == skus
    assert {(drift.reservation_id, drift.is_entered, drift.is_repaired) for drift in found.dated_index} == {
        ("wide", False, True)
    }
    assert (await reconciler.reconcile()).is_sound


async def test_holds_that_are_made_and_closed_during_a_check_are_no_drift(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """One holder holds, confirms and cancels all the time; what is wrong with another is found nevertheless.

    The seeded bugs: comparing what a scan has counted with the counts of another moment, and looking for a reservation
    and its entry in two reads.
    """
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=10**6)])
    for i in range(3_000):
        await redis_store.hold(hold(f"r{i}", BEN, ship_on=LATER if i % 3 else None), today=TODAY)
    await client.call("HSET", keys.named("open_holds"), "nobody", 2)
    stop = asyncio.Event()

    async def shop(seed: int) -> None:
        rng, number = random.Random(seed), 10_000 * seed
        while not stop.is_set():
            number += 1
            try:
                await redis_store.hold(hold(f"r{number}", BEN, ship_on=rng.choice([None, LATER])), today=TODAY)
                name = rng.choice([f"r{rng.randrange(3_000)}", f"r{rng.randrange(10_000 * seed + 1, number + 1)}"])
                await rng.choice([redis_store.confirm, redis_store.cancel])(name)
            except Refused:
                pass

    tasks = [asyncio.create_task(shop(seed)) for seed in (1, 2)]
    try:
        found = [await Reconciler(client, keys).reconcile() for _ in range(3)]
    finally:
        stop.set()
        await asyncio.gather(*tasks)
    assert [entry.dated_index for entry in found] == [()] * 3
    assert [entry.are_open_holds_judged for entry in found] == [True] * 3
    assert [entry.open_holds for entry in found] == [(OpenHoldsDrift(holder="nobody", booked=2, held=0),)] * 3


async def test_a_hold_after_the_scan_that_has_all_its_lines_elsewhere_is_no_drift(
    partitioned_store: PartitionedInventoryStore, client: MultiplexedClient, tenant: str
) -> None:
    """The seeded bug: its event at home names no position, so nothing says that it was counted since."""
    hashing = Partitions(number=4)
    home = hashing.of("away")
    away = next(f"sku-{i}" for i in range(100) if hashing.of(f"sku-{i}") != home)
    await partitioned_store.put_positions([PositionCount(sku=away, node_id="berlin", on_hand=9)])
    keys = Keys(tenant, home)
    opens = OpenHoldsCheck(client, keys, StockReads(client, keys))
    await opens.begin()
    await Reconciler(client, keys).tally(None, opens)
    await partitioned_store.hold(hold("away", sku=away), today=TODAY)
    assert not await opens.drifts(repair=True)
    assert await client.call("HGET", keys.named("open_holds"), "key_anna") == b"1"


async def test_a_hold_that_has_all_its_lines_elsewhere_and_expires_beside_another_is_no_drift(
    partitioned_store: PartitionedInventoryStore, client: MultiplexedClient, tenant: str
) -> None:
    """The seeded bug: taking the event of a sweep for one that names all that expired, since it names one."""
    hashing = Partitions(number=4)
    home = hashing.of("away")
    near, away = (
        next(f"sku-{i}" for i in range(100) if (hashing.of(f"sku-{i}") == home) is at) for at in (True, False)
    )
    beside = next(name for name in (f"r{i}" for i in range(100)) if hashing.of(name) == home)
    counts = [PositionCount(sku=sku, node_id="berlin", on_hand=9) for sku in (near, away)]
    await partitioned_store.put_positions(counts)
    for wanted in (hold("away", sku=away), hold(beside, BEN, sku=near)):
        await partitioned_store.hold(replace(wanted, ttl_seconds=0.3), today=TODAY)
    keys = Keys(tenant, home)
    opens = OpenHoldsCheck(client, keys, StockReads(client, keys))
    await opens.begin()
    await Reconciler(client, keys).tally(None, opens)
    await asyncio.sleep(0.35)
    await RedisInventoryStore(client, keys).sweep()
    assert not await opens.drifts(repair=True)
    assert await client.call("HGETALL", keys.named("open_holds")) == []


async def test_holds_of_many_batches_during_a_check_are_not_read_in_one_step(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: a hundred events in one step, however large: two seconds in which the store serves nobody."""
    await redis_store.put_positions([PositionCount(sku=f"s{i}", node_id="berlin", on_hand=99) for i in range(500)])
    opens = OpenHoldsCheck(client, keys, StockReads(client, keys))
    await opens.begin()
    epoch = int(await client.call("GET", keys.stock_epoch))
    for batch in range(40):
        holds = [hold(f"b{batch}-{i}", BEN, sku=f"s{i}") for i in range(500)]
        await redis_store.hold_many(holds, today=TODAY)
    assert await client.fcall("allot_recount_open_holds_v1", [keys.deadlines], [epoch, 200]) == b"\x90"
    assert await opens.drifts(repair=False) == []


def test_keys_that_a_scan_shows_twice_are_seen_once_however_many_there_are() -> None:
    rng, seen, expected = random.Random(5), SeenKeys(), set[bytes]()
    for _ in range(200):
        keys = [f"key-{rng.randrange(20_000)}".encode() for _ in range(rng.randrange(1, 300))]
        fresh = seen.fresh(keys)
        assert fresh == [key for key in dict.fromkeys(keys) if key not in expected]
        expected.update(fresh)
    assert len(expected) > 10_000
