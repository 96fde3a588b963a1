"""What the catalog and vendors demand of routing runs: making to order, acceptance, surcharges of a place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest
from solvers.params import Method

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()
FRIDAY, TUESDAY, WEDNESDAY = date(2026, 11, 20), date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture
async def carvers(world: World) -> World:
    """Mugs are carved to order, in two working days of the node; nobody makes tea."""
    products = [{"sku": "MUG", "weight_g": 400, "made_to_order_days": 2}, {"sku": "TEA", "weight_g": 400}]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products}))
    return world


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_what_is_made_to_order_leaves_when_it_is_made(carvers: World, method: Method) -> None:
    """Ordered on Friday, made on Monday and Tuesday; catches a run that ships it today."""
    await carvers.count(east={"MUG": 1, "TEA": 1})
    await carvers.order("o1", {"MUG": 1})
    await carvers.order("o2", {"TEA": 1})
    await carvers.runs().execute(RunRequest(method=method))
    assert await carvers.sourced("o1") == [("east", "ground", "2026-11-24")]
    assert await carvers.sourced("o2") == [("east", "ground", "2026-11-20")]
    assert (await carvers.position("east", "MUG")).dated[0].ship_on == TUESDAY


async def test_other_orders_do_not_go_by_the_days_of_what_is_made_to_order(carvers: World) -> None:
    """Nor the other way round. Catches copies of services for some orders that those without terms may use."""
    await carvers.count(east={"MUG": 2, "TEA": 2})
    for number, sku in enumerate(("MUG", "TEA", "MUG", "TEA")):
        await carvers.order(f"o{number}", {sku: 1})
    await carvers.runs().execute(ALL)
    days = [(await carvers.sourced(f"o{number}"))[0][2] for number in range(4)]
    assert days == ["2026-11-24", "2026-11-20", "2026-11-24", "2026-11-20"]


async def test_a_run_names_the_day_that_a_promise_names_for_what_is_made_to_order(carvers: World) -> None:
    await carvers.count(east={"MUG": 1})
    option = (await carvers.promise({"MUG": 1})).options[0]
    await carvers.order("o1", {"MUG": 1}, need_by=option.promised_on)
    await carvers.runs().execute(ALL)
    assert await carvers.sourced("o1") == [("east", "ground", option.shipments[0].ship_on.isoformat())]
    await carvers.order("o2", {"MUG": 1}, need_by=option.promised_on - timedelta(days=2))
    await carvers.count(east={"MUG": 2})
    run = await carvers.runs().execute(ALL)
    assert [(entry.order_id, entry.reason) for entry in run.unrouted] == [("o2", "no_eligible_node")]


async def test_what_is_being_made_for_an_order_stays_at_its_node_and_day(carvers: World) -> None:
    """Promised on Friday from the west for Tuesday, routed on Monday, when the east, cheaper, would begin anew.

    Catches days of making that are counted again with each run, and an order that leaves the node that is at work.
    """
    await carvers.count(west={"MUG": 1}, east={"MUG": 1})
    line = HoldLine(sku="MUG", quantity=1, node_id="west", ship_on=TUESDAY)
    hold = Hold(reservation_id="res_1", lines=(line,), promised_on=date(2026, 11, 30))
    await carvers.stock.hold(hold, today={"west": FRIDAY.toordinal()})
    await carvers.stock.confirm("res_1")
    carvers.clock.advance(timedelta(days=3))
    await carvers.order("o1", {"MUG": 1}, reservation_id="res_1")
    await carvers.runs().execute(ALL)
    assert await carvers.sourced("o1") == [("west", "ground", "2026-11-24")]


async def test_a_vendor_that_too_often_refuses_ships_nothing_but_what_is_held_there(
    world: World, network_document: dict[str, Any]
) -> None:
    network_document["nodes"][1] |= {"kind": "vendor", "acceptance": 0.7}
    network_document["policy"]["min_acceptance"] = 0.8
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 2}, west={"MUG": 1})
    await world.hold("res_1", "east", MUG=1)
    await world.order("o1", {"MUG": 1})
    await world.order("o2", {"MUG": 1}, reservation_id="res_1")
    await world.runs().execute(ALL)
    assert [row[0] for row in await world.sourced("o1")] == ["west"]
    assert [row[0] for row in await world.sourced("o2")] == ["east"]


async def test_runs_pay_for_remote_areas_with_fuel_on_them(world: World, network_document: dict[str, Any]) -> None:
    """Ground takes 5.00 and 4.00 more for Alaska, and a tenth of both for fuel; air 9.00 there."""
    ground, air = network_document["services"]
    ground |= {"fuel_basis_points": 1000, "remote_areas": [{"country": "US", "postal_prefixes": ["99"], "cents": 400}]}
    for rate in air["rates"]:
        rate["cost_cents"] = 900
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 2})
    for order_id, postal_code in (("remote", "99501"), ("near", "10001")):
        place = Destination(latitude=40.8, longitude=-73.9, country="US", postal_code=postal_code)
        lines = (NewLine(sku="MUG", quantity=1),)
        await world.orders.capture(NewOrder(order_id=order_id, channel="web", destination=place, lines=lines))
    run = await world.runs().execute(ALL)
    assert [row[1] for row in await world.sourced("remote")] == ["air"]
    assert [row[1] for row in await world.sourced("near")] == ["ground"]
    assert run.summary["total_cost_cents"] == 900 + 550
    for rate in air["rates"]:
        rate["cost_cents"] = 1000
    await world.networks.put(NetworkDocument.model_validate(network_document))
    place = Destination(latitude=40.8, longitude=-73.9, country="US", postal_code="99501")
    await world.count(east={"MUG": 3})
    await world.orders.capture(
        NewOrder(order_id="o3", channel="web", destination=place, lines=(NewLine(sku="MUG", quantity=1),))
    )
    run = await world.runs().execute(ALL)
    assert (run.summary["total_cost_cents"], [row[1] for row in await world.sourced("o3")]) == (990, ["ground"])
