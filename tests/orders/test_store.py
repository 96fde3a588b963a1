"""The behaviour of every order store, and of the inventory under it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.errors import IdempotencyConflict, IllegalState, InvalidInput, NotFound
from engine.inventory.model import (
    Hold,
    HoldLine,
    PositionCount,
    Replay,
    ReservationState,
    Supply,
)
from engine.inventory.store import InventoryStore
from engine.orders.model import Captured, Destination, Order, OrderState
from engine.orders.store import OrderStore
from engine.routing.model import (
    AllocationRow,
    NodeCapacity,
    OrderAllocation,
    OrderLine,
    OwnStock,
    UsedCapacity,
    Verdict,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
TOMORROW = TODAY + timedelta(days=1)
HOME = Destination(latitude=44.0, longitude=-93.0)
DAYS = {"north": TODAY, "south": TODAY}
ORDINALS = {node_id: day.toordinal() for node_id, day in DAYS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An order store on an inventory store, with a stock of 10 MUG in the north and 5 in the south."""

    orders: OrderStore
    inventory: InventoryStore
    wait: Callable[[float], Awaitable[None]]

    async def place(self, order_id: str, quantity: int = 1, *, sku: str = "MUG", **fields: object) -> Order:
        line = OrderLine(line_id="1", sku=sku, quantity=quantity)
        captured = Captured(
            order_id=order_id, channel="web", destination=HOME, lines=(line,), demand=(line,), captured_at=NOON
        )
        return (await self.orders.capture(replace(captured, **fields))).value  # type: ignore[arg-type]

    async def hold(self, reservation_id: str, quantity: int, node_id: str = "north", ttl_seconds: float = 900) -> None:
        line = HoldLine(sku="MUG", quantity=quantity, node_id=node_id)
        hold = Hold(reservation_id=reservation_id, lines=(line,), ttl_seconds=ttl_seconds)
        await self.inventory.hold(hold, today=ORDINALS)

    async def commit(self, run_id: str, *allocations: OrderAllocation, **capacities: NodeCapacity) -> list[Verdict]:
        return await self.orders.commit(run_id, allocations, capacities=capacities, today=DAYS)

    async def outcomes(self, run_id: str, *allocations: OrderAllocation, **capacities: NodeCapacity) -> list[str]:
        return [verdict.outcome for verdict in await self.commit(run_id, *allocations, **capacities)]

    async def counts(self, node_id: str, sku: str = "MUG") -> tuple[int, int, int]:
        """(on hand, held, confirmed) of a node."""
        view = await self.inventory.read([sku])
        position = view.position(0, view.node_ids.index(node_id))
        return position.on_hand, position.held, position.confirmed


def rows(order_id: str, *parts: tuple[int, str | None], ship_on: date = TODAY, sku: str = "MUG") -> OrderAllocation:
    """An allocation of line 1: so many units from such a node, None for backordered."""
    return OrderAllocation(
        order_id=order_id,
        rows=tuple(
            AllocationRow(line_id="1", sku=sku, quantity=quantity)
            if node_id is None
            else AllocationRow(
                line_id="1", sku=sku, quantity=quantity, node_id=node_id, service="ground", ship_on=ship_on
            )
            for quantity, node_id in parts
        ),
    )


@pytest.fixture
async def shop(orders: OrderStore, inventory: InventoryStore, wait: Callable[[float], Awaitable[None]]) -> Shop:
    await inventory.put_positions(
        [
            PositionCount(node_id="north", sku="MUG", on_hand=10),
            PositionCount(node_id="south", sku="MUG", on_hand=5),
        ]
    )
    return Shop(orders=orders, inventory=inventory, wait=wait)


# Capture


