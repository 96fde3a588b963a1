"""No oversell: many clients in several processes on hot SKUs, one of them killed every so often."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio
from faults.scale import SCALE, SHARE
from faults.seller import SKUS
from faults.selling import Shelf, check_books, sell_out

from engine.inventory.redis_store import RedisInventoryStore

KILL_SECONDS, MOST_KILLS = (3.0, 10**9) if SHARE else (0.2, 3)


@pytest_asyncio.fixture
async def shelf(redis_store: RedisInventoryStore, store_address: str, tenant: str) -> AsyncIterator[Shelf]:
    yield Shelf(address=store_address, tenant=tenant, store=redis_store, on_hand=SCALE.attempts // 10)


async def test_nothing_is_oversold_while_sellers_are_killed(
    shelf: Shelf, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a check that is split from its write: tests/faults/test_seeded_bugs.py seeds it."""
    told = await sell_out(
        shelf, tmp_path, attempts=SCALE.attempts, sellers=3, kill_seconds=KILL_SECONDS, most_kills=MOST_KILLS
    )
    held = await check_books(shelf, told)
    assert told.kills >= 1
    assert len(told.asked) >= SCALE.attempts * 0.95
    reached("no oversell, sellers killed", attempts=len(told.asked), kills=told.kills, units_held=held, oversold=0)


async def test_without_kills_exactly_what_there_is_is_sold(
    shelf: Shelf, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches the opposite bug too: stock that is left although somebody asked for it."""
    told = await sell_out(shelf, tmp_path, attempts=SCALE.attempts, sellers=2)
    sold = await check_books(shelf, told)
    demand = Counter(sku for sku, _ in told.asked.values())
    assert sold == told.units_held() == sum(min(shelf.on_hand, demand[sku]) for sku in SKUS)
    assert min(demand.values()) > shelf.on_hand
    reached(
        "exactly min(stock, demand) is sold", attempts=len(told.asked), sold=sold, on_hand=len(SKUS) * shelf.on_hand
    )
