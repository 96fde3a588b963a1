"""Routing runs keep to the addresses and the range that services deliver to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest
from solvers.params import Method

if TYPE_CHECKING:
    from conftest import World


async def capture(world: World, order_id: str, postal_code: str) -> None:
    place = Destination(latitude=40.8, longitude=-73.9, country="US", postal_code=postal_code)
    lines = (NewLine(sku="MUG", quantity=1),)
    await world.orders.capture(NewOrder(order_id=order_id, channel="web", destination=place, lines=lines))


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_an_island_is_served_by_who_goes_there_though_it_is_dearer(
    world: World, network_document: dict[str, Any], method: Method
) -> None:
    """Catches a run that knows no areas: both go by ground, which is cheaper."""
    network_document["services"][0]["unserved_areas"] = [{"country": "US", "postal_prefixes": ["0280"]}]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 5})
    await capture(world, "island", "02807")
    await capture(world, "coast", "02879")
    await world.runs().execute(RunRequest(method=method))
    assert [row[1] for row in await world.sourced("island")] == ["air"]
    assert [row[1] for row in await world.sourced("coast")] == ["ground"]


@pytest.mark.parametrize(("max_km", "services"), [(13.9, ["air"]), (14.1, ["ground"])])
async def test_a_run_knows_how_far_a_service_goes(
    world: World, network_document: dict[str, Any], max_km: float, services: list[str]
) -> None:
    """The customer is 13.95 km from `east`: by the haversine formula, 0.1 degrees north and 0.1 east."""
    network_document["services"][0]["max_km"] = max_km
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 5}, west={"MUG": 5})
    await world.order("o1", {"MUG": 1})
    run = await world.runs().execute(RunRequest())
    assert run.unrouted == ()
    assert [row[1] for row in await world.sourced("o1")] == services


async def test_a_post_office_box_is_served_by_who_delivers_to_boxes(
    world: World, network_document: dict[str, Any]
) -> None:
    """Catches orders that do not say that theirs is one: both go by ground."""
    network_document["services"][0]["delivers_to_po_boxes"] = False
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 5})
    for order_id, is_po_box in (("box", True), ("door", False)):
        place = Destination(latitude=40.8, longitude=-73.9, is_po_box=is_po_box)
        lines = (NewLine(sku="MUG", quantity=1),)
        await world.orders.capture(NewOrder(order_id=order_id, channel="web", destination=place, lines=lines))
    await world.runs().execute(RunRequest())
    assert [row[1] for row in await world.sourced("box")] == ["air"]
    assert [row[1] for row in await world.sourced("door")] == ["ground"]