async def test_an_order_is_kept_as_it_was_captured(shop: Shop) -> None:
    lines = (OrderLine(line_id="1", sku="SET", quantity=2),)
    demand = (OrderLine(line_id="1/MUG", sku="MUG", quantity=4), OrderLine(line_id="1/TEA", sku="TEA", quantity=2))
    captured = Captured(
        order_id="ord_ü 1",
        channel="web",
        destination=Destination(latitude=44.9, longitude=-93.2, postal_code="55414", country="US"),
        lines=lines,
        demand=demand,
        captured_at=NOON,
        service_level="standard",
        need_by=TOMORROW,
        customer={"name": "Zoë", "tags": [], "nested": {"n": 1.5, "none": None}},
        payment={},
    )
    outcome = await shop.orders.capture(captured)
    assert outcome.value == Order(captured=captured, state=OrderState.CAPTURED)
    assert not outcome.replayed
    assert await shop.orders.get("ord_ü 1") == outcome.value
    (entry,) = await shop.orders.history("ord_ü 1")
    assert (entry.state, entry.run_id) == (OrderState.CAPTURED, None)
    assert entry.at.tzinfo is not None


async def test_an_unknown_order_is_not_found(shop: Shop) -> None:
    for call in (shop.orders.get, shop.orders.history, shop.orders.cancel):
        with pytest.raises(NotFound, match="ord_none"):
            await call("ord_none")


async def test_the_same_order_again_changes_nothing(shop: Shop) -> None:
    first = await shop.place("ord_1", 2)
    again = await shop.place("ord_1", 2, captured_at=NOON + timedelta(hours=1))
    assert again == first
    assert len(await shop.orders.history("ord_1")) == 1
    assert len(await shop.orders.open_orders()) == 1


async def test_another_order_under_the_same_id_is_refused(shop: Shop) -> None:
    first = await shop.place("ord_1", 2)
    with pytest.raises(IllegalState, match=r"ord_1.*another order"):
        await shop.place("ord_1", 3)
    assert await shop.orders.get("ord_1") == first


async def test_a_key_that_comes_back_gets_the_first_answer_and_has_no_second_effect(shop: Shop) -> None:
    """Catches a record that is not written in the capture itself: the retry would make a second order."""
    line = OrderLine(line_id="1", sku="MUG", quantity=1)
    captured = Captured(
        order_id="ord_1", channel="web", destination=HOME, lines=(line,), demand=(line,), captured_at=NOON
    )
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    first = await shop.orders.capture(captured, replay=key)
    await shop.orders.cancel("ord_1")
    again = await shop.orders.capture(replace(captured, order_id="ord_2"), replay=key)
    assert (again.value, again.replayed) == (first.value, True)
    assert [order.order_id for order in await shop.orders.open_orders()] == []
    with pytest.raises(NotFound):
        await shop.orders.get("ord_2")
    with pytest.raises(IdempotencyConflict):
        await shop.orders.capture(captured, replay=replace(key, fingerprint="e" * 64))


async def test_a_refusal_is_replayed_too(shop: Shop) -> None:
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    with pytest.raises(NotFound) as first:
        await shop.orders.cancel("ord_1", replay=key)
    assert not first.value.replayed
    await shop.place("ord_1")
    with pytest.raises(NotFound) as again:
        await shop.orders.cancel("ord_1", replay=key)
    assert again.value.replayed
    assert str(again.value) == str(first.value)
    assert (await shop.orders.get("ord_1")).state == "captured"


async def test_an_order_may_come_with_stock_that_is_held_for_it(shop: Shop) -> None:
    await shop.hold("res_1", 2)
    order = await shop.place("ord_1", 2, reservation_id="res_1")
    assert order.reservation_id == "res_1"
    (found,) = await shop.orders.open_orders()
    assert found.own_stock == (OwnStock(sku="MUG", node_id="north", quantity=2),)


