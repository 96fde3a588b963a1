"""What a routing run keeps to: promised days, calendars, services and capacity."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.routing.run_model import Run, RunRequest

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


def reasons(run: Run) -> set[tuple[str, str, str]]:
    return {(entry.order_id, entry.sku, entry.reason) for entry in run.unrouted}


async def test_an_order_that_may_use_one_node_only_says_so_of_what_the_other_has(
    world: World, network_document: dict[str, Any]
) -> None:
    network_document["policy"]["max_nodes_per_order"] = 1
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 2}, west={"TEA": 1})
    await world.order("o1", {"MUG": 2, "TEA": 1})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "TEA", "max_nodes")}


async def test_units_that_wait_where_no_service_goes_are_not_told_to_be_nowhere(
    world: World, network_document: dict[str, Any]
) -> None:
    """Seeded bug this catches: what an order holds itself is not in the problem's stock, and was overlooked."""
    network_document["policy"]["max_distance_km"] = 100
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(west={"MUG": 1})
    await world.hold("res_1", "west", MUG=1)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "MUG", "no_eligible_node")}


@pytest.mark.parametrize(
    ("terms", "node", "service"),
    [
        ({}, "east", "ground"),
        ({"service_level": "expedited"}, "east", "air"),
        ({"need_by": date(2026, 11, 23)}, "east", "ground"),
    ],
)
async def test_the_cheapest_service_in_time_carries_the_order(
    terms: dict[str, Any], node: str, service: str, world: World
) -> None:
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.order("o1", {"MUG": 1}, **terms)
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [(node, service, "2026-11-20")]


@pytest.mark.parametrize(
    ("need_by", "service"),
    [
        (date(2026, 11, 22), None),  # a Sunday: nobody delivers before Monday
        (date(2026, 11, 23), "air"),  # one operating day after Friday is Monday
        (date(2026, 11, 24), "air"),
        (date(2026, 11, 25), "ground"),  # three operating days: Monday, Tuesday, Wednesday
    ],
)
async def test_transit_counts_the_days_on_which_the_carrier_works(
    need_by: date, service: str | None, world: World
) -> None:
    await world.count(west={"MUG": 1})
    await world.order("o1", {"MUG": 1}, need_by=need_by)
    run = await world.runs().execute(ALL)
    if service is None:
        assert reasons(run) == {("o1", "MUG", "no_eligible_node")}
    else:
        assert await world.sourced("o1") == [("west", service, "2026-11-20")]


async def test_after_the_cut_off_an_order_leaves_on_the_next_working_day_of_its_node(world: World) -> None:
    """At 22 UTC on Friday it is 17 h in New York and 14 h in Los Angeles: only the west still ships today."""
    world.clock.advance(timedelta(hours=7))
    await world.count(east={"MUG": 1}, west={"TEA": 1})
    await world.order("o1", {"MUG": 1})
    await world.order("o2", {"TEA": 1})
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-23")]
    assert await world.sourced("o2") == [("west", "ground", "2026-11-20")]
    later = await world.position("east", "MUG")
    assert [(dated.ship_on, dated.quantity) for dated in later.dated] == [(date(2026, 11, 23), 1)]


async def test_an_overdue_order_is_never_in_time(world: World, network_document: dict[str, Any]) -> None:
    """Needed yesterday: a courier of zero transit days delivers today, which is late.

    Seeded bug this catches: days before today counted as today.
    """
    courier = {**network_document["services"][0], "service": "courier", "service_level": "same_day"}
    courier["rates"] = [{"zone": "near", "max_weight_g": 5000, "cost_cents": 100, "transit_days": 0}]
    network_document["services"].append(courier)
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 2})
    await world.order("o1", {"MUG": 1}, need_by=date(2026, 11, 19))
    await world.order("o2", {"MUG": 1}, need_by=date(2026, 11, 20))
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "MUG", "no_eligible_node")}
    assert await world.sourced("o2") == [("east", "courier", "2026-11-20")]


async def test_late_orders_may_travel_at_a_cost_for_every_day(world: World, network_document: dict[str, Any]) -> None:
    """Needed on Sunday: ground from the west comes on Wednesday, 3 days late, air on Monday, one day."""
    network_document["policy"]["late_day_cost_cents"] = 1000
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(west={"MUG": 2})
    await world.order("o1", {"MUG": 1}, need_by=date(2026, 11, 22))
    run = await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("west", "ground", "2026-11-20")]
    assert (run.summary["costs"]["shipping"], run.summary["costs"]["late"]) == (900, 3000)


