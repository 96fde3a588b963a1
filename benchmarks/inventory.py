"""Question: how fast is the stock book, against what its server could do at best, and how much memory does it take.

2,000 SKUs at 60 nodes on the embedded server, in both durability modes. Three-line holds (two nodes each), 50 and 200
in flight, go through the one multiplexed client of a process; then the same function is called by redis-benchmark, a C
program that does nothing but send it, and through plain redis-py with as many connections. Holds in batches of 1,000,
with a verdict, a record and a journal row for each, are sent two batches ahead. Then a million stocked cells (20,000
SKUs at 50 nodes) are read into numpy, brought up to date, and weighed. Ratios have both sides in one run on one server.

    allot bench inventory [--holds N] [--runs N]

redis-benchmark (or valkey-benchmark) must be on the PATH; without it, its row is blank.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import redis.asyncio
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from engine.inventory.model import Hold, HoldLine, PositionCount, Reservation
from engine.inventory.redis_hold_rows import holds_message
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import MultiplexedClient, connect
from engine.storage.embedded import Durability, ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NODES, SKUS, BATCH, AHEAD = 60, 2_000, 1_000, 2
IN_FLIGHT = (50, 200)
TODAY = 738_000
WIDE_NODES, WIDE_SKUS = 50, 20_000
KEYS = Keys("bench")
_pack = msgspec.msgpack.Encoder().encode

# What redis-benchmark is given has no NUL byte: it stops looking for its placeholders at one, and cuts one at the end.
# So days and times are numbers of four bytes without any. The reservation's id is long enough to be another each time.
PLACEHOLDER, NO_NUL = "__rand_int__", 0x01010101


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Three-line holds a second, so many in flight, and ratios; microseconds of one hold alone. All are medians.

    A ratio is the median of those of single rounds, whose two sides are next to each other in time.
    """

    mode: Durability
    in_flight: int
    ours: float
    redis_benchmark: float | None
    redis_py: float
    over_redis_benchmark: float | None
    over_redis_py: float
    batched: float
    alone_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """A million stocked cells: milliseconds of a snapshot and of a refresh after 1,000 holds, bytes a cell."""

    snapshot_ms: float
    refresh_ms: float
    bytes_per_cell: float


async def fill(store: RedisInventoryStore, skus: int, nodes: int) -> None:
    """Put a million units of every SKU at every node."""
    for first in range(0, skus, 100):
        await store.put_positions(
            [
                PositionCount(sku=f"sku-{sku:012d}", node_id=f"node-{node}", on_hand=10**6)
                for sku in range(first, min(first + 100, skus))
                for node in range(nodes)
            ]
        )


def holds(count: int, skus: int, nodes: int, rng: np.random.Generator, name: str) -> list[Hold]:
    """Return holds of three SKUs from two nodes."""
    chosen, places = rng.integers(skus, size=(count, 3)).tolist(), rng.integers(nodes, size=(count, 2)).tolist()
    return [
        Hold(
            reservation_id=f"{name}{number}",
            lines=tuple(
                HoldLine(sku=f"sku-{sku:012d}", node_id=f"node-{of[position // 2]}", quantity=1)
                for position, sku in enumerate(wanted)
            ),
        )
        for number, (wanted, of) in enumerate(zip(chosen, places, strict=True))
    ]


async def rate(calls: list[Callable[[], Awaitable[object]]], at_once: int) -> float:
    """Return calls per second with so many at a time."""
    waiting = iter(calls)

    async def worker() -> None:
        for call in waiting:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return len(calls) / (time.perf_counter() - began)


def hold_command(message: bytes) -> list[str]:
    """Return the FCALL of a hold without its last argument, from the columns of lua/holds.lua."""
    keys = (KEYS.no_replay, KEYS.deadlines)
    return ["FCALL", "allot_hold_v1", "2", *keys, "", "bench", message.decode("latin-1")]


