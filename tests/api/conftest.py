"""A real application on the run's real store, reached as a client would.

`settings`  per test: a key space of its own in the shared store
`app`       per test: the application with its lifespan running
`http`      per test: a client of it; a POST gets a new Idempotency-Key unless one is given
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from engine.config import Settings

_numbers = itertools.count(1)


class Client(httpx2.AsyncClient):
    """Sends JSON; a POST has a new idempotency key unless the test gives one."""

    async def post(self, url, **arguments):  # type: ignore[no-untyped-def,override]
        headers = {"Idempotency-Key": f"key-{next(_numbers)}", **(arguments.pop("headers", None) or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return await super().post(url, headers=headers, **arguments)


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory")


@pytest_asyncio.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[Client]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with Client(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
