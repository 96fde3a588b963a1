"""What a routing run leaves to orders: stock that is held for them, and what an earlier run decided."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.inventory.model import Hold, HoldLine, Supply
from engine.inventory.receipts import Receipt
from engine.network.document import NetworkDocument
from engine.routing.run_model import Run, RunRequest

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


def reasons(run: Run) -> set[tuple[str, str, str]]:
    return {(entry.order_id, entry.sku, entry.reason) for entry in run.unrouted}


async def test_an_order_keeps_what_is_held_for_it(world: World) -> None:
    """The only mug in the east is held for o2; o1, which comes first, has to be served from the west."""
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.hold("res_1", "east", MUG=1)
    await world.order("o1", {"MUG": 1})
    await world.order("o2", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("west", "ground", "2026-11-20")]
    assert await world.sourced("o2") == [("east", "ground", "2026-11-20")]
    east = await world.position("east", "MUG")
    assert (east.held, east.confirmed, east.available) == (0, 1, 0)
    assert (await world.stock.get_reservation("res_1")).state == "cancelled"


async def test_what_an_order_holds_in_several_lines_is_its_own_too(world: World) -> None:
    """A kit and a product of it are held line by line, and come to one line of the order.

    Catches own stock that is looked up by the quantity of one reservation line: the order would get nothing.
    """
    await world.count(east={"MUG": 3})
    lines = tuple(HoldLine(sku="MUG", quantity=quantity, node_id="east") for quantity in (2, 1))
    await world.stock.hold(Hold(reservation_id="res_1", lines=lines), today={"east": date(2026, 11, 20).toordinal()})
    await world.order("o1", {"MUG": 3}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20")]


async def test_an_order_whose_own_stock_was_counted_away_ships_from_elsewhere(world: World) -> None:
    """Catches own stock that is taken for granted: the order would move in every round, and never be routed."""
    await world.count(east={"MUG": 2}, west={"MUG": 2})
    await world.hold("res_1", "east", MUG=2)
    await world.order("o1", {"MUG": 2}, reservation_id="res_1")
    await world.count(east={"MUG": 1})
    run = await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("west", "ground", "2026-11-20")]
    assert (run.summary["rounds"], run.unrouted) == (1, ())
    assert (await world.position("east", "MUG")).available == 1


async def test_an_order_keeps_what_a_later_supply_will_bring_it_and_ships_on_that_day(world: World) -> None:
    """Promised from the supply of Monday: not there today, so the order waits with its reservation, and goes then."""
    monday = date(2026, 11, 23)
    await world.stock.put_supplies(
        [Supply(supply_id="po_1", node_id="east", sku="MUG", quantity=1, expected_on=monday)],
        today={"east": date(2026, 11, 20).toordinal()},
    )
    line = HoldLine(sku="MUG", quantity=1, node_id="east", ship_on=monday)
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,)), today={"east": date(2026, 11, 20).toordinal()})
    await world.stock.confirm("res_1")
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "MUG", "no_stock")}
    assert (await world.stock.get_reservation("res_1")).state == "confirmed"
    world.clock.advance(timedelta(days=3))
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-23")]
    assert (await world.position("east", "MUG")).confirmed == 1


async def test_an_own_hold_for_a_later_day_ships_today_if_it_is_there(world: World) -> None:
    """The mug is on hand and held for Monday; a carrier still leaves today."""
    monday = date(2026, 11, 23)
    await world.count(east={"MUG": 1})
    line = HoldLine(sku="MUG", quantity=1, node_id="east", ship_on=monday)
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,)), today={"east": date(2026, 11, 20).toordinal()})
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20")]


async def test_what_is_held_for_a_later_day_waits_for_it_where_shipping_now_costs_more_than_waiting(
    world: World, network_document: dict[str, Any]
) -> None:
    """o1's mug is promised for Monday, o2's for today. Waiting gives nothing up for o1; o2 would lose its mug.

    Catches a price for waiting beyond any freight also where the reservation stays: one order of a busy node would go
    from afar at whatever it costs, and prices of capacity would be sought that high.
    """
    network_document["policy"]["backorder_cost_cents_per_unit"] = 1
    await world.networks.put(NetworkDocument.model_validate(network_document))
    monday = date(2026, 11, 23)
    await world.count(east={"MUG": 2})
    line = HoldLine(sku="MUG", quantity=1, node_id="east", ship_on=monday)
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,)), today={"east": date(2026, 11, 20).toordinal()})
    await world.stock.confirm("res_1")
    await world.hold("res_2", "east", MUG=1)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.order("o2", {"MUG": 1}, reservation_id="res_2")
    await world.runs().execute(ALL)
    assert await world.sourced("o2") == [("east", "ground", "2026-11-20")]
    assert (await world.stock.get_reservation("res_1")).state == "confirmed"
    world.clock.advance(timedelta(days=3))
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-23")]


async def test_an_order_may_leave_what_is_held_for_it_to_others(world: World) -> None:
    """o1's mug is held in the west, but the east has one and is cheaper: the hold goes, and the west is free again."""
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.hold("res_1", "west", MUG=1)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20")]
    assert (await world.position("west", "MUG")).available == 1


