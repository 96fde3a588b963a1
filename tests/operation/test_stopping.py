"""A server that is told to stop under load answers what it accepted, and leaves its runs to others."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
from operation.serving import ASK, CATALOG, HOLD, NETWORK, serving

from api.app import create_app
from api.serving import GracefulServer
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.network.document import NetworkDocument
from engine.routing.run_model import RunRequest

CALLERS = 12
LIVE = b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_nothing_that_was_accepted_is_lost_when_a_server_stops(store_address: str, tenant: str) -> None:
    """Catches a server that closes connections with a request under way, and one that ends before it has answered.

    Callers keep their connections, and make new ones when told to. Only refused connections are no failure: another
    server would have got these.
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


class Ending(GracefulServer):
    """A server that stops as soon as `before` returns."""

    before: Callable[[], Awaitable[None]]

    async def main_loop(self) -> None:
        await self.before()


@asynccontextmanager
async def ending() -> AsyncIterator[tuple[Ending, socket.socket]]:
    """Yield a server that is not started, and where it will listen."""
    signals = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    async with allot_engine(Settings(), memory=True) as engine:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield Ending(create_app(Settings(), engine=engine), drain_seconds=0.0, when_ready=lambda: None), listener
    for number, handler in signals.items():
        signal.signal(number, handler)


def answer_of(caller: socket.socket) -> bytes:
    """Return what was answered to a caller whose server has ended; it waits for nothing."""
    with caller:
        caller.setblocking(False)
        return caller.recv(2**16)


async def test_a_connection_that_nobody_had_taken_yet_is_served() -> None:
    """Catches a server that closes its port with those that the system let in before (`_let_in` left out)."""
    async with ending() as (server, listener):
        callers: list[socket.socket] = []

        async def before() -> None:
            callers.append(socket.create_connection(listener.getsockname()))  # the loop has no turn from here on
            callers[0].sendall(LIVE)

        server.before = before
        await server.serve(sockets=[listener])
        assert answer_of(callers[0]).startswith(b"HTTP/1.1 200 ")


async def test_a_request_that_is_under_way_when_nobody_listens_any_more_is_answered() -> None:
    """Catches a server that closes idle connections at once (`SETTLE_SECONDS` left out)."""
    async with ending() as (server, listener):
        callers: list[socket.socket] = []

        async def before() -> None:
            callers.append(socket.create_connection(listener.getsockname()))
            while not server.server_state.connections:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.01)
            asyncio.get_running_loop().call_soon(callers[0].sendall, LIVE)

        server.before = before
        await server.serve(sockets=[listener])
        assert answer_of(callers[0]).startswith(b"HTTP/1.1 200 ")


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
