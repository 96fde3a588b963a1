"""Shipments over four partitions: whoever dies on the way, units leave everywhere or nowhere, and only once."""

from __future__ import annotations

from order_shop import NOON

from engine.fulfillment.packing import NewCarton, packed
from engine.fulfillment.releasing import released
from engine.fulfillment.shipping import Handover, shipped
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.orders.model import Order
from engine.orders.partitioned_store import PartitionedOrderStore
from tests.inventory.partitioned_shop import NUMBER, named, sku
from tests.orders.partitioned_orders import Shop, Shops, allocation, each_crash, order_of

ORDER = named("ord", 3)
SHIPMENT = f"shp_{ORDER}-1"


async def prepare(shop: Shop) -> None:
    await shop.orders.capture(order_of(ORDER))
    await shop.commit(allocation(ORDER))
    await shop.orders.revise(released(await shop.orders.get(ORDER), NOON, "anna"))
    order = await shop.orders.get(ORDER)
    lines = tuple((line.line_id, line.quantity) for line in order.life.shipments[0].lines)
    cartons = [NewCarton(lines=lines, weight_g=500)]
    await shop.orders.revise(packed(order, SHIPMENT, cartons, NOON, "anna", needs_label=False))
    await shop.recover()


async def ship(orders: PartitionedOrderStore) -> Order:
    handover = Handover(tracking_number="T-1")
    return (await orders.revise(shipped(await orders.get(ORDER), SHIPMENT, handover, NOON, "anna"))).value


async def on_hand(stock: PartitionedInventoryStore) -> list[int]:
    view = await stock.read([sku(each) for each in range(NUMBER)])
    return [view.position(row, view.node_ids.index("north")).on_hand for row in range(NUMBER)]


async def test_units_leave_in_all_partitions_or_in_none_wherever_a_shipment_breaks_off(shops: Shops) -> None:
    """Catches a home that decides and does not say which lines of its parts are gone: they would be there again."""
    outcomes = set()
    async for shop, _ in each_crash(shops, prepare, lambda _, orders: ship(orders)):
        order = await shop.orders.get(ORDER)
        is_made = order.life.shipments[0].has_left
        assert await shop.reserved() == ([0] * NUMBER if is_made else [2, 2, 0, 2])
        assert await on_hand(shop.stock) == ([8, 8, 10, 8] if is_made else [10] * NUMBER)
        assert await shop.used() == [("north", 6, 1)]
        outcomes.add(is_made)
    assert outcomes == {True, False}
