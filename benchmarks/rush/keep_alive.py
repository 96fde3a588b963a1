"""A small HTTP/1.1 client for load: connections that stay open, each with one request under way.

It costs a fraction of the processor of a general client, which would be measured along with the server. Not here:
anything that servers other than ours may do, such as chunked bodies.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
_IDLE_SECONDS = 1.0
Reply = tuple[int, Any]
"""(status, decoded body)."""


class KeepAlive:
    """Sends JSON to one server; opens another connection whenever all are busy."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: object, key: str | None = None) -> Reply:
        """Post a body, with an idempotency key if the endpoint wants one."""
        sent = _encode(body)
        keyed = "" if key is None else f"Idempotency-Key: {key}\r\n"
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n{keyed}"
        return await self._ask(f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)

    async def get(self, path: str) -> Reply:
        """Get a document."""
        return await self._ask(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    async def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop()[2].close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection that was used a moment ago, or a new one: servers close those that are idle."""
        while self._idle:
            used, reader, writer = self._idle.pop()
            if time.monotonic() - used < _IDLE_SECONDS:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    async def _ask(self, request: bytes) -> Reply:
        """Send a request; raises OSError or IncompleteReadError where the connection breaks."""
        reader, writer = await self._connection()
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        self._idle.append((time.monotonic(), reader, writer))
        return int(head[9:12]), _decode(body) if body else None
