"""A client process that changes stock over several partitions until it is killed, and says what was acknowledged.

python partition_child.py ADDRESS TENANT SEED: prints the ids of reservations before it begins with them.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress

from engine.errors import AllotError
from engine.inventory.model import Adjustment, Hold, HoldLine
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.storage.client import connect

SKUS = [f"sku-{number}" for number in range(12)]
PARTITIONS = 4
TODAY = {"berlin": 738_000}
PATIENCE_SECONDS = 0.05
SALES_AT_ONCE = 24


async def sell(store: PartitionedInventoryStore, rng: random.Random, name: str) -> None:
    """Hold a cart, and confirm, cancel, consume or leave it, in whole or in part; move units between two SKUs."""
    skus = rng.sample(SKUS, 3)
    lines = tuple(HoldLine(sku=sku, quantity=2, node_id="berlin") for sku in skus)
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()
    with suppress(AllotError):
        await store.hold(Hold(reservation_id=name, lines=lines), today=TODAY)
        act = rng.randrange(5)
        if act >= 1:
            await store.confirm(name)
        if act >= 2:
            await store.cancel(name, lines=[HoldLine(sku=skus[0], quantity=1, node_id="berlin")])
        if act >= 3:
            await store.consume(name, lines=lines[1:2] if act == 3 else None)
    moves = [
        Adjustment(node_id="berlin", sku=sku, delta=by, reason="moved") for sku, by in ((skus[0], -1), (skus[1], 1))
    ]
    with suppress(AllotError):
        await store.adjust(moves)


async def main(address: str, tenant: str, seed: str) -> None:
    """Sell for ever."""
    store = PartitionedInventoryStore(connect(address), tenant, PARTITIONS, patience_seconds=PATIENCE_SECONDS)
    rng = random.Random(seed)

    async def seller(number: int) -> None:
        for step in range(1_000_000):
            await sell(store, rng, f"r-{seed}-{number}-{step}")

    await asyncio.gather(*(seller(number) for number in range(SALES_AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
