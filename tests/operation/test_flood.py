"""A flood of promises does not drown reservations; in `make soak` only, since it takes a quiet machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from faults.scale import SHARE
from operation.plain_client import Heard, ask
from operation.serving import serving

FLOOD, SHOPPERS, SECONDS = 400, 4, 4.0


async def flood(folder: Path, at_once: int) -> tuple[Heard, Heard]:
    """Return what those heard who asked for promises all at once, and those who reserved meanwhile."""
    with serving("--demo", "--data", str(folder), most_promises_at_once=str(at_once)) as server:
        port = int(server.address.rpartition(":")[2])
        found = httpx2.get(f"{server.address}/v1/catalog?limit=3", timeout=30).json()["products"]
        skus = [product["sku"] for product in found]
        positions = httpx2.get(f"{server.address}/v1/inventory/{skus[0]}", timeout=30).json()["positions"]
        node_id = max(positions, key=lambda each: each["available"])["node_id"]
        lines = [{"line_id": str(at), "sku": sku, "quantity": 1} for at, sku in enumerate(skus)]
        want = {"destination": {"latitude": 40.7, "longitude": -74.0}, "lines": lines}
        hold = {"lines": [{"sku": skus[0], "quantity": 1, "node_id": node_id}]}
        promises, holds, until = Heard(), Heard(), time.monotonic() + SECONDS
        await asyncio.gather(
            *(ask(port, "/v1/promises", want, promises, until) for _ in range(FLOOD)),
            *(ask(port, "/v1/reservations", hold, holds, until, pause_seconds=0.01) for _ in range(SHOPPERS)),
        )
        return promises, holds


@pytest.mark.skipif(not SHARE, reason="a flood takes a quiet machine; make soak runs it")
async def test_a_flood_of_promises_holds_no_reservation_up(tmp_path: Path, reached: Callable[..., None]) -> None:
    """Catches promises that are all begun as they come: reservations then wait for every one of them."""
    promises, holds = await flood(tmp_path, 32)
    _, drowned = await flood(tmp_path, 10_000)
    assert holds.statuses.keys() <= {201, 409}
    assert promises.statuses.keys() <= {200, 503}
    assert holds.quantile(0.99) < 1.0
    assert holds.quantile(0.5) < drowned.quantile(0.5) / 2
    reached(
        "reservations beside a flood of promises",
        promises=sum(promises.statuses.values()),
        reservations=sum(holds.statuses.values()),
        p99_milliseconds=round(holds.quantile(0.99) * 1000),
        p99_without_milliseconds=round(drowned.quantile(0.99) * 1000),
    )
