"""Positions with as many supplies as may be: what does not fit is named, and a call stays short."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from engine.clock import SettableClock
from engine.errors import AllotError, TooManySupplies
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Adjustment, Hold, HoldLine, PositionCount, Supply
from engine.inventory.receipts import Receipt
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import MOST_SUPPLIES, InventoryStore
from tests.inventory.conftest import Days, Stock
from tests.inventory.supplies import expect, hold, pegged


def supplies(stock: Stock, numbers: Sequence[int], quantity: int = 5, node_id: str = "berlin") -> list[Supply]:
    return [
        Supply(
            supply_id=f"po-{number}",
            node_id=node_id,
            sku="mug",
            quantity=quantity,
            expected_on=stock.day(2 + number % 300),
        )
        for number in numbers
    ]


async def test_supplies_that_a_position_has_no_room_for_are_named_and_none_is_put(stock: Stock) -> None:
    wanted = [*supplies(stock, [1], node_id="rome"), *supplies(stock, range(MOST_SUPPLIES + 2))]
    with pytest.raises(TooManySupplies) as refused:
        await stock.store.put_supplies(wanted, today=stock.today)
    last = len(wanted) - 1
    assert [fault.path for fault in refused.value.faults] == [f"$.supplies[{last - 1}]", f"$.supplies[{last}]"]
    assert refused.value.faults[0].message == (
        "mug at berlin would have 502 supplies, and at most 500 fit; remove those that will not come (quantity 0), "
        "or put several of one day together as one"
    )
    assert (await stock.position()).supplies == ()


async def test_a_full_position_takes_changes_and_as_many_new_supplies_as_are_removed(stock: Stock) -> None:
    await stock.store.put_supplies(supplies(stock, range(MOST_SUPPLIES)), today=stock.today)
    await expect(stock, 9, 4, "po-7")
    with pytest.raises(TooManySupplies):
        await expect(stock, 9, 4, "po-more")
    swap = [*supplies(stock, [1000, 1001]), *supplies(stock, [0, 1], quantity=0)]
    await stock.store.put_supplies(swap, today=stock.today)
    found = (await stock.position()).supplies
    assert len(found) == MOST_SUPPLIES
    assert {supply.supply_id for supply in found} == {f"po-{i}" for i in [*range(2, MOST_SUPPLIES), 1000, 1001]}
    assert [supply.quantity for supply in found if supply.supply_id == "po-7"] == [9]


async def test_a_position_that_is_named_again_says_the_same_of_its_supplies(stock: Stock) -> None:
    await expect(stock, 5, 4)
    await expect(stock, 7, 6, "po-2")
    await hold(stock, "r", pegged(2))
    receipts = [Receipt(supply_id=name, node_id="berlin", sku="mug", quantity=1) for name in ("po-1", "po-2")]
    first, again = (await stock.store.receive(receipts, today=stock.today)).value.positions
    assert first == again
    assert [(supply.supply_id, supply.quantity) for supply in again.supplies] == [("po-1", 4), ("po-2", 6)]
    twice = [Adjustment(node_id="berlin", sku="mug", delta=1, reason="found")] * 2
    one, two = (await stock.store.adjust(twice)).value
    assert one == two
    assert (one.on_hand, [demand.quantity for demand in one.dated]) == (4, [1])


async def test_ten_thousand_supplies_of_one_sku_are_put_and_received_in_short_calls(
    redis_store: RedisInventoryStore,
) -> None:
    """The seeded bug: looking for a supply by walking along all of them took 35 seconds for the first call alone."""
    today, nodes = Days(), [f"node-{i}" for i in range(20)]
    rows = [
        Supply(supply_id=f"po-{i}", node_id=node, sku="mug", quantity=5, expected_on=Stock.day(2 + i % 300))
        for node in nodes
        for i in range(MOST_SUPPLIES)
    ]
    start = time.perf_counter()
    await redis_store.put_supplies(rows, today=today)
    await redis_store.receive(
        [Receipt(supply_id=row.supply_id, node_id=row.node_id, sku="mug", quantity=1) for row in rows], today=today
    )
    assert time.perf_counter() - start < 4
    positions = await redis_store.positions("mug")
    assert {(one.on_hand, len(one.supplies)) for one in positions} == {(MOST_SUPPLIES, MOST_SUPPLIES)}


async def test_both_stores_keep_the_same_schedule_whatever_is_done(redis_store: RedisInventoryStore) -> None:
    """Random puts, holds, cancels and receipts; refusals and positions are the same after each.

    The seeded bug: a supply that goes, and whose place another one takes without being found there later.
    """
    rng, today = random.Random(11), Days()
    stores: list[InventoryStore] = [
        redis_store,
        MemoryInventoryStore(SettableClock(datetime(2026, 3, 2, 9, tzinfo=UTC))),
    ]

    async def both(act: str, *args: object, **named: object) -> None:
        seen: list[object] = []
        for store in stores:
            try:
                await getattr(store, act)(*args, **named)
                seen.append(None)
            except AllotError as error:
                seen.append(str(error))
        assert seen[0] == seen[1], (act, args)

    nodes = ("berlin", "rome")
    await both("put_positions", [PositionCount(sku="mug", node_id=node, on_hand=6) for node in nodes])
    for number in range(300):
        node, supply_id = rng.choice(nodes), f"po-{rng.randrange(8)}"
        day = Stock.day(rng.randrange(2, 9))
        if rng.random() < 0.4:
            supply = Supply(
                supply_id=supply_id, node_id=node, sku="mug", quantity=rng.choice((0, 3, 9)), expected_on=day
            )
            await both("put_supplies", [supply], today=today)
        elif rng.random() < 0.6:
            named = supply_id if rng.random() < 0.7 else None
            ship_on = day if rng.random() < 0.6 or named is None else None
            line = HoldLine(sku="mug", node_id=node, quantity=rng.randrange(1, 4), supply_id=named, ship_on=ship_on)
            await both("hold", Hold(reservation_id=f"r{number}", lines=(line,), ttl_seconds=900), today=today)
        elif rng.random() < 0.7:
            await both("cancel", f"r{rng.randrange(number + 1)}")
        else:
            receipt = Receipt(supply_id=supply_id, node_id=node, sku="mug", quantity=rng.randrange(1, 4))
            await both("receive", [receipt], today=today)
        one, other = [(await store.read(["mug"])).positions(0) for store in stores]
        assert one == other
