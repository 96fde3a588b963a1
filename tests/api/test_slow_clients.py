"""Clients that hold a connection and do nothing with it, on a real server.

The seeded bugs: uvicorn's own protocol in place of ours, which leaves each of these open; a look that takes a request
which is being served for one that does not come.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI, Response

from api import connections
from api.app import create_app
from api.serving import GracefulServer


@pytest_asyncio.fixture
async def server(app: FastAPI, monkeypatch) -> AsyncIterator[GracefulServer]:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.3)

    served = create_app(engine=app.state.engine)

    @served.get("/slow")
    async def slow() -> dict[str, bool]:
        await asyncio.sleep(0.8)
        return {"done": True}

    @served.get("/long")
    async def long() -> Response:
        return Response(b"x" * 30_000_000)

    ready = asyncio.Event()
    server = GracefulServer(served, drain_seconds=0, when_ready=ready.set)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await ready.wait()
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
def port(server: GracefulServer) -> int:
    (listening,) = server.servers
    return int(listening.sockets[0].getsockname()[1])


async def said(port: int, *pieces: bytes, pause: float = 0.05) -> bytes:
    """Send pieces with a pause after each, and return all that comes until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(3):
        for piece in pieces:
            writer.write(piece)
            try:
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.sleep(pause)
        try:
            found = await reader.read()
        except ConnectionError:
            found = b""
    writer.close()
    return found


HEAD = b"GET /v1/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    "pieces",
    [(), (HEAD,), tuple(HEAD[n : n + 1] for n in range(20)), (HEAD + b"\r\n", HEAD)],
    ids=["nothing", "half a head", "a byte now and then", "half a head after a request"],
)
async def test_a_head_that_does_not_come_ends_the_connection(port, pieces):
    found = await said(port, *pieces)
    why = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    assert found.endswith(why) or (found == b"" and len(pieces) > 2)  # who still sends may not hear it


async def test_a_head_without_an_end_ends_the_connection(port):
    found = await said(port, HEAD, *[b"x-more: " + b"y" * 8192 + b"\r\n"] * 12, pause=0.001)
    assert found == b"" or found.startswith(b"HTTP/1.1 431")


async def test_a_request_that_takes_its_time_is_answered_and_so_is_the_next_one_on_its_connection(port):
    slow = HEAD.replace(b"/v1/health/live", b"/slow") + b"\r\n"
    found = await said(port, slow, HEAD + b"Connection: close\r\n\r\n", pause=1.0)
    assert found.count(b"HTTP/1.1 200 OK") == 2


async def test_an_answer_that_nobody_takes_ends_the_connection(port, server):
    connections = server.server_state.connections
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(HEAD.replace(b"/v1/health/live", b"/long") + b"\r\n")
        async with asyncio.timeout(10):
            while not any(connection.flow.write_paused for connection in connections):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            while connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_body_larger_than_a_head_may_be_is_taken(port):
    body = b'{"lines": [' + b" " * 200_000 + b"]}"
    head = b"POST /v1/availability HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    found = await said(port, head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert found.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/network", "/v1/nothing", "/docs"])
async def test_every_answer_tells_browsers_to_keep_their_hands_off(port, path):
    head = HEAD.replace(b"/v1/health/live", path.encode())
    found = (await said(port, head + b"Connection: close\r\n\r\n")).lower()
    kept = (await said(port, head + b"\r\n", head + b"Connection: close\r\n\r\n")).lower()
    for header in (
        b"x-content-type-options: nosniff",
        b"cache-control: no-store",
        b"referrer-policy: no-referrer",
        b"content-security-policy: default-src 'none'",
        b"x-request-id: req_",
    ):
        assert found.count(header) == 1, header
        assert kept.count(header) == 2, header
    assert b"server:" not in found
