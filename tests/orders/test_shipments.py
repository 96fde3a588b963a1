"""Shipments of orders in every store: released, picked, packed, shipped in parts, and the rest routed again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from order_shop import NOON, TODAY, TOMORROW, Shop, rows

from engine.errors import IllegalState, InvalidInput
from engine.fulfillment.carrying import Loss, Remedy, delivered, has_arrived, lost, reported
from engine.fulfillment.packing import NewCarton, packed
from engine.fulfillment.picking import picked
from engine.fulfillment.releasing import recalled, released
from engine.fulfillment.shipments import order_id_of
from engine.fulfillment.shipping import Handover, shipped
from engine.inventory.model import Adjustment, Replay
from engine.orders.facts.shipments import CarrierEvent, ShipmentState
from engine.orders.holding import NewHold, stopped
from engine.orders.model import Order, OrderState
from engine.orders.overriding import NewOverride, overridden
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.revising import OrderChanged, Revision
from engine.orders.states import state_of, units_by_state
from engine.orders.steering import RejectionKind
from engine.routing.model import AllocationRow, NodeCapacity, OrderAllocation, OrderLine

HANDED_OVER = Handover(carrier="C", tracking_number="T1")


async def make(shop: Shop, revision: Revision | None, replay: Replay | None = None) -> Order:
    assert revision is not None
    return (await shop.orders.revise(revision, replay=replay)).value


async def release(shop: Shop, order_id: str = "ord_1", node_id: str | None = None) -> Order:
    return await make(shop, released(await shop.orders.get(order_id), NOON, "anna", node_id=node_id))


async def ship(shop: Shop, shipment_id: str, *, seen: Order | None = None) -> Order:
    order = seen or await shop.orders.get(order_id_of(shipment_id))
    if next(each for each in order.life.shipments if each.shipment_id == shipment_id).state != "packed":
        cartons = [one_carton(order, shipment_id)]
        order = await make(shop, packed(order, shipment_id, cartons, NOON, "anna", needs_label=False))
    return await make(shop, shipped(order, shipment_id, HANDED_OVER, NOON, "anna"))


async def short_pick(shop: Shop, node_id: str, units: int, line_id: str = "1") -> Order:
    new = NewRejection(node_id=node_id, reason="bin empty", kind=RejectionKind.SHORT_PICK, lines=((line_id, units),))
    return await make(shop, rejected(await shop.orders.get("ord_1"), new, NOON, "anna", 0))


def one_carton(order: Order, shipment_id: str) -> NewCarton:
    (shipment,) = (each for each in order.life.shipments if each.shipment_id == shipment_id)
    return NewCarton(lines=tuple((line.line_id, line.quantity) for line in shipment.lines), weight_g=500)


def states(order: Order) -> dict[str, int]:
    return {state.value: count for state, count in units_by_state(order)["1"].items() if count}


def parts(order: Order) -> list[tuple[str, str, int]]:
    return [
        (each.node_id, each.state.value, sum(line.quantity for line in each.lines)) for each in order.life.shipments
    ]


async def used(shop: Shop, day: date = TODAY) -> dict[str, tuple[int, int]]:
    return {each.node_id: (each.units, each.parcels) for each in await shop.orders.used_capacity([day])}


async def test_an_order_goes_from_release_to_delivery_and_its_units_leave_stock_once(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    assert (parts(order), states(order)) == ([("north", "released", 3)], {"released": 3})
    shipment_id = order.life.shipments[0].shipment_id
    order = await make(shop, picked(order, shipment_id, NOON, "anna"))
    assert (state_of(order), order.steering.acceptances[0].node_id) == (OrderState.PICKING, "north")
    order = await make(
        shop, packed(order, shipment_id, [one_carton(order, shipment_id)], NOON, "anna", needs_label=False)
    )
    assert (state_of(order), await shop.counts("north")) == (OrderState.PACKED, (10, 0, 3))
    order = await make(shop, shipped(order, shipment_id, HANDED_OVER, NOON, "anna"))
    assert (await shop.counts("north"), await used(shop)) == ((7, 0, 0), {"north": (3, 1)})
    assert (order.state, order.allocation, order.reservation_id) == (OrderState.SHIPPED, (), None)
    order = await make(shop, delivered(order, shipment_id, NOON, "signed: B. Smith", "anna"))
    assert (state_of(order), order.life.shipments[0].proof) == (OrderState.DELIVERED, "signed: B. Smith")
    assert delivered(order, shipment_id, NOON, "", "anna") is None
    events = [entry.note.event for entry in await shop.orders.history("ord_1") if entry.note is not None]
    told = ["released", "picking", "packed", "shipped", "delivered"]
    assert events == [f"shipment_{word}" for word in told]
    journal = await shop.inventory.history("MUG", "north")
    assert journal.events[0].whys == ("shipped ord_1",)
    assert await shop.orders.get("ord_1") == order
    assert await shop.orders.open_orders() == []


async def test_a_shipment_leaves_once_however_often_it_is_said_and_by_how_many_at_once(shop: Shop) -> None:
    """Catches a shipment that is not refused a step which it has taken (seeded): its units would leave once more."""
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    shipment_id = order.life.shipments[0].shipment_id
    cartons = [one_carton(order, shipment_id)]
    order = await make(shop, packed(order, shipment_id, cartons, NOON, "anna", needs_label=False))
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    leave = lambda: shipped(order, shipment_id, HANDED_OVER, NOON, "anna")  # noqa: E731
    found = await asyncio.gather(*(make(shop, leave()) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(each, Order) for each in found) == 1
    assert all(isinstance(each, Order | OrderChanged) for each in found)
    again = await shop.orders.get("ord_1")
    for _ in range(2):
        with pytest.raises(IllegalState, match="is shipped, and cannot be shipped; from there it can be: delivered, l"):
            await make(shop, shipped(again, shipment_id, HANDED_OVER, NOON, "anna"), key)
    assert await shop.counts("north") == (7, 0, 0)


async def test_after_a_partial_shipment_a_run_routes_the_rest(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, None)))
    order = await release(shop)
    assert states(order) == {"released": 3, "backordered": 2}
    order = await ship(shop, order.life.shipments[0].shipment_id)
    assert (order.state, states(order)) == (OrderState.BACKORDERED, {"shipped": 3, "backordered": 2})
    assert await shop.counts("north") == (7, 0, 0)
    (open_order,) = await shop.orders.open_orders()
    assert [(line.line_id, line.quantity) for line in open_order.lines] == [("1", 2)]
    assert (open_order.kept, open_order.own_stock, open_order.stopped) == ((), (), None)
    allocation = replace(rows("ord_1", (2, "south")), revision=open_order.revision)
    assert await shop.outcomes("run_2", allocation) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.state, states(order)) == (OrderState.SOURCED, {"shipped": 3, "sourced": 2})
    assert (await shop.counts("north"), await shop.counts("south")) == ((7, 0, 0), (5, 0, 2))
    assert await used(shop) == {"north": (3, 1), "south": (2, 1)}
    order = await release(shop)
    order = await ship(shop, order.life.shipments[1].shipment_id)
    assert (state_of(order), await shop.counts("south")) == (OrderState.SHIPPED, (3, 0, 0))
    assert await used(shop) == {"north": (3, 1), "south": (2, 1)}


async def test_a_run_that_decided_before_a_shipment_left_does_not_send_its_units_again(shop: Shop) -> None:
    """Catches a commit that asks for no revision after a shipment: five units would ship of an order of three."""
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (2, "north"), (1, None)))
    decided = rows("ord_1", (2, "north"), (1, "south"))
    order = await release(shop)
    await ship(shop, order.life.shipments[0].shipment_id)
    for stale in (decided, rows("ord_1", (1, "south"))):
        assert await shop.outcomes("run_2", stale) == ["moved"]
    assert (await shop.counts("north"), await shop.counts("south")) == ((8, 0, 0), (5, 0, 0))


async def test_a_short_pick_after_a_partial_shipment_takes_its_units_out_of_the_shipment(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (2, "south"), (3, "north")))
    order = await release(shop, node_id="south")
    order = await ship(shop, order.life.shipments[0].shipment_id)
    assert (order.state, await shop.counts("south")) == (OrderState.SOURCED, (3, 0, 0))
    order = await release(shop)
    order = await short_pick(shop, "north", 2)
    assert parts(order) == [("south", "shipped", 2), ("north", "released", 1)]
    assert (states(order), await shop.counts("north")) == (
        {"shipped": 2, "released": 1, "backordered": 2},
        (8, 0, 1),
    )
    (open_order,) = await shop.orders.open_orders()
    assert [(row.quantity, row.node_id) for row in open_order.released] == [(1, "north")]
    assert open_order.kept == open_order.released
    order = await short_pick(shop, "north", 1)
    assert parts(order) == [("south", "shipped", 2), ("north", "recalled", 1)]
    assert (states(order), await shop.counts("north")) == ({"shipped": 2, "backordered": 3}, (7, 0, 0))
    allocation = replace(rows("ord_1", (3, "south")), revision=order.steering.revision)
    assert await shop.outcomes("run_2", allocation) == ["committed"]
    order = await release(shop)
    order = await ship(shop, order.life.shipments[2].shipment_id)
    assert (await shop.counts("south"), states(order)) == ((0, 0, 0), {"shipped": 5})


async def test_a_packed_shipment_that_loses_units_has_to_be_packed_again(shop: Shop) -> None:
    """Catches cartons that say they hold what was taken out of them."""
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    shipment_id = order.life.shipments[0].shipment_id
    cartons = [one_carton(order, shipment_id)]
    order = await make(shop, packed(order, shipment_id, cartons, NOON, "anna", needs_label=True))
    assert [effect.kind for effect in order.life.effects] == ["carrier.label"]
    order = await short_pick(shop, "north", 1)
    assert (parts(order), order.life.shipments[0].cartons) == ([("north", "picking", 2)], ())
    with pytest.raises(IllegalState, match="is picking, and cannot be shipped; from there it can be: packed, recalled"):
        await make(shop, shipped(order, shipment_id, HANDED_OVER, NOON, "anna"))
    order = await ship(shop, shipment_id)
    assert (states(order), await shop.counts("north")) == ({"shipped": 2, "backordered": 1}, (7, 0, 0))


async def test_more_units_than_there_are_leave_no_debt_on_hand(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = await release(shop)
    await shop.inventory.adjust([Adjustment(node_id="north", sku="MUG", delta=-8, reason="count")])
    order = await ship(shop, order.life.shipments[0].shipment_id)
    assert (order.state, await shop.counts("north")) == (OrderState.SHIPPED, (0, 0, 0))


async def test_what_people_pin_elsewhere_is_recalled_from_its_node(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    assert await shop.orders.node_work("north", 10) == [f"{TODAY.toordinal():07d} ord_1"]
    pin = NewOverride(reason="closer", pins=(("1", "south"),))
    order = await make(shop, overridden(order, pin, NOON, "bo", ("north", "south")))
    assert (parts(order), states(order)) == ([("north", "recalled", 3)], {"backordered": 3})
    assert (order.steering.released, await shop.orders.node_work("north", 10)) == ((), [])


async def test_a_shipment_that_is_recalled_may_be_released_again(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    with pytest.raises(IllegalState, match="nothing to release: it is released already"):
        await release(shop)
    order = await make(shop, recalled(order, order.life.shipments[0].shipment_id, "wrong address", "bo"))
    assert (states(order), await shop.counts("north")) == ({"sourced": 3}, (10, 0, 3))
    order = await release(shop)
    assert parts(order) == [("north", "recalled", 3), ("north", "released", 3)]


async def test_the_work_of_a_node_is_listed_by_the_day_it_leaves_until_it_has_left(shop: Shop) -> None:
    for number, (node_id, day) in enumerate((("north", TOMORROW), ("north", TODAY), ("south", TODAY)), 1):
        await shop.place(f"ord_{number}")
        await shop.commit(f"run_{number}", rows(f"ord_{number}", (1, node_id), ship_on=day))
        await release(shop, f"ord_{number}")
    first, second = await shop.orders.node_work("north", 10)
    assert [place.split()[1] for place in (first, second)] == ["ord_2", "ord_1"]
    assert await shop.orders.node_work("north", 1) == [first]
    assert await shop.orders.node_work("north", 1, after=first) == [second]
    order = await shop.orders.get("ord_2")
    await ship(shop, order.life.shipments[0].shipment_id)
    assert await shop.orders.node_work("north", 10) == [second]


async def test_units_that_are_lost_are_sent_again_or_cancelled_and_no_stock_comes_back(shop: Shop) -> None:
    for number, remedy in enumerate((Remedy.SEND_AGAIN, Remedy.CANCEL), 1):
        order_id = f"ord_{number}"
        await shop.place(order_id, 3)
        await shop.commit(f"run_{number}", rows(order_id, (3, "north")))
        shipment_id = (await release(shop, order_id)).life.shipments[0].shipment_id
        order = await ship(shop, shipment_id)
        order = await make(shop, lost(order, shipment_id, Loss(reason="van burnt", remedy=remedy), "bo"))
        assert await shop.counts("north") == (10 - 3 * number, 0, 0)
        if remedy is Remedy.CANCEL:
            assert (states(order), order.state) == ({"cancelled": 3}, OrderState.SHIPPED)
            continue
        assert (states(order), order.state) == ({"backordered": 3}, OrderState.BACKORDERED)
        allocation = replace(rows(order_id, (3, "south")), revision=order.steering.revision)
        assert await shop.outcomes("run_again", allocation) == ["committed"]
        assert await shop.counts("south") == (5, 0, 3)


async def test_of_two_cartons_one_is_lost_and_the_other_arrives(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    shipment_id = order.life.shipments[0].shipment_id
    cartons = [NewCarton(lines=(("1", units),), weight_g=300) for units in (2, 1)]
    order = await make(shop, packed(order, shipment_id, cartons, NOON, "anna", needs_label=False))
    first, second = (carton.carton_id for carton in order.life.shipments[0].cartons)
    order = await ship(shop, shipment_id, seen=order)
    order = await make(shop, lost(order, shipment_id, Loss(reason="fell off", carton_ids=(first,)), "bo"))
    assert parts(order) == [("north", "shipped", 1), ("north", "lost", 2)]
    assert states(order) == {"shipped": 1, "backordered": 2}
    event = CarrierEvent(event="delivered", at=NOON, carton_id=second)
    order = await make(shop, reported(order, shipment_id, event, "C"))
    assert reported(order, shipment_id, event, "C") is None
    assert has_arrived(order.life.shipments[0])
    order = await make(shop, delivered(order, shipment_id, NOON, "", "C"))
    assert states(order) == {"delivered": 1, "backordered": 2}


async def test_cartons_hold_exactly_what_is_in_the_shipment(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await release(shop)
    shipment_id = order.life.shipments[0].shipment_id
    for lines, message in (
        ((), "2 units"),
        ((("1", 2),), "2 units of line '1' are packed, 3 are to be; say what was not found as a short pick"),
        ((("9", 3),), "has no line '9'"),
        ((("1", 2), ("1", 1)), "stands twice"),
        ((("1", 0),), "no quantity"),
    ):
        cartons = [NewCarton(lines=lines, weight_g=1)] if lines else []
        with pytest.raises(InvalidInput, match=message if lines else "at least one carton"):
            packed(order, shipment_id, cartons, NOON, "anna", needs_label=False)


async def test_an_order_with_an_order_hold_is_neither_released_nor_shipped(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    await make(shop, stopped(await shop.orders.get("ord_1"), NewHold(reason="fraud?"), NOON, "bo"))
    with pytest.raises(IllegalState, match=r"order hold \(fraud\?\)"):
        await release(shop)


async def test_parcels_of_a_day_and_service_are_shipments_of_their_own_and_capacity_stays_used(shop: Shop) -> None:
    """Catches uses that are given back with the units that leave: the node would ship more than it can that day."""
    await shop.place("ord_1", 3)
    days = tuple(
        AllocationRow(line_id="1", sku="MUG", quantity=units, node_id="north", service="ground", ship_on=day)
        for units, day in ((2, TODAY), (1, TOMORROW))
    )
    assert await shop.outcomes("run_1", OrderAllocation(order_id="ord_1", rows=days)) == ["committed"]
    order = await release(shop)
    assert [(each.ship_on, each.lines[0].quantity) for each in order.life.shipments] == [(TODAY, 2), (TOMORROW, 1)]
    await ship(shop, order.life.shipments[0].shipment_id)
    assert (await used(shop), await used(shop, TOMORROW)) == ({"north": (2, 1)}, {"north": (1, 1)})
    await shop.place("ord_2", 2)
    full = NodeCapacity(units=3)
    assert await shop.outcomes("run_2", rows("ord_2", (2, "north")), north=full) == ["moved"]


async def test_a_kit_ships_as_its_products(shop: Shop) -> None:
    lines = (OrderLine(line_id="1/MUG", sku="MUG", quantity=2), OrderLine(line_id="1/TEA", sku="TEA", quantity=1))
    await shop.place("ord_1", demand=lines, whole=(("1/MUG", "1/TEA"),))
    await shop.inventory.adjust([Adjustment(node_id="north", sku="TEA", delta=4, reason="found")])
    there = {"node_id": "north", "service": "ground", "ship_on": TODAY}
    both = tuple(
        AllocationRow(line_id=each.line_id, sku=each.sku, quantity=each.quantity, **there)  # type: ignore[arg-type]
        for each in lines
    )
    assert await shop.outcomes("run_1", OrderAllocation(order_id="ord_1", rows=both)) == ["committed"]
    order = await release(shop)
    (shipment,) = order.life.shipments
    assert [(line.line_id, line.sku, line.quantity) for line in shipment.lines] == [
        ("1/MUG", "MUG", 2),
        ("1/TEA", "TEA", 1),
    ]
    order = await ship(shop, shipment.shipment_id)
    assert (await shop.counts("north"), await shop.counts("north", "TEA")) == ((8, 0, 0), (3, 0, 0))
    assert order.life.shipments[0].state is ShipmentState.SHIPPED


async def test_what_has_left_stays_counted_at_its_node_whatever_becomes_of_the_rest(shop: Shop) -> None:
    """Catches uses that are lowered, or given back, to what rows say: the node would be given that day's work twice."""
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (2, "south"), (3, "north")))
    order = await release(shop, node_id="south")
    order = await ship(shop, order.life.shipments[0].shipment_id)
    assert await used(shop) == {"south": (2, 1), "north": (3, 1)}
    order = await short_pick(shop, "north", 1)
    assert await used(shop) == {"south": (2, 1), "north": (2, 1)}
    allocation = replace(rows("ord_1", (2, "north"), (1, "south")), revision=order.steering.revision)
    assert await shop.outcomes("run_2", allocation) == ["committed"]
    assert await used(shop) == {"south": (3, 2), "north": (2, 1)}
    order = await short_pick(shop, "south", 1)
    order = await short_pick(shop, "north", 2)
    assert await used(shop) == {"south": (2, 1)}
    assert await shop.outcomes("run_3", replace(rows("ord_1", (3, "north")), revision=order.steering.revision)) == [
        "committed"
    ]
    assert await used(shop) == {"south": (2, 1), "north": (3, 1)}


