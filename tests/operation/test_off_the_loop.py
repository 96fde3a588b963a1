"""What takes long is not done on the event loop: no turn of it takes more than some milliseconds of the processor.

Times are of the processor and of the loop's thread, so that a busy machine changes little. Catches mistakes of a body
that are looked for on the loop: 50 ms for 500 lines, more than a second for a body as large as may be.
"""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.events import Handle
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import pytest
import pytest_asyncio
from pydantic import BaseModel

from api.app import create_app
from api.table import ENDPOINTS
from engine.bootstrap import allot_engine
from engine.config import Settings

MOST_SECONDS = 0.02
LINES = 500
BODIES = [row for row in ENDPOINTS if row.body is not None and row.scope and not issubclass(row.body, BaseModel)]


class Longest:
    """The longest turn of the loop so far."""

    seconds = 0.0


@contextmanager
def measured() -> Iterator[Longest]:
    longest, run = Longest(), Handle._run

    def timed(handle: Handle) -> None:
        began = time.thread_time()
        run(handle)
        longest.seconds = max(longest.seconds, time.thread_time() - began)

    Handle._run = timed  # type: ignore[method-assign]
    try:
        yield longest
    finally:
        Handle._run = run  # type: ignore[method-assign]


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with allot_engine(Settings(), memory=True) as engine:
        app = create_app(Settings(request_timeout_seconds=60), engine=engine)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
                yield client


def lengthened(example: object) -> dict[str, object]:
    """Return an example whose lists are long, and right but for their length and one key."""
    known = example if isinstance(example, dict) else {}
    longer = {name: value * LINES if isinstance(value, list) else value for name, value in known.items()}
    return {**longer, "nonsense": True}


async def test_mistakes_of_a_long_body_are_looked_for_beside_the_loop(http: httpx2.AsyncClient) -> None:
    slow = {}
    for row in BODIES:
        wrong = json.dumps(lengthened(row.example)).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": "wrong"}
        request = http.build_request(row.method, row.public_path, content=wrong, headers=headers)
        with measured() as longest:
            answer = await asyncio.create_task(http.send(request))
        assert answer.status_code in {400, 413, 415}, (row.public_path, answer.text[:200])
        if longest.seconds > MOST_SECONDS:
            slow[row.public_path] = longest.seconds
    assert slow == {}


@pytest.mark.parametrize("path", ["/openapi.json", "/metrics"])
async def test_long_documents_are_written_beside_the_loop(http: httpx2.AsyncClient, path: str) -> None:
    await http.get(path)
    with measured() as longest:
        answer = await asyncio.create_task(http.send(http.build_request("GET", path)))
    assert answer.status_code == 200
    assert longest.seconds < MOST_SECONDS / 2
