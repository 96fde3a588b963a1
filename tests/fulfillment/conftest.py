"""`depot`: an engine in memory with orders to fulfil."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fulfillment.depot import Depot, open_depot


@pytest_asyncio.fixture
async def depot() -> AsyncIterator[Depot]:
    async with open_depot() as opened:
        yield opened
