"""The load of `allot bench http` counts what a server answers, and says what was missed."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from benchmarks.http import Row, _missed
from benchmarks.wire.load import Measured, Plan, _Load
from benchmarks.wire.questions import questions
from benchmarks.wire.yardstick import Order


class Slow:
    """A server that answers after some time, each third request with 503, and closes a connection if told to."""

    def __init__(self, seconds: float, closes_after: int = 10**9) -> None:
        self.seconds, self.closes_after, self.requests = seconds, closes_after, list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
                self.requests.append(head + await reader.readexactly(length))
                await asyncio.sleep(self.seconds)
                status = b"503 No" if len(self.requests) % 3 == 0 else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n")
                await writer.drain()
                writer.write(b"{}")  # in a segment of its own
                if len(self.requests) >= self.closes_after:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def measured(server: Slow, **more: object) -> Measured:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    plan = Plan(port=port, path="/v1/x", bodies=['{"a": 1}', '{"b": 2}'], warm_seconds=0.0, **more)  # type: ignore
    async with listening:
        return await _Load(plan).run()


async def test_answers_are_counted_by_status_and_keys_are_never_used_twice() -> None:
    server = Slow(0.001)
    found = await measured(server, connections=4, count=60, is_keyed=True, key="k")
    assert (found.statuses, found.broken) == ({200: 40, 503: 20}, 0)
    keys = {line for each in server.requests for line in each.split(b"\r\n") if line.startswith(b"Idempotency-Key")}
    assert len(keys) == len(server.requests) == 60
    assert all(b"Authorization: Bearer k" in each for each in server.requests)


async def test_time_counts_from_when_a_request_was_due_not_from_when_it_could_be_sent() -> None:
    """The seeded bug: a load that waits for the server tells of a slow one that it is quick."""
    found = await measured(Slow(0.05), connections=1, seconds=0.6, rate=100.0)
    assert found.p99_ms > 250  # 20 a second are answered of 100 that are due


async def test_a_connection_that_breaks_is_told() -> None:
    found = await measured(Slow(0.0, closes_after=5), connections=2, seconds=0.3)
    assert found.broken == 2


def test_both_sides_are_asked_what_they_take() -> None:
    for question in questions():
        assert json.loads(question.mine.bodies[0])["lines"]
        order = msgspec.json.decode(question.plain.bodies[0])
        assert len(Order.model_validate(order).lines) == 3
        assert 600 <= len(question.plain.bodies[0]) <= 750


@pytest.mark.parametrize(("ratio", "late", "sentences"), [(3.1, 4.0, 0), (2.9, 4.0, 1), (2.9, 6.0, 2)])
def test_what_was_missed_is_said(ratio: float, late: float, sentences: int) -> None:
    row = Row(question=questions()[0], rates=(1.0, ratio), ratio=ratio, cpu_us=(1.0, 1.0), p99_ms=(5.0, late))
    assert len(_missed(row)) == sentences
