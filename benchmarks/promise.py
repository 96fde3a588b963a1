"""Question: how long does one promise take, and availability of 500 SKUs, store round trips included.

Generated networks of 60 and 500 nodes, 4 services, 8 zones and 70 weight steps; 2,000 SKUs, each at a third of the
nodes, a supply under way at one in ten of these. Orders anywhere in the United States are promised one after another by
the promise service on the embedded server, by rate cards and with learned lead times, and sixteen at a time too, since
a call alone also pays for waking up after each wait; then again "with rules": products with sizes, values and handling
classes, five cartons, weight by volume, surcharges, fuel, and a least margin. Availability is asked for as JSON, all
nodes and seven days. The ratio that does not depend on the machine is round trips: the time of a call over that of a
bare PING on the same connection.

The store is durable (every write is synced to disk); promises are written to it a few milliseconds later, together, and
what that delays is in the figures.

    python -m benchmarks.promise [--orders N] [--nodes 60,500]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from benchmarks.promise_world import POSTAL_CODES, SKUS, World, learned, load, order, sku_of, use_every_rule
from engine.availability.model import AskedLine, AvailabilityRequest
from engine.availability.service import AvailabilityService
from engine.clock import SystemClock
from engine.promising.get_it_by import GetItByRequest, GetItByService, PageLine
from engine.promising.model import Destination
from engine.promising.service import PromiseService
from engine.promising.store import RedisPromiseStore
from engine.storage.client import StoreClient, connect
from engine.storage.embedded import ensure_server
from engine.storage.keys import Keys

LINES = (1, 3, 5, 10, 20)
LINES_BY_RULES = (1, 3, 10)
ASKED_SKUS = (1, 100, 500)
IN_FLIGHT = 16
"""Promises at a time of a busy checkout; the CPU time of one is what limits how many a process makes."""
_HEAD = f"{'nodes':>5}  {'call':<24}{'median ms':>10}{'p99 ms':>9}{'CPU ms':>9}{'round trips':>13}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one call: seconds of each, CPU seconds of one on average."""

    name: str
    seconds: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    cpu_seconds: float

    def shown(self, nodes: int, ping: float) -> str:
        """Return the row of the table."""
        median, high = float(np.median(self.seconds)), float(np.quantile(self.seconds, 0.99))
        return (
            f"{nodes:>5}  {self.name:<26}{median * 1e3:>10.3f}{high * 1e3:>9.3f}{self.cpu_seconds * 1e3:>9.3f}"
            f"{median / ping:>13.1f}"
        )


async def measure(orders: int, networks: tuple[int, ...]) -> None:
    """Load, warm up, ask, print the table."""
    print(machine())
    print(_HEAD)
    with tempfile.TemporaryDirectory() as directory:
        server = await asyncio.to_thread(ensure_server, Path(directory), "standard")
        client = connect(str(server.socket_path))
        try:
            ping = await timed_pings(client, 2000)
            for nodes in networks:
                await measure_network(client, nodes, orders, ping)
            print(f"\nA bare round trip (PING) takes {ping * 1e3:.3f} ms; {SKUS} SKUs.")
        finally:
            await client.close()
            await asyncio.to_thread(server.stop)


