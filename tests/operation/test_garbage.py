"""What a request leaves behind is gone with it: nothing for the collector to find, which would hold others up."""

from __future__ import annotations

import asyncio
import gc
from urllib.parse import urlsplit

from operation.in_process import running

from api.app import create_app
from engine.bootstrap import allot_engine
from engine.config import Settings

REQUEST = b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUESTS = 200


async def test_a_request_leaves_nothing_for_the_collector() -> None:
    """The seeded bug: the scope of a request keeps what writes its answer, which leads back to the scope."""
    async with allot_engine(Settings(), memory=True) as engine, running(create_app(Settings(), engine=engine)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        found = 0
        for _ in range(2):  # the first time some things are made that stay
            gc.collect()
            gc.disable()
            try:
                for _ in range(REQUESTS):
                    writer.write(REQUEST)
                    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
                found = gc.collect()
            finally:
                gc.enable()
        writer.close()
    assert found < REQUESTS  # a dozen of each request, before
