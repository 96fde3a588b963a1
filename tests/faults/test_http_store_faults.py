"""The store gone, silent, slow, restarted and read-only beneath the API: each call ends in time with a true answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
from faults.scale import SCALE
from faults.world import CATALOG, NETWORK, NODE, SKU
from operation.in_process import running
from store_servers import StoreServer

from api.app import create_app
from engine.config import Settings

LIMIT_SECONDS, SLACK_SECONDS, RECOVERY_SECONDS = 1.0, 1.0, 5.0
CALLERS = 6
ON_HAND = 10**7
TOGETHER = 50


async def gone(server: StoreServer) -> None:
    server.kill()
    await asyncio.sleep(0.4)
    await asyncio.to_thread(server.start)


async def restarted(server: StoreServer) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def silent(server: StoreServer) -> None:
    """Longer than a request may take: who asks meanwhile is told so, and not kept waiting."""
    server.pause()
    await asyncio.sleep(LIMIT_SECONDS + SLACK_SECONDS + 0.3)
    server.resume()


async def slow(server: StoreServer) -> None:
    for _ in range(3):
        server.ask("CLIENT", "PAUSE", 150, "ALL")
        await asyncio.sleep(0.2)


async def read_only(server: StoreServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", 1)
    await asyncio.sleep(0.4)
    server.ask("REPLICAOF", "NO", "ONE")


FAULTS: tuple[Callable[[StoreServer], Awaitable[None]], ...] = (gone, silent, slow, restarted, read_only)


@asynccontextmanager
async def shop(server: StoreServer, tenant: str) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(redis_url=server.url, tenant=tenant, request_timeout_seconds=LIMIT_SECONDS)
    async with running(create_app(settings)) as address, httpx2.AsyncClient(base_url=address, timeout=30) as http:
        counted = {"positions": [{"node_id": NODE, "sku": SKU, "on_hand": ON_HAND}]}
        for path, document in (("network", NETWORK), ("catalog", CATALOG), ("inventory/positions", counted)):
            answer = await http.put(f"/v1/{path}", json=document)
            assert answer.status_code == 200, answer.text
        yield http


def hold_of(number: int) -> bytes:
    return json.dumps(
        {"lines": [{"sku": SKU, "quantity": number % 5 + 1, "node_id": NODE}], "ttl_seconds": 3600}
    ).encode()


async def test_calls_end_in_time_and_truly_whatever_the_store_does(
    kept_server: StoreServer, tenant: str, reached: Callable[..., None]
) -> None:
    """Catches a request without a limit (it waits as long as the store is silent), and success that the store has not.

    Some callers go in the middle of their request. At the end every hold that was asked for is asked for again under
    its key: together they have happened once each, and those that were acknowledged answer as before.
    """
    faults = max(len(FAULTS), SCALE.network_faults - 1)
    told: dict[int, bytes] = {}
    numbers, statuses = itertools.count(), dict[int, int]()
    slowest = recovery = 0.0
    last_success, is_over = time.monotonic(), False
    async with shop(kept_server, tenant) as http:

        async def hold(number: int) -> httpx2.Response:
            headers = {"Idempotency-Key": f"h{number}", "Content-Type": "application/json"}
            return await http.post("/v1/reservations", content=hold_of(number), headers=headers)

        async def call(chance: random.Random) -> None:
            nonlocal slowest, last_success
            while not is_over:
                began, number = time.monotonic(), next(numbers)
                if number % 7 == 0:
                    await leave_midway(http.base_url.port or 0, number, whole=chance.random() < 0.5)
                    continue
                answer = await hold(number)
                slowest = max(slowest, time.monotonic() - began)
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                if answer.status_code == 201:
                    told[number], last_success = answer.content, time.monotonic()
                    await asyncio.sleep(0.01)
                    continue
                said = answer.json()
                assert (answer.status_code, said["retryable"]) == (503, True), said
                assert said["code"] in {"unavailable", "deadline_exceeded"}
                await asyncio.sleep(0.03)

        calling = [asyncio.create_task(call(random.Random(caller))) for caller in range(CALLERS)]
        for fault in range(faults):
            await asyncio.sleep(0.1)
            await FAULTS[fault % len(FAULTS)](kept_server)
            ended = time.monotonic()
            while last_success < ended:
                await asyncio.sleep(0.005)
                late = time.monotonic() - ended
                assert late < RECOVERY_SECONDS, f"no call succeeds after {FAULTS[fault % len(FAULTS)].__name__}"
            recovery = max(recovery, last_success - ended)
        is_over = True
        await asyncio.gather(*calling)
        asked = next(numbers)
        for first in range(0, asked, TOGETHER):
            sent = range(first, min(first + TOGETHER, asked))
            for number, again in zip(sent, await asyncio.gather(*map(hold, sent)), strict=True):
                assert again.status_code == 201, again.text
                assert told.get(number, again.content) == again.content
        (position,) = (await http.get(f"/v1/inventory/{SKU}")).json()["positions"]
        assert position["held"] == sum(number % 5 + 1 for number in range(asked))
    assert statuses[503] > 0
    assert slowest <= LIMIT_SECONDS + SLACK_SECONDS
    reached(
        "store faults beneath the API",
        faults=faults,
        acknowledged=len(told),
        unavailable=statuses[503],
        slowest_call_seconds=round(slowest, 2),
        slowest_recovery_seconds=round(recovery, 2),
    )


async def leave_midway(port: int, number: int, *, whole: bool) -> None:
    """Send a hold, or half of it, and go."""
    body = hold_of(number)
    head = (
        f"POST /v1/reservations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: h{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + (body if whole else body[: len(body) // 2]))
    await writer.drain()
    await asyncio.sleep(0.002)
    writer.transport.abort()
