"""The whole OpenAPI document against a server with keys: no 5xx, no answer that the document does not describe.

In CI the examples of the document and 300 random requests, the same ones every time; in `make soak` 10,000, with every
edge of every schema and what one answer names asked for next. It found documents
that took `false` for a number; the bug put in to see it fail: problems as text/plain, caught at each of 57 operations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from faults.scale import SHARE
from operation.serving import serving

from api.table import ENDPOINTS
from engine.bootstrap import allot_access
from engine.config import Settings
from tests.api import generated

SEED = 20261123
CASES = 300
FULL_CASES = 10_000


async def _token(settings: Settings) -> str:
    async with allot_access(settings) as access:
        new = await access.create(name="generated", tenant=settings.tenant, scopes=["*"])
        return new.token


@pytest.fixture
def token(store_address: str, tenant: str) -> str:
    """A key of all scopes."""
    settings = Settings(redis_url=store_address, tenant=tenant, durability="memory", auth="keys")
    return asyncio.run(_token(settings))


@pytest.fixture
def address(store_address: str, tenant: str, token: str) -> Iterator[str]:
    """A server of its own on the run's store, with the shop of the examples."""
    settings = {"redis_url": store_address, "tenant": tenant, "durability": "memory", "auth": "keys"}
    with serving(**settings, requests_per_second="0", webhooks_allow_private="true") as server:
        generated.settle(server.address, token)
        yield server.address
        server.process.terminate()
        code, written = server.end()
    assert code == 0
    assert "Traceback" not in written


def test_every_answer_to_generated_requests_is_one_that_the_document_describes(
    address: str, token: str, reached: Callable[..., None]
) -> None:
    asked = max(CASES, round(FULL_CASES * SHARE))
    phases = generated.PHASES if SHARE else ("examples", "fuzzing")
    found = generated.run(address, token, seed=SEED, examples=-(-asked // len(ENDPOINTS)), phases=phases)
    assert found.faults == {}
    assert found.operations == {f"{row.method} {row.public_path}" for row in ENDPOINTS}
    assert found.cases.total() >= asked
    assert found.statuses[200] > found.cases.total() / 10, found.statuses  # not everything is refused
    reached(
        "requests generated from the OpenAPI document",
        **found.cases,
        answers_5xx=sum(count for status, count in found.statuses.items() if status >= 500),
        faults=len(found.faults),
    )
