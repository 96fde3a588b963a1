"""A desk for returns, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from engine.bootstrap import allot_engine
from engine.clock import SettableClock
from engine.stores import memory_stores
from tests.returns.return_desk import NOON, Desk


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    clock = SettableClock(NOON)
    stores = memory_stores(clock, 14)
    async with allot_engine(memory=stores, clock=clock) as engine:
        found = Desk(engine=engine, stores=stores, clock=clock)
        await found.open()
        yield found
