"""Counts, adjustments and supplies, on every store."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.errors import OnHandOutOfRange, VersionConflict
from engine.inventory.model import KINDS, MAX_ON_HAND, ON_HAND, Adjustment, PositionCount, Supply


def count(on_hand: int, **fields: Any) -> PositionCount:
    return PositionCount(**{"node_id": "berlin", "sku": "mug", "on_hand": on_hand} | fields)


def delta(by: int, node_id: str = "berlin", sku: str = "mug") -> Adjustment:
    return Adjustment(node_id=node_id, sku=sku, delta=by, reason="test")


def supply(quantity: int, expected_on: date, supply_id: str = "po-1") -> Supply:
    return Supply(supply_id=supply_id, node_id="berlin", sku="mug", quantity=quantity, expected_on=expected_on)


async def test_a_count_sets_what_is_on_hand_and_what_is_kept_back(stock: Any) -> None:
    await stock.store.put_positions([count(10, safety_stock=3)])
    position = await stock.position()
    assert (position.on_hand, position.safety_stock, position.available, position.version) == (10, 3, 7, 1)


async def test_a_version_moves_with_counts_and_adjustments_but_not_with_holds(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(2))
    await stock.store.confirm("a")
    assert (await stock.position()).version == 1
    await stock.adjust(5)
    assert (await stock.position()).version == 2
    await stock.count(15)  # as it is already
    assert (await stock.position()).version == 2
    await stock.store.consume("a")  # on_hand goes down
    assert (await stock.position()).version == 3


async def test_a_count_may_leave_less_than_is_reserved(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(8))
    await stock.count(5)
    assert (await stock.position()).available == -3


async def test_a_count_of_what_moved_is_refused_with_its_neighbours(stock: Any) -> None:
    await stock.count(10)
    await stock.adjust(1)
    counts = [count(7, node_id="rome"), count(8, expected_version=1), count(9, sku="cup", expected_version=3)]
    with pytest.raises(VersionConflict) as refusal:
        await stock.store.put_positions(counts)
    assert "$.positions[1].expected_version: mug at berlin is at version 2, not 1" in str(refusal.value)
    assert "$.positions[2].expected_version: cup at berlin is at version 0, not 3" in str(refusal.value)
    assert (await stock.position()).on_hand == 11
    assert (await stock.position(node_id="rome")).version == 0
    await stock.store.put_positions([count(8, expected_version=2)])
    assert (await stock.position()).on_hand == 8


async def test_a_position_that_must_be_new_is_refused_when_it_exists(stock: Any) -> None:
    await stock.store.put_positions([count(0, expected_version=0)])
    with pytest.raises(VersionConflict):
        await stock.store.put_positions([count(0, expected_version=0)])


async def test_adjustments_of_one_position_add_up_in_order(stock: Any) -> None:
    await stock.count(2)
    outcome = await stock.store.adjust([delta(5), delta(-7), delta(1)])
    assert [position.on_hand for position in outcome.value] == [1, 1, 1]


@pytest.mark.parametrize(("by", "after"), [(-11, -1), (MAX_ON_HAND - 9, MAX_ON_HAND + 1)])
async def test_an_adjustment_out_of_range_is_named_and_nothing_is_adjusted(stock: Any, by: int, after: int) -> None:
    """The seeded bug: writing each delta as it is read leaves cup at 1, as Lua does not roll back."""
    await stock.count(10)
    with pytest.raises(OnHandOutOfRange) as refusal:
        await stock.store.adjust([delta(1, sku="cup"), delta(by)])
    assert [fault.path for fault in refusal.value.faults] == ["$.adjustments[1].delta"]
    assert f"{by:+d} would take on_hand of mug at berlin from 10 to {after}" in str(refusal.value)
    assert (await stock.position()).on_hand == 10
    assert (await stock.position(sku="cup")).version == 0


async def test_stock_reaches_the_largest_number_a_cell_holds(stock: Any) -> None:
    await stock.count(MAX_ON_HAND - 1)
    await stock.adjust(1)
    await stock.hold("a", stock.line(10**6))
    assert (await stock.position()).available == MAX_ON_HAND - 10**6


async def test_a_supply_is_added_changed_dated_anew_and_removed(stock: Any) -> None:
    await stock.store.put_supplies([supply(5, stock.day(4)), supply(7, stock.day(3), "po-2")], today=stock.today)
    await stock.store.put_supplies([supply(6, stock.day(2))], today=stock.today)
    position = await stock.position()
    assert [(s.supply_id, s.quantity, s.expected_on) for s in position.supplies] == [
        ("po-1", 6, stock.day(2)),
        ("po-2", 7, stock.day(3)),
    ]
    await stock.store.put_supplies(
        [supply(0, stock.day(2)), supply(0, stock.day(3), "po-2"), supply(0, stock.day(3), "-")], today=stock.today
    )
    view = await stock.store.read(["mug"])
    assert not view.supplies
    assert not view.schedule
    assert view.positions(0) == ()


async def test_a_view_has_one_row_per_sku_and_zeros_where_nothing_is(stock: Any) -> None:
    await stock.store.put_positions([count(1, node_id="rome"), count(2, sku="cup"), count(3)])
    view = await stock.store.read(["mug", "nothing", "cup"])
    assert view.cells.shape == (3, 2, KINDS)
    assert view.cells.dtype == np.uint32
    at = view.node_ids.index
    assert view.cells[:, at("rome"), ON_HAND].tolist() == [1, 0, 0]
    assert view.cells[:, at("berlin"), ON_HAND].tolist() == [3, 0, 2]
    assert [position.node_id for position in view.positions(0)] == ["berlin", "rome"]


async def test_a_view_read_before_a_node_was_new_does_not_hide_it(stock: Any) -> None:
    await stock.count(1)
    await stock.store.read(["mug"])
    await stock.count(2, node_id="paris")
    view = await stock.store.read(["mug"])
    assert view.available().tolist() == [[1, 2]]


async def test_a_snapshot_has_every_sku_sorted_with_its_schedule(stock: Any) -> None:
    await stock.count(5, sku="b")
    await stock.count(4, sku="a", node_id="rome")
    await stock.store.put_supplies([supply(9, stock.day(3))], today=stock.today)
    await stock.hold("x", stock.line(2, "b"), stock.line(6, "mug", ship_on=stock.day(5)))
    view = await stock.store.snapshot()
    assert view.skus == ("a", "b", "mug")
    berlin = view.node_ids.index("berlin")
    assert view.available()[:, berlin].tolist() == [0, 3, 0]
    assert view.schedule[2, berlin] == ((stock.day(3).toordinal(), 9), (stock.day(5).toordinal(), -6))
    assert (await stock.store.read(["mug"])).schedule == {(0, berlin): view.schedule[2, berlin]}


async def test_an_empty_store_reads_as_empty(stock: Any) -> None:
    assert (await stock.store.snapshot()).cells.shape == (0, 0, KINDS)
    assert (await stock.store.read(["mug"])).cells.shape == (1, 0, KINDS)


async def test_the_epoch_moves_with_every_change_of_stock(stock: Any) -> None:
    async def epoch() -> int:
        return int((await stock.store.read(["mug"])).epoch)

    seen = [await epoch()]
    await stock.count(5)
    seen.append(await epoch())
    await stock.adjust(-1)
    seen.append(await epoch())
    await stock.hold("a", stock.line(1))
    seen.append(await epoch())
    await stock.store.confirm("a")
    seen.append(await epoch())
    await stock.store.consume("a")
    seen.append(await epoch())
    assert seen == sorted(set(seen))
