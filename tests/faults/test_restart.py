"""Restart and upgrade: orderly restarts under load, a torn end of the file, older and newer function libraries."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.scale import SCALE
from faults.shopping import SKUS, TODAY, buy, insist, shop
from faults.variants import variant
from store_servers import StoreServer

from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.errors import IncompatibleStore
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import connect
from engine.storage.embedded import ensure_server
from engine.storage.functions import ensure, library, missing
from engine.storage.keys import Keys


async def test_orderly_restarts_under_load_fail_no_hold_that_is_tried_again(
    kept_server: StoreServer, tenant: str, reached: Callable[..., None]
) -> None:
    """Catches a client that does not find its way back, and functions that do not survive a restart."""
    is_over = False
    async with shop(kept_server, tenant) as store:

        async def shop_on(customer: int) -> int:
            chance, units = random.Random(customer), 0
            for number in itertools.count():
                units += (await buy(store, f"{customer}-{number}", chance)).total()
                if is_over:
                    break
            return units

        shopping = [asyncio.create_task(shop_on(customer)) for customer in range(4)]
        for _ in range(SCALE.restarts):
            await asyncio.sleep(0.2)
            await asyncio.to_thread(kept_server.stop)
            await asyncio.to_thread(kept_server.start)
        is_over = True
        units = sum(await asyncio.gather(*shopping))
        view = await insist(lambda: store.read(SKUS))
        assert sum(view.position(index, 0).confirmed for index in range(len(SKUS))) == units
    reached("orderly restarts under load", restarts=SCALE.restarts, units_confirmed=units, failed=0)


async def test_an_append_only_file_with_a_torn_end_is_loaded_up_to_there(data_dir: Path) -> None:
    """Catches settings with which the store refuses to start after a crash in the middle of a write."""
    server = ensure_server(data_dir, "standard")
    client = connect(str(server.socket_path))
    await ensure(client, [LIBRARY])
    store = RedisInventoryStore(client, Keys("main"))
    await store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=10)])
    for name in ("a", "b"):
        await store.hold(hold(name), today=TODAY)
    await client.close()
    server.stop()
    tear(data_dir)
    again = ensure_server(data_dir, "standard")
    client = connect(str(again.socket_path))
    store = RedisInventoryStore(client, Keys("main"))
    assert (await store.get_reservation("a")).state == "held"
    assert (await store.read(["mug"])).position(0, 0).held == 1
    assert (await store.hold(hold("b"), today=TODAY)).value.state == "held"
    await client.close()
    again.stop()


def hold(name: str) -> Hold:
    return Hold(reservation_id=name, lines=(HoldLine(sku="mug", quantity=1, node_id="berlin"),))


def tear(data_dir: Path) -> None:
    """Take the last bytes from the file, as a power cut in the middle of a write does."""
    (file,) = (data_dir / "appendonlydir").glob("*.incr.aof")
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 7)


async def test_an_older_build_of_the_functions_is_replaced_and_its_data_served(
    kept_server: StoreServer, tenant: str, tmp_path: Path
) -> None:
    """Catches a start that takes any library of its name for its own."""
    old = variant(LIBRARY, tmp_path, "return reservation_row(id, known)", "return nil", revision=0)
    client = connect(kept_server.url)
    await ensure(client, [old])
    store = RedisInventoryStore(client, Keys(tenant))
    await store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=10)])
    await store.hold(hold("a"), today=TODAY)
    (sentence,) = await missing(client, [LIBRARY])
    assert "another build (revision 0" in sentence
    settings = Settings(redis_url=kept_server.url, tenant=tenant)
    async with allot_engine(settings) as engine:
        assert await engine.broken_promises() == []
        assert (await engine.stock.hold(hold("a"), today=TODAY)).value.state == "held"
        await ensure(client, [old])  # a process of the old build, started late, leaves ours in place
        assert await engine.broken_promises() == []
        assert (await engine.stock.read(["mug"])).position(0, 0).held == 1
    await client.close()


async def test_a_store_that_a_newer_major_works_on_is_refused_loudly(
    kept_server: StoreServer, tenant: str, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.lua"
    newer.write_text("redis.register_function('allot_hold_v2', function() return 2 end)")
    beside = tmp_path / "beside.lua"
    beside.write_text("redis.register_function('allot_hold_v2', function() return 3 end)")
    client = connect(kept_server.url)
    await ensure(client, [library(LIBRARY.name, LIBRARY.major + 1, [newer])])
    with pytest.raises(IncompatibleStore, match=r"inventory v2, .* Upgrade this process"):
        async with allot_engine(Settings(redis_url=kept_server.url, tenant=tenant)):
            pass
    await ensure(
        client, [library(LIBRARY.name, LIBRARY.major + 1, [beside], revision=2, compatible_from=LIBRARY.major)]
    )
    async with allot_engine(Settings(redis_url=kept_server.url, tenant=tenant)) as engine:
        assert await engine.broken_promises() == []
    await client.close()
