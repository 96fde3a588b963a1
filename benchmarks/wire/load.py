"""The load: one process that sends requests over many connections, and says how many were answered, when and how.

    python -m benchmarks.wire.load < plan.json

Two ways: every connection sends its next request when it has the answer to the last (how many a server takes at most),
or requests are due at a steady rate, and their time counts from when they were due (what callers would feel). It reads
answers only as far as it must: status, length, and where the body ends.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import cast

import msgspec
import numpy as np

TICK_SECONDS = 0.001
"""Steady load is sent so often; a shorter sleep would be none, and take the core from the store."""
_HEAD_END = b"\r\n\r\n"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: raw bodies in turn to one path; `rate` a second, or as many as are answered where it is None.

    With `count`, exactly so many; else for `seconds`, of which those before `warm_seconds` do not count.
    """

    port: int
    path: str
    bodies: list[str]
    key: str | None = None
    is_keyed: bool = False
    connections: int = 32
    seconds: float = 4.0
    warm_seconds: float = 1.0
    rate: float | None = None
    count: int | None = None
    name: str = "load"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Answers a second; milliseconds at quantiles; answers by status, and connections that broke."""

    rate: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]
    broken: int


class _Caller(asyncio.Protocol):
    """One connection: at most one request at a time."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self._load.has_broken()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at a time."""
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        head = buffer.find(_HEAD_END)
        if head < 0:
            return
        at = buffer.find(b"content-length: ", 0, head)
        length = int(buffer[at + 16 : buffer.find(b"\r", at)])
        if len(buffer) < head + 4 + length:
            return
        self._buffer = b""
        self._load.is_answered(int(buffer[9:12]), self._due)
        self._load.is_idle(self)


class _Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests = _requests(plan)
        self.began = time.perf_counter()
        self.times = list[tuple[float, float]]()
        self.statuses = dict[int, int]()
        self.broken = 0
        self.left = plan.count if plan.count is not None else 2**62
        self.idle = deque[_Caller]()
        self.due = deque[float]()
        self.is_over = False
        self.done = asyncio.Event()

    def is_idle(self, caller: _Caller) -> None:
        """Give a connection its next request, if there is one."""
        if self.is_over:
            return
        if self.plan.rate is not None:
            if self.due:
                caller.send(next(self.requests), self.due.popleft())
            else:
                self.idle.append(caller)
        elif self.left > 0:
            self.left -= 1
            caller.send(next(self.requests), time.perf_counter())

    def is_answered(self, status: int, due: float) -> None:
        now = time.perf_counter()
        self.times.append((now - self.began, now - due))
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if len(self.times) == self.plan.count:
            self.done.set()

    def has_broken(self) -> None:
        if not self.is_over:
            self.broken += 1

    async def run(self) -> Measured:
        """Open the connections, send, and return what was measured."""
        plan, loop = self.plan, asyncio.get_running_loop()
        callers = [
            (await loop.create_connection(lambda: _Caller(self), "127.0.0.1", plan.port))[1]
            for _ in range(plan.connections)
        ]
        self.began = time.perf_counter()
        for caller in callers:
            self.is_idle(caller)
        if plan.rate is not None:
            await self._pace(plan.rate)
        elif plan.count is not None:
            await self.done.wait()
        else:
            await asyncio.sleep(plan.seconds)
        took = time.perf_counter() - self.began
        self.is_over = True
        for caller in callers:
            caller.close()
        return self._measured(took)

    async def _pace(self, rate: float) -> None:
        """Make requests due at a steady rate; those that no connection is free for wait, and their time runs."""
        sent = 0
        while (passed := time.perf_counter() - self.began) < self.plan.seconds:
            while sent < passed * rate:
                due = self.began + sent / rate
                sent += 1
                if self.idle:
                    self.idle.popleft().send(next(self.requests), due)
                else:
                    self.due.append(due)
            await asyncio.sleep(TICK_SECONDS)

    def _measured(self, took: float) -> Measured:
        warm = 0.0 if self.plan.count is not None else self.plan.warm_seconds
        seconds = np.array([each for at, each in self.times if at >= warm])
        high = [float(each) * 1e3 for each in np.quantile(seconds, [0.5, 0.99])] if len(seconds) else [0.0, 0.0]
        return Measured(
            rate=len(seconds) / (took - warm),
            p50_ms=high[0],
            p99_ms=high[1],
            statuses=self.statuses,
            broken=self.broken,
        )


def _requests(plan: Plan) -> Iterator[bytes]:
    """Yield raw requests for ever, each with an idempotency key of its own where the path needs one."""
    head = f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nContent-Type: application/json\r\n"
    if plan.key is not None:
        head += f"Authorization: Bearer {plan.key}\r\n"
    bodies = [f"Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in plan.bodies]
    start = head.encode()
    for number, body in enumerate(itertools.cycle(bodies)):
        yield (
            start + b"Idempotency-Key: %s-%d\r\n" % (plan.name.encode(), number) + body
            if plan.is_keyed
            else (start + body)
        )


def main() -> None:
    """Read a plan from stdin, and write what was measured to stdout."""
    import uvloop

    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)

    async def run() -> Measured:
        return await _Load(plan).run()

    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run())))


if __name__ == "__main__":
    main()
