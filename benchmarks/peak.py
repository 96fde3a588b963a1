"""Question: does a peak hour of 100,000 orders go through, window by window, while customers go on buying.

Twelve windows of five minutes, some 8,333 orders each over 200 nodes and 20,000 SKUs, are captured and routed back to
back by `allot serve` with its own store, every write synced to disk. Stock is short: it is `--supply` times what is
ordered in all, and nodes have daily capacities. Meanwhile shoppers, in a process of their own, ask for promises over
HTTP, and reserve, confirm and order some of what they are promised; the runs take their orders too, and what earlier
windows had to leave waiting. A window counts from the request to route it until its run says that it is committed.

In the end the books are audited: every unit is sold once or left, every order was committed once. Exit code 3, and
which, if a window takes longer than 60 s, its certified gap is above 1 %, or the audit finds anything.

    allot bench peak [--orders N] [--windows N] [--nodes N] [--skus N] [--supply X] [--rate N]
                     [--limit SECONDS] [--target-gap G] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from benchmarks.machine import machine
from benchmarks.rush.audit import audit
from benchmarks.rush.keep_alive import KeepAlive
from benchmarks.rush.report import Measured, Window, failures, progress, table, told
from benchmarks.rush.shoppers import Bought
from benchmarks.rush.world import PeakWorld, build_world
from engine.bootstrap import Engine, allot_engine
from engine.config import Settings
from engine.errors import Unavailable
from engine.integrations.documents_folder import Documents
from engine.integrations.load import put_documents
from engine.orders.model import NewOrder

POLL_SECONDS, CAPTURE_TRIES = 0.1, 5
OK, STARTED = 200, 202
_BOUGHT = msgspec.json.Decoder(Bought).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """What to measure: the size of the hour, how short stock is, promises a second, and the limit of a solve."""

    orders: int
    windows: int
    nodes: int
    skus: int
    supply: float
    rate: float
    seed: int
    limit_seconds: float
    target_gap: float


async def measure(peak: Peak) -> Measured:
    """Load, serve, route window by window beside the shoppers, audit; prints a row as each window ends."""
    today = datetime.now(UTC).date()
    carts = max(100, peak.orders // 10)
    world = build_world(
        orders=peak.orders,
        windows=peak.windows,
        nodes=peak.nodes,
        skus=peak.skus,
        supply=peak.supply,
        carts=carts,
        seed=peak.seed,
        today=today,
    )
    with tempfile.TemporaryDirectory(prefix="allot-peak-") as folder:
        data = Path(folder) / "data"
        async with allot_engine(Settings(data_dir=data)) as engine:
            await put_documents(
                Documents(network=world.network, catalog=world.catalog, positions=world.positions), engine
            )
            with _server(data) as (address, server):
                with _shoppers(address, world, peak.rate, Path(folder)) as shopping:
                    windows = [w async for w in _windows(engine, KeepAlive(address), world, peak, server.pid)]
                server_mb = _most_mb(server.pid)
            bought = _BOUGHT(shopping.read_bytes())
            names = [order.order_id or "" for window in world.windows for order in window]
            found = await audit(engine.orders, engine.stock, world.positions, names, bought)
            store_mb = await _store_mb(engine)
    return Measured(windows=windows, bought=bought, audit=found, server_mb=server_mb, store_mb=store_mb)


async def _windows(
    engine: Engine, http: KeepAlive, world: PeakWorld, peak: Peak, server_id: int
) -> AsyncIterator[Window]:
    """Capture and route each window; yield what was measured of it."""
    for number, orders in enumerate(world.windows, start=1):
        began = time.time()
        await _capture(engine, orders)
        captured, cpu = time.time(), _cpu_seconds(server_id)
        body = {"all_open": True, "time_limit_seconds": peak.limit_seconds, "target_gap": peak.target_gap}
        status, started = await http.post("/v1/routing-runs", body, f"window-{number}")
        if status != STARTED:
            raise RuntimeError(f"window {number} was not started: {status} {started}")
        run: dict[str, Any] = started
        while run["status"] in ("queued", "running"):
            await asyncio.sleep(POLL_SECONDS)
            status, told = await http.get(f"/v1/routing-runs/{started['run_id']}")
            run = told if status == OK else run  # a server that is busy says so, and the run goes on
        window = Window(
            number=number,
            placed=len(orders),
            capture_seconds=captured - began,
            began=captured,
            ended=time.time(),
            server_cpu_seconds=_cpu_seconds(server_id) - cpu,
            status=run["status"],
            failure=run["failure"],
            summary=run["summary"],
        )
        print(progress(window), file=sys.stderr, flush=True)
        yield window
    await http.close()


async def _capture(engine: Engine, orders: Sequence[NewOrder]) -> None:
    """Capture the orders of a window, again if the store did not answer in time: each is kept once."""
    for _ in range(CAPTURE_TRIES - 1):
        with suppress(Unavailable):
            await engine.orders.capture_many(orders)
            return
    await engine.orders.capture_many(orders)


@contextmanager
def _server(data: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start `allot serve` on a data directory; return its address when it is ready."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            if not ready:
                raise RuntimeError("allot serve did not start; what it says stands above")
            yield ready.split()[4], server
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def _shoppers(address: str, world: PeakWorld, rate: float, folder: Path) -> Iterator[Path]:
    """Let shoppers in, and out in the end; return the file in which they say what they did."""
    carts, out = folder / "carts.json", folder / "bought.json"
    carts.write_bytes(
        msgspec.json.encode(
            [
                {
                    "channel": cart.channel,
                    "destination": {
                        "latitude": cart.destination.latitude,
                        "longitude": cart.destination.longitude,
                    },
                    "lines": [{"sku": line.sku, "quantity": line.quantity} for line in cart.lines],
                }
                for cart in world.carts
            ]
        )
    )
    command = [sys.executable, "-m", "benchmarks.rush.shoppers", address, str(carts), str(rate), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as shoppers:
        yield out
        shoppers.communicate(b"\n", timeout=60)


def _cpu_seconds(process_id: int) -> float:
    """Return how long a process has had a processor; 0 where the system does not tell."""
    status = Path(f"/proc/{process_id}/stat")
    if not status.exists():
        return 0.0
    after_name = status.read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _most_mb(process_id: int) -> float:
    """Return the most memory that a process had resident, in megabytes; 0 where the system does not tell."""
    status = Path(f"/proc/{process_id}/status")
    if not status.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return float(lines["VmHWM"].split()[0]) / 1024


async def _store_mb(engine: Engine) -> float:
    assert engine.client is not None
    told = (await engine.client.call("INFO", "memory")).decode()
    return float(next(line for line in told.splitlines() if line.startswith("used_memory_peak:")).split(":")[1]) / 2**20


def parser() -> argparse.ArgumentParser:
    """Return what understands the options."""
    options = argparse.ArgumentParser(prog="benchmarks.peak", description=__doc__.splitlines()[0])
    for name, default, told_of in (
        ("orders", 100_000, "orders of the hour"),
        ("windows", 12, "windows of it, routed back to back"),
        ("nodes", 200, "nodes of the network"),
        ("skus", 20_000, "products"),
        ("seed", 1, "of what is drawn"),
    ):
        options.add_argument(f"--{name}", type=int, default=default, help=told_of)
    options.add_argument("--supply", type=float, default=1.5, help="stock over all that is ordered")
    options.add_argument("--rate", type=float, default=60.0, help="promises a second that shoppers ask for")
    options.add_argument("--limit", type=float, default=30.0, help="seconds that the solver may take for a window")
    options.add_argument("--target-gap", type=float, default=0.003, help="where it may stop before that")
    return options


def main() -> None:
    """Read the options, measure, print the table; exit code 3 if a bar is missed."""
    given = parser().parse_args()
    peak = Peak(
        orders=given.orders,
        windows=given.windows,
        nodes=given.nodes,
        skus=given.skus,
        supply=given.supply,
        rate=given.rate,
        seed=given.seed,
        limit_seconds=given.limit,
        target_gap=given.target_gap,
    )
    measured = asyncio.run(measure(peak))
    title = f"Peak hour: {peak.orders:,} orders in {peak.windows} windows over {peak.nodes} nodes"
    Console(width=120).print(table(measured, title, machine()))
    print("\n".join(told(measured)))
    if missed := failures(measured):
        for bar in missed:
            print(f"missed: {bar}", file=sys.stderr)
        raise SystemExit(3)


if __name__ == "__main__":
    main()
