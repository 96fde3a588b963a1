"""What every order store does with the decisions of a routing run, one order or many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from order_shop import DAYS, TODAY, TOMORROW, Shop, rows

from engine.errors import IllegalState, InvalidInput
from engine.inventory.model import Hold, HoldLine, PositionCount, ReservationState, Supply
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.routing.model import AllocationRow, NodeCapacity, OrderAllocation, OrderLine, OwnStock, UsedCapacity


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


async def test_a_commit_leaves_what_rules_keep_back_and_what_the_order_holds_is_its_own(shop: Shop) -> None:
    """The seeded bug: the buffers are not handed to the function, and the last free units of a rule are committed."""
    await shop.hold("res_1", 2, "south")
    await shop.place("ord_1", 2, reservation_id="res_1")
    await shop.place("ord_2", 2)
    wanted = [rows("ord_1", (2, "south")), rows("ord_2", (2, "south"))]
    kept = {("MUG", "south"): 2}
    verdicts = await shop.orders.commit("run_1", wanted, capacities={}, today=DAYS, buffers=kept)
    assert [(verdict.outcome, verdict.reason) for verdict in verdicts] == [
        ("committed", None),
        ("moved", "MUG at south: 2 asked, 1 available"),
    ]
    assert await shop.counts("south") == (5, 0, 2)
    assert await shop.outcomes("run_1", wanted[1]) == ["committed"]


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


async def test_what_an_order_waits_for_stays_its_own_while_the_rest_of_it_ships(shop: Shop) -> None:
    """Mugs ship, hats are pegged to a supply and stay so, in the place in the queue that they had.

    The seeded bug: the whole reservation swapped for what ships gives the backorder to whoever comes next.
    """
    today = {"south": TODAY.toordinal(), "north": TODAY.toordinal()}

    async def expect(expected_on: date, quantity: int = 6) -> list[tuple[str, str | None, int]]:
        supply = Supply(supply_id="po", node_id="south", sku="HAT", quantity=quantity, expected_on=expected_on)
        affected = (await shop.inventory.put_supplies([supply], today=today)).value
        return [(line.reservation_id, line.order_id, line.shortfall) for line in affected]

    await expect(TOMORROW)
    hats = HoldLine(sku="HAT", quantity=3, node_id="south", supply_id="po")
    mugs = HoldLine(sku="MUG", quantity=2, node_id="north")
    await shop.inventory.hold(Hold(reservation_id="res_1", lines=(mugs, hats)), today=today)
    await shop.inventory.hold(Hold(reservation_id="res_2", lines=(hats,)), today=today)
    lines = (OrderLine(line_id="1", sku="MUG", quantity=2), OrderLine(line_id="2", sku="HAT", quantity=3))
    await shop.place("ord_1", lines=lines, demand=lines, reservation_id="res_1")
    allocation = OrderAllocation(
        order_id="ord_1",
        rows=(
            AllocationRow(line_id="1", sku="MUG", quantity=2, node_id="north", service="ground", ship_on=TODAY),
            AllocationRow(line_id="2", sku="HAT", quantity=3),
        ),
    )
    tight = NodeCapacity(units=1, parcels=1)
    assert await shop.outcomes("run_0", allocation, north=tight) == ["moved"]
    assert (await shop.inventory.get_reservation("res_1")).lines[1].supply_id == "po"
    assert await shop.outcomes("run_1", allocation) == ["committed"]
    order = await shop.orders.get("ord_1")
    own = (*order.waiting_reservation_ids, order.reservation_id)[0]  # several partitions leave it where it was
    assert own is not None
    kept = await shop.inventory.get_reservation(own)
    assert (kept.state, kept.lines[-1]) == ("confirmed", replace(hats, ship_on=TOMORROW))
    later = TOMORROW + timedelta(days=1)
    assert await expect(later, 4) == [(own, "ord_1", 0), ("res_2", None, 2)]
    await shop.orders.cancel("ord_1")
    assert await expect(later) == []
    view = await shop.inventory.read(["HAT", "MUG"])
    assert [s.pegged for s in view.position(0, view.node_ids.index("south")).supplies] == [3]
    assert await shop.counts("north") == (10, 0, 0)


async def test_a_run_that_decides_nothing_new_makes_no_step_and_no_reservation(shop: Shop) -> None:
    """Seeded bug that it catches: each window gives a partly routed order another reservation, and a step more."""
    if isinstance(shop.orders, PartitionedOrderStore):
        pytest.skip("over several partitions each decision is a step")
    await shop.place("ord_1", 9)
    await shop.place("ord_2", 2)
    some, none = rows("ord_1", (5, "south"), (4, None)), rows("ord_2", (2, None))
    assert await shop.outcomes("run_1", some, none) == ["committed", "committed"]
    before = [await shop.orders.get(name) for name in ("ord_1", "ord_2")]
    steps = [await shop.orders.history(name) for name in ("ord_1", "ord_2")]
    for number in (2, 3):
        assert await shop.outcomes(f"run_{number}", some, none) == ["committed", "committed"]
        after = [await shop.orders.get(name) for name in ("ord_1", "ord_2")]
        assert after == [replace(order, run_id=f"run_{number}") for order in before]
        assert [await shop.orders.history(name) for name in ("ord_1", "ord_2")] == steps
        assert await shop.counts("south") == (5, 0, 5)
    other = rows("ord_1", (4, "south"), (5, None))
    assert await shop.outcomes("run_4", other) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.allocation, order.reservation_id != before[0].reservation_id) == (other.rows, True)
    assert await shop.counts("south") == (5, 0, 4)
    assert len(await shop.orders.history("ord_1")) == len(steps[0]) + 1