async def test_a_reservation_that_is_unknown_past_or_another_orders_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound, match="res_none"):
        await shop.place("ord_1", reservation_id="res_none")
    await shop.hold("res_1", 1)
    await shop.inventory.cancel("res_1")
    with pytest.raises(IllegalState, match=r"res_1.*cancelled"):
        await shop.place("ord_1", reservation_id="res_1")
    await shop.hold("res_2", 1, ttl_seconds=0.05)
    await shop.wait(0.06)
    with pytest.raises(IllegalState, match=r"res_2.*expired"):
        await shop.place("ord_1", reservation_id="res_2")
    await shop.hold("res_3", 1)
    await shop.place("ord_3", reservation_id="res_3")
    with pytest.raises(IllegalState, match=r"res_3.*ord_3"):
        await shop.place("ord_1", reservation_id="res_3")
    with pytest.raises(NotFound):
        await shop.orders.get("ord_1")


# Open orders


async def test_open_orders_come_in_the_order_of_their_capture(shop: Shop) -> None:
    for order_id in ("ord_c", "ord_a", "ord_b"):
        await shop.place(order_id, 2, need_by=TOMORROW, service_level="standard")
    await shop.orders.cancel("ord_a")
    found = await shop.orders.open_orders()
    assert [order.order_id for order in found] == ["ord_c", "ord_b"]
    assert found[0].lines == (OrderLine(line_id="1", sku="MUG", quantity=2),)
    assert (found[0].latitude, found[0].longitude) == (44.0, -93.0)
    assert (found[0].need_by, found[0].service_level, found[0].channel) == (TOMORROW, "standard", "web")


async def test_named_orders_are_returned_if_open_and_unknown_ones_are_an_error(shop: Shop) -> None:
    await shop.place("ord_1")
    await shop.place("ord_2")
    await shop.orders.cancel("ord_2")
    assert [order.order_id for order in await shop.orders.open_orders(["ord_2", "ord_1"])] == ["ord_1"]
    with pytest.raises(NotFound, match="ord_x, ord_y"):
        await shop.orders.open_orders(["ord_1", "ord_x", "ord_y"])


# Cancel


async def test_cancelling_gives_held_stock_back(shop: Shop) -> None:
    await shop.hold("res_1", 3)
    await shop.place("ord_1", 3, reservation_id="res_1")
    order = (await shop.orders.cancel("ord_1")).value
    assert order.state == "cancelled"
    assert order.reservation_id is None
    assert await shop.counts("north") == (10, 0, 0)
    assert (await shop.inventory.get_reservation("res_1")).state == ReservationState.CANCELLED
    assert [entry.state for entry in await shop.orders.history("ord_1")] == ["captured", "cancelled"]


