"""What every order store does with one order: capture, list, cancel; on the inventory under it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from order_shop import HOME, NOON, TODAY, TOMORROW, Shop, rows

from engine.errors import IdempotencyConflict, IllegalState, NotFound
from engine.inventory.model import (
    Replay,
    ReservationState,
)
from engine.orders.destination import Destination
from engine.orders.model import Captured, Order, OrderState
from engine.routing.model import (
    OrderLine,
    OwnStock,
)

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
        customer_digest="d1",
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


async def test_open_orders_are_listed_by_their_capture_a_page_at_a_time(shop: Shop) -> None:
    for number in range(5):
        await shop.place(f"ord_{number}", 2)
    await shop.orders.cancel("ord_1")
    found, after = list[str](), 0.0
    while page := await shop.orders.open_ids(2, after=after):
        found, after = found + [order_id for order_id, _ in page], page[-1][1]
    assert sorted(found) == ["ord_0", "ord_2", "ord_3", "ord_4"]
