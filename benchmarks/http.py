"""Question: how many requests a second does one server process take, against the endpoint most teams would write.

The yardstick is FastAPI with a pydantic body and response model and one round trip of redis-py, and no logic at all
(benchmarks/wire/yardstick.py). Ours is `allot serve` as it is, with API keys, limits, idempotency and metrics, and the
real answer. Both run by uvicorn with uvloop and httptools, one process each, pinned to one core; the store (append-only
file, synced every second for both) and the load have the other. Orders have three lines; the network has 60 nodes.

Runs alternate, and a figure is the median of its runs; a ratio is the median of the ratios of neighbouring runs, so it
hardly depends on the machine. p99 is measured with requests due at a steady rate, half of what each side takes at most.
Then 1,000 connections at once, and the memory of the server before and after many requests.

    allot bench http [--rounds N] [--seconds S] [--requests N] [--only PATH]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.machine import machine
from benchmarks.wire.load import Measured, Plan
from benchmarks.wire.questions import Asked, Question, put_world, questions
from benchmarks.wire.sides import TENANT, Side, ours, pin_others, send, yardstick
from engine.access.service import AccessService
from engine.access.store import LIBRARY, RedisKeyStore
from engine.clock import SystemClock
from engine.storage.client import connect
from engine.storage.embedded import EmbeddedServer, ensure_server
from engine.storage.functions import ensure

CONNECTIONS, MANY_CONNECTIONS, WARM_REQUESTS = 64, 1_000, 50_000
MOST_GROWTH = 0.02
"""How much more memory a server may have after so many requests: what is kept for each would be far more."""
_HEAD = f"{'':<20}{'yardstick/s':>12}{'allot/s':>10}{'ratio':>8}{'wanted':>8}{'CPU µs':>14}{'p99 ms at half':>18}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one question: answers a second, CPU of one, milliseconds at half of that, of both sides."""

    question: Question
    rates: tuple[float, float]
    ratio: float
    cpu_us: tuple[float, float]
    p99_ms: tuple[float, float]

    def shown(self) -> str:
        """Return the row of the table."""
        cpu = f"{self.cpu_us[0]:.0f} / {self.cpu_us[1]:.0f}"
        p99 = f"{self.p99_ms[0]:.1f} / {self.p99_ms[1]:.1f}"
        return (
            f"{self.question.mine.path:<20}{self.rates[0]:>12,.0f}{self.rates[1]:>10,.0f}{self.ratio:>8.2f}"
            f"{self.question.least_ratio:>8.1f}{cpu:>14}{p99:>18}"
        )


def compare(question: Question, sides: tuple[Side, Side], rounds: int, seconds: float) -> Row:
    """Measure one question: saturated in turn, then each at half of its own rate."""
    both = question.plain, question.mine
    found: tuple[list[Measured], list[Measured]] = ([], [])
    cpu: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side, asked, runs, used in zip(sides, both, found, cpu, strict=True):
            before = side.cpu_seconds()
            runs.append(_sent(asked, side, f"s{number}", seconds=seconds))
            used.append((side.cpu_seconds() - before) / sum(runs[-1].statuses.values()) * 1e6)
    rates = statistics.median(run.rate for run in found[0]), statistics.median(run.rate for run in found[1])
    ratio = statistics.median(mine.rate / plain.rate for plain, mine in zip(*found, strict=True))
    late: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side, asked, times, rate in zip(sides, both, late, rates, strict=True):
            times.append(_sent(asked, side, f"p{number}", seconds=seconds, rate=rate / 2).p99_ms)
    return Row(
        question=question,
        rates=rates,
        ratio=ratio,
        cpu_us=(statistics.median(cpu[0]), statistics.median(cpu[1])),
        p99_ms=(statistics.median(late[0]), statistics.median(late[1])),
    )


