"""The reconciler finds every disagreement of positions and reservations, and no other, while the store is in use."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from engine.errors import Refused
from engine.inventory.drift import Drift, LostDeadline
from engine.inventory.model import Hold, HoldLine, PositionCount, Supply
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient, Part
from engine.storage.keys import Keys

TODAY = {"berlin": 738_000, "rome": 738_000}
LATER = date.fromordinal(738_005)


def hold(name: str, *lines: tuple[str, str, int], ship_on: date | None = None, ttl_seconds: float = 900) -> Hold:
    wanted = tuple(HoldLine(sku=sku, node_id=node, quantity=units, ship_on=ship_on) for sku, node, units in lines)
    return Hold(reservation_id=name, lines=wanted, ttl_seconds=ttl_seconds)


@pytest.fixture
async def busy(redis_store: RedisInventoryStore) -> RedisInventoryStore:
    """Two SKUs at two nodes with holds, confirmed and dated ones, one consumed in part, one expired but not swept."""
    counts = [(sku, node) for sku in ("cup", "mug") for node in ("berlin", "rome")]
    await redis_store.put_positions([PositionCount(sku=sku, node_id=node, on_hand=50) for sku, node in counts])
    for wanted in (
        hold("held", ("mug", "berlin", 3), ("cup", "rome", 2)),
        hold("confirmed", ("mug", "berlin", 4)),
        hold("dated", ("mug", "rome", 5), ship_on=LATER),
        hold("consumed", ("cup", "berlin", 6), ("cup", "rome", 1)),
        hold("cancelled", ("cup", "berlin", 7)),
        hold("expired", ("cup", "berlin", 8), ttl_seconds=0.001),
    ):
        await redis_store.hold(wanted, today=TODAY)
    await redis_store.confirm("confirmed")
    await redis_store.confirm("consumed")
    await redis_store.consume("consumed", lines=[HoldLine(sku="cup", node_id="berlin", quantity=2)])
    await redis_store.cancel("cancelled")
    return redis_store


async def put_cell(client: MultiplexedClient, keys: Keys, sku: str, kind: int, units: int) -> None:
    """Write one number at the first node behind everybody's back."""
    await client.call("SETRANGE", keys.stock(sku), 4 * kind, struct.pack(">I", units))


async def test_a_sound_store_has_no_drift(busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys) -> None:
    found = await Reconciler(client, keys).reconcile()
    assert (found.drifts, found.lost_deadlines, found.unsettled) == ((), (), 0)
    assert found.reservations == 5
    assert found.positions == 4
    assert found.is_sound


