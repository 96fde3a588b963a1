"""Acknowledged is kept, and once: SIGKILL of the store and of its clients under load, with callers that try again."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from faults.processes import Worker
from faults.scale import SCALE
from faults.shopping import SKUS, buy, insist, shop
from store_servers import StoreServer

from engine.errors import InsufficientStock
from engine.inventory.model import PositionCount

CUSTOMERS = 6
BETWEEN_KILLS_SECONDS = 0.25
THINKING_SECONDS = 0.005


async def test_what_was_acknowledged_survives_kills_of_the_store_once_each(
    kept_server: StoreServer, tenant: str, reached: Callable[..., None]
) -> None:
    """Catches a retry that holds again (units are bought twice) and `memory` settings (they are gone)."""
    bought: Counter[str] = Counter()
    is_over = False
    async with shop(kept_server, tenant) as store:

        async def shop_on(customer: int) -> int:
            chance = random.Random(customer)
            for number in itertools.count():
                bought.update(await buy(store, f"{customer}-{number}", chance))
                if is_over:
                    return number + 1
                await asyncio.sleep(THINKING_SECONDS)
            raise AssertionError

        shopping = [asyncio.create_task(shop_on(customer)) for customer in range(CUSTOMERS)]
        for _ in range(SCALE.crashes):
            await asyncio.sleep(BETWEEN_KILLS_SECONDS)
            await asyncio.to_thread(kept_server.kill)
            await asyncio.to_thread(kept_server.start)
        is_over = True
        reservations = sum(await asyncio.gather(*shopping))
        await asyncio.to_thread(kept_server.kill)
        await asyncio.to_thread(kept_server.start)
        view = await insist(lambda: store.read(SKUS))
        for index, sku in enumerate(SKUS):
            position = view.position(index, 0)
            assert (position.held, position.confirmed) == (0, bought[sku])
    assert reservations > SCALE.crashes * 3
    reached("store killed under load", kills=SCALE.crashes + 1, acknowledged=reservations, lost=0, doubled=0)


async def test_what_a_killed_client_was_told_is_so_and_the_rest_expires(
    kept_server: StoreServer, tenant: str, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a client that reports a hold before the store has answered."""
    kills, told = max(1, SCALE.crashes // 5), 0
    async with shop(kept_server, tenant) as store:
        hot = [PositionCount(sku=f"hot-{number}", node_id="berlin", on_hand=10**6) for number in range(5)]
        await store.put_positions(hot)
        for number in range(kills):
            arguments = (kept_server.url, tenant, f"k{number}", 10**6, 1, "whole")
            seller = Worker("faults.seller", *arguments, printed=tmp_path / f"k{number}.txt")
            while not any(line.startswith("held") for line in seller.lines):
                seller.check()
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.Random(number).uniform(0.05, 0.2))
            seller.kill()
            if number % 2 == 0:
                await asyncio.to_thread(kept_server.kill)
                await asyncio.to_thread(kept_server.start)
            held = [line.split()[1] for line in seller.lines if line.startswith("held")]
            told += len(held)
            for name in held:
                assert (await insist(lambda name=name: store.get_reservation(name))).state == "held"  # type: ignore[misc]
    reached("clients killed under load", kills=kills, acknowledged=told, lost=0)


async def test_scarce_stock_is_not_oversold_by_callers_that_try_again(
    kept_server: StoreServer, tenant: str, reached: Callable[..., None]
) -> None:
    """Catches a hold that a crash cuts in two: taken from the shelf, and not in a reservation."""
    sold: Counter[str] = Counter()
    refused = 0
    async with shop(kept_server, tenant) as store:
        await store.put_positions([PositionCount(sku=sku, node_id="berlin", on_hand=60) for sku in SKUS])

        async def shop_on(customer: int) -> None:
            nonlocal refused
            chance = random.Random(customer)
            for number in range(40):
                try:
                    sold.update(await buy(store, f"{customer}-{number}", chance))
                except InsufficientStock:
                    refused += 1
                await asyncio.sleep(0.005)

        shopping = asyncio.gather(*(shop_on(customer) for customer in range(CUSTOMERS)))
        for _ in range(2):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(kept_server.kill)
            await asyncio.to_thread(kept_server.start)
        await shopping
        view = await insist(lambda: store.read(SKUS))
        for index, sku in enumerate(SKUS):
            position = view.position(index, 0)
            assert (position.held, position.confirmed) == (0, sold[sku])
            assert position.available >= 0
    assert refused > 0
    reached("scarce stock, store killed", kills=2, units_sold=sold.total(), oversold=0)
