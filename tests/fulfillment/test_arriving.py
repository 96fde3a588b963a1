"""Shipments at a hub: received part by part, packed once all has come, or parted, and stock of the right nodes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.fulfillment.arriving import awaited, missing
from engine.orders.facts.shipments import ShipmentState
from engine.orders.states import state_of
from engine.routing.model import AllocationRow, HubStop, OrderAllocation
from tests.fulfillment.depot import TODAY, Depot

LEAVES = TODAY + timedelta(days=2)


async def over_hub(depot: Depot) -> str:
    """Have an order released whose mugs are in the south, one of them at the hub in the north, as its tea is."""
    order = await depot.capture("o1", ("MUG", 3), ("TEA", 1))
    hub = HubStop(node_id="north", available_on=LEAVES, ship_on=LEAVES)
    rows = (
        AllocationRow(line_id="1", sku="MUG", quantity=2, node_id="south", service="ground", ship_on=TODAY, hub=hub),
        AllocationRow(line_id="1", sku="MUG", quantity=1, node_id="north", service="ground", ship_on=LEAVES),
        AllocationRow(line_id="2", sku="TEA", quantity=1, node_id="south", service="ground", ship_on=TODAY, hub=hub),
    )
    allocation = OrderAllocation(order_id="o1", rows=rows, revision=order.steering.revision)
    (verdict,) = await depot.stores.orders.commit(
        "run_1", [allocation], capacities={}, today={"north": TODAY, "south": TODAY}
    )
    assert verdict.outcome == "committed", verdict
    (shipment,) = (await depot.engine.fulfillment.release("o1")).value.life.shipments
    assert (shipment.node_id, shipment.from_node_ids) == ("north", ("south",))
    return shipment.shipment_id


async def still(depot: Depot, name: str) -> dict[tuple[str, str], int]:
    order, shipment = await depot.engine.fulfillment.find(name)
    return awaited(order, shipment)


async def test_a_hub_that_says_what_has_come_packs_once_all_has(depot: Depot) -> None:
    name = await over_hub(depot)
    fulfillment = depot.engine.fulfillment
    assert await still(depot, name) == {("south", "1"): 2, ("south", "2"): 1}
    await fulfillment.receive_at_hub(name, "south", [("1", 1)])
    assert await still(depot, name) == {("south", "1"): 1, ("south", "2"): 1}
    with pytest.raises(IllegalState, match="waits at its hub for 1 of line '1' from 'south', 1 of line '2'"):
        await fulfillment.pack(name)
    await fulfillment.receive_at_hub(name, "south")
    with pytest.raises(IllegalState, match="All that node 'south' sends"):
        await fulfillment.receive_at_hub(name, "south")
    await fulfillment.pack(name)
    await fulfillment.ship(name)
    assert [await depot.on_hand("north"), await depot.on_hand("south")] == [(49, 0), (48, 0)]
    assert (await depot.on_hand("south", "TEA"))[0] == 49


async def test_a_hub_that_says_nothing_packs_as_it_always_did(depot: Depot) -> None:
    name = await over_hub(depot)
    await depot.engine.fulfillment.pack(name)
    assert (await depot.shipment(name)).state is ShipmentState.PACKED


async def test_what_is_there_leaves_and_the_rest_follows_from_the_nodes_that_have_sent_it(depot: Depot) -> None:
    name = await over_hub(depot)
    fulfillment = depot.engine.fulfillment
    await fulfillment.receive_at_hub(name, "south", [("1", 2)])
    order = (await fulfillment.part(name)).value
    first, rest = order.life.shipments
    assert [(line.line_id, line.quantity) for line in first.lines] == [("1", 3)]
    assert [(line.line_id, line.quantity) for line in rest.lines] == [("2", 1)]
    assert (missing(order, first), missing(order, rest)) == ({}, {"2": 1})
    for each in (first.shipment_id, rest.shipment_id):
        if each == rest.shipment_id:
            await fulfillment.receive_at_hub(each, "south")
        await fulfillment.pack(each)
        await fulfillment.ship(each)
    assert [await depot.on_hand("north"), await depot.on_hand("south")] == [(49, 0), (48, 0)]
    assert (await depot.on_hand("south", "TEA"), state_of(await depot.engine.orders.get("o1"))) == ((49, 0), "shipped")


async def test_a_part_takes_the_stock_of_whom_it_came_from(depot: Depot) -> None:
    """Catches units that leave the stock of another node than they came from (seeded: rows taken in their order)."""
    name = await over_hub(depot)
    fulfillment = depot.engine.fulfillment
    await fulfillment.receive_at_hub(name, "south", [("1", 1), ("2", 1)])
    first, rest = (await fulfillment.part(name)).value.life.shipments
    assert [line.quantity for line in (*first.lines, *rest.lines)] == [2, 1, 1]
    await fulfillment.pack(first.shipment_id)
    await fulfillment.ship(first.shipment_id)
    assert [(await depot.on_hand(node))[0] for node in ("north", "south")] == [49, 49]
    assert await still(depot, rest.shipment_id) == {("south", "1"): 1}


async def test_what_cannot_have_come_is_refused(depot: Depot) -> None:
    name = await over_hub(depot)
    fulfillment = depot.engine.fulfillment
    with pytest.raises(IllegalState, match="goes over no hub"):
        await fulfillment.part((await depot.released("o2")).shipment_id)
    with pytest.raises(InvalidInput, match="'north' sends nothing to 'north'"):
        await fulfillment.receive_at_hub(name, "north")
    with pytest.raises(InvalidInput) as wrong:
        await fulfillment.receive_at_hub(name, "south", [("1", 3), ("9", 1), ("2", 1), ("2", 1)])
    assert [fault.path for fault in wrong.value.faults] == [
        "$.lines[0].quantity",
        "$.lines[1].line_id",
        "$.lines[3].line_id",
    ]
