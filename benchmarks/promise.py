"""Question: how long does one promise take, store round trips included, and what of it is the programme.

A generated network of 60 nodes, 3 services, 8 zones and 70 weight steps; 2,000 SKUs, each at a third of the nodes, one
cell in ten with a supply under way. Orders of three lines anywhere in the United States are promised one after another
by the promise service on the embedded server. The ratio that does not depend on the machine is promises per round trip:
the time of a promise over that of a bare PING on the same connection.

The store is durable (every write is synced to disk); promises are written to it a few milliseconds later, together, and
what that delays is in the figures.

    python -m benchmarks.promise [--orders N]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.availability.reference import Reference
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SystemClock
from engine.inventory.model import PositionCount, Supply
from engine.inventory.redis_store import LIBRARY as INVENTORY
from engine.inventory.redis_store import RedisInventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.promising import programme
from engine.promising.model import Destination, PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import RedisPromiseStore
from engine.storage.client import StoreClient, connect
from engine.storage.documents import LIBRARY as DOCUMENTS
from engine.storage.documents import RedisDocumentStore
from engine.storage.embedded import ensure_server
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NODES, SKUS = 60, 2_000
ZONE_KM = (80, 240, 480, 960, 1600, 2250, 2900, None)
ZONES_OF_TIME = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


def network(rng: np.random.Generator) -> NetworkDocument:
    """Return 60 nodes over the United States, a third of them with a calendar of their own."""
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    calendars = [
        {"calendar": "weekdays", "working_days": weekdays, "country": "US"},
        {"calendar": "carrier", "working_days": [*weekdays, "sat"], "country": "US"},
        {"calendar": "shop", "working_days": [*weekdays, "sat", "sun"]},
    ]
    nodes = []
    for number in range(NODES):
        longitude = float(rng.uniform(-122, -74))
        nodes.append(
            {
                "node_id": f"node-{number:02d}",
                "kind": "dc" if number < 10 else "store",
                "latitude": float(rng.uniform(28, 47)),
                "longitude": longitude,
                "time_zone": ZONES_OF_TIME[min(3, int((-74 - longitude) // 12))],
                "calendar": "weekdays" if number < 10 else "shop",
                "cut_off": f"{int(rng.integers(12, 18)):02d}:00",
                "processing_days": int(rng.integers(0, 2)),
                "parcel_cost_cents": int(rng.integers(100, 400)),
                "unit_cost_cents": int(rng.integers(10, 60)),
            }
        )
    services = []
    for name, level, base, speed in (
        ("ground", "standard", 700, 1.0),
        ("express", "expedited", 1500, 0.5),
        ("overnight", "next_day", 3500, 0.0),
    ):
        rates = [
            {
                "zone": f"z{zone}",
                "max_weight_g": (step + 1) * 450,
                "cost_cents": base + zone * base // 10 + step * base // 20,
                "transit_days": 1 + int(zone * speed),
            }
            for zone in range(len(ZONE_KM))
            for step in range(70)
        ]
        service = {"service": name, "carrier": "acme", "service_level": level, "calendar": "carrier", "rates": rates}
        services.append(service)
    document = {
        "nodes": nodes,
        "calendars": calendars,
        "zones": [{"zone": f"z{i}", "max_km": km} for i, km in enumerate(ZONE_KM)],
        "services": services,
        "policy": {"split_cost_cents": 100},
    }
    return NetworkDocument.model_validate(document)


async def load(client: StoreClient, keys: Keys, rng: np.random.Generator) -> tuple[Reference, RedisInventoryStore]:
    """Put the network, the catalog and stock into the store."""
    await ensure(client, (DOCUMENTS, INVENTORY))
    documents, inventory = RedisDocumentStore(client, keys), RedisInventoryStore(client, keys)
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    document = network(rng)
    await networks.put(document)
    products = [{"sku": f"sku-{number:05d}", "weight_g": int(rng.integers(100, 4000))} for number in range(SKUS)]
    await catalogs.put(CatalogDocument.model_validate({"products": products}))
    today = SystemClock().now().date()
    for product in products:
        held_at = rng.choice(NODES, NODES // 3, replace=False)
        counts = [
            PositionCount(node_id=f"node-{n:02d}", sku=str(product["sku"]), on_hand=int(rng.integers(0, 12)))
            for n in held_at
        ]
        supplies = [
            Supply(
                supply_id="po",
                node_id=f"node-{n:02d}",
                sku=str(product["sku"]),
                quantity=int(rng.integers(1, 20)),
                expected_on=today + timedelta(days=int(rng.integers(1, 20))),
            )
            for n in held_at[: max(1, NODES // 30)]
        ]
        await inventory.put_positions(counts)
        await inventory.put_supplies(supplies, today={s.node_id: today.toordinal() for s in supplies})
    return Reference(documents, networks, catalogs), inventory


def order(rng: np.random.Generator, lines: int) -> PromiseRequest:
    """Return an order of different SKUs, somewhere in the United States."""
    skus = rng.choice(SKUS, lines, replace=False)
    return PromiseRequest(
        destination=Destination(latitude=float(rng.uniform(28, 47)), longitude=float(rng.uniform(-122, -74))),
        lines=tuple(WantedLine(sku=f"sku-{sku:05d}", quantity=int(rng.integers(1, 4))) for sku in skus),
    )


async def measure(orders: int) -> None:
    """Load, warm up, promise, print the table."""
    rng = np.random.default_rng(7)
    keys = Keys("bench")
    with tempfile.TemporaryDirectory() as directory:
        server = await asyncio.to_thread(ensure_server, Path(directory), "standard")
        client = connect(str(server.socket_path))
        try:
            reference, inventory = await load(client, keys, rng)
            promises = RedisPromiseStore(client, keys)
            service = PromiseService(reference=reference, inventory=inventory, promises=promises, clock=SystemClock())
            pings = await timed_pings(client, 2000)
            print(
                f"{'order':<10}{'median ms':>11}{'p99 ms':>9}{'CPU ms':>8}{'programme':>11}"
                f"{'round trips':>13}{'options':>9}"
            )
            for lines in (1, 3, 5, 8, 10, 20):
                await report(service, rng, lines, orders if lines <= 3 else max(20, orders // 20), pings)
            await promises.settle()
            print(f"\nA bare round trip (PING) takes {pings * 1e3:.3f} ms; {NODES} nodes, {SKUS} SKUs.")
        finally:
            await client.close()
            await asyncio.to_thread(server.stop)


async def timed_pings(client: StoreClient, count: int) -> float:
    """Return the median seconds of a PING."""
    seconds = np.empty(count)
    for i in range(count):
        start = time.perf_counter()
        await client.call("PING")
        seconds[i] = time.perf_counter() - start
    return float(np.median(seconds))


async def report(service: PromiseService, rng: np.random.Generator, lines: int, orders: int, ping: float) -> None:
    """Promise orders one after another and print a row; the kernel is timed by a wrapper around it."""
    watch = SimpleNamespace(seconds=0.0)
    module: Any = programme
    kernel = module.promise_order

    def watched(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = kernel(*arguments)
        watch.seconds += time.perf_counter() - start
        return found

    await service.promise(order(rng, lines))
    requests = [order(rng, lines) for _ in range(orders)]
    seconds = np.empty(orders)
    options = 0
    cpu = time.process_time()
    module.promise_order = watched
    try:
        for i, request in enumerate(requests):
            start = time.perf_counter()
            promise = await service.promise(request)
            seconds[i] = time.perf_counter() - start
            options += len(promise.options)
    finally:
        module.promise_order = kernel
    cpu = (time.process_time() - cpu) / orders
    median, high = np.median(seconds), np.quantile(seconds, 0.99)
    share = watch.seconds / seconds.sum()
    print(
        f"{f'{lines} lines':<10}{median * 1e3:>11.3f}{high * 1e3:>9.3f}{cpu * 1e3:>8.3f}{share:>11.0%}"
        f"{median / ping:>13.1f}{options / orders:>9.1f}"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="How long does one promise take?")
    parser.add_argument("--orders", type=int, default=2000)
    asyncio.run(measure(parser.parse_args().orders))


if __name__ == "__main__":
    main()
