"""No oversell and no second effect through several API processes, one of which is killed every so often.

The callers are those of a shop: after a broken connection they send the same request with the same key, to whichever
process answers.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from faults.processes import Worker
from faults.scale import SCALE, SHARE
from faults.world import CATALOG, NETWORK, NODE, SKU
from store_servers import StoreServer

PROCESSES = 2
CALLERS = 16
KILL_SECONDS = 3.0
SAID = re.compile(r"allot is ready on (http://\S+)")


class Api:
    """API processes on one store; a killed one is replaced."""

    def __init__(self, server: StoreServer, tenant: str, folder: Path) -> None:
        self._settings = {"ALLOT_REDIS_URL": server.url, "ALLOT_TENANT": tenant}
        self._folder = folder
        self._numbers = itertools.count()
        self.running = [self._start() for _ in range(PROCESSES)]
        self.kills = 0

    def addresses(self) -> list[str]:
        """Return the addresses of the processes that have said that they are ready."""
        return [found[1] for worker in self.running for line in worker.lines if (found := SAID.match(line))]

    def kill_one(self) -> None:
        worker = self.running.pop(0)
        worker.kill()
        self.kills += 1
        self.running.append(self._start())

    def end(self) -> None:
        for worker in self.running:
            worker.kill()

    def _start(self) -> Worker:
        printed = self._folder / f"api-{next(self._numbers)}.txt"
        return Worker("api.cli.main", "serve", "--port", "0", printed=printed, settings=self._settings)


@contextmanager
def serving(server: StoreServer, tenant: str, folder: Path) -> Iterator[Api]:
    api = Api(server, tenant, folder)
    try:
        yield api
    finally:
        api.end()


@pytest.mark.filterwarnings("default::ResourceWarning")
async def test_callers_of_killed_api_processes_get_each_unit_once(
    kept_server: StoreServer, tenant: str, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a process that answers before the store has, and a key that is known to one process only."""
    on_hand = SCALE.attempts_over_http * 3 // 4
    with serving(kept_server, tenant, tmp_path) as api:
        while len(api.addresses()) < PROCESSES:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)
        async with httpx2.AsyncClient(timeout=10) as http:
            counted = {"positions": [{"node_id": NODE, "sku": SKU, "on_hand": on_hand}]}
            for path, document in (
                ("network", NETWORK),
                ("catalog", CATALOG),
                ("inventory/positions", counted),
            ):
                answer = await http.put(f"{api.addresses()[0]}/v1/{path}", json=document)
                assert answer.status_code == 200, answer.text
            answers: dict[int, bytes] = {}
            sold, retries, numbers = 0, 0, iter(range(SCALE.attempts_over_http))

            async def insist(number: int) -> httpx2.Response:
                nonlocal retries
                for attempt in itertools.count():
                    addresses = api.addresses()
                    address = addresses[(number + attempt) % len(addresses)]
                    body = {"lines": [{"sku": SKU, "quantity": 1, "node_id": NODE}], "ttl_seconds": 3600}
                    headers = {"Idempotency-Key": f"key-{number}"}
                    try:
                        answer = await http.post(f"{address}/v1/reservations", json=body, headers=headers)
                    except httpx2.TransportError:
                        retries += 1
                        await asyncio.sleep(0.05)
                        continue
                    if answer.status_code < 500:
                        return answer
                raise AssertionError

            async def shop() -> None:
                nonlocal sold
                for number in numbers:
                    answer = await insist(number)
                    assert answer.status_code in {201, 409}, answer.text
                    sold += answer.status_code == 201
                    answers[number] = answer.content

            shopping = [asyncio.create_task(shop()) for _ in range(CALLERS)]
            waiting = asyncio.gather(*shopping)
            while not waiting.done():
                await asyncio.sleep(KILL_SECONDS if SHARE else 0.2)
                if not waiting.done() and len(answers) > SCALE.attempts_over_http // 8 and len(api.addresses()) > 1:
                    api.kill_one()
            await waiting
            assert sold == on_hand
            for number in range(0, SCALE.attempts_over_http, max(1, SCALE.attempts_over_http // 50)):
                assert (await insist(number)).content == answers[number]
            stock = await http.get(f"{api.addresses()[0]}/v1/inventory/{SKU}")
            assert stock.json()["positions"][0]["held"] == on_hand
    assert api.kills >= 1
    reached(
        "no oversell, API processes killed",
        attempts=SCALE.attempts_over_http,
        kills=api.kills,
        broken_calls=retries,
        oversold=0,
    )
