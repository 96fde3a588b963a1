"""Weights of policies: what ranks plans other than it costs, while all that is told stays money.

The customer lives next to `east`, from where a parcel costs 500; from `west` it costs 900.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.orders.explanations import ExplanationService
from engine.routing.explained_blobs import MemoryBlobs
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.run_model import Run

if TYPE_CHECKING:
    from conftest import World


def told(run: Run) -> tuple[int, int, int]:
    """Return the total, the sum of its components, and the bound."""
    summary: dict[str, Any] = run.summary
    return summary["total_cost_cents"], sum(summary["costs"].values()), summary["lower_bound_cents"]


@pytest.mark.parametrize(
    ("weights", "node"),
    [
        ({}, "west"),
        ({"shipping_weight": 1.6}, "east"),
        ({"handling_weight": 0.6}, "east"),
        ({"shipping_weight": 2.0, "handling_weight": 2.0}, "west"),
    ],
    ids=str,
)
async def test_weights_rank_freight_and_handling_and_change_no_money(
    weights: dict[str, float], node: str, world: World, network_document: dict[str, Any]
) -> None:
    """The east handles a parcel for 600, so that it is the dearer by 200; catches weights that are told as money."""
    network_document["nodes"][1]["parcel_cost_cents"] = 600
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    run = await world.route_under(kept, **weights)
    assert await world.sources("o1") == [node]
    paid = {"east": 1100, "west": 900}[node]
    assert told(run) == (paid, paid, paid)
    explained = (await ExplanationService(world.book, kept, 7).explain("o1")).explanation
    assert explained.cost_cents == paid
    (line,) = explained.lines
    differences = {choice.node_id: choice.cost_difference_cents for choice in line.nodes}
    assert differences == {"east": 1100 - paid, "west": 900 - paid}


@pytest.mark.parametrize(("used", "node"), [(0, "east"), (4, "east"), (5, "west")])
async def test_units_of_loaded_nodes_count_more(
    used: int, node: str, world: World, network_document: dict[str, Any]
) -> None:
    """The day of the east has room for ten units; earlier orders have used some of it."""
    network_document["nodes"][1]["capacity_units"] = 10
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    if used:
        await world.order("o0", {"MUG": used})
        await world.route_under()
    await world.order("o1", {"MUG": 1})
    balance = [{"load_share": 0.5, "cost_cents_per_unit": 401}, {"load_share": 0.2, "cost_cents_per_unit": 399}]
    run = await world.route_under(node_balance=balance)
    assert await world.sources("o1") == [node]
    paid = {"east": 500, "west": 900}[node]
    assert told(run) == (paid, paid, paid)


@pytest.mark.parametrize(
    ("markdown", "node"),
    [
        ({"above_units": 7, "credit_cents_per_unit": 401}, "west"),
        ({"above_units": 7, "credit_cents_per_unit": 399}, "east"),
        ({"above_units": 8, "credit_cents_per_unit": 401}, "east"),
        ({"above_units": 7, "credit_cents_per_unit": 401, "node_kind": "store"}, "east"),
        ({"above_units": 7, "credit_cents_per_unit": 401, "sku_class": "food"}, "east"),
    ],
    ids=str,
)
async def test_a_credit_draws_orders_to_overstock(markdown: dict[str, Any], node: str, world: World) -> None:
    await world.count(east={"MUG": 2}, west={"MUG": 8})
    await world.order("o1", {"MUG": 1})
    run = await world.route_under(markdowns=[markdown])
    assert await world.sources("o1") == [node]
    paid = {"east": 500, "west": 900}[node]
    assert told(run) == (paid, paid, paid)


@pytest.mark.parametrize(
    ("there", "quantity", "node"), [(9, 1, "east"), (3, 1, "west"), (4, 1, "east"), (4, 2, "west")]
)
async def test_the_last_units_of_a_position_count_more(there: int, quantity: int, node: str, world: World) -> None:
    """Three units are the last ones, and each counts 450 more."""
    await world.count(east={"MUG": there}, west={"MUG": 50})
    await world.order("o1", {"MUG": quantity})
    run = await world.route_under(stock_out_costs=[{"below_units": 3, "cost_cents_per_unit": 450}])
    assert await world.sources("o1") == [node]
    paid = {"east": 500, "west": 900}[node]
    assert told(run) == (paid, paid, paid)


async def test_nobody_waits_for_prices_that_rank(world: World) -> None:
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    prices = {"below_units": 5, "cost_cents_per_unit": 1_000_000}
    await world.route_under(
        stock_out_costs=[prices], node_balance=[{"load_share": 0, "cost_cents_per_unit": 1_000_000}]
    )
    assert await world.sources("o1") == ["east"]
