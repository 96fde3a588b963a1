"""A slow or broken network: every call ends within its deadline, none succeeds falsely, and it recovers soon."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable

from faults.network import MODES, Network
from faults.scale import SCALE
from store_servers import StoreServer

from engine.errors import Unavailable
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import connect
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NODE, SKU = "berlin", "mug"
TODAY = {NODE: 738_000}
DEADLINE_SECONDS = 0.5
SLACK_SECONDS = 1.5
RECOVERY_SECONDS = 5.0
CALLERS = 6


async def test_every_call_ends_in_time_and_what_succeeded_is_so(
    kept_server: StoreServer, keys: Keys, reached: Callable[..., None]
) -> None:
    """Catches replies that reach the wrong call after a fault, and a connection that stays in use though it is dead.

    Holds are made through a network that is slow, swallows either direction, or resets; then they are looked up
    directly.
    """
    direct = connect(kept_server.url)
    await ensure(direct, [LIBRARY])
    truth = RedisInventoryStore(direct, keys)
    await truth.put_positions([PositionCount(sku=SKU, node_id=NODE, on_hand=10**7)])
    told: dict[str, int] = {}
    asked: dict[str, int] = {}
    slowest = recovery = 0.0
    failed = 0
    last_success = time.monotonic()
    is_over = False
    async with Network(kept_server.port) as network:
        client = connect(network.url, deadline_seconds=DEADLINE_SECONDS)
        store = RedisInventoryStore(client, keys)

        async def sell(number: int) -> None:
            nonlocal slowest, failed, last_success
            for step in itertools.count():
                if is_over:
                    return
                name, quantity = f"{number}-{step}", (number * 31 + step) % 97 + 1
                line = HoldLine(sku=SKU, quantity=quantity, node_id=NODE)
                asked[name] = quantity
                began = time.monotonic()
                try:
                    held = await store.hold(Hold(reservation_id=name, lines=(line,)), today=TODAY)
                except Unavailable:
                    failed += 1
                    await asyncio.sleep(0.005)
                else:
                    assert held.value.reservation_id == name
                    told[name] = held.value.lines[0].quantity
                    last_success = time.monotonic()
                slowest = max(slowest, time.monotonic() - began)

        selling = [asyncio.create_task(sell(number)) for number in range(CALLERS)]
        chance = random.Random(4)
        for fault in range(SCALE.network_faults):
            await asyncio.sleep(0.1)
            network.mode = MODES[fault % len(MODES)]
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            network.mode, ended = "pass", time.monotonic()
            while last_success < ended:
                await asyncio.sleep(0.005)
                assert time.monotonic() - ended < RECOVERY_SECONDS, (
                    f"no call succeeds after {MODES[fault % len(MODES)]}"
                )
            recovery = max(recovery, last_success - ended)
        is_over = True
        await asyncio.gather(*selling)
        await client.close()
    for name, quantity in told.items():
        kept = await truth.get_reservation(name)
        assert (kept.state, kept.lines[0].quantity) == ("held", quantity)
        assert quantity == asked[name]
    held = (await truth.read([SKU])).position(0, 0).held
    assert sum(told.values()) <= held <= sum(asked.values())
    assert slowest <= DEADLINE_SECONDS + SLACK_SECONDS
    assert failed > 0
    await direct.close()
    reached(
        "slow or broken network",
        faults=SCALE.network_faults,
        acknowledged=len(told),
        unavailable=failed,
        slowest_call_seconds=round(slowest, 2),
        slowest_recovery_seconds=round(recovery, 2),
    )