async def test_a_network_of_a_hundred_services_keeps_their_levels_apart(
    world: World, network_document: dict[str, Any]
) -> None:
    ground = network_document["services"][0]
    network_document["services"] += [
        {**ground, "service": f"x{number:03}", "service_level": "expedited" if number == 90 else "next_day"}
        for number in range(100)
    ]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1}, service_level="expedited")
    run = await world.runs().execute(ALL)
    assert run.failure is None
    assert await world.sourced("o1") == [("east", "x090", "2026-11-20")]


async def test_the_capacity_of_a_day_holds_over_all_runs_of_that_day(
    world: World, network_document: dict[str, Any]
) -> None:
    for node in network_document["nodes"]:
        node["capacity_parcels"] = 1
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    await world.runs().execute(RunRequest(order_ids=("o1",)))
    await world.runs().execute(RunRequest(order_ids=("o2",)))
    assert [(await world.sourced(order_id))[0][0] for order_id in ("o1", "o2")] == ["east", "west"]
    await world.order("o3", {"MUG": 1})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o3", "MUG", "no_capacity")}
    world.clock.advance(timedelta(days=3))
    await world.runs().execute(ALL)
    assert await world.sourced("o3") == [("east", "ground", "2026-11-23")]


async def test_the_capacity_of_a_later_day_stops_no_order_that_another_node_can_ship(
    world: World, network_document: dict[str, Any]
) -> None:
    """Ground has left for today, so o1 takes the only parcel that the east ships on Monday; o2 goes from the west.

    Catches capacity that is looked up for today alone: o2 would be refused in every round.
    """
    for node in network_document["nodes"]:
        node["capacity_parcels"] = 1
    network_document["services"][0]["cut_off"] = "09:00"
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    for order_id, node, day in (("o1", "east", "2026-11-23"), ("o2", "west", "2026-11-20")):
        await world.order(order_id, {"MUG": 1})
        await world.runs().execute(ALL)
        assert await world.sourced(order_id) == [(node, "ground", day)]


async def test_stock_of_tomorrow_is_not_routed_today(world: World) -> None:
    """2 on hand, and 2 of them confirmed for Monday: nothing is left for others today."""
    world.clock.advance(timedelta(hours=7))
    await world.count(east={"MUG": 2})
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await world.order("o2", {"MUG": 1})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o2", "MUG", "no_stock")}


@pytest.mark.parametrize(("promised_on", "service"), [(date(2026, 11, 23), "air"), (date(2026, 11, 20), "ground")])
async def test_a_promise_is_kept_if_it_can_be_and_shipped_all_the_same_if_not(
    promised_on: date, service: str, world: World
) -> None:
    """From the west ground takes three days and air one; what was promised for today cannot be kept by anybody.

    Seeded bugs this catches: the promise forgotten, so that all go by ground; the promise as a deadline, so that an
    order that missed it is never shipped.
    """
    await world.count(west={"MUG": 1})
    line = HoldLine(sku="MUG", quantity=1, node_id="west")
    today = {"west": date(2026, 11, 20).toordinal()}
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,), promised_on=promised_on), today=today)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert await world.sourced("o1") == [("west", service, "2026-11-20")]


async def test_nothing_is_routed_before_the_launch_of_its_product(world: World) -> None:
    """Mugs lie in the east and one is held for Monday, their launch; catches stock that is free, or own, too early."""
    monday = date(2026, 11, 23)
    catalog = (await world.catalogs.current()).document.model_dump(mode="json")
    for product in catalog["products"]:
        product["launch_on"] = monday.isoformat() if product["sku"] == "MUG" else None
    await world.catalogs.put(CatalogDocument.model_validate(catalog))
    await world.count(east={"MUG": 2})
    line = HoldLine(sku="MUG", quantity=1, node_id="east", ship_on=monday)
    await world.stock.hold(Hold(reservation_id="res_1", lines=(line,)), today={"east": date(2026, 11, 20).toordinal()})
    await world.stock.confirm("res_1")
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    await world.order("o2", {"MUG": 1})
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "MUG", "no_stock"), ("o2", "MUG", "no_stock")}
    world.clock.advance(timedelta(days=3))
    await world.runs().execute(ALL)
    for order_id in ("o1", "o2"):
        assert await world.sourced(order_id) == [("east", "ground", "2026-11-23")]
