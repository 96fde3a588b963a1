"""What a commit takes of days, on every order store: room at nodes and hubs, dated demand, and later supplies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from order_shop import TODAY, TOMORROW, Shop, rows

from engine.inventory.model import Supply
from engine.routing.model import HubStop, NodeCapacity, OrderAllocation, OwnStock, UsedCapacity


async def test_a_node_ships_no_more_units_a_day_than_it_can(shop: Shop) -> None:
    for number in (1, 2, 3):
        await shop.place(f"ord_{number}", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")), north=NodeCapacity(units=8))
    verdicts = await shop.commit(
        "run_2", rows("ord_2", (3, "north")), rows("ord_3", (3, "north")), north=NodeCapacity(units=8)
    )
    assert [verdict.outcome for verdict in verdicts] == ["committed", "moved"]
    assert verdicts[1].reason == "north on 2026-11-22: 3 units asked, 2 of 8 left"
    assert await shop.counts("north") == (10, 0, 6)


async def test_a_node_ships_no_more_parcels_a_day_than_it_can(shop: Shop) -> None:
    for number in (1, 2, 3):
        await shop.place(f"ord_{number}")
    capacity = NodeCapacity(parcels=2)
    verdicts = await shop.commit("run_1", *(rows(f"ord_{n}", (1, "north")) for n in (1, 2, 3)), north=capacity)
    assert [verdict.outcome for verdict in verdicts] == ["committed", "committed", "moved"]
    assert verdicts[2].reason == "north on 2026-11-22: 1 parcels asked, 0 of 2 left"
    assert await shop.outcomes("run_2", rows("ord_3", (1, "south")), north=capacity) == ["committed"]


async def test_capacity_is_counted_for_each_day_of_its_own(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.place("ord_2", 3)
    capacity = NodeCapacity(units=3, parcels=1)
    await shop.commit("run_1", rows("ord_1", (3, "north")), north=capacity)
    assert await shop.outcomes("run_2", rows("ord_2", (3, "north"), ship_on=TOMORROW), north=capacity) == ["committed"]
    assert sorted(await shop.orders.used_capacity([TODAY, TOMORROW]), key=lambda used: used.ship_on) == [
        UsedCapacity(node_id="north", ship_on=TODAY, units=3, parcels=1),
        UsedCapacity(node_id="north", ship_on=TOMORROW, units=3, parcels=1),
    ]
    assert await shop.orders.used_capacity([TODAY - timedelta(days=1)]) == []


async def test_an_orders_own_capacity_is_available_to_it(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    capacity = NodeCapacity(units=4, parcels=1)
    assert await shop.outcomes("run_1", rows("ord_1", (4, "north"), (1, None)), north=capacity) == ["committed"]
    assert await shop.outcomes("run_2", rows("ord_1", (4, "north"), (1, "south")), north=capacity) == ["committed"]


async def test_a_moved_order_keeps_its_own_capacity(shop: Shop) -> None:
    """Catches uses that are taken off for the check and not put back: the node would ship more than it can."""
    await shop.place("ord_1", 8)
    await shop.commit("run_1", rows("ord_1", (4, "north"), (4, None)))
    assert await shop.outcomes("run_2", rows("ord_1", (8, "south"))) == ["moved"]
    assert await shop.orders.used_capacity([TODAY]) == [
        UsedCapacity(node_id="north", ship_on=TODAY, units=4, parcels=1)
    ]


async def test_units_of_a_later_day_are_dated_demand_and_may_come_from_supplies(shop: Shop) -> None:
    await shop.inventory.put_supplies(
        [Supply(supply_id="po", node_id="south", sku="MUG", quantity=6, expected_on=TOMORROW)],
        today={"south": TOMORROW.toordinal() - 1},
    )
    await shop.place("ord_1", 11)
    await shop.place("ord_2", 1)
    assert await shop.outcomes("run_1", rows("ord_1", (11, "south"))) == ["moved"]
    assert await shop.outcomes("run_1", rows("ord_1", (11, "south"), ship_on=TOMORROW)) == ["committed"]
    assert await shop.counts("south") == (5, 0, 0)
    assert await shop.outcomes("run_2", rows("ord_2", (1, "south"))) == ["moved"]
    await shop.orders.cancel("ord_1")
    assert await shop.outcomes("run_3", rows("ord_2", (1, "south"))) == ["committed"]


async def test_own_dated_demand_is_available_and_named(shop: Shop) -> None:
    await shop.place("ord_1", 6)
    assert await shop.outcomes("run_1", rows("ord_1", (5, "south"), (1, None), ship_on=TOMORROW)) == ["committed"]
    (found,) = await shop.orders.open_orders()
    assert found.own_stock == (OwnStock(sku="MUG", node_id="south", quantity=5, ship_on=TOMORROW),)
    assert await shop.outcomes("run_2", rows("ord_1", (5, "south"), (1, "north"))) == ["committed"]
    assert await shop.counts("south") == (5, 0, 5)


# Many at once


async def test_what_goes_over_a_hub_is_reserved_where_it_is_and_takes_room_at_both(shop: Shop) -> None:
    """Catches room that is counted at the node of a row alone: the hub would pack any number of parcels a day."""
    sent = HubStop(node_id="north", available_on=TOMORROW, ship_on=TOMORROW)

    def over_hub(order_id: str) -> OrderAllocation:
        [row] = rows(order_id, (2, "south")).rows
        return OrderAllocation(order_id=order_id, rows=(replace(row, hub=sent),))

    for order_id in ("ord_1", "ord_2"):
        await shop.place(order_id, 2)
    full = NodeCapacity(parcels=1)
    verdicts = await shop.commit("run_1", over_hub("ord_1"), over_hub("ord_2"), north=full)
    assert [verdict.outcome for verdict in verdicts] == ["committed", "moved"]
    assert verdicts[1].reason is not None
    assert "north" in verdicts[1].reason
    assert (await shop.orders.get("ord_1")).allocation[0].hub == sent
    assert (await shop.counts("south"), await shop.counts("north")) == ((5, 0, 2), (10, 0, 0))
    assert sorted(await shop.orders.used_capacity([TODAY, TOMORROW]), key=lambda used: used.node_id) == [
        UsedCapacity(node_id="north", ship_on=TOMORROW, units=2, parcels=1),
        UsedCapacity(node_id="south", ship_on=TODAY, units=2, parcels=1),
    ]
