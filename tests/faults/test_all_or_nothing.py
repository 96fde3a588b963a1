"""All or nothing: holds of several lines, with repeated SKUs, at once and cut off behind each of their writes."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from faults.clients import several_stores
from faults.scale import SCALE
from store_servers import StoreServer

from engine.errors import InsufficientStock, NotFound
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import MultiplexedClient, connect
from engine.storage.functions import ensure
from engine.storage.keys import Keys

SKUS, NODES = [f"sku-{number}" for number in range(8)], ("berlin", "rome")
TODAY = dict.fromkeys(NODES, 738_000)
KEYS = Keys("torn")
FILE = Path("appendonlydir") / "appendonly.aof.1.incr.aof"


def cart(chance: random.Random) -> tuple[HoldLine, ...]:
    """Return one to six lines; SKUs come back, so that demand has to be summed."""
    few = chance.sample(SKUS, 3)
    return tuple(
        HoldLine(sku=chance.choice(few), quantity=chance.randint(1, 3), node_id=chance.choice(NODES))
        for _ in range(chance.randint(1, 6))
    )


def units(lines: tuple[HoldLine, ...]) -> Counter[tuple[str, str]]:
    summed: Counter[tuple[str, str]] = Counter()
    for line in lines:
        summed[line.sku, line.node_id] += line.quantity
    return summed


async def held_by_cells(store: RedisInventoryStore) -> Counter[tuple[str, str]]:
    view = await store.read(SKUS)
    return Counter(
        {(found.sku, found.node_id): found.held for index in range(len(SKUS)) for found in view.positions(index)}
    )


async def test_carts_on_scarce_stock_are_held_as_a_whole_or_not_at_all(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys, reached: Callable[..., None]
) -> None:
    """Catches demand that is checked line by line: a cart with a SKU twice takes what is not there."""
    on_hand = SCALE.carts // 20
    counts = [PositionCount(sku=sku, node_id=node_id, on_hand=on_hand) for sku in SKUS for node_id in NODES]
    await redis_store.put_positions(counts)
    chance = random.Random(1)
    numbers = iter(range(SCALE.carts))
    held: Counter[tuple[str, str]] = Counter()
    got = 0

    async def shop(store: RedisInventoryStore) -> None:
        nonlocal got
        for number in numbers:
            lines = cart(chance)
            try:
                await store.hold(Hold(reservation_id=f"r{number}", lines=lines), today=TODAY)
            except InsufficientStock as refusal:
                for line in refusal.lines:
                    asked = units(lines)[line.sku, line.node_id]
                    assert line.quantity == asked, f"a refusal names {line.quantity} of {asked} asked for"
                continue
            got += 1
            held.update(units(lines))

    async with several_stores(store_address, keys, 4) as stores:
        await asyncio.gather(*(shop(store) for store in stores for _ in range(10)))
    assert await held_by_cells(redis_store) == held, "cells and carts disagree"
    assert 0 < got < SCALE.carts
    reached("all or nothing", carts=SCALE.carts, held=got, partial=0)


async def test_a_hold_that_is_cut_off_behind_any_of_its_writes_is_there_as_a_whole_or_not_at_all(
    other_servers: Callable[..., StoreServer], tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a claim made of several calls: between them the file ends with stock taken for no reservation.

    A hold of three lines writes cells, reservation, deadline and idempotency record; the append-only file is cut
    behind each of these, as by a crash in the middle, and loaded again.
    """
    server = other_servers(folder=tmp_path / "whole")
    client = connect(server.url)
    await ensure(client, [LIBRARY])
    store = RedisInventoryStore(client, KEYS)
    places = [PositionCount(sku=sku, node_id=node_id, on_hand=10**6) for sku in SKUS for node_id in NODES]
    await store.put_positions(places)
    chance, file = random.Random(2), tmp_path / "whole" / FILE
    cuts: list[tuple[int, int, Hold]] = []
    before: Counter[tuple[str, str]] = Counter()
    state_before: dict[str, Counter[tuple[str, str]]] = {}
    for number in range(SCALE.torn_holds):
        lines = (*cart(chance), HoldLine(sku="sku-0", quantity=1, node_id="rome"))
        hold = Hold(reservation_id=f"r{number}", lines=lines)
        start = _length(file)
        state_before[hold.reservation_id] = before.copy()
        await store.hold(hold, today=TODAY, replay=Replay(digest=f"d{number}", fingerprint="body"))
        before.update(units(lines))
        data = _read(file)[start:]
        # Each command of the file starts with "*<parts>\r\n$"; the last cut is behind them all.
        cuts += [(start + found.start(), start, hold) for found in re.finditer(rb"\*\d+\r\n\$", data)][1:]
        cuts += [(start + len(data) - 1, start, hold), (start + len(data), start, hold)]
    await client.close()
    server.kill()
    whole = 0
    for number, (end, _, hold) in enumerate(cuts):
        folder = tmp_path / f"cut-{number}"
        copied = other_servers_copy(tmp_path / "whole", folder, end)
        restarted = other_servers("--appendonly", "yes", folder=copied)
        whole += await _check_whole_or_nothing(restarted, hold, state_before[hold.reservation_id])
        restarted.kill()
        shutil.rmtree(folder)
    assert whole == SCALE.torn_holds
    assert len(cuts) >= 5 * SCALE.torn_holds
    reached("cut off behind each write", holds=SCALE.torn_holds, cuts=len(cuts), partial=0)


def other_servers_copy(whole: Path, folder: Path, end: int) -> Path:
    """Return a copy of a server's folder whose append-only file is cut."""
    shutil.copytree(whole, folder)
    with (folder / FILE).open("r+b") as file:
        file.truncate(end)
    return folder


async def _check_whole_or_nothing(server: StoreServer, hold: Hold, before: Counter[tuple[str, str]]) -> bool:
    """Return whether the hold is there; fails if some of it is."""
    client = connect(server.url)
    store = RedisInventoryStore(client, KEYS)
    try:
        await store.get_reservation(hold.reservation_id)
        is_there = True
    except NotFound:
        is_there = False
    expected = before + units(hold.lines) if is_there else before
    assert +await held_by_cells(store) == +expected
    assert await _count(client, hold.reservation_id) == is_there
    record = await store.recall(Replay(digest=f"d{hold.reservation_id[1:]}", fingerprint="body"))
    assert (record is not None) == is_there
    await client.close()
    return is_there


async def _count(client: MultiplexedClient, reservation_id: str) -> bool:
    return await client.call("ZSCORE", KEYS.deadlines, reservation_id) is not None


def _length(file: Path) -> int:
    return file.stat().st_size


def _read(file: Path) -> bytes:
    return file.read_bytes()
