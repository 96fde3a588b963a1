"""Durability `replicated` on two real servers: a primary, and a replica that is paused, killed and lost.

One pair serves the file, so a test leaves its replica as it found it: running and in step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from store_servers import KEPT, StoreServer, until

from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.errors import InvalidInput, StoreReplyError, Unavailable
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import connect
from engine.storage.durability import broken_promises
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from engine.storage.replicated import ReplicatedClient, connect_replicated, is_read

DEADLINE_SECONDS = 5.0
TODAY = {"berlin": 738_000}


class Pair:
    """A primary and its replica."""

    def __init__(self, primary: StoreServer, replica: StoreServer) -> None:
        self.primary, self.replica = primary, replica

    def wait_in_step(self) -> None:
        """Wait until the replica has on disk what the primary has."""

        def is_in_step() -> bool:
            return b"state=online" in self.primary.ask("INFO", "replication") and self.acknowledged() == [1, 1]

        until(is_in_step, 20)

    def acknowledged(self) -> list[int]:
        """Return what WAITAOF says of a write made just now by another connection."""

        async def ask() -> list[int]:
            client = connect(self.primary.url)
            _, _, found = await client.pipeline([("SET", "step", 1), ("WAIT", 1, 2000), ("WAITAOF", 1, 1, 2000)])
            await client.close()
            return list(found)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    primary = StoreServer(folder / "primary", *KEPT)
    replica = StoreServer(folder / "replica", *KEPT, "--replicaof", f"127.0.0.1 {primary.port}")
    with primary, replica:
        both = Pair(primary, replica)
        both.wait_in_step()
        yield both


@pytest_asyncio.fixture
async def replicated(pair: Pair, keys: Keys) -> AsyncIterator[ReplicatedClient]:
    client = connect_replicated(pair.primary.url, fence_key=keys.fence, deadline_seconds=DEADLINE_SECONDS)
    await ensure(client, [LIBRARY])
    yield client
    await client.close()


@pytest_asyncio.fixture
async def store(replicated: ReplicatedClient, keys: Keys) -> RedisInventoryStore:
    stock = RedisInventoryStore(replicated, keys)
    await stock.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1000)])
    return stock


def hold(name: str) -> Hold:
    return Hold(reservation_id=name, lines=(HoldLine(sku="mug", quantity=1, node_id="berlin"),))


async def test_what_was_acknowledged_is_on_the_disk_of_the_replica(
    pair: Pair, store: RedisInventoryStore, keys: Keys
) -> None:
    """The seeded bug: without the WAITAOF behind each batch, the paused replica is killed without the last holds.

    The replica is paused at some moment under load, and then killed: what it has on disk is all that is left.
    """
    acknowledged: list[str] = []

    async def sell(number: int) -> None:
        for step in range(1000):
            name = f"{number}-{step}"
            try:
                await store.hold(hold(name), today=TODAY)
            except Unavailable:
                return
            acknowledged.append(name)

    selling = [asyncio.create_task(sell(number)) for number in range(8)]
    while len(acknowledged) < 20:  # noqa: ASYNC110 - what is acknowledged comes from many tasks
        await asyncio.sleep(0.01)
    pair.replica.pause()
    await asyncio.gather(*selling)
    pair.replica.kill()
    assert len(acknowledged) < 8000
    try:
        pair.replica.start()
        pair.replica.ask("REPLICAOF", "NO", "ONE")
        left = connect(pair.replica.url)
        kept = RedisInventoryStore(left, keys)
        for name in acknowledged:
            assert (await kept.get_reservation(name)).state == "held"
        await left.close()
    finally:
        pair.replica.ask("REPLICAOF", "127.0.0.1", pair.primary.port)
        await asyncio.to_thread(pair.wait_in_step)


async def test_without_its_replica_writes_are_unavailable_reads_are_not_and_readiness_says_why(
    pair: Pair, replicated: ReplicatedClient, store: RedisInventoryStore
) -> None:
    assert await broken_promises(replicated, "replicated") == []
    pair.replica.kill()
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"0 of 1 replicas .* may or may not have run"):
        await store.hold(hold("a"), today=TODAY)
    assert time.monotonic() - began < DEADLINE_SECONDS
    assert (await store.read(["mug"])).position(0, 0).held == 1  # it ran, and the caller was told that it may have
    (sentence,) = await broken_promises(replicated, "replicated")
    assert sentence == "0 replicas are connected, but durability 'replicated' needs 1: start one."
    assert await broken_promises(replicated, "standard") == []
    pair.replica.start()
    await asyncio.to_thread(pair.wait_in_step)
    assert (await store.hold(hold("a"), today=TODAY)).value.state == "held"
    assert (await store.read(["mug"])).position(0, 0).held == 1
    assert await broken_promises(replicated, "replicated") == []


async def test_a_replica_that_hangs_is_waited_for_and_no_call_outlives_its_deadline(
    pair: Pair, replicated: ReplicatedClient, store: RedisInventoryStore
) -> None:
    """The seeded bug: batches that leave without waiting for the one before pile up behind their WAITAOFs."""
    pair.replica.pause()
    try:
        began, waiting = time.monotonic(), []
        for number in range(30):
            waiting.append(asyncio.create_task(store.hold(hold(f"r{number}"), today=TODAY)))
            await asyncio.sleep(0.01)
        for failure in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(failure, Unavailable)
            assert "0 of 1 replicas" in str(failure)  # it was told so, before its deadline
        assert time.monotonic() - began < 3 * DEADLINE_SECONDS  # one after another they would take 18 s
        (sentence,) = await broken_promises(replicated, "replicated")
        assert "0 of 1 replicas have the last write on disk within 500 ms" in sentence
    finally:
        pair.replica.resume()
    await asyncio.to_thread(pair.wait_in_step)
    assert (await store.hold(hold("after"), today=TODAY)).value.state == "held"


async def test_an_answer_that_is_replayed_waits_for_the_write_of_its_first_time(
    pair: Pair, store: RedisInventoryStore, keys: Keys
) -> None:
    """The seeded bug: a WAITAOF that waits for this connection's own writes only.

    The retry of a call that was Unavailable would be told that all is well, while no replica has the reservation.
    Reading the record is no way out either: who is told what a key was answered takes it for acknowledged.
    """
    once = Replay(digest="once", fingerprint="body")
    pair.replica.pause()
    other = connect_replicated(pair.primary.url, fence_key=keys.fence, deadline_seconds=DEADLINE_SECONDS)
    elsewhere = RedisInventoryStore(other, keys)
    try:
        with pytest.raises(Unavailable):
            await store.hold(hold("a"), today=TODAY, replay=once)
        told = await asyncio.gather(
            *(each.hold(hold("b"), today=TODAY, replay=once) for each in (store, elsewhere)),
            *(each.recall(once) for each in (store, elsewhere)),
            return_exceptions=True,
        )
        assert [type(each) for each in told] == [Unavailable] * 4
    finally:
        pair.replica.resume()
    await asyncio.to_thread(pair.wait_in_step)
    again = await elsewhere.hold(hold("b"), today=TODAY, replay=once)
    assert (again.replayed, again.value.reservation_id) == (True, "a")
    await other.close()


async def test_calls_that_come_together_wait_for_one_sync(
    pair: Pair, replicated: ReplicatedClient, store: RedisInventoryStore
) -> None:
    """The seeded bug: a WAITAOF for each call makes 300 round trips of what needs a few."""

    async def syncs() -> int:
        stats = (await replicated.call("INFO", "commandstats")).decode()
        return int(stats.partition("cmdstat_waitaof:calls=")[2].partition(",")[0])

    before = await syncs()
    held = await asyncio.gather(*(store.hold(hold(f"r{number}"), today=TODAY) for number in range(300)))
    assert len(held) == 300
    assert await syncs() - before <= 5


async def test_a_refusal_reaches_its_own_caller_and_the_rest_of_the_batch_goes_on(
    replicated: ReplicatedClient, keys: Keys
) -> None:
    good, bad, late = await asyncio.gather(
        replicated.call("SET", keys.named("a"), 1),
        replicated.call("SET", keys.named("a")),
        replicated.call("INCR", keys.named("a")),
        return_exceptions=True,
    )
    assert (good, late) == (b"OK", 2)
    assert isinstance(bad, StoreReplyError)


async def test_a_primary_that_dies_fails_the_calls_whose_replies_are_withheld(
    pair: Pair, replicated: ReplicatedClient, keys: Keys
) -> None:
    """The seeded bug: replies that were read and withheld are forgotten by a connection that breaks: they hang."""
    pair.replica.pause()
    try:
        waiting = asyncio.create_task(replicated.call("SET", keys.named("a"), 1))
        await asyncio.sleep(0.1)
        pair.primary.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(Unavailable, match="may or may not have run"):
            await asyncio.wait_for(waiting, DEADLINE_SECONDS)
    finally:
        pair.replica.resume()
    await asyncio.to_thread(pair.wait_in_step)
    assert await replicated.call("SET", keys.named("a"), 2) == b"OK"


async def test_each_way_of_not_being_replicated_is_named(pair: Pair, replicated: ReplicatedClient, keys: Keys) -> None:
    for server, setting, bad, good, words in (
        (pair.primary, "appendfsync", "everysec", "always", "appendfsync is 'everysec'"),
        (pair.primary, "no-appendfsync-on-rewrite", "yes", "no", "no-appendfsync-on-rewrite is 'yes'"),
        (pair.replica, "appendonly", "no", "yes", "each needs 'appendonly yes'"),
    ):
        server.ask("CONFIG", "SET", setting, bad)
        (sentence,) = await broken_promises(replicated, "replicated")
        assert words in sentence
        server.ask("CONFIG", "SET", setting, good)
    await asyncio.to_thread(pair.wait_in_step)
    wrong_way_round = connect_replicated(pair.replica.url, fence_key=keys.fence)
    (sentence,) = await broken_promises(wrong_way_round, "replicated")
    assert "The store is a replica" in sentence
    await wrong_way_round.close()


async def test_a_whole_engine_runs_replicated(pair: Pair, tenant: str) -> None:
    async with allot_engine(Settings(redis_url=pair.primary.url, durability="replicated", tenant=tenant)) as engine:
        assert await engine.broken_promises() == []
        await engine.stock.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1)])
        assert (await engine.stock.read(["mug"])).position(0, 0).on_hand == 1


async def test_replicated_without_a_server_of_ones_own_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidInput, match=r"ALLOT_DURABILITY: 'replicated' needs .* Set ALLOT_REDIS_URL"):
        async with allot_engine(Settings(durability="replicated")):
            pass


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("MGET", "{main:p0}:stock:mug"), True),
        (("CONFIG", "GET", "maxmemory-policy"), True),
        (("FUNCTION", "LIST"), True),
        (("MULTI",), True),
        (("FUNCTION", "LOAD", "REPLACE", "code"), False),
        (("FCALL", "allot_hold_v1", 0), False),
        (("SET", "k", "v", "NX", "GET"), False),
        (("HMGET", "{main:p0}:replay:digest", "fingerprint", "reply"), False),
        (("SOMETHING-NEW",), False),
    ],
)
def test_what_is_not_known_to_be_a_read_waits_for_the_replica(command: tuple[str | int, ...], expected: bool) -> None:
    assert is_read(command) is expected
