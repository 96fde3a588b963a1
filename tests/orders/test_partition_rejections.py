"""Rejections over four partitions: whoever dies on the way, what was decided is done everywhere, and only once."""

from __future__ import annotations

import pytest
from order_shop import NOON, TODAY

from engine.inventory.model import Adjustment
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.orders.model import Order
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.steering import RejectionKind
from tests.inventory.partitioned_shop import NUMBER, named, sku
from tests.orders.partitioned_orders import Halting, Shop, Shops, allocation, each_crash, order_of

ORDER = named("ord", 3)
SHORT = RejectionKind.SHORT_PICK


async def prepare(shop: Shop) -> None:
    await shop.orders.capture(order_of(ORDER))
    await shop.commit(allocation(ORDER))
    await shop.recover()


async def reject(
    orders: PartitionedOrderStore, *lines: tuple[str, int | None], kind: RejectionKind = RejectionKind.REJECTED
) -> Order:
    new = NewRejection(node_id="north", reason="no time", kind=kind, lines=lines)
    return (await orders.revise(rejected(await orders.get(ORDER), new, NOON, "anna", 0))).value


async def on_hand(stock: PartitionedInventoryStore) -> list[int]:
    view = await stock.read([sku(each) for each in range(NUMBER)])
    return [view.position(row, view.node_ids.index("north")).on_hand for row in range(NUMBER)]


async def test_a_rejection_is_made_in_all_partitions_or_in_none_wherever_it_breaks_off(shops: Shops) -> None:
    """Catches uses that are not noted at the home with the decision: they would stay counted for ever."""
    outcomes = set()
    async for shop, has_died in each_crash(shops, prepare, lambda _, orders: reject(orders, ("0", 1), ("1", None))):
        order, is_made = await shop.orders.get(ORDER), False
        is_made = bool(order.steering.rejections)
        assert await shop.reserved() == ([1, 0, 0, 2] if is_made else [2, 2, 0, 2])
        assert await shop.used() == [("north", 3 if is_made else 6, 1)]
        assert await on_hand(shop.stock) == [10] * NUMBER
        assert is_made or has_died
        outcomes.add(is_made)
    assert outcomes == {True, False}


async def test_units_that_were_not_there_leave_once_wherever_a_short_pick_breaks_off(shops: Shops) -> None:
    """Catches lines that leave before the home has decided, and stay away when it does not."""
    outcomes = set()
    act = lambda _, orders: reject(orders, ("0", 1), ("1", 2), kind=SHORT)  # noqa: E731
    async for shop, _ in each_crash(shops, prepare, act):
        is_made = bool((await shop.orders.get(ORDER)).steering.rejections)
        assert await shop.reserved() == ([1, 0, 0, 2] if is_made else [2, 2, 0, 2])
        assert await on_hand(shop.stock) == ([9, 8, 10, 10] if is_made else [10] * NUMBER)
        outcomes.add(is_made)
    assert outcomes == {True, False}


async def test_a_whole_order_is_rejected_and_routed_to_another_node(shops: Shops) -> None:
    shop = await shops()
    await prepare(shop)
    order = await reject(shop.orders)
    assert order.reservation_id is None
    await shop.recover()
    assert (await shop.reserved(), await shop.used()) == ([0] * NUMBER, [])
    again = allocation(ORDER, node_id="south", ship_on=TODAY)
    (verdict,) = await shop.commit(type(again)(order_id=again.order_id, rows=again.rows, revision=1), run_id="run_2")
    assert verdict.outcome == "committed"
    assert await shop.reserved("south") == [2, 2, 0, 2]
    await shop.recover()
    await shop.check_nothing_is_left()


async def test_a_short_pick_finds_less_on_hand_in_another_partition_than_it_is_to_lose(shops: Shops) -> None:
    """Catches a home that decides on units which a part cannot let go: the part would never follow."""
    shop = await shops()
    await prepare(shop)
    await shop.stock.adjust([Adjustment(node_id="north", sku=sku(1), delta=-9, reason="count")])
    order = await reject(shop.orders, ("1", 2), kind=SHORT)
    assert order.steering.rejections[0].lines[0].quantity == 2
    assert await on_hand(shop.stock) == [10, 0, 10, 10]
    assert await shop.reserved() == [2, 0, 0, 2]
    await shop.recover()
    await shop.check_nothing_is_left()


@pytest.mark.parametrize("function", ["allot_follow_v1", "allot_revise_order_over_v1"])
async def test_a_cancellation_in_the_middle_of_a_short_pick_leaves_nothing_behind(shops: Shops, function: str) -> None:
    """Catches a decision that does not ask whether the order is as it was seen."""
    shop = await shops()
    await prepare(shop)

    async def cancel() -> None:
        await shop.orders.cancel(ORDER)

    halting = Halting(shop, function, cancel)
    slow = PartitionedOrderStore(halting, shop.tenant, NUMBER, patience_seconds=0.01)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"cancelled|^$"):
        await reject(slow, ("0", 1), ("1", 2), kind=SHORT)
    await shop.recover()
    assert (await shop.reserved(), await on_hand(shop.stock)) == ([0] * NUMBER, [10] * NUMBER)
    await shop.check_nothing_is_left()
