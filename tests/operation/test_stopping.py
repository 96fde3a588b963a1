"""A server that is told to stop under load answers what it accepted, and leaves its runs to others."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time

import httpx2
from operation.serving import ASK, CATALOG, HOLD, NETWORK, serving

from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.network.document import NetworkDocument
from engine.routing.run_model import RunRequest

CALLERS = 12


async def test_nothing_that_was_accepted_is_lost_when_a_server_stops(store_address: str, tenant: str) -> None:
    """Catches a server that closes connections with a request under way, and one that ends before it has answered.

    Callers keep their connections, and make new ones when told to. Only refused connections are no failure: another
    server would have got these. Without the settling of `GracefulServer.shutdown` some broken ones come up.
    """
    with serving(redis_url=store_address, tenant=tenant, durability="memory", drain_seconds="0.5") as server:
        server.fill()
        answered, broken, readiness = 0, list[str](), set[int]()
        numbers = itertools.count()

        async def call(http: httpx2.AsyncClient) -> None:
            nonlocal answered
            while True:
                number = next(numbers)
                path, body = ("reservations", HOLD) if number % 2 else ("availability", ASK)
                try:
                    answer = await http.post(
                        f"{server.address}/v1/{path}", json=body, headers={"Idempotency-Key": f"k{number}"}
                    )
                except httpx2.ConnectError:
                    return
                except httpx2.TransportError as error:
                    broken.append(repr(error))
                    return
                assert answer.status_code in {200, 201}, answer.text
                answered += 1

        async def watch(http: httpx2.AsyncClient) -> None:
            while True:
                try:
                    readiness.add((await http.get(f"{server.address}/v1/health/ready")).status_code)
                except httpx2.TransportError:
                    return
                await asyncio.sleep(0.02)

        async with httpx2.AsyncClient(timeout=20) as http, httpx2.AsyncClient(timeout=20) as other:
            calling = [asyncio.create_task(call(http)) for _ in range(CALLERS)]
            calling.append(asyncio.create_task(watch(other)))
            await asyncio.sleep(0.4)
            began = time.monotonic()
            server.tell(signal.SIGTERM)
            await asyncio.gather(*calling)
        code, err = server.end()
        assert (code, broken) == (0, []), err
        assert readiness == {200, 503}
        assert answered > CALLERS
        assert time.monotonic() - began < 15


async def test_a_run_is_left_to_another_process_at_once(store_address: str, tenant: str) -> None:
    """Catches a process that waits for its runs, and one that keeps the lease of a run that it leaves."""
    settings = Settings(redis_url=store_address, tenant=tenant, durability="memory", run_lease_seconds=60)
    async with allot_engine(settings) as first, allot_engine(settings) as second:
        await first.network.put(NetworkDocument.model_validate(NETWORK))
        await first.catalog.put(CatalogDocument.model_validate(CATALOG))
        run = (await first.routing_runs.start(RunRequest())).value
        await first.routing_runs.hand_over(0.0)
        assert not (await first.routing_runs.get(run.run_id)).status.over
        await asyncio.sleep(0.02)  # the lease ends within a millisecond
        await second.routing_runs.take_up_left()
        await second.routing_runs.finish()
        assert (await second.routing_runs.get(run.run_id)).status == "committed"
