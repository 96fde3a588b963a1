"""A client that costs as little as it can, so that a flood of requests loads the server and not itself."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Heard:
    """What the callers of one kind of request have heard."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def ask(port: int, path: str, body: object, heard: Heard, until: float, *, pause_seconds: float = 0.0) -> None:
    """Send the same body over one connection, each time under a new key, until the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw, number = json.dumps(body).encode(), 0
    name = f"{id(writer)}-{time.monotonic_ns()}"
    try:
        while time.monotonic() < until:
            number += 1
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Idempotency-Key: {name}-{number}\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
                + raw
            )
            began = time.monotonic()
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            heard.seconds.append(time.monotonic() - began)
            status = int(head[9:12])
            heard.statuses[status] = heard.statuses.get(status, 0) + 1
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
    finally:
        writer.close()