async def measure_network(client: StoreClient, nodes: int, orders: int, ping: float) -> None:
    """Print the rows of one network."""
    rng, keys = np.random.default_rng(7), Keys(f"bench-{nodes}")
    world = await load(client, keys, nodes, rng)
    promises = RedisPromiseStore(client, keys)
    service = PromiseService(
        reference=world.reference, inventory=world.inventory, promises=promises, clock=SystemClock()
    )
    for lines in LINES:
        requests = [order(rng, lines) for _ in range(orders if lines <= 3 else max(20, orders // 20))]
        row = await timed(f"promise, {lines} lines", [partial(service.promise, r) for r in requests])
        print(row.shown(nodes, ping))
    requests = [order(rng, 3) for _ in range(orders)]
    name, calls = f"promise, 3, {IN_FLIGHT} in flight", [partial(service.promise, r) for r in requests]
    print((await timed(name, calls, IN_FLIGHT)).shown(nodes, ping))
    for row in await page_rows(world, orders, rng):
        print(row.shown(nodes, ping))
    await world.lead_times.put(learned(world.network, rng))
    requests = [order(rng, 3) for _ in range(orders)]
    row = await timed("promise, 3, learned", [partial(service.promise, r) for r in requests])
    print(row.shown(nodes, ping))
    await use_every_rule(world, rng)
    for lines in LINES_BY_RULES:
        requests = [order(rng, lines) for _ in range(orders if lines <= 3 else max(20, orders // 20))]
        row = await timed(f"with rules, {lines} lines", [partial(service.promise, r) for r in requests])
        print(row.shown(nodes, ping))
    await promises.settle()
    for row in await availability_rows(world, max(20, orders // 20), rng):
        print(row.shown(nodes, ping))


async def page_rows(world: World, calls: int, rng: np.random.Generator) -> list[Row]:
    """Return the rows of get it by, of one SKU and of 100, to places that were asked for before and not.

    Stock does not move meanwhile: what a refresh costs is a row of `allot bench inventory`.
    """
    service = GetItByService(reference=world.reference, inventory=world.inventory, clock=SystemClock())
    rows = []
    for name, count, places, many in (
        ("get it by, 1 SKU", 1, 20, calls),
        ("get it by, new place", 1, POSTAL_CODES, min(calls, POSTAL_CODES)),
        ("get it by, 100 SKUs", 100, 20, max(20, calls // 20)),
    ):
        codes = rng.permutation(POSTAL_CODES)[:places]
        requests = [
            GetItByRequest(
                lines=tuple(PageLine(sku=sku_of(sku)) for sku in rng.choice(SKUS, count, replace=False)),
                destination=Destination(country="US", postal_code=f"{codes[i % places]:03d}"),
            )
            for i in range(many)
        ]
        if places < POSTAL_CODES:
            for request in requests:  # a warm table, as that of a shop that has visitors
                await service.get_it_by(request)
        rows.append(await timed(name, [partial(service.get_it_by, r) for r in requests]))
    return rows


async def availability_rows(world: World, calls: int, rng: np.random.Generator) -> list[Row]:
    """Return the rows of availability, by how many SKUs are asked for at once."""
    service = AvailabilityService(reference=world.reference, inventory=world.inventory, clock=SystemClock())
    rows = []
    for count in ASKED_SKUS:
        requests = [
            AvailabilityRequest(lines=tuple(AskedLine(sku=sku_of(s)) for s in rng.choice(SKUS, count, replace=False)))
            for _ in range(calls)
        ]
        rows.append(await timed(f"availability, {count} SKUs", [partial(service.document, r) for r in requests]))
    return rows


async def timed(name: str, calls: Sequence[Callable[[], Awaitable[object]]], in_flight: int = 1) -> Row:
    """Make the calls one after another, or so many at a time, after one to warm up."""
    await calls[0]()
    gc.collect()
    gc.freeze()  # as `allot serve` does
    seconds, waiting = np.empty(len(calls)), iter(enumerate(calls))

    async def caller() -> None:
        for i, call in waiting:
            start = time.perf_counter()
            await call()
            seconds[i] = time.perf_counter() - start

    cpu = time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    return Row(name=name, seconds=seconds, cpu_seconds=(time.process_time() - cpu) / len(calls))


async def timed_pings(client: StoreClient, count: int) -> float:
    """Return the median seconds of a PING."""
    seconds = np.empty(count)
    for i in range(count):
        start = time.perf_counter()
        await client.call("PING")
        seconds[i] = time.perf_counter() - start
    return float(np.median(seconds))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="How long does one promise take, and availability of 500 SKUs?")
    parser.add_argument("--orders", type=int, default=2000, help="Promises of up to three lines; of others a 20th.")
    parser.add_argument("--nodes", default="60,500", help="Sizes of the networks.")
    given = parser.parse_args()
    asyncio.run(measure(given.orders, tuple(int(nodes) for nodes in given.nodes.split(","))))


if __name__ == "__main__":
    main()
