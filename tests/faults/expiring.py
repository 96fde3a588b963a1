"""The trial of expiry: holds run out while the sweeper is dead; another one gives all units back, each once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from faults.processes import Worker

from engine.errors import IllegalState
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.store import InventoryStore

SKUS = [f"sku-{number}" for number in range(20)]
NODE = "berlin"
TODAY = {NODE: 738_000}
IN_FLIGHT = 200
BACK_SECONDS = 5.0
CONFIRMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How the units came back."""

    holds: int
    seconds: float
    left_by_first_sweeper: int


async def let_expire(
    store: InventoryStore, address: str, tenant: str, folder: Path, *, holds: int, ttl_seconds: float
) -> Back:
    """Hold, kill the sweeper, let the deadlines pass, kill a second sweeper in the middle, and let a third finish.

    Every SKU also has units that stay held, so that giving units back twice cannot hide behind a cell at zero.
    """
    places = [PositionCount(sku=sku, node_id=NODE, on_hand=holds) for sku in SKUS]
    await store.put_positions(places)
    stays = tuple(HoldLine(sku=sku, quantity=holds // 2, node_id=NODE) for sku in SKUS)
    await store.hold(Hold(reservation_id="stays", lines=stays, ttl_seconds=3600), today=TODAY)
    first = _sweeper(address, tenant, folder / "first.txt")
    numbers = iter(range(holds))

    async def hold() -> None:
        for number in numbers:
            line = HoldLine(sku=SKUS[number % len(SKUS)], quantity=1, node_id=NODE)
            await store.hold(Hold(reservation_id=f"r{number}", lines=(line,), ttl_seconds=ttl_seconds), today=TODAY)

    await asyncio.gather(*(hold() for _ in range(IN_FLIGHT)))
    ends = time.monotonic() + ttl_seconds
    first.kill()
    assert (await _held(store)) == holds, "holds expired while they were made; the deadline is too short for the trial"
    await asyncio.sleep(max(0.0, ends - time.monotonic() + 0.05))
    for number in range(0, holds, max(1, holds // CONFIRMS)):
        await _refused(store, f"r{number}")
    second = _sweeper(address, tenant, folder / "second.txt")
    while (left := await _held(store)) > holds * 0.8:
        second.check()
        await asyncio.sleep(0.002)
    second.kill()
    third = _sweeper(address, tenant, folder / "third.txt")
    while not third.lines:
        third.check()
        await asyncio.sleep(0.005)
    began = time.monotonic()
    while await _held(store) > 0 and time.monotonic() - began < 2 * BACK_SECONDS:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    seconds = time.monotonic() - began
    await asyncio.sleep(0.1)
    third.kill()
    view = await store.read(SKUS)
    for index, sku in enumerate(SKUS):
        held = view.position(index, 0).held
        assert held == holds // 2, f"{held} units of {sku} are held, {holds // 2} are meant to stay"
    return Back(holds=holds, seconds=seconds, left_by_first_sweeper=left)


def _sweeper(address: str, tenant: str, printed: Path) -> Worker:
    return Worker("faults.sweeper", address, tenant, printed=printed)


async def _held(store: InventoryStore) -> int:
    """Return the units that are held beyond those that stay."""
    view = await store.read(SKUS)
    positions = [view.position(index, 0) for index in range(len(SKUS))]
    return sum(position.held - position.on_hand // 2 for position in positions)


async def _refused(store: InventoryStore, reservation_id: str) -> None:
    try:
        await store.confirm(reservation_id)
    except IllegalState:
        return
    raise AssertionError(f"{reservation_id} was confirmed after its deadline")
