"""A flood from one key: it is refused at its limit, and callers with other keys are served nearly as before.

The server is a process of its own, as are those who flood it; the others send at a steady rate, and their time counts
from when a request was due. The seeded bugs: no limit (the flood takes the whole process), and a limit that asks the
store for every request.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from faults.processes import Worker
from faults.scale import SHARE
from faults.world import CATALOG, NETWORK, NODE, SKU
from store_servers import StoreServer

from engine.access.service import NewSecret
from engine.bootstrap import allot_access
from engine.config import Settings

LIMIT = 100 if SHARE else 30
"""Requests a second that the key of the flood may send; it sends as many as it can, ten times that and more."""
OTHERS_PER_SECOND = 50
SECONDS = 20.0 if SHARE else 1.5
WORSE = 2.0 if SHARE else 4.0
"""How many times their p99 before the others may see during the flood: two, and in CI, beside other tests, four."""
NOISE_SECONDS = 0.004 if SHARE else 0.1
SAID = re.compile(r"allot is ready on http://127.0.0.1:(\d+)")
BODY = b'{"lines":[{"sku":"%s"}]}' % SKU.encode()


class Caller:
    """One connection of a key that asks for availability."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader, self._writer = reader, writer
        head = (
            f"POST /v1/availability HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
        )
        self._request = head.encode() + BODY

    async def ask(self) -> int:
        """Ask once, and return the status."""
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        assert found
        await self._reader.readexactly(int(found[1]))
        return int(head[9:12])

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def connected(port: int, token: str) -> Caller:
    return Caller(*await asyncio.open_connection("127.0.0.1", port), token)


async def steady(port: int, token: str) -> float:
    """Send at a steady rate over eight connections; return the p99 in seconds, from when each request was due."""
    callers = asyncio.Queue[Caller]()
    for _ in range(8):
        callers.put_nowait(await connected(port, token))
    began, took = time.perf_counter(), list[float]()

    async def one(due: float) -> None:
        caller = await callers.get()
        assert await caller.ask() == 200
        took.append(time.perf_counter() - due)
        callers.put_nowait(caller)

    async with asyncio.TaskGroup() as group:
        for number in range(round(SECONDS * OTHERS_PER_SECOND)):
            due = began + number / OTHERS_PER_SECOND
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(one(due))
    while not callers.empty():
        await callers.get_nowait().close()
    return sorted(took)[int(len(took) * 0.99)]


async def flood(port: int, token: str, seconds: float, rate: float) -> None:
    """Send at a rate, whatever comes back, and print how many requests were let in and how many refused."""
    callers = [await connected(port, token) for _ in range(16)]
    counts = {200: 0, 429: 0}
    began = time.perf_counter()

    async def keep_asking(number: int) -> None:
        while (now := time.perf_counter() - began) < seconds:
            counts[await callers[number].ask()] += 1
            await asyncio.sleep(max(0.0, len(callers) / rate - (time.perf_counter() - began - now)))

    await asyncio.gather(*(keep_asking(number) for number in range(len(callers))))
    sys.stdout.write(f"let in {counts[200]} refused {counts[429]}\n")


async def prepared(settings: Settings, port: int) -> list[NewSecret]:
    """Put stock, and return the keys of a steady caller and of the flood."""
    import httpx2

    async with allot_access(settings) as access:
        made = [
            await access.create(name=name, tenant=settings.tenant, scopes=["*"], requests_per_second=limit)
            for name, limit in (("steady", 0), ("flood", LIMIT))
        ]
    headers = {"Authorization": f"Bearer {made[0].token}"}
    counted = {"positions": [{"node_id": NODE, "sku": SKU, "on_hand": 10}]}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", headers=headers, timeout=30) as http:
        for path, document in (("/network", NETWORK), ("/catalog", CATALOG), ("/inventory/positions", counted)):
            assert (await http.put(path, json=document)).status_code == 200
    return made


async def test_a_flood_from_one_key_is_refused_and_hardly_felt_by_others(
    kept_server: StoreServer, tenant: str, tmp_path: Path, reached: Callable[..., None]
) -> None:
    environment = {"ALLOT_REDIS_URL": kept_server.url, "ALLOT_TENANT": tenant, "ALLOT_AUTH": "keys"}
    api = Worker("api.cli.main", "serve", "--port", "0", printed=tmp_path / "api.txt", settings=environment)
    flooding: list[Worker] = []
    try:
        while not (found := [line for line in api.lines if SAID.match(line)]):
            api.check()
            await asyncio.sleep(0.05)
        port = int(SAID.match(found[0])[1])  # type: ignore[index]
        one, other = await prepared(Settings(redis_url=kept_server.url, tenant=tenant), port)
        before = await steady(port, one.token)
        arguments = (port, other.token, SECONDS + 1, 10 * LIMIT)
        flooding.append(Worker("faults.test_floods", *arguments, printed=tmp_path / "flood.txt"))
        await asyncio.sleep(0.5)
        during = await steady(port, one.token)
        while flooding[0].is_running():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    finally:
        for worker in [api, *flooding]:
            worker.kill()
    let_in, refused = map(int, re.findall(r"\d+", flooding[0].lines[-1]))
    seconds = SECONDS + 1
    p99_ms = round(before * 1e3, 1), round(during * 1e3, 1)
    reached("a flood from one key", let_in=let_in, refused=refused, p99_ms=p99_ms[0], p99_ms_in_flood=p99_ms[1])
    assert let_in <= LIMIT * (seconds + 2.5)
    assert refused > let_in
    assert during <= WORSE * before + NOISE_SECONDS


if __name__ == "__main__":
    asyncio.run(flood(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
