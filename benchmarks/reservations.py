"""Question: how many reservations a second does the store take, and how long does one availability read keep a caller.

2,000 SKUs at 60 nodes, on the embedded server in both durability modes. Three-line holds (two nodes each) go through
the one multiplexed client of a process with 50 in flight; then the stock of three SKUs is read one call after another,
and of every SKU at once. The ratio that does not depend on the machine is holds per bare write: the rate of the holds
over that of as many SET commands in flight on the same connection.

    python -m benchmarks.reservations [--holds N]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import StoreClient, connect
from engine.storage.embedded import Durability, ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NODES, SKUS, IN_FLIGHT, READS = 60, 2_000, 50, 2_000
TODAY = {f"node-{node}": 738_000 for node in range(NODES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one durability mode gave: rates per second, and times in microseconds."""

    holds_per_second: float
    sets_per_second: float
    hold_us: float
    read_us: float
    ping_us: float
    snapshot_us: float


async def fill(store: RedisInventoryStore) -> None:
    """Put a thousand units of every SKU at every node."""
    for sku in range(SKUS):
        await store.put_positions(
            [PositionCount(sku=f"sku-{sku}", node_id=f"node-{node}", on_hand=1000) for node in range(NODES)]
        )


def holds(count: int, rng: np.random.Generator) -> list[Hold]:
    """Return holds of three SKUs from two nodes."""
    skus, nodes = rng.integers(SKUS, size=(count, 3)).tolist(), rng.integers(NODES, size=(count, 2)).tolist()
    return [
        Hold(
            reservation_id=f"res_{number}",
            lines=tuple(
                HoldLine(sku=f"sku-{sku}", node_id=f"node-{of[position // 2]}", quantity=1)
                for position, sku in enumerate(wanted)
            ),
        )
        for number, (wanted, of) in enumerate(zip(skus, nodes, strict=True))
    ]


async def rate(calls: list[Callable[[], Awaitable[object]]]) -> float:
    """Return calls per second with IN_FLIGHT at a time."""
    waiting = iter(calls)

    async def worker() -> None:
        for call in waiting:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return len(calls) / (time.perf_counter() - began)


async def median_us(call: Callable[[], Awaitable[object]], repeats: int) -> float:
    """Return the median microseconds of a call, one after another."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


async def measure(client: StoreClient, count: int) -> Figures:
    """Measure on a fresh server."""
    await ensure(client, [LIBRARY])
    store = RedisInventoryStore(client, Keys("bench"))
    await fill(store)
    rng = np.random.default_rng(1)
    wanted = holds(count + 500, rng)
    single = iter(wanted[count:])
    sets = await rate([lambda n=n: client.call("SET", f"bare:{n}", b"x" * 200) for n in range(count)])  # type: ignore[misc]
    held = await rate([lambda hold=hold: store.hold(hold, today=TODAY) for hold in wanted[:count]])  # type: ignore[misc]
    carts = itertools.cycle([[f"sku-{sku}" for sku in cart] for cart in rng.integers(SKUS, size=(200, 3)).tolist()])
    return Figures(
        holds_per_second=held,
        sets_per_second=sets,
        hold_us=await median_us(lambda: store.hold(next(single), today=TODAY), 500),
        read_us=await median_us(lambda: store.read(next(carts)), READS),
        ping_us=await median_us(lambda: client.call("PING"), READS),
        snapshot_us=await median_us(store.snapshot, 5),
    )


def figures(durability: Durability, count: int) -> Figures:
    """Start a server, measure, stop it."""
    with tempfile.TemporaryDirectory(prefix="allot-bench-") as folder:
        server = ensure_server(Path(folder), durability)
        client = connect(str(server.socket_path), deadline_seconds=60)

        async def run() -> Figures:
            try:
                return await measure(client, count)
            finally:
                await client.close()

        try:
            return asyncio.run(run())
        finally:
            server.stop()


def main() -> None:
    """Measure both modes and print the table."""
    parser = argparse.ArgumentParser(description="Reservations per second and the time of an availability read.")
    parser.add_argument("--holds", type=int, default=20_000)
    count = parser.parse_args().holds
    memory, standard = figures("memory", count), figures("standard", count)
    table = Table(title=f"Reservations, {SKUS:,} SKUs × {NODES} nodes", caption=machine())
    for heading in ("", "memory", "standard (fsync always)"):
        table.add_column(heading, justify="right" if heading else "left")
    rows: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        (f"three-line holds/s, {IN_FLIGHT} in flight", lambda found: f"{found.holds_per_second:,.0f}"),
        (f"bare SET/s, {IN_FLIGHT} in flight", lambda found: f"{found.sets_per_second:,.0f}"),
        ("ratio, holds : SET", lambda found: f"{found.holds_per_second / found.sets_per_second:.2f}"),
        ("one hold alone, µs", lambda found: f"{found.hold_us:,.0f}"),
        ("read of 3 SKUs, µs", lambda found: f"{found.read_us:,.0f}"),
        ("PING, µs", lambda found: f"{found.ping_us:,.0f}"),
        (f"snapshot of {SKUS * NODES:,} cells, ms", lambda found: f"{found.snapshot_us / 1000:,.1f}"),
    )
    for name, shown in rows:
        table.add_row(name, shown(memory), shown(standard))
    Console().print(table)


if __name__ == "__main__":
    main()