async def test_what_people_have_opened_is_not_used_any_more_once_the_rest_has_left(shop: Shop) -> None:
    """Catches uses that become those of rows as a shipment leaves (seeded): what is open stayed counted for good."""
    lines = (OrderLine(line_id="1", sku="MUG", quantity=2), OrderLine(line_id="2", sku="TEA", quantity=1))
    await shop.place("ord_1", demand=lines)
    for node_id in ("north", "south"):
        await shop.inventory.adjust([Adjustment(node_id=node_id, sku="TEA", delta=4, reason="found")])
    by = {"service": "ground", "ship_on": TODAY}
    mug = AllocationRow(line_id="1", sku="MUG", quantity=2, node_id="south", **by)  # type: ignore[arg-type]
    tea = AllocationRow(line_id="2", sku="TEA", quantity=1, node_id="north", **by)  # type: ignore[arg-type]
    assert await shop.outcomes("run_1", OrderAllocation(order_id="ord_1", rows=(mug, tea))) == ["committed"]
    order = await release(shop, node_id="south")
    pin = NewOverride(reason="together", pins=(("2", "south"),))
    order = await make(shop, overridden(order, pin, NOON, "bo", ("north", "south")))
    assert await used(shop) == {"south": (2, 1), "north": (1, 1)}
    order = await ship(shop, order.life.shipments[0].shipment_id)
    again = OrderAllocation(order_id="ord_1", rows=(replace(tea, node_id="south"),), revision=order.steering.revision)
    assert await shop.outcomes("run_2", again) == ["committed"]
    assert await used(shop) == {"south": (3, 2)}
    assert (await shop.counts("north", "TEA"), await shop.counts("south", "TEA")) == ((4, 0, 0), (4, 0, 1))
