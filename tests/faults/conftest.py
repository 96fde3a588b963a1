"""What the tests of this folder share.

`redis_store`    per test: live stock in a key space of its own on the server that the whole run shares
`other_servers`  per test: makes servers, each in a folder of its own, that sync every write unless told otherwise
`kept_server`    per test: one of these, to be killed and started again
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from faults.clients import fresh_store
from store_servers import KEPT, StoreServer

from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.keys import Keys


@pytest_asyncio.fixture
async def redis_store(store_address: str, keys: Keys) -> AsyncIterator[RedisInventoryStore]:
    async with fresh_store(store_address, keys) as store:
        yield store


@pytest.fixture
def other_servers(tmp_path: Path) -> Iterator[Callable[..., StoreServer]]:
    numbers = itertools.count(1)
    with ExitStack() as stack:

        def make(*options: str, folder: Path | None = None, wrapper: tuple[str, ...] = ()) -> StoreServer:
            where = folder or tmp_path / f"server-{next(numbers)}"
            return stack.enter_context(StoreServer(where, *(options or KEPT), wrapper=wrapper))

        yield make


@pytest.fixture
def kept_server(other_servers: Callable[..., StoreServer]) -> StoreServer:
    return other_servers()
