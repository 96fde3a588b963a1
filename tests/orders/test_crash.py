"""Orders through crashes of a real server in `standard` durability, and through retries by their callers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from engine.errors import Unavailable
from engine.inventory.model import PositionCount
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.inventory.redis_store import RedisInventoryStore
from engine.orders.model import Captured, Destination
from engine.orders.redis_store import LIBRARY as ORDERS_LIBRARY
from engine.orders.redis_store import RedisOrderStore
from engine.routing.model import AllocationRow, OrderAllocation, OrderLine
from engine.storage.client import connect
from engine.storage.embedded import ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

T = TypeVar("T")
TODAY = date(2026, 11, 22)
CAPTURED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINE = OrderLine(line_id="1", sku="MUG", quantity=1)


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Do what a careful caller does: after Unavailable, the same call again."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.005)


async def test_orders_survive_kill_9_of_the_server_once_each(data_dir: Path) -> None:
    """Catches `memory` settings (acknowledged orders are lost) and a commit without run id (a retry sells twice)."""
    server = ensure_server(data_dir, "standard")
    client = connect(str(server.socket_path), revive=server.revive)
    await ensure(client, [INVENTORY_LIBRARY, ORDERS_LIBRARY])
    keys = Keys("main")
    inventory, orders = RedisInventoryStore(client, keys), RedisOrderStore(client, keys)
    await inventory.put_positions([PositionCount(node_id="north", sku="MUG", on_hand=1000)])
    acknowledged: list[str] = []
    is_done = asyncio.Event()

    async def sell(number: int) -> None:
        for step in range(60):
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
            await asyncio.sleep(0.03)
            os.kill(server.pid, signal.SIGKILL)
            kills += 1
            await insist(lambda: client.call("PING"))
        return kills

    killer = asyncio.create_task(kill_now_and_then())
    await asyncio.gather(*(sell(number) for number in range(8)))
    is_done.set()
    assert await killer >= 3
    assert len(acknowledged) == 480
    for order_id in acknowledged:
        assert (await orders.get(order_id)).state == "sourced"
        assert len(await orders.history(order_id)) == 2
    view = await inventory.read(["MUG"])
    assert view.position(0, 0).confirmed == 480
    (used,) = await orders.used_capacity([TODAY])
    assert (used.units, used.parcels) == (480, 480)
    await client.close()
    server.stop()
