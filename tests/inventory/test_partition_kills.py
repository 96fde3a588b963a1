"""A real process that works over several partitions is killed, and the sweeper of another finishes what it began."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from engine.errors import NotFound
from engine.inventory import partition
from engine.inventory.model import PositionCount
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_store import LIBRARY
from engine.storage.client import MultiplexedClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from tests.inventory.partition_child import PARTITIONS, PATIENCE_SECONDS, SKUS

KILLS = 3
BEGUN = 100
ON_HAND = 500
ROOT = Path(__file__).parents[2]


async def killed(address: str, tenant: str, seed: int) -> list[str]:
    """Let a client begin with so many reservations, kill it, and return all that it began with."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("partition_child.py")), address, tenant, str(seed)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    names = [(await child.stdout.readline()).decode().strip() for _ in range(BEGUN)]
    await asyncio.sleep(random.Random(seed).uniform(0, 0.02))
    child.kill()
    names += (await child.stdout.read()).decode().split()
    await child.wait()
    return names


async def test_a_killed_process_leaves_nothing_half_done(
    client: MultiplexedClient, store_address: str, tenant: str
) -> None:
    """The seeded bugs: a sweeper that asks nobody about due parts, or leaves homes or decided counts unfinished."""
    await ensure(client, [LIBRARY, *partition.LIBRARIES])
    store = PartitionedInventoryStore(client, tenant, PARTITIONS, patience_seconds=PATIENCE_SECONDS)
    await store.put_positions([PositionCount(node_id="berlin", sku=sku, on_hand=ON_HAND) for sku in SKUS])
    names: list[str] = []
    for seed in range(KILLS):
        names += await killed(store_address, tenant, seed)
        await asyncio.sleep(PATIENCE_SECONDS + 0.01)
        await store.sweep()
    reserved: Counter[tuple[str, str]] = Counter()
    for name in names:
        with suppress(NotFound):
            found = await store.get_reservation(name)
            for line in found.lines if found.state in {"held", "confirmed"} else ():
                reserved[line.sku, found.state] += line.quantity
    view = await store.read(SKUS)
    for row, sku in enumerate(SKUS):
        position = view.position(row, 0)
        assert (position.held, position.confirmed) == (reserved[sku, "held"], reserved[sku, "confirmed"])
    assert (await PartitionedReconciler(client, tenant, PARTITIONS).reconcile()).is_sound
    for each in range(PARTITIONS):
        keys = Keys(tenant, each)
        assert await client.pipeline([("ZCARD", keys.unfinished), ("HLEN", keys.spreads)]) == [0, 0]