@pytest.mark.parametrize(
    ("move_cost_cents", "node", "moves"), [(0, "east", None), (1, "east", 1), (90_000, "west", None)]
)
async def test_a_line_leaves_the_node_of_its_reservation_only_for_more_than_the_move_costs(
    move_cost_cents: int, node: str, moves: int | None, world: World, network_document: dict[str, Any]
) -> None:
    network_document["policy"]["move_cost_cents"] = move_cost_cents
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.hold("res_1", "west", MUG=1)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    run = await world.runs().execute(ALL)
    assert [row[0] for row in await world.sourced("o1")] == [node]
    assert run.summary["costs"].get("moves") == moves
    assert sum(run.summary["costs"].values()) == run.summary["total_cost_cents"]


@pytest.mark.parametrize(("move_cost_cents", "mug"), [(0, "east"), (90_000, "west")])
async def test_a_backordered_order_keeps_what_an_earlier_run_decided_unless_moving_is_cheap(
    move_cost_cents: int, mug: str, world: World, network_document: dict[str, Any]
) -> None:
    """The first run finds a mug in the west and no tea; then the east gets both."""
    network_document["policy"]["move_cost_cents"] = move_cost_cents
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(west={"MUG": 1})
    await world.order("o1", {"MUG": 1, "TEA": 1})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "TEA", "no_stock")}
    await world.count(east={"MUG": 1, "TEA": 1})
    await world.runs().execute(ALL)
    rows = (await world.orders.get("o1")).allocation
    assert {row.sku: row.node_id for row in rows} == {"MUG": mug, "TEA": "east"}


@pytest.mark.parametrize(("held", "expected"), [(True, ("east", "air", "2026-11-20")), (False, (None, None, ""))])
async def test_what_an_order_holds_is_never_given_up_to_save_freight(
    held: bool, expected: tuple[str | None, str | None, str], world: World, network_document: dict[str, Any]
) -> None:
    """Air costs 30.00 and a backorder 1.00: an order that holds its mug gets it all the same, one that does not waits.

    Seeded bug this catches: one backorder cost for all, by which confirmed and promised orders were outbid.
    """
    network_document["policy"]["backorder_cost_cents_per_unit"] = 100
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1})
    if held:
        await world.hold("res_1", "east", MUG=1)
    await world.order("o1", {"MUG": 1}, service_level="expedited", reservation_id="res_1" if held else None)
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [expected]


async def test_a_backorder_waits_for_its_supply_while_the_rest_of_the_order_is_sourced(world: World) -> None:
    """Tea is pegged to Monday's receipt; another order that comes in between does not get it."""
    friday, monday = {"east": date(2026, 11, 20).toordinal()}, date(2026, 11, 23)
    await world.count(east={"MUG": 1})
    supply = Supply(supply_id="po_1", node_id="east", sku="TEA", quantity=1, expected_on=monday)
    await world.stock.put_supplies([supply], today=friday)
    tea = HoldLine(sku="TEA", quantity=1, node_id="east", supply_id="po_1")
    mug = HoldLine(sku="MUG", quantity=1, node_id="east")
    await world.stock.hold(Hold(reservation_id="res_1", lines=(mug, tea)), today=friday)
    await world.stock.confirm("res_1")
    await world.order("o1", {"MUG": 1, "TEA": 1}, reservation_id="res_1")
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "TEA", "no_stock")}
    assert [node for node, _, _ in await world.sourced("o1")] == ["east", None]
    await world.order("o0", {"TEA": 1})
    world.clock.advance(timedelta(days=3))
    receipt = Receipt(supply_id="po_1", node_id="east", sku="TEA", quantity=1)
    await world.stock.receive([receipt], today={"east": monday.toordinal()})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o0", "TEA", "no_stock")}
    assert [node for node, _, _ in await world.sourced("o1")] == ["east", "east"]
