"""The server around the application: it begins by saying that it is ready, and ends without breaking a promise.

Told to stop (SIGTERM), it first says so: readiness answers 503 and every answer closes its connection, so that callers
and load balancers go elsewhere. Then it listens no more, serves who has connected by then, answers every request that
came, and ends. Not here: what runs beside the requests (sweeper.py), several processes (processes.py).
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from api.connections import Connection, keep_looking
from engine.counts import COUNTS

GRACE_SECONDS = 10
"""How long requests that are being served may take, once nobody else is let in."""
SETTLE_SECONDS = 0.2
"""What is under way on open connections when nobody listens any more arrives within this."""


class GracefulServer(uvicorn.Server):
    """A server that drains for `drain_seconds` at most when it gets SIGTERM; Ctrl-C stops it at once."""

    def __init__(self, app: ASGIApp, *, drain_seconds: float, when_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                log_config=None,
                access_log=False,
                proxy_headers=False,  # who is behind a proxy is nothing to us
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._drain_seconds = drain_seconds
        self._when_ready = when_ready
        self._drained_at: float | None = None
        self._looking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        COUNTS.is_stopping = False
        await super().startup(sockets)
        self._looking = asyncio.create_task(keep_looking(self.server_state.connections))
        if self.started:
            self._when_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain at the first SIGTERM; stop at once by any other signal."""
        COUNTS.is_stopping = True
        if sig == signal.SIGTERM and self._drained_at is None and not self.should_exit:
            self._drained_at = monotonic() + self._drain_seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Say whether to stop now: when it has drained, or nobody is connected."""
        if self._drained_at is not None and (monotonic() >= self._drained_at or not self.server_state.connections):
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, let in who has connected, and wait for what they asked."""
        if self._looking is not None:
            self._looking.cancel()
        waiting = [each.dup() for each in sockets or ()]
        for server in self.servers:
            server.close()
        for each in sockets or ():
            each.close()
        for each in waiting:
            await self._let_in(each)
        await asyncio.sleep(SETTLE_SECONDS)
        await super().shutdown()

    async def _let_in(self, listener: socket.socket) -> None:
        """Serve the connections that the system has made, and that nobody has taken yet."""
        listener.setblocking(False)
        made = []
        try:
            while True:
                made.append(listener.accept()[0])
        except OSError:
            listener.close()
        loop = asyncio.get_running_loop()
        for connection in made:
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        config: Any = self.config
        made: asyncio.Protocol = config.http_protocol_class(
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made
