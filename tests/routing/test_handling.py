"""Handling classes in routing runs: what a node or a service refuses is never shipped so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.network.document import NetworkDocument
from engine.routing.run_model import RunRequest
from solvers.params import Method

if TYPE_CHECKING:
    from conftest import World

PRODUCTS = [
    {"sku": "MUG", "weight_g": 400},
    {"sku": "TEA", "weight_g": 400, "handling_classes": ["hazmat"]},
    {"sku": "POT", "weight_g": 400, "handling_classes": ["cold_chain"]},
]


@pytest.fixture
async def shop(world: World, network_document: dict[str, Any]) -> World:
    """TEA is hazmat, which air refuses, and air is the cheaper one here; west does not handle what has to be cold."""
    for rate in network_document["services"][1]["rates"]:
        rate["cost_cents"] = 100
    network_document["services"][1]["refuses"] = ["hazmat"]
    network_document["nodes"][0]["refuses"] = ["cold_chain"]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.catalogs.put(CatalogDocument.model_validate({"products": PRODUCTS}))
    return world


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_hazmat_is_not_shipped_by_air_though_air_is_cheaper(shop: World, method: Method) -> None:
    """Catches a run that knows no handling classes: o1 goes by air like o2."""
    await shop.count(east={"MUG": 5, "TEA": 5})
    await shop.order("o1", {"TEA": 1})
    await shop.order("o2", {"MUG": 1})
    await shop.order("o3", {"MUG": 1, "TEA": 1})
    run = await shop.runs().execute(RunRequest(method=method))
    assert run.unrouted == ()
    assert [row[1] for row in await shop.sourced("o1")] == ["ground"]
    assert [row[1] for row in await shop.sourced("o2")] == ["air"]
    assert [row[1] for row in await shop.sourced("o3")] == ["ground", "ground"]


async def test_an_order_for_a_level_that_may_not_carry_it_waits(shop: World) -> None:
    await shop.count(east={"TEA": 5, "MUG": 5})
    await shop.order("o1", {"TEA": 1}, service_level="expedited")
    await shop.order("o2", {"MUG": 1}, service_level="expedited")
    await shop.order("o3", {"TEA": 1}, service_level="standard")
    run = await shop.runs().execute(RunRequest())
    assert [(entry.order_id, entry.reason) for entry in run.unrouted] == [("o1", "no_eligible_node")]
    assert [row[1] for row in await shop.sourced("o2")] == ["air"]
    assert [row[1] for row in await shop.sourced("o3")] == ["ground"]


async def test_a_node_that_does_not_handle_it_ships_none_of_it(shop: World) -> None:
    await shop.count(west={"POT": 5, "MUG": 5})
    await shop.order("o1", {"POT": 1})
    await shop.order("o2", {"MUG": 1})
    run = await shop.runs().execute(RunRequest())
    assert [(entry.order_id, entry.sku, entry.reason) for entry in run.unrouted] == [("o1", "POT", "handling")]
    assert [row[0] for row in await shop.sourced("o2")] == ["west"]


async def test_what_is_held_where_it_is_not_handled_ships_from_elsewhere(shop: World) -> None:
    await shop.count(west={"POT": 5}, east={"POT": 1})
    await shop.hold("res_1", "west", POT=1)
    await shop.order("o1", {"POT": 1}, reservation_id="res_1")
    await shop.runs().execute(RunRequest())
    assert [row[0] for row in await shop.sourced("o1")] == ["east"]


async def test_runs_pay_for_fuel(shop: World, network_document: dict[str, Any]) -> None:
    await shop.count(east={"MUG": 5})
    network_document["services"][1]["fuel_basis_points"] = 1250
    await shop.networks.put(NetworkDocument.model_validate(network_document))
    await shop.order("o1", {"MUG": 1})
    run = await shop.runs().execute(RunRequest())
    assert run.summary["total_cost_cents"] == 113