async def by_redis_benchmark(socket: Path, count: int, in_flight: int) -> float | None:
    """Return the holds a second of redis-benchmark, None if there is none; ids and SKUs are drawn anew for each."""
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        return None
    skus, nodes = [f"sku-{PLACEHOLDER}"] * 3, ["node-3", "node-3", "node-4"]
    days = dict.fromkeys(nodes, NO_NUL)
    columns = ([PLACEHOLDER * 4], [NO_NUL], [1], [3], [1, 2, 3], [1, 1, 1], skus, nodes, days, False, False, False)
    lines = [(sku, node, 1, NO_NUL) for sku, node in zip(skus, nodes, strict=True)]
    head, last = hold_command(_pack(columns)), _pack((lines, "lines", False, False, NO_NUL, False))
    options = ["-s", str(socket), "-c", str(in_flight), "-n", str(count), "-r", str(SKUS), "--csv", "-x"]
    arguments = [part.encode("latin-1") for part in [program, *options, *head]]
    done = await asyncio.to_thread(subprocess.run, arguments, input=last, capture_output=True, check=True)
    return float(done.stdout.decode("latin-1").splitlines()[-1].rsplit('","', 7)[1].strip('"'))


async def by_redis_py(socket: Path, wanted: list[Hold], in_flight: int) -> float:
    """Return the holds a second of plain redis-py: the same function, its reply unpacked, a connection for each."""
    client = redis.asyncio.Redis(unix_socket_path=str(socket), max_connections=in_flight)

    async def hold(one: Hold) -> object:
        message = holds_message([one], {line.node_id: TODAY for line in one.lines}, None)
        keys = (KEYS.no_replay, KEYS.deadlines)
        _, reply = await client.fcall("allot_hold_v1", 2, *keys, "", "bench", *message)
        return msgspec.msgpack.decode(reply)

    try:
        return await rate([lambda one=one: hold(one) for one in wanted], in_flight)  # type: ignore[misc]
    finally:
        await client.aclose()


async def batched(store: RedisInventoryStore, wanted: list[Hold], today: dict[str, int]) -> float:
    """Return the holds a second in batches, each verdict looked at."""

    async def hold(batch: list[Hold]) -> None:
        verdicts = (await store.hold_many(batch, today=today)).value
        if not all(isinstance(verdict, Reservation) for verdict in verdicts):
            raise AssertionError(verdicts)

    batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
    return BATCH * await rate([lambda batch=batch: hold(batch) for batch in batches], AHEAD)  # type: ignore[misc]


