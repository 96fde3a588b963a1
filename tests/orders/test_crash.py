"""Orders through crashes of a real server in `standard` durability, and through retries by their callers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from engine.errors import Unavailable
from engine.inventory import partition
from engine.inventory.model import PositionCount
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.orders.destination import Destination
from engine.orders.model import Captured
from engine.orders.partitioned_store import LIBRARIES as ORDERS_OVER_LIBRARIES
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.redis_store import LIBRARIES as ORDERS_LIBRARIES
from engine.orders.redis_store import RedisOrderStore
from engine.orders.store import OrderStore
from engine.routing.model import AllocationRow, OrderAllocation, OrderLine
from engine.storage.client import StoreClient, connect
from engine.storage.embedded import ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

T = TypeVar("T")
TODAY = date(2026, 11, 22)
CAPTURED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINE = OrderLine(line_id="1", sku="MUG", quantity=1)


PATIENCE_SECONDS = 0.5


def stores(client: StoreClient, partitions: int) -> tuple[InventoryStore, OrderStore]:
    """Return stores of one partition, or of several."""
    if partitions == 1:
        return RedisInventoryStore(client, Keys("main")), RedisOrderStore(client, Keys("main"))
    return (
        PartitionedInventoryStore(client, "main", partitions, patience_seconds=PATIENCE_SECONDS),
        PartitionedOrderStore(client, "main", partitions, patience_seconds=PATIENCE_SECONDS),
    )


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Do what a careful caller does: after Unavailable, the same call again."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("partitions", "steps", "kill_seconds"), [(1, 60, 0.03), (4, 15, 0.06)])
async def test_orders_survive_kill_9_of_the_server_once_each(
    data_dir: Path, partitions: int, steps: int, kill_seconds: float
) -> None:
    """Catches `memory` settings (acknowledged orders are lost) and a commit without run id (a retry sells twice)."""
    server = ensure_server(data_dir, "standard")
    client = connect(str(server.socket_path), revive=server.revive)
    await ensure(client, [INVENTORY_LIBRARY, *ORDERS_LIBRARIES, *partition.LIBRARIES, *ORDERS_OVER_LIBRARIES])
    inventory, orders = stores(client, partitions)
    await inventory.put_positions([PositionCount(node_id="north", sku="MUG", on_hand=1000)])
    acknowledged: list[str] = []
    is_done = asyncio.Event()

    async def sell(number: int) -> None:
        for step in range(steps):
            order_id = f"ord_{number}_{step}"
            captured = Captured(
                order_id=order_id,
                channel="web",
                destination=Destination(latitude=1.0, longitude=2.0),
                lines=(LINE,),
                demand=(LINE,),
                captured_at=CAPTURED_AT,
            )
            row = AllocationRow(line_id="1", sku="MUG", quantity=1, node_id="north", service="ground", ship_on=TODAY)
            allocation = OrderAllocation(order_id=order_id, rows=(row,))
            await insist(lambda c=captured: orders.capture(c))  # type: ignore[misc]
            (verdict,) = await insist(
                lambda r=f"run_{order_id}", a=allocation: orders.commit(  # type: ignore[misc]
                    r, [a], capacities={}, today={"north": TODAY}
                )
            )
            assert verdict.outcome == "committed"
            acknowledged.append(order_id)

    async def kill_now_and_then() -> int:
        kills = 0
        while not is_done.is_set():
            await asyncio.sleep(kill_seconds)
            os.kill(server.pid, signal.SIGKILL)
            kills += 1
            await insist(lambda: client.call("PING"))
        return kills

    killer = asyncio.create_task(kill_now_and_then())
    await asyncio.gather(*(sell(number) for number in range(8)))
    is_done.set()
    assert await killer >= 3
    assert len(acknowledged) == 8 * steps
    for order_id in acknowledged:
        assert (await orders.get(order_id)).state == "sourced"
        assert len(await orders.history(order_id)) == 2
    await asyncio.sleep(PATIENCE_SECONDS)  # an attempt that got no answer gives back what it has tried
    await inventory.sweep()
    await orders.sweep()
    view = await inventory.read(["MUG"])
    assert (view.position(0, 0).confirmed, view.position(0, 0).held) == (8 * steps, 0)
    assert (await PartitionedReconciler(client, "main", partitions).reconcile()).is_sound
    (used,) = await orders.used_capacity([TODAY])
    assert (used.units, used.parcels) == (8 * steps, 8 * steps)
    await client.close()
    server.stop()
