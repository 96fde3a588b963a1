"""Holds, receipts and changes of supplies at once, over several connections to the real store."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import date

from faults.clients import several_stores

from engine.errors import IllegalState, SupplyUnavailable
from engine.inventory.model import Hold, HoldLine, PositionCount, Reservation, Supply
from engine.inventory.receipts import AffectedLine, Receipt
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.keys import Keys

FIRST, SECOND = date(2026, 4, 1), date(2026, 4, 8)
TODAY = {"berlin": date(2026, 3, 2).toordinal()}


async def expect(
    store: RedisInventoryStore, quantity: int, expected_on: date = FIRST, supply_id: str = "po-1"
) -> tuple[AffectedLine, ...]:
    supply = Supply(supply_id=supply_id, node_id="berlin", sku="mug", quantity=quantity, expected_on=expected_on)
    return (await store.put_supplies([supply], today=TODAY)).value


async def try_peg(store: RedisInventoryStore, name: str, units: int = 1, supply_id: str = "po-1") -> Reservation | None:
    """Hold units of a supply, and return the reservation if they were to be had."""
    line = HoldLine(sku="mug", node_id="berlin", quantity=units, supply_id=supply_id)
    try:
        return (await store.hold(Hold(reservation_id=name, lines=(line,)), today=TODAY)).value
    except SupplyUnavailable:
        return None


async def test_many_clients_peg_exactly_what_a_supply_has(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """Plenty is on hand, so that only the supply itself says no.

    The seeded bug: a check by `read` before a hold whose function does not check pegs all 400.
    """
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1000)])
    await expect(redis_store, 100)
    async with several_stores(store_address, keys, 8) as stores:
        found = await asyncio.gather(*(try_peg(stores[i % 8], f"r{i}") for i in range(400)))
    assert sum(kept is not None for kept in found) == 100
    (supply,) = (await redis_store.read(["mug"])).position(0, 0).supplies
    assert (supply.pegged, supply.unpegged) == (100, 0)


async def test_who_pegs_while_the_supply_moves_and_goes_is_refused_or_told_of(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """Whoever was held before it went is named as uncovered; whoever comes after is refused; nobody falls between.

    The seeded bug: naming those who were pegged when they were read, in a call before the one that removes the supply.
    """
    rounds, held = 30, dict[str, list[str]]()

    async def shop(store: RedisInventoryStore, number: int) -> None:
        count = 0
        while len(held) <= rounds:
            count, supply_id = count + 1, f"po-{max(0, len(held) - 1)}"
            if await try_peg(store, f"{supply_id}-{number}-{count}", supply_id=supply_id) is not None:
                held.setdefault(supply_id, []).append(f"{supply_id}-{number}-{count}")

    named: dict[str, list[str]] = {}
    async with several_stores(store_address, keys, 5) as (*stores, mover):
        shoppers = [asyncio.create_task(shop(store, number)) for number, store in enumerate(stores)]
        for number in range(rounds + 1):
            supply_id = f"po-{number}"
            await expect(mover, 1000, supply_id=supply_id)
            held.setdefault(supply_id, [])
            await asyncio.sleep(0.004)
            moved = await expect(mover, 1000, SECOND, supply_id)
            uncovered = await expect(mover, 0, SECOND, supply_id)
            named[supply_id] = sorted(line.reservation_id for line in uncovered)
            assert {line.reservation_id for line in moved} <= set(named[supply_id])
        await asyncio.gather(*shoppers)
    assert named == {supply_id: sorted(names) for supply_id, names in held.items()}
    assert sum(map(len, named.values())) > rounds
    days = {(await redis_store.get_reservation(name)).lines[0].ship_on for names in held.values() for name in names}
    assert days == {SECOND}


async def test_receipts_confirms_and_cancels_at_once_leave_every_unit_in_one_place(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys
) -> None:
    """150 reservations of 2 wait for 300 units; 160 come, 4 at a time, while they are confirmed and cancelled.

    The seeded bug: a receipt that books whatever was pegged as held leaves confirmed units among the held ones.
    """
    await expect(redis_store, 300)
    for i in range(150):
        await try_peg(redis_store, f"r{i}", 2)
    receipt = Receipt(supply_id="po-1", node_id="berlin", sku="mug", quantity=4)

    async def quietly(call: asyncio.Future[object]) -> None:
        with contextlib.suppress(IllegalState):
            await call

    async with several_stores(store_address, keys, 3) as (one, two, three):
        calls = [one.receive([receipt], today=TODAY) for _ in range(40)]
        calls += [two.confirm(f"r{i}") for i in range(0, 150, 2)]
        calls += [three.cancel(f"r{i}") for i in range(0, 150, 3)]
        random.Random(7).shuffle(calls)
        await asyncio.gather(*(quietly(asyncio.ensure_future(call)) for call in calls))
    position = (await redis_store.read(["mug"])).position(0, 0)
    kept = [await redis_store.get_reservation(f"r{i}") for i in range(150)]
    expected = {"held": 0, "confirmed": 0, "waiting": 0}
    for reservation in kept:
        for line in reservation.lines if reservation.state in expected else ():
            expected["waiting" if line.ship_on == FIRST else str(reservation.state)] += line.quantity
    (supply,) = position.supplies
    assert (position.on_hand, supply.quantity) == (160, 140)
    assert (position.held, position.confirmed, supply.pegged) == tuple(expected.values())
    assert all(expected.values())