async def test_every_kind_of_drift_is_named_and_repaired(
    busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await put_cell(client, keys, "mug", 2, 9)
    await put_cell(client, keys, "cup", 3, 0)
    await client.call("DEL", keys.reservation("dated"))
    await client.call("ZREM", keys.deadlines, "held")
    expected = [
        Drift(sku="cup", node_id="berlin", quantity="confirmed", day=None, booked=0, reserved=4),
        Drift(sku="mug", node_id="berlin", quantity="held", day=None, booked=9, reserved=3),
        Drift(sku="mug", node_id="rome", quantity="dated", day=LATER, booked=5, reserved=0),
    ]
    reconciler = Reconciler(client, keys)
    found = await reconciler.reconcile()
    assert list(found.drifts) == expected
    assert found.lost_deadlines == (LostDeadline(reservation_id="held"),)
    assert not found.is_sound
    repaired = await reconciler.reconcile(repair=True)
    assert repaired.is_sound
    assert [entry.booked for entry in repaired.drifts] == [0, 9, 5]
    after = await reconciler.reconcile()
    assert (after.drifts, after.lost_deadlines) == ((), ())
    newest = (await busy.history("mug", "rome")).events[0]
    assert (newest.act, newest.whys) == ("repair", ("reconciled",))


async def test_units_of_a_lost_reservation_can_be_sold_again_after_a_repair(
    busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await client.call("DEL", keys.reservation("confirmed"))
    with pytest.raises(Refused):
        await busy.hold(hold("late", ("mug", "berlin", 47)), today=TODAY)
    await Reconciler(client, keys).reconcile(repair=True)
    await busy.hold(hold("late", ("mug", "berlin", 47)), today=TODAY)


async def test_what_moves_while_it_is_looked_at_raises_no_false_alarm(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: comparing a tally with positions read at another moment names drift that is not there."""
    await redis_store.put_positions([PositionCount(sku=f"s{i}", node_id="berlin", on_hand=10**6) for i in range(200)])
    for i in range(2_000):
        await redis_store.hold(hold(f"r{i}", (f"s{i % 150}", "berlin", 1)), today=TODAY)
    stop = asyncio.Event()

    async def shop() -> None:
        rng, number = random.Random(3), 10_000
        while not stop.is_set():
            number += 1
            await redis_store.hold(hold(f"r{number}", (f"s{rng.randrange(150)}", "berlin", 1)), today=TODAY)
            await redis_store.cancel(f"r{rng.randrange(2_000)}")

    task = asyncio.create_task(shop())
    try:
        await put_cell(client, keys, "s180", 2, 7)
        found = [await Reconciler(client, keys).reconcile() for _ in range(3)]
    finally:
        stop.set()
        await task
    lost = Drift(sku="s180", node_id="berlin", quantity="held", day=None, booked=7, reserved=0)
    assert [entry.drifts for entry in found] == [(lost,)] * 3
    assert all(entry.lost_deadlines == () for entry in found)


class Meddler:
    """A client that changes something just before a repair arrives."""

    def __init__(self, client: MultiplexedClient, meddle: Callable[[], Any]) -> None:
        self._client, self._meddle = client, meddle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        if function == "allot_repair_v1":
            await self._meddle()
        return await self._client.fcall(function, keys, args)


async def test_a_position_that_moved_since_is_not_repaired(
    busy: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: a repair without looking at the last event books units that were taken meanwhile as free."""
    await put_cell(client, keys, "mug", 2, 9)
    meddler: Any = Meddler(client, lambda: busy.hold(hold("fresh", ("mug", "berlin", 1)), today=TODAY))
    found = await Reconciler(meddler, keys).reconcile(repair=True)
    assert [entry.is_repaired for entry in found.drifts] == [False]
    assert not found.is_sound
    assert (await busy.read(["mug"])).position(0, 0).held == 10


async def test_pegged_units_are_compared_by_the_supply_that_they_wait_for(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """Of one day there are units that wait for a supply and others; only the lost ones are named, and given back.

    The seeded bug: dated demand looked up by day alone takes one for the other.
    """
    supply = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=9, expected_on=LATER)
    await redis_store.put_supplies([supply], today=TODAY)
    pegged = HoldLine(sku="mug", node_id="berlin", quantity=2, supply_id="po-1")
    await redis_store.hold(Hold(reservation_id="lost", lines=(pegged,)), today=TODAY)
    await redis_store.hold(Hold(reservation_id="kept", lines=(replace(pegged, quantity=3),)), today=TODAY)
    await redis_store.hold(hold("dated", ("mug", "berlin", 4), ship_on=LATER), today=TODAY)
    reconciler = Reconciler(client, keys)
    assert (await reconciler.reconcile()).drifts == ()
    await client.call("DEL", keys.reservation("lost"))
    (drift,) = (await reconciler.reconcile(repair=True)).drifts
    assert (drift.quantity, drift.day, drift.supply_id, drift.booked, drift.reserved) == ("dated", LATER, "po-1", 5, 3)
    assert (await reconciler.reconcile()).drifts == ()
    position = (await redis_store.read(["mug"])).position(0, 0)
    assert (position.supplies[0].pegged, [(d.quantity, d.pegged) for d in position.dated]) == (3, [(7, 3)])
