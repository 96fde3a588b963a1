"""`allot serve` as a process of its own, for tests that stop it, kill it, or take its store away."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

NODE = {
    "node_id": "east",
    "kind": "dc",
    "latitude": 40.7,
    "longitude": -74.0,
    "time_zone": "UTC",
    "calendar": "always",
    "cut_off": "23:59",
    "parcel_cost_cents": 100,
    "unit_cost_cents": 10,
}
SERVICE = {
    "service": "ground",
    "carrier": "acme",
    "service_level": "standard",
    "calendar": "always",
    "rates": [{"zone": "far", "max_weight_g": 30000, "cost_cents": 700, "transit_days": 2}],
}
NETWORK = {
    "currency": "USD",
    "calendars": [{"calendar": "always", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "nodes": [NODE],
    "zones": [{"zone": "far", "max_km": None}],
    "services": [SERVICE],
    "policy": {"backorder_cost_cents_per_unit": 6000},
}
CATALOG = {"products": [{"sku": "mug", "weight_g": 500}]}
STOCK = {"positions": [{"node_id": "east", "sku": "mug", "on_hand": 1_000_000}]}
HOLD = {"lines": [{"sku": "mug", "quantity": 1, "node_id": "east"}]}
ASK = {"lines": [{"sku": "mug"}]}
WANT = {
    "destination": {"latitude": 40.73, "longitude": -73.99},
    "lines": [{"line_id": "1", "sku": "mug", "quantity": 1}],
}


class Served:
    """A server that is ready at `address`."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address

    def tell(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def end(self, seconds: float = 30) -> tuple[int, str]:
        """Return the exit code and what was written to standard error."""
        _, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, err

    def fill(self) -> None:
        for path, document in (("network", NETWORK), ("catalog", CATALOG), ("inventory/positions", STOCK)):
            httpx2.put(f"{self.address}/v1/{path}", json=document, timeout=30).raise_for_status()


@contextmanager
def serving(*options: str, **settings: str) -> Iterator[Served]:
    """Start a server with these options and settings (`redis_url="…"`), and kill it at the end if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
    chosen = {f"ALLOT_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**kept, **chosen},
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, (line, process.stderr.read() if process.stderr else "")
            yield Served(process, found[0])
        finally:
            process.kill()
