"""A network that misbehaves on demand: a proxy between clients and a store.

`pass` hands everything on, `slow` late, `black_hole` swallows what clients send, `mute` swallows what the store says,
`reset` breaks every connection and refuses new ones.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

MODES = ("slow", "black_hole", "mute", "reset")


class Network:
    """A proxy on a port of its own; set `mode` at any time, it counts for connections that are open too."""

    def __init__(self, port: int, *, delay_seconds: float = 0.05) -> None:
        self._port = port
        self._delay_seconds = delay_seconds
        self._mode = "pass"
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self.url = ""

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode
        if mode == "reset":
            for writer in self._writers:
                writer.transport.abort()

    async def __aenter__(self) -> Network:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listening is not None
        self._listening.close()
        self.mode = "reset"
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self._mode == "reset":
                writer.transport.abort()
                return
            with suppress(OSError):
                store_reader, store_writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._writers |= {writer, store_writer}
                there = asyncio.create_task(self._pump(reader, store_writer, "black_hole"))
                back = asyncio.create_task(self._pump(store_reader, writer, "mute"))
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                for each in (writer, store_writer):
                    each.transport.abort()
                await asyncio.gather(there, back)
                self._writers -= {writer, store_writer}
        finally:
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallowed_in: str) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._mode == "slow":
                    await asyncio.sleep(self._delay_seconds)
                if self._mode != swallowed_in:
                    writer.write(data)
