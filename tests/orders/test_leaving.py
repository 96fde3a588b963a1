"""What a store does when units of an order leave their node: stock, capacity, what is left to route, effects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from order_shop import NOON, TODAY, Shop, rows

from engine.errors import IllegalState
from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import CancelledUnits
from engine.orders.model import Note, Order, OrderState
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.revising import Revision, revision_of
from engine.orders.states import state_of, units_by_state
from engine.orders.steering import RejectionKind
from engine.routing.model import NodeCapacity

S = OrderState


def leaving(order: Order, units: int, node_id: str = "north", effects: tuple[Effect, ...] = ()) -> Revision:
    """Return the revision by which units of line 1 leave a node."""
    left, found = units, []
    for row in order.allocation:
        out = min(left, row.quantity) if row.node_id == node_id else 0
        left -= out
        if row.quantity > out:
            found.append(replace(row, quantity=row.quantity - out))
    shipment = Shipment(
        shipment_id=f"shp_{len(order.life.shipments)}",
        node_id=node_id,
        service="ground",
        ship_on=TODAY,
        lines=(ShipmentLine(line_id="1", sku="MUG", quantity=units),),
        state=ShipmentState.SHIPPED,
        released_at=NOON,
    )
    life = msgspec.structs.replace(order.life, shipments=(*order.life.shipments, shipment))
    after = replace(order, allocation=tuple(found), life=with_effects(life, *effects))
    released = replace(order, life=_as(order, shipment, ShipmentState.PACKED))
    lost = (("MUG", node_id, units, TODAY.toordinal()),)
    revision = revision_of(released, after, Note(event="shipped", by="anna"), lost=lost, leaves=True, uses_change=True)
    return replace(revision, seen=order)


def _as(order: Order, shipment: Shipment, state: ShipmentState):  # type: ignore[no-untyped-def]
    packed = msgspec.structs.replace(shipment, state=state)
    return msgspec.structs.replace(order.life, shipments=(*order.life.shipments, packed))


async def used(shop: Shop) -> dict[str, tuple[int, int]]:
    return {each.node_id: (each.units, each.parcels) for each in await shop.orders.used_capacity([TODAY])}


async def test_units_that_leave_are_off_the_shelf_and_the_order_has_nothing_left_to_route(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = (await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 3))).value
    assert (order.state, state_of(order), order.allocation) == (S.SHIPPED, S.SHIPPED, ())
    assert await shop.counts("north") == (7, 0, 0)
    assert await used(shop) == {"north": (3, 1)}, "the node has worked for it"
    assert await shop.orders.open_orders() == []
    assert (await shop.inventory.history("MUG", "north")).events[0].whys == ("shipped ord_1",)
    *_, last = await shop.orders.history("ord_1")
    assert (last.state, last.note and last.note.event) == (S.SHIPPED, "shipped")


async def test_what_is_left_of_an_order_is_routed_without_what_has_left(shop: Shop) -> None:
    """Catches an order of which units have left being refused by runs, or routed for all of its units again."""
    await shop.place("ord_1", 8)
    await shop.commit("run_1", rows("ord_1", (5, "north"), (3, None)))
    await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 5))
    (waiting,) = await shop.orders.open_orders()
    assert [(line.line_id, line.quantity) for line in waiting.lines] == [("1", 3)]
    allocation = replace(rows("ord_1", (3, "south")), revision=waiting.revision)
    assert await shop.outcomes("run_2", allocation) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.state, units_by_state(order)) == (S.SOURCED, {"1": {S.SHIPPED: 5, S.SOURCED: 3}})
    assert (await shop.counts("north"), await shop.counts("south")) == ((5, 0, 0), (5, 0, 3))
    order = (await shop.orders.revise(leaving(order, 3, "south"))).value
    assert (order.state, await shop.counts("south")) == (S.SHIPPED, (2, 0, 0))


async def test_of_a_part_that_left_the_rest_can_be_found_short(shop: Shop) -> None:
    await shop.place("ord_1", 8)
    await shop.commit("run_1", rows("ord_1", (5, "north"), (3, "south")))
    order = (await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 5))).value
    new = NewRejection(node_id="south", reason="bin empty", kind=RejectionKind.SHORT_PICK)
    order = (await shop.orders.revise(rejected(order, new, NOON, "bea", 0))).value
    assert (order.state, state_of(order)) == (S.BACKORDERED, S.BACKORDERED)
    assert (await shop.counts("north"), await shop.counts("south")) == ((5, 0, 0), (2, 0, 0))
    (waiting,) = await shop.orders.open_orders()
    assert [line.quantity for line in waiting.lines] == [3]


async def test_an_order_of_which_units_have_left_is_not_cancelled_as_a_whole(shop: Shop) -> None:
    await shop.place("ord_1", 8)
    await shop.commit("run_1", rows("ord_1", (5, "north"), (3, "south")))
    await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 5))
    with pytest.raises(IllegalState, match="units of it have left"):
        await shop.orders.cancel("ord_1")
    assert await shop.counts("south") == (5, 0, 3)


async def test_capacity_is_used_up_by_what_has_left(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 3))
    await shop.place("ord_2", 2)
    limit = {"north": NodeCapacity(units=4, parcels=9)}
    assert await shop.outcomes("run_2", rows("ord_2", (2, "north")), **limit) == ["moved"]


async def test_cancelled_units_give_their_stock_back_also_before_the_order_was_routed(shop: Shop) -> None:
    await shop.hold("res_1", 3)
    await shop.place("ord_1", 3, reservation_id="res_1")
    order = await shop.orders.get("ord_1")
    life = msgspec.structs.replace(order.life, cancelled=(CancelledUnits(line_id="1", quantity=1),))
    given = (("MUG", "north", 1, 0),)
    revision = revision_of(order, replace(order, life=life), Note(event="cancelled", by="anna"), given_back=given)
    order = (await shop.orders.revise(revision)).value
    assert (order.state, units_by_state(order)) == (S.CAPTURED, {"1": {S.CANCELLED: 1, S.CAPTURED: 2}})
    assert await shop.counts("north") == (10, 2, 0)
    (waiting,) = await shop.orders.open_orders()
    assert [line.quantity for line in waiting.lines] == [2]
    assert await shop.outcomes("run_1", replace(rows("ord_1", (2, "north")), revision=1)) == ["committed"]


async def test_effects_are_found_when_they_are_due_and_gone_when_they_are_done(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    effect = Effect(effect_id="eff_1", kind="payment.capture", due_at=NOON + timedelta(seconds=5), amount_cents=500)
    order = (await shop.orders.revise(leaving(await shop.orders.get("ord_1"), 3, effects=(effect,)))).value
    due_ms = effect.due_at.timestamp() * 1000
    assert await shop.orders.effects_due(due_ms - 1, 10) == []
    assert await shop.orders.effects_due(due_ms, 10) == ["ord_1"]
    assert (await shop.orders.get("ord_1")).life.effects == (effect,)
    done = replace(order, life=msgspec.structs.replace(order.life, effects=()))
    await shop.orders.revise(revision_of(order, done, Note(event="payment_captured", by="sandbox")))
    assert await shop.orders.effects_due(due_ms, 10) == []
