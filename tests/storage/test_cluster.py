"""The client of a cluster: keys are found on their primaries, also once they have moved; functions are everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.errors import StoreReplyError, Unavailable
from engine.inventory.redis_store import LIBRARY
from engine.storage.client import connect
from engine.storage.cluster import ClusterClient, is_cluster, slot_of
from engine.storage.keys import Keys
from tests.cluster_servers import PARTITIONS, PRIMARIES, StoreCluster


@pytest_asyncio.fixture
async def cluster_client(store_cluster: StoreCluster) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(store_cluster.url)
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("key", "slot"),
    [("123456789", 12739), ("{user1000}.following", 3443), ("{user1000}.followers", 3443), ("foo{}{bar}", 8363)],
)
def test_the_slot_of_a_key_is_that_of_the_specification(key: str, slot: int) -> None:
    assert slot_of(key) == slot


async def test_partitions_lie_on_different_primaries_and_are_found(
    store_cluster: StoreCluster, cluster_client: ClusterClient
) -> None:
    tenant = next(store_cluster.tenants)
    keys = [Keys(tenant, each).stock_epoch for each in range(PARTITIONS)]
    assert {store_cluster.owner_of(key) for key in keys} == set(range(PRIMARIES))
    for number, key in enumerate(keys):
        await cluster_client.call("SET", key, number)
        assert store_cluster.servers[number % PRIMARIES].ask("GET", key) == str(number).encode()
    assert await cluster_client.pipeline([("GET", key) for key in reversed(keys)]) == [b"3", b"2", b"1", b"0"]


async def test_a_transaction_stays_whole_beside_others(
    store_cluster: StoreCluster, cluster_client: ClusterClient
) -> None:
    one, two = (Keys(next(store_cluster.tenants), each).named("x") for each in (0, 1))
    commands = [("MULTI",), ("SET", one, 1), ("GET", one), ("EXEC",), ("SET", two, 2), ("GET", two)]
    replies = await cluster_client.pipeline(commands)
    assert replies[3] == [b"OK", b"1"]
    assert replies[4:] == [b"OK", b"2"]


async def test_every_primary_has_the_functions_also_after_it_lost_them(
    store_cluster: StoreCluster, cluster_client: ClusterClient
) -> None:
    await cluster_client.prepare([LIBRARY])
    assert len(await cluster_client.primaries()) == PRIMARIES
    tenant = next(store_cluster.tenants)
    for _ in range(2):
        for each in range(PARTITIONS):
            deadlines = Keys(tenant, each).deadlines
            assert await cluster_client.fcall("allot_sweep_v1", [deadlines], ["test", 10]) == 0
        for server in store_cluster.servers:
            server.ask("FUNCTION", "FLUSH")


async def test_a_slot_that_has_moved_is_followed(store_cluster: StoreCluster, cluster_client: ClusterClient) -> None:
    """The seeded bug: a client that keeps the map it began with fails with MOVED for ever."""
    keys = Keys(next(store_cluster.tenants), 1)
    await cluster_client.call("GET", keys.stock_epoch)
    store_cluster.give_slot(slot_of(keys.stock_epoch), 2)
    await cluster_client.call("SET", keys.stock_epoch, 7)
    assert store_cluster.servers[2].ask("GET", keys.stock_epoch) == b"7"
    assert await cluster_client.pipeline([("GET", keys.stock_epoch)]) == [b"7"]


async def test_a_slot_that_is_moving_is_asked_for_where_it_goes(
    store_cluster: StoreCluster, cluster_client: ClusterClient
) -> None:
    key = Keys(next(store_cluster.tenants), 1).named("new")
    slot, source, target = slot_of(key), store_cluster.servers[1], store_cluster.servers[0]
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
    try:
        assert await cluster_client.call("SET", key, 1) == b"OK"
        assert await cluster_client.call("GET", key) == b"1"
    finally:
        store_cluster.give_slot(slot, 0)
    assert target.ask("GET", key) == b"1"


async def test_a_scan_goes_where_the_keys_are_that_it_asks_for(
    store_cluster: StoreCluster, cluster_client: ClusterClient
) -> None:
    """A pattern has its marks escaped; the seeded bug: its slot as it stands is that of another primary."""
    tenant = next(store_cluster.tenants)
    for each in range(PARTITIONS):
        key = Keys(tenant, each).reservation("a")
        await cluster_client.call("SET", key, "x")
        pattern = key.replace("-", "\\-")
        _, found = await cluster_client.call("SCAN", b"0", "MATCH", pattern, "COUNT", 100_000)
        assert found == [key.encode()]


async def test_a_refusal_is_no_redirection(cluster_client: ClusterClient) -> None:
    await cluster_client.call("SET", "{a}x", "text")
    with pytest.raises(StoreReplyError, match="WRONGTYPE"):
        await cluster_client.call("HGET", "{a}x", "field")


async def test_a_server_says_whether_it_is_of_a_cluster(store_cluster: StoreCluster, store_address: str) -> None:
    for address, expected in ((store_cluster.url, True), (store_address, False)):
        client = connect(address)
        assert await is_cluster(client) is expected
        await client.close()


async def test_a_cluster_that_does_not_answer_is_unavailable() -> None:
    client = ClusterClient("redis://127.0.0.1:1", deadline_seconds=0.5)
    with pytest.raises(Unavailable):
        await client.call("GET", "x")
    await client.close()
