"""Units that are there and cannot be sold: damaged, on quality hold, in transit; on every store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors import InsufficientStock, OnHandOutOfRange, WrongCondition
from engine.inventory.conditions import Condition, ConditionChange
from engine.inventory.model import MAX_ON_HAND, Adjustment, PositionCount, Replay
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys

SELLABLE, DAMAGED, QUALITY_HOLD, IN_TRANSIT = Condition


def change(quantity: int, before: Condition, after: Condition, sku: str = "mug", **fields: Any) -> ConditionChange:
    named = {"node_id": "berlin", "reason": "looked at"} | fields
    return ConditionChange(sku=sku, quantity=quantity, from_condition=before, to_condition=after, **named)


def delta(by: int, condition: Condition) -> Adjustment:
    return Adjustment(node_id="berlin", sku="mug", delta=by, reason="test", condition=condition)


async def conditions(stock: Any, node_id: str = "berlin") -> Mapping[Condition, int]:
    found = {position.node_id: position for position in await stock.store.positions("mug")}
    assert found[node_id].conditions is not None
    return found[node_id].conditions


async def test_units_change_condition_and_only_sellable_ones_are_available(stock: Any) -> None:
    await stock.count(10, safety_stock=1)
    await stock.hold("a", stock.line(2))
    changed = await stock.store.change_conditions([change(3, SELLABLE, DAMAGED), change(1, DAMAGED, QUALITY_HOLD)])
    position = changed.value[-1]
    assert (position.on_hand, position.available, position.version) == (7, 4, 2)
    assert position.conditions == {DAMAGED: 2, QUALITY_HOLD: 1}
    assert await conditions(stock) == position.conditions
    with pytest.raises(InsufficientStock):
        await stock.hold("b", stock.line(5))
    await stock.store.change_conditions([change(1, QUALITY_HOLD, SELLABLE)])
    await stock.hold("b", stock.line(5))
    assert await conditions(stock) == {DAMAGED: 2}


async def test_units_that_are_reserved_may_be_found_damaged(stock: Any) -> None:
    await stock.count(3)
    await stock.hold("a", stock.line(3))
    await stock.store.change_conditions([change(1, SELLABLE, DAMAGED)])
    assert (await stock.position()).available == -1


async def test_each_change_sees_those_before_it_and_one_too_many_undoes_them_all(stock: Any) -> None:
    """The seeded bug: writing each change as it is read leaves the damaged ones off on_hand."""
    await stock.count(5)
    asked = [change(4, SELLABLE, DAMAGED), change(5, DAMAGED, IN_TRANSIT), change(1, IN_TRANSIT, SELLABLE, sku="cup")]
    with pytest.raises(WrongCondition) as refusal:
        await stock.store.change_conditions(asked)
    assert [(fault.path, fault.message) for fault in refusal.value.faults] == [
        ("$.changes[1].quantity", "5 damaged of mug at berlin asked, 4 there; change at most so many"),
        ("$.changes[2].quantity", "1 in_transit of cup at berlin asked, 0 there; change at most so many"),
    ]
    assert (await conditions(stock), (await stock.position()).on_hand) == ({}, 5)
    assert await stock.store.positions("cup") == ()


@pytest.mark.parametrize(("before", "after"), [(SELLABLE, DAMAGED), (DAMAGED, SELLABLE)])
async def test_unlimited_stock_has_no_units_to_change(stock: Any, before: Condition, after: Condition) -> None:
    await stock.count(9)
    await stock.store.change_conditions([change(3, SELLABLE, DAMAGED)])
    await stock.store.put_positions([PositionCount(node_id="berlin", sku="mug", unlimited=True)])
    with pytest.raises(WrongCondition, match="mug at berlin is unlimited"):
        await stock.store.change_conditions([change(1, before, after)])
    assert (await stock.position()).unlimited


async def test_units_never_pass_the_largest_count(stock: Any) -> None:
    await stock.count(2)
    await stock.store.change_conditions([change(2, SELLABLE, DAMAGED)])
    await stock.count(MAX_ON_HAND - 1)
    await stock.store.change_conditions([change(1, DAMAGED, SELLABLE)])
    with pytest.raises(WrongCondition, match=f"beyond {MAX_ON_HAND}"):
        await stock.store.change_conditions([change(1, DAMAGED, SELLABLE)])
    assert not (await stock.position()).unlimited


async def test_units_come_and_go_in_any_condition_by_adjustments(stock: Any) -> None:
    await stock.count(1)
    adjusted = await stock.store.adjust([delta(8, QUALITY_HOLD), delta(-3, QUALITY_HOLD), delta(1, SELLABLE)])
    assert (adjusted.value[-1].on_hand, await conditions(stock)) == (2, {QUALITY_HOLD: 5})
    assert (await stock.position()).version == 2
    with pytest.raises(OnHandOutOfRange, match="-6 would take quality_hold of mug at berlin from 5 to -1"):
        await stock.store.adjust([delta(-6, QUALITY_HOLD)])


async def test_a_change_of_condition_is_in_the_history_in_the_same_step(stock: Any) -> None:
    await stock.count(5)
    await stock.store.change_conditions([change(3, SELLABLE, DAMAGED, reason="wet")])
    await stock.store.change_conditions([change(1, DAMAGED, IN_TRANSIT, reason="to the outlet")])
    later, earlier, _ = (await stock.store.history("mug", "berlin")).events
    assert (earlier.act, earlier.whys, later.whys) == ("change_conditions", ("wet",), ("to the outlet",))
    assert (earlier.before.on_hand, earlier.after.on_hand, later.after.on_hand) == (5, 2, 2)
    assert [(move.condition, move.before, move.after) for move in earlier.conditions] == [(DAMAGED, 0, 3)]
    assert [(move.condition, move.before, move.after) for move in later.conditions] == [
        (DAMAGED, 3, 2),
        (IN_TRANSIT, 0, 1),
    ]
    assert (earlier.schedule, later.schedule) == ((), ())


async def test_a_view_from_before_a_change_of_condition_is_refreshed_right(stock: Any) -> None:
    """The seeded bug: a move of units into a condition is taken for a supply of day 0."""
    await stock.count(5)
    view = await stock.store.snapshot()
    await stock.store.change_conditions([change(3, SELLABLE, DAMAGED)])
    refreshed = await stock.store.refresh(view)
    assert (refreshed.available().tolist(), dict(refreshed.schedule)) == ([[2]], {})


async def test_a_change_sent_twice_changes_once(stock: Any) -> None:
    await stock.count(5)
    replay = Replay(digest="d" * 64, fingerprint="f")
    first = await stock.store.change_conditions([change(2, SELLABLE, DAMAGED)], replay=replay)
    again = await stock.store.change_conditions([change(2, SELLABLE, DAMAGED)], replay=replay)
    assert (again.value, again.replayed) == (first.value, True)
    assert await conditions(stock) == {DAMAGED: 2}


async def test_conditions_of_several_nodes_are_kept_apart(stock: Any) -> None:
    for node_id in ("berlin", "rome"):
        await stock.count(5, node_id=node_id)
    await stock.store.change_conditions(
        [change(1, SELLABLE, DAMAGED), change(2, SELLABLE, DAMAGED, node_id="rome"), change(1, DAMAGED, SELLABLE)]
    )
    assert (await conditions(stock), await conditions(stock, "rome")) == ({}, {DAMAGED: 2})


async def test_what_can_all_be_sold_needs_no_key(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    await redis_store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=5)])
    await redis_store.change_conditions([change(2, SELLABLE, DAMAGED)])
    assert await client.call("EXISTS", keys.conditions("mug")) == 1
    await redis_store.change_conditions([change(2, DAMAGED, SELLABLE)])
    assert await client.call("EXISTS", keys.conditions("mug")) == 0