async def test_cancelling_a_sourced_order_gives_stock_and_capacity_back(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = (await shop.orders.cancel("ord_1")).value
    assert (order.state, order.run_id) == ("cancelled", "run_1")
    assert await shop.counts("north") == (10, 0, 0)
    assert await shop.orders.used_capacity([TODAY]) == []
    assert [(entry.state, entry.run_id) for entry in await shop.orders.history("ord_1")] == [
        ("captured", None),
        ("sourced", "run_1"),
        ("cancelled", None),
    ]


async def test_stock_of_an_order_goes_back_with_the_order_only(shop: Shop) -> None:
    """Catches a sourced order whose units are given to the next one."""
    await shop.hold("res_1", 2)
    await shop.place("ord_1", 2, reservation_id="res_1")
    with pytest.raises(IllegalState, match=r"res_1.*keeps stock for order 'ord_1'"):
        await shop.inventory.cancel("res_1")
    await shop.commit("run_1", rows("ord_1", (2, "north")))
    reservation_id = (await shop.orders.get("ord_1")).reservation_id
    assert reservation_id is not None
    with pytest.raises(IllegalState, match="Cancel the order"):
        await shop.inventory.cancel(reservation_id)
    assert await shop.counts("north") == (10, 0, 2)
    assert (await shop.orders.cancel("ord_1")).value.state == "cancelled"
    assert (await shop.inventory.cancel(reservation_id)).value.state == "cancelled"
    assert await shop.counts("north") == (10, 0, 0)


async def test_cancelling_again_changes_nothing(shop: Shop) -> None:
    """Catches a second cancel that gives the units back twice."""
    await shop.hold("res_1", 3)
    await shop.hold("res_other", 3)
    await shop.place("ord_1", 3, reservation_id="res_1")
    first = await shop.orders.cancel("ord_1")
    assert await shop.orders.cancel("ord_1") == first
    assert await shop.counts("north") == (10, 3, 0)
    assert len(await shop.orders.history("ord_1")) == 2


async def test_an_order_whose_hold_has_expired_can_be_cancelled(shop: Shop) -> None:
    await shop.hold("res_1", 3, ttl_seconds=0.05)
    await shop.place("ord_1", 3, reservation_id="res_1")
    await shop.wait(0.06)
    assert (await shop.orders.cancel("ord_1")).value.state == "cancelled"
    await shop.inventory.sweep()
    assert await shop.counts("north") == (10, 0, 0)


async def test_an_order_that_has_left_its_node_cannot_be_cancelled(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    reservation_id = (await shop.orders.get("ord_1")).reservation_id
    assert reservation_id is not None
    await shop.inventory.consume(reservation_id)
    with pytest.raises(IllegalState, match=r"ord_1.*left"):
        await shop.orders.cancel("ord_1")
    assert (await shop.orders.get("ord_1")).state == "sourced"


async def test_an_order_that_left_long_ago_cannot_be_cancelled_either(
    shop: Shop, forget: Callable[[str], Awaitable[None]]
) -> None:
    """Catches a forgotten reservation taken for one that keeps nothing: shipped orders would become cancelled."""
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    reservation_id = (await shop.orders.get("ord_1")).reservation_id
    assert reservation_id is not None
    await shop.inventory.consume(reservation_id)
    await forget(reservation_id)
    with pytest.raises(IllegalState, match=r"ord_1.*left"):
        await shop.orders.cancel("ord_1")


async def test_an_order_whose_hold_expired_long_ago_can_be_cancelled_and_sourced(
    shop: Shop, forget: Callable[[str], Awaitable[None]]
) -> None:
    for number in (1, 2):
        await shop.hold(f"res_{number}", 1, ttl_seconds=0.05)
        await shop.place(f"ord_{number}", reservation_id=f"res_{number}")
    await shop.wait(0.06)
    await shop.inventory.sweep()
    await forget("res_1")
    await forget("res_2")
    assert (await shop.orders.cancel("ord_1")).value.state == "cancelled"
    assert await shop.outcomes("run_1", rows("ord_2", (1, "north"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 1)


# Commit


async def test_a_committed_order_is_sourced_and_its_stock_confirmed(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    allocation = rows("ord_1", (2, "north"), (1, "south"))
    assert await shop.outcomes("run_1", allocation) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.state, order.run_id, order.allocation) == ("sourced", "run_1", allocation.rows)
    assert await shop.counts("north") == (10, 0, 2)
    assert await shop.counts("south") == (5, 0, 1)
    assert await shop.orders.open_orders() == []
    assert [(entry.state, entry.run_id) for entry in await shop.orders.history("ord_1")] == [
        ("captured", None),
        ("sourced", "run_1"),
    ]
    assert order.reservation_id is not None
    reservation = await shop.inventory.get_reservation(order.reservation_id)
    assert (reservation.state, reservation.reference) == (ReservationState.CONFIRMED, "ord_1")
    assert {(line.node_id, line.sku, line.quantity) for line in reservation.lines} == {
        ("north", "MUG", 2),
        ("south", "MUG", 1),
    }


async def test_the_same_run_again_commits_nothing_twice(shop: Shop) -> None:
    """Catches a commit that is not keyed by its run: a retry after a lost reply would take the stock again."""
    await shop.place("ord_1", 3)
    for _ in range(3):
        assert await shop.outcomes("run_1", rows("ord_1", (3, "north"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 3)
    assert len(await shop.orders.history("ord_1")) == 2
    assert await shop.orders.used_capacity([TODAY]) == [
        UsedCapacity(node_id="north", ship_on=TODAY, units=3, parcels=1)
    ]


async def test_an_order_whose_stock_has_moved_is_left_as_it_was_and_the_others_are_committed(shop: Shop) -> None:
    for order_id, quantity in (("ord_1", 4), ("ord_2", 7), ("ord_3", 5)):
        await shop.place(order_id, quantity)
    verdicts = await shop.commit(
        "run_1",
        rows("ord_1", (4, "north")),
        rows("ord_2", (1, "south"), (6, "north")),
        rows("ord_3", (5, "north")),
    )
    assert [verdict.outcome for verdict in verdicts] == ["committed", "committed", "moved"]
    assert verdicts[2].reason == "MUG at north: 5 asked, 0 available"
    assert await shop.counts("north") == (10, 0, 10)
    assert await shop.counts("south") == (5, 0, 1)
    moved = await shop.orders.get("ord_3")
    assert (moved.state, moved.run_id, moved.allocation, moved.reservation_id) == ("captured", None, (), None)


async def test_demand_of_one_order_is_summed_per_cell_before_the_check(shop: Shop) -> None:
    """Catches a check row by row: 6 + 6 of 10 would both pass."""
    first, second = OrderLine(line_id="1", sku="MUG", quantity=6), OrderLine(line_id="2", sku="MUG", quantity=6)
    await shop.place("ord_1", demand=(first, second))
    both = tuple(
        AllocationRow(line_id=line.line_id, sku="MUG", quantity=6, node_id="north", service="ground", ship_on=TODAY)
        for line in (first, second)
    )
    (verdict,) = await shop.commit("run_1", OrderAllocation(order_id="ord_1", rows=both))
    assert (verdict.outcome, verdict.reason) == ("moved", "MUG at north: 12 asked, 10 available")
    assert await shop.counts("north") == (10, 0, 0)


async def test_a_node_or_product_without_a_position_has_nothing_to_give(shop: Shop) -> None:
    await shop.place("ord_1", 1)
    await shop.place("ord_2", 1, sku="TEA")
    verdicts = await shop.commit("run_1", rows("ord_1", (1, "nowhere")), rows("ord_2", (1, "north"), sku="TEA"))
    assert [verdict.reason for verdict in verdicts] == [
        "MUG at nowhere: 1 asked, 0 available",
        "TEA at north: 1 asked, 0 available",
    ]


async def test_an_orders_own_hold_is_available_to_it_and_becomes_the_confirmed_stock(shop: Shop) -> None:
    """Catches a commit that checks before it gives the own hold back: the order would block itself."""
    await shop.hold("res_1", 10)
    await shop.place("ord_1", 10, reservation_id="res_1")
    assert await shop.outcomes("run_1", rows("ord_1", (10, "north"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 10)
    assert (await shop.inventory.get_reservation("res_1")).state == ReservationState.CANCELLED


async def test_a_hold_of_somebody_else_is_not_available(shop: Shop) -> None:
    await shop.hold("res_1", 10)
    await shop.place("ord_1", 1)
    (verdict,) = await shop.commit("run_1", rows("ord_1", (1, "north")))
    assert (verdict.outcome, verdict.reason) == ("moved", "MUG at north: 1 asked, 0 available")


async def test_an_own_confirmed_reservation_is_swapped_to_another_node(shop: Shop) -> None:
    await shop.hold("res_1", 4)
    await shop.inventory.confirm("res_1")
    await shop.place("ord_1", 4, reservation_id="res_1")
    assert await shop.outcomes("run_1", rows("ord_1", (4, "south"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 0)
    assert await shop.counts("south") == (5, 0, 4)


async def test_a_moved_order_keeps_its_own_reservation(shop: Shop) -> None:
    """Catches a swap that gives back before it has checked everything: the customer would lose what was held."""
    await shop.hold("res_1", 2)
    await shop.place("ord_1", 8, reservation_id="res_1")
    assert await shop.outcomes("run_1", rows("ord_1", (2, "north"), (6, "south"))) == ["moved"]
    assert await shop.counts("north") == (10, 2, 0)
    assert (await shop.inventory.get_reservation("res_1")).state == ReservationState.HELD
    assert (await shop.orders.get("ord_1")).reservation_id == "res_1"


async def test_an_own_hold_that_has_expired_is_nothing_special(shop: Shop) -> None:
    await shop.hold("res_1", 4, ttl_seconds=0.05)
    await shop.place("ord_1", 4, reservation_id="res_1")
    await shop.wait(0.06)
    (found,) = await shop.orders.open_orders()
    assert found.own_stock == ()
    assert await shop.outcomes("run_1", rows("ord_1", (4, "north"))) == ["committed"]
    await shop.inventory.sweep()
    assert await shop.counts("north") == (10, 0, 4)


async def test_units_without_a_node_are_backordered_and_the_order_stays_open(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    assert await shop.outcomes("run_1", rows("ord_1", (3, "north"), (2, None))) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert order.state == "backordered"
    (found,) = await shop.orders.open_orders()
    assert found.own_stock == (OwnStock(sku="MUG", node_id="north", quantity=3),)
    assert await shop.outcomes("run_2", rows("ord_1", (5, "south"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 0)
    assert await shop.counts("south") == (5, 0, 5)
    assert await shop.orders.used_capacity([TODAY]) == [
        UsedCapacity(node_id="south", ship_on=TODAY, units=5, parcels=1)
    ]
    assert [entry.state for entry in await shop.orders.history("ord_1")] == ["captured", "backordered", "sourced"]


async def test_an_order_that_gets_nothing_keeps_what_it_holds(shop: Shop) -> None:
    await shop.hold("res_1", 2)
    await shop.place("ord_1", 5, reservation_id="res_1")
    assert await shop.outcomes("run_1", rows("ord_1", (5, None))) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.state, order.reservation_id) == ("backordered", "res_1")
    assert await shop.counts("north") == (10, 2, 0)


async def test_a_backordered_order_that_gets_nothing_more_keeps_what_it_got(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    first = rows("ord_1", (3, "north"), (2, None))
    await shop.commit("run_1", first)
    assert await shop.outcomes("run_2", rows("ord_1", (5, None))) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.state, order.run_id, order.allocation) == ("backordered", "run_2", first.rows)
    assert await shop.counts("north") == (10, 0, 3)
    assert await shop.orders.used_capacity([TODAY]) == [
        UsedCapacity(node_id="north", ship_on=TODAY, units=3, parcels=1)
    ]


async def test_an_order_that_has_begun_to_ship_is_gone(shop: Shop) -> None:
    """Catches a swap of what has partly left: the units that are on their way would be sent again."""
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, None)))
    reservation_id = (await shop.orders.get("ord_1")).reservation_id
    assert reservation_id is not None
    await shop.inventory.consume(
        reservation_id, lines=[HoldLine(sku="MUG", quantity=1, node_id="north", ship_on=TODAY)]
    )
    assert await shop.outcomes("run_2", rows("ord_1", (5, "south"))) == ["gone"]
    assert await shop.counts("north") == (9, 0, 2)
    with pytest.raises(IllegalState, match="left"):
        await shop.orders.cancel("ord_1")


async def test_an_order_that_began_to_ship_long_ago_is_not_routed_anew(
    shop: Shop, forget: Callable[[str], Awaitable[None]]
) -> None:
    """Catches a forgotten reservation taken for one that kept nothing: units shipped last week would ship again."""
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, None)))
    reservation_id = (await shop.orders.get("ord_1")).reservation_id
    assert reservation_id is not None
    await shop.inventory.consume(reservation_id)
    assert await shop.orders.open_orders() == []
    await forget(reservation_id)
    assert await shop.orders.open_orders(["ord_1"]) == []
    assert await shop.outcomes("run_2", rows("ord_1", (5, "south"))) == ["gone"]
    assert await shop.counts("south") == (5, 0, 0)
    with pytest.raises(IllegalState, match="left"):
        await shop.orders.cancel("ord_1")


async def test_holds_of_others_that_have_expired_are_available_before_any_sweep(shop: Shop) -> None:
    await shop.hold("res_1", 10, ttl_seconds=0.05)
    await shop.place("ord_1", 10)
    await shop.wait(0.06)
    assert await shop.outcomes("run_1", rows("ord_1", (10, "north"))) == ["committed"]
    assert await shop.counts("north") == (10, 0, 10)


async def test_an_order_that_is_not_open_any_more_is_gone(shop: Shop) -> None:
    await shop.place("ord_1")
    await shop.place("ord_2")
    await shop.orders.cancel("ord_1")
    await shop.commit("run_1", rows("ord_2", (1, "north")))
    allocations = [rows(order_id, (1, "north")) for order_id in ("ord_1", "ord_2", "ord_unknown")]
    assert await shop.outcomes("run_2", *allocations) == ["gone", "gone", "gone"]
    assert await shop.counts("north") == (10, 0, 1)


async def test_an_allocation_that_does_not_match_its_order_is_refused_and_nothing_is_committed(shop: Shop) -> None:
    await shop.place("ord_1", 2)
    await shop.place("ord_2", 2)
    with pytest.raises(InvalidInput, match=r"\$\[1\]: .*ord_2.*2 × MUG") as caught:
        await shop.commit("run_1", rows("ord_1", (2, "north")), rows("ord_2", (1, "north")))
    assert len(caught.value.faults) == 1
    assert await shop.counts("north") == (10, 0, 0)
    assert (await shop.orders.get("ord_1")).state == "captured"


async def test_one_order_twice_in_a_batch_is_refused(shop: Shop) -> None:
    await shop.place("ord_1", 2)
    with pytest.raises(InvalidInput, match=r"ord_1.*twice"):
        await shop.commit("run_1", rows("ord_1", (2, "north")), rows("ord_1", (2, "south")))


# Capacity and days


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
        [Supply(supply_id="po", node_id="south", sku="MUG", quantity=6, expected_on=TOMORROW)]
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


async def test_a_large_run_goes_through_in_chunks(shop: Shop) -> None:
    await shop.inventory.put_positions([PositionCount(node_id="north", sku="MUG", on_hand=1200)])
    order_ids = [f"ord_{number}" for number in range(1203)]
    await asyncio.gather(*(shop.place(order_id) for order_id in order_ids))
    verdicts = await shop.commit("run_1", *(rows(order_id, (1, "north")) for order_id in order_ids))
    assert [verdict.order_id for verdict in verdicts] == order_ids
    assert [verdict.outcome for verdict in verdicts] == ["committed"] * 1200 + ["moved"] * 3
    assert await shop.counts("north") == (1200, 0, 1200)


async def test_runs_that_commit_at_once_sell_exactly_what_is_there(shop: Shop) -> None:
    """Catches a check in one call and a write in another: more than 10 units would be confirmed."""
    await asyncio.gather(*(shop.place(f"ord_{n}") for n in range(40)))
    runs = [shop.commit(f"run_{n}", *(rows(f"ord_{m}", (1, "north")) for m in range(n, 40, 4))) for n in range(4)]
    verdicts = [verdict for run in await asyncio.gather(*runs) for verdict in run]
    assert sum(verdict.outcome == "committed" for verdict in verdicts) == 10
    assert await shop.counts("north") == (10, 0, 10)


async def test_runs_that_want_the_same_order_at_once_commit_it_once(shop: Shop) -> None:
    """Catches a commit that does not look at the state of the order in the same step: the stock would go twice."""
    await shop.place("ord_1", 2)
    runs = [shop.outcomes(f"run_{n}", rows("ord_1", (2, "north"))) for n in range(8)]
    outcomes = [outcome for run in await asyncio.gather(*runs) for outcome in run]
    assert sorted(outcomes) == ["committed"] + ["gone"] * 7
    assert await shop.counts("north") == (10, 0, 2)