async def measure(
    client: MultiplexedClient, socket: Path, mode: Durability, in_flight: int, count: int, runs: int
) -> Rates:
    """Measure rates in rounds that have each of them once and begin with an empty store: 30,000 holds at the end."""
    await ensure(client, [LIBRARY])
    rng = np.random.default_rng(1)
    today = {f"node-{node}": TODAY for node in range(NODES)}
    ours, bare, plain, many = [], [], [], []
    for run in range(runs):
        await client.call("FLUSHALL", "SYNC")
        store = RedisInventoryStore(client, KEYS)
        await fill(store, SKUS, NODES)
        wanted = holds(count, SKUS, NODES, rng, f"ours{run}-")
        ours.append(await rate([partial(store.hold, one, today=today) for one in wanted], in_flight))
        plain.append(await by_redis_py(socket, holds(count // 2, SKUS, NODES, rng, f"plain{run}-"), in_flight))
        bare.append(await by_redis_benchmark(socket, count, in_flight))
        many.append(await batched(store, holds(2 * count, SKUS, NODES, rng, f"many{run}-"), today))
    alone = []
    for one in holds(500, SKUS, NODES, rng, "alone-"):
        began = time.perf_counter()
        await store.hold(one, today=today)
        alone.append(time.perf_counter() - began)
    found = [figure for figure in bare if figure is not None]
    return Rates(
        mode=mode,
        in_flight=in_flight,
        ours=statistics.median(ours),
        redis_benchmark=statistics.median(found) if found else None,
        redis_py=statistics.median(plain),
        over_redis_benchmark=_ratio(ours, found) if found else None,
        over_redis_py=_ratio(ours, plain),
        batched=statistics.median(many),
        alone_us=statistics.median(alone) * 1e6,
    )


def _ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


async def weigh(client: MultiplexedClient, runs: int) -> Wide:
    """Measure a million cells on a fresh server."""
    await ensure(client, [LIBRARY])
    store, rng = RedisInventoryStore(client, KEYS), np.random.default_rng(2)
    before = await used_memory(client)
    await fill(store, WIDE_SKUS, WIDE_NODES)
    await client.call("XTRIM", KEYS.journal, "MAXLEN", 0)  # it is of fixed length, whatever the number of cells
    cells = (await used_memory(client) - before) / (WIDE_SKUS * WIDE_NODES)
    view = await store.snapshot()
    today = {f"node-{node}": TODAY for node in range(WIDE_NODES)}
    snapshots, refreshes = [], []
    for run in range(2 * runs):
        began = time.perf_counter()
        view = await store.snapshot()
        snapshots.append(time.perf_counter() - began)
        await store.hold_many(holds(BATCH, WIDE_SKUS, WIDE_NODES, rng, f"wide{run}-"), today=today)
        began = time.perf_counter()
        await store.refresh(view)
        refreshes.append(time.perf_counter() - began)
    return Wide(
        snapshot_ms=statistics.median(snapshots) * 1e3,
        refresh_ms=statistics.median(refreshes) * 1e3,
        bytes_per_cell=cells,
    )


async def used_memory(client: MultiplexedClient) -> int:
    """Return what the server uses, in bytes."""
    text = (await client.call("INFO", "memory")).decode()
    return int(next(line.split(":")[1] for line in text.splitlines() if line.startswith("used_memory:")))


def on_a_server(durability: Durability, work: Callable[[MultiplexedClient, Path], Awaitable[object]]) -> object:
    """Start a server, do the work, stop it, and return what came of it."""
    with tempfile.TemporaryDirectory(prefix="allot-bench-") as folder:
        server = ensure_server(Path(folder), durability)
        client = connect(str(server.socket_path), deadline_seconds=60)

        async def run() -> object:
            try:
                return await work(client, Path(server.socket_path))
            finally:
                await client.close()

        try:
            return asyncio.run(run())
        finally:
            server.stop()


def main() -> None:
    """Measure and print the two tables."""
    parser = argparse.ArgumentParser(prog="allot bench inventory", description="How fast the stock book is.")
    parser.add_argument("--holds", type=int, default=6_000, help="of each round")
    parser.add_argument("--runs", type=int, default=9, help="rounds, of whose figures the medians are shown")
    chosen = parser.parse_args()
    modes: tuple[Durability, ...] = ("memory", "standard")
    found = [
        on_a_server(mode, partial(measure, mode=mode, in_flight=in_flight, count=chosen.holds, runs=chosen.runs))
        for mode in modes
        for in_flight in IN_FLIGHT
    ]
    wide = on_a_server("memory", lambda client, _: weigh(client, chosen.runs))
    assert isinstance(wide, Wide)
    rates = [each for each in found if isinstance(each, Rates)]
    console = Console()
    console.print(rates_table(rates))
    table = Table(title=f"{WIDE_SKUS * WIDE_NODES:,} stocked cells, {WIDE_SKUS:,} SKUs × {WIDE_NODES} nodes")
    for heading in ("", "measured", "asked"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("snapshot into numpy, ms", f"{wide.snapshot_ms:,.1f}", "60")
    table.add_row(f"refresh after {BATCH:,} holds, ms", f"{wide.refresh_ms:,.1f}", "–")
    table.add_row("server memory a cell, all quantities, bytes", f"{wide.bytes_per_cell:.1f}", "40")
    console.print(table)


def rates_table(rates: list[Rates]) -> Table:
    """Return the table of rates, one column for each durability mode and number of holds in flight."""
    table = Table(title=f"Three-line holds, {SKUS:,} SKUs × {NODES} nodes, so many in flight", caption=machine())
    table.add_column("", no_wrap=True)
    for each in rates:
        table.add_column(f"{each.mode}\n{each.in_flight}", justify="right")
    table.add_column("asked", justify="right")

    def row(name: str, shown: Callable[[Rates], str], asked: str = "–") -> None:
        table.add_row(name, *(shown(found) for found in rates), asked)

    def over_bare(found: Rates) -> str:
        return "–" if found.over_redis_benchmark is None else f"{found.over_redis_benchmark:.2f}"

    row("a second", lambda found: f"{found.ours:,.0f}")
    row("redis-benchmark", lambda found: f"{found.redis_benchmark or 0:,.0f}")
    row("of redis-benchmark", over_bare, "0.60")
    row("plain redis-py", lambda found: f"{found.redis_py:,.0f}")
    row("times plain redis-py", lambda found: f"{found.over_redis_py:.1f}", "3.0")
    row("in batches, a second", lambda found: f"{found.batched:,.0f}", "25,000")
    row("one alone, µs", lambda found: f"{found.alone_us:,.0f}")
    return table


if __name__ == "__main__":
    main()
