"""An engine whose clock is set by hand, and whose webhooks may go to this machine.

`clock`     per test: begins now, since the official verifier takes what was signed up to five minutes ago
`settings`  per test: a key space of its own
`engine`    per test: everything on the run's real store
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime.now(UTC))


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory", webhooks_allow_private=True)


@pytest_asyncio.fixture
async def engine(settings: Settings, clock: SettableClock) -> AsyncIterator[Engine]:
    async with allot_engine(settings, clock=clock) as running:
        yield running
