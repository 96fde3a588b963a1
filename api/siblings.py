"""The metrics of several processes in one answer: each offers its own on a socket file, and asks the others for theirs.

Not here: what is counted (metrics.py), starting the processes (processes.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ASK_SECONDS = 1.0
"""One that does not answer within this is left out of a scrape: it is busy, or gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which of several processes this one is, and where they find each other."""

    number: int
    folder: Path

    @property
    def socket_path(self) -> Path:
        """Return where this process offers its metrics."""
        return self.folder / f"{self.number}.sock"


@asynccontextmanager
async def offering(place: Place, text: Callable[[], Awaitable[bytes]]) -> AsyncIterator[None]:
    """Answer siblings as long as the block lasts."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(await text())
            await writer.drain()
        writer.close()

    place.socket_path.unlink(missing_ok=True)  # of one that was killed
    server = await asyncio.start_unix_server(answer, place.socket_path)
    try:
        yield
    finally:
        server.close()  # the file stays: it may be that of a process which takes our place


async def ask_others(place: Place) -> list[bytes]:
    """Return the metrics of every other process that answers in time."""
    others = sorted(path for path in place.folder.glob("*.sock") if path != place.socket_path)
    return [found for found in await asyncio.gather(*map(_ask, others)) if found]


async def _ask(path: Path) -> bytes:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return await reader.read()
            finally:
                writer.close()
    return b""


def merged(texts: Sequence[bytes]) -> bytes:
    """Return expositions as one: what is said of a metric once, the samples of all below it."""
    heads: dict[bytes, list[bytes]] = {}
    samples: dict[bytes, list[bytes]] = {}
    for text in texts:
        name = b""
        for line in text.splitlines(keepends=True):
            if line.startswith(b"# HELP "):
                name = line.split(b" ", 3)[2]
            if not line.startswith(b"#"):
                samples.setdefault(name, []).append(line)
            elif len(head := heads.setdefault(name, [])) < 2:
                head.append(line)
    return b"".join(b"".join(head) + b"".join(samples.get(name, ())) for name, head in heads.items())
