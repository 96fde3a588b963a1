"""An application behind a real server, in the process of the test: real connections without the start of another."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.serving import GracefulServer


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[str]:
    """Serve `app` on a free port, and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready = asyncio.Event()
    server = GracefulServer(app, drain_seconds=0.0, when_ready=ready.set)
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        for number, handler in before.items():
            signal.signal(number, handler)