def _sent(
    asked: Asked,
    side: Side,
    name: str,
    *,
    seconds: float = 0.0,
    rate: float | None = None,
    connections: int = CONNECTIONS,
    count: int | None = None,
) -> Measured:
    """Send something to a side; raises RuntimeError unless every request was answered as it should be."""
    plan = Plan(
        port=side.port,
        path=asked.path,
        bodies=asked.bodies,
        key=side.key,
        is_keyed=asked.is_keyed,
        connections=connections,
        seconds=seconds,
        rate=rate,
        count=count,
        name=f"{side.process.pid}-{name}",
    )
    measured = send(plan)
    if set(measured.statuses) != {asked.status} or measured.broken:
        raise RuntimeError(
            f"{side.name} {asked.path}: answered {measured.statuses}, {measured.broken} connections broke"
        )
    return measured


def grown(asked: Asked, side: Side, requests: int) -> float:
    """Return by what part the memory of a server grows over so many requests, once it is warm."""
    _sent(asked, side, "w", count=min(requests, WARM_REQUESTS))
    before = side.memory_kib()
    _sent(asked, side, "m", count=requests)
    return side.memory_kib() / before - 1


@contextmanager
def _stopped_after(store: EmbeddedServer) -> Iterator[None]:
    try:
        yield
    finally:
        store.stop()


async def prepared(store: EmbeddedServer) -> str:
    """Put the business into a store, and return a key that may ask for everything."""
    client = connect(str(store.socket_path), deadline_seconds=60)
    try:
        await put_world(client, TENANT)
        await ensure(client, (LIBRARY,))
        made = await AccessService(RedisKeyStore(client), SystemClock()).create(
            name="bench", tenant=TENANT, scopes=["*"], requests_per_second=1_000_000
        )
    finally:
        await client.close()
    with redis.Redis(unix_socket_path=str(store.socket_path)) as plain:
        plain.config_set("appendfsync", "everysec")
    return made.token


def measure(asked: Sequence[Question], rounds: int, seconds: float, requests: int) -> list[str]:
    """Print the tables; return what was missed, in sentences."""
    print(machine())
    missed = []
    with tempfile.TemporaryDirectory() as directory:
        store = ensure_server(Path(directory), "standard")
        key = asyncio.run(prepared(store))
        pin_others(store)
        with _stopped_after(store), yardstick(store) as plain, ours(store, key) as mine:
            print(_HEAD)
            for question in asked:
                row = compare(question, (plain, mine), rounds, seconds)
                print(row.shown(), flush=True)
                missed += _missed(row)
            many = _sent(asked[0].mine, mine, "many", connections=MANY_CONNECTIONS, seconds=seconds)
            print(f"\n{MANY_CONNECTIONS:,} connections: {many.rate:,.0f} answers/s, none failed.")
            if requests:
                growth = grown(asked[0].mine, mine, requests)
                print(f"Memory of the server over {requests:,} requests: {growth:+.1%} (at most {MOST_GROWTH:+.0%}).")
                missed += [f"the memory of the server grew by {growth:.1%}"] if growth > MOST_GROWTH else []
    return missed


def _missed(row: Row) -> list[str]:
    missed = []
    if row.ratio < row.question.least_ratio:
        missed.append(f"{row.question.mine.path}: {row.ratio:.2f} times the yardstick, not {row.question.least_ratio}")
    if row.p99_ms[1] > row.p99_ms[0]:
        missed.append(f"{row.question.mine.path}: p99 of {row.p99_ms[1]:.1f} ms, the yardstick {row.p99_ms[0]:.1f}")
    return missed


def main() -> None:
    """Run from the command line; exit code 3 when a figure is missed."""
    parser = argparse.ArgumentParser(prog="allot bench http", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (default: 5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of a run (default: 4)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="requests of the memory test (default: 10^6)")
    parser.add_argument("--only", help="a part of the paths to ask; else all")
    chosen = parser.parse_args()
    asked = [question for question in questions() if chosen.only is None or chosen.only in question.mine.path]
    missed = measure(asked, chosen.rounds, chosen.seconds, chosen.requests)
    for sentence in missed:
        print(f"Missed: {sentence}.")
    sys.exit(3 if missed else 0)


if __name__ == "__main__":
    main()
