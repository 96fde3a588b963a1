"""A receiver of webhooks: a real HTTP server that checks each request with the official verifier.

async with Receiver() as receiver: receiver.url; receiver.secrets = [secret]
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from standardwebhooks import Webhook

Answer = tuple[int, dict[str, str], bytes]


class Receiver:
    """Takes what is signed by one of its secrets; `answer` says what it replies, by the event."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self.secrets: list[str] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda _: (200, {}, b"thanks")
        self.events: list[dict[str, Any]] = []
        self.signed_by: list[list[int]] = []
        self.heads: list[dict[str, str]] = []
        self.requests = 0
        self.most_at_once = 0
        self.pause_seconds = 0.0
        self.is_trusting = False
        self._at_once = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"

    async def __aenter__(self) -> Receiver:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and break off what is connected."""
        assert self._server is not None
        self._server.close()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                fields = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:]) if name
                }
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                status, extra, content = await self._take(fields, body)
                named = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{named}\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._serving.discard(serving)
            writer.close()

    async def _take(self, fields: dict[str, str], body: bytes) -> Answer:
        self.requests += 1
        self.heads.append(fields)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self.pause_seconds)
        self._at_once -= 1
        good = [place for place, secret in enumerate(self.secrets) if _is_signed(secret, fields, body)]
        if not good and not self.is_trusting:
            return 401, {}, b"not signed by a secret that I know"
        event = json.loads(body)
        reply = self.answer(event)
        if 200 <= reply[0] < 300:
            self.events.append(event)
            self.signed_by.append(good)
        return reply


def _is_signed(secret: str, fields: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, fields)
    except Exception:  # noqa: BLE001 - whatever the verifier does not like
        return False
    return True
