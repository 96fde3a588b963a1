"""Limits of a key on requests: what a flood may send over several processes, what it is told, and what others notice.

The seeded bugs: an allowance for each secret instead of each key, tokens that do not lapse, and a process that trusts
its own count only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api import openapi
from api.allowance import LAPSE_SECONDS, Allowance
from api.errors import TooManyRequests
from api.table import ENDPOINTS
from engine.access.buckets import Buckets, MemoryBuckets, RedisBuckets
from engine.access.store import LIBRARY
from engine.config import Settings
from engine.storage.functions import ensure
from tests.api.test_access import bearer, desk

__all__ = ["desk"]


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory", auth="keys", requests_per_second=20)


@pytest.fixture(params=["memory", "redis"])
async def buckets(request, client) -> Buckets:
    await ensure(client, [LIBRARY])
    return MemoryBuckets() if request.param == "memory" else RedisBuckets(client)


async def flood(allowance: Allowance, seconds: float) -> int:
    """Send as fast as can be, and return how many requests were let in."""
    let_in, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await allowance.spend()
            let_in += 1
        except TooManyRequests:
            await asyncio.sleep(0.002)
    return let_in


async def test_a_bucket_gives_no_more_than_it_holds_and_what_has_come_in_since(buckets, tenant):
    first = await buckets.take(tenant, 10, 20, 15)
    second = await buckets.take(tenant, 10, 20, 15)
    third = await buckets.take(tenant, 10, 20, 15)
    assert (first.granted, first.left, second.granted, second.left, third.granted) == (15, 5, 5, 0, 0)
    assert 0.0 < third.wait_seconds <= 0.1
    await asyncio.sleep(0.25)
    assert (await buckets.take(tenant, 10, 20, 15)).granted == 2
    assert (await buckets.take(f"{tenant}-other", 10, 20, 20)).granted == 20


async def test_all_who_come_at_once_to_a_new_process_are_let_in(buckets, tenant):
    """The seeded bug: tries are counted, so that a caller is refused what others spent though the limit allows it."""
    allowance = Allowance(buckets, tenant, 10_000)
    await asyncio.gather(*(allowance.spend() for _ in range(200)))
    few = Allowance(buckets, f"{tenant}-few", 10)
    found = await asyncio.gather(*(few.spend() for _ in range(50)), return_exceptions=True)
    assert [type(each) for each in found].count(TooManyRequests) == 30


async def test_several_processes_together_let_in_what_the_limit_allows_and_little_more(buckets, tenant):
    per_second, processes, seconds = 400, 3, 1.0
    allowances = [Allowance(buckets, tenant, per_second) for _ in range(processes)]
    began = time.monotonic()
    let_in = sum(await asyncio.gather(*(flood(each, seconds) for each in allowances)))
    took = time.monotonic() - began
    most = 2 * per_second + per_second * took
    assert 0.85 * most <= let_in <= most


async def test_tokens_at_hand_lapse_so_that_none_are_hoarded(tenant):
    allowance = Allowance(MemoryBuckets(), tenant, 100)
    await allowance.spend()
    assert allowance.credit > 0
    await asyncio.sleep(LAPSE_SECONDS + 0.05)
    taken = allowance.until
    await allowance.spend()
    assert allowance.until > taken


async def test_a_flood_of_one_key_is_refused_with_what_it_may_do_and_another_key_is_served(http, desk):
    key, other = await desk.key("network:read"), await desk.key("network:read")
    second = await desk.access.rotate(key.key.key_id)
    tokens = [key.token, second.token]
    answers = [await http.get("/v1/network", headers=bearer(tokens[n % 2])) for n in range(80)]
    let_in = [answer for answer in answers if answer.status_code == 404]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 40 <= len(let_in) <= 60
    assert len(let_in) + len(refused) == 80
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == '"key";q=40;w=2'
    assert let_in[0].headers["RateLimit"] == '"key";r=39;t=1'
    assert refused[0].headers["RateLimit"] == '"key";r=0;t=3'
    problem = refused[0].json()
    assert (problem["code"], problem["retryable"]) == ("too_many_requests", True)
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert (await http.get("/v1/network", headers=bearer(other.token))).status_code == 404


async def test_a_key_may_have_a_limit_of_its_own_or_none(http, desk):
    few = await desk.key("network:read", requests_per_second=1)
    answers = [(await http.get("/v1/network", headers=bearer(few.token))).status_code for _ in range(3)]
    assert answers == [404, 404, 429]
    free = await desk.key("network:read", requests_per_second=0)
    many = [await http.get("/v1/network", headers=bearer(free.token)) for _ in range(60)]
    assert {answer.status_code for answer in many} == {404}
    assert "RateLimit" not in many[0].headers


async def test_health_costs_nobody_a_token_and_a_refused_scope_neither(http, desk):
    key = await desk.key("network:read", requests_per_second=1)
    for _ in range(5):
        await http.get("/v1/health/live", headers=bearer(key.token))
        assert (await http.get("/v1/catalog", headers=bearer(key.token))).status_code == 403
    assert (await http.get("/v1/network", headers=bearer(key.token))).status_code == 404


def unbounded(schema: dict[str, Any], schemas: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Yield each list in a schema that says of no end; documents of the API do not hold themselves."""
    if "$ref" in schema:
        yield from unbounded(schemas[schema["$ref"].rpartition("/")[2]], schemas, path)
    for choice in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from unbounded(choice, schemas, path)
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield path
    if isinstance(schema.get("items"), dict):
        yield from unbounded(schema["items"], schemas, f"{path}[]")
    for name, inner in schema.get("properties", {}).items():
        yield from unbounded(inner, schemas, f"{path}.{name}")


def test_every_body_has_a_size_and_every_list_in_one_and_every_page_an_end():
    document = openapi.document(ENDPOINTS, "1")
    schemas = document["components"]["schemas"]
    for row in ENDPOINTS:
        operation = document["paths"][row.public_path][row.method.lower()]
        name = f"{row.method} {row.public_path}"
        assert 0 < row.max_body_bytes <= 64 * 2**20, name
        if row.body is not None and issubclass(row.body, msgspec.Struct):  # whole documents end with their bytes
            assert list(unbounded({"$ref": f"/{row.body.__name__}"}, schemas)) == [], name
        for parameter in operation["parameters"]:
            if parameter["name"] == "limit":
                assert parameter["schema"]["maximum"] <= 1000, name
