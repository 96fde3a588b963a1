"""Rules of policies by region, customer class, channel and product: who gets new orders, and who is preferred.

The customer lives next to `east`; `west` is 400 cents dearer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.explanations import ExplanationService
from engine.orders.model import NewLine, NewOrder
from engine.routing.explained_blobs import MemoryBlobs
from engine.routing.explained_runs import ExplainedRuns

if TYPE_CHECKING:
    from conftest import World


async def order(world: World, order_id: str, *, channel: str = "web", **terms: Any) -> None:
    """Capture an order of a mug to an address in New York."""
    place = Destination(latitude=40.8, longitude=-73.9, country="US", postal_code="10451")
    lines = (NewLine(sku="MUG", quantity=1),)
    new = NewOrder(order_id=order_id, channel=channel, destination=place, lines=lines, **terms)
    await world.orders.capture(new)


@pytest.mark.parametrize(
    ("when", "node"),
    [
        ({}, "west"),
        ({"countries": ["US"]}, "west"),
        ({"countries": ["CA", "MX"]}, "east"),
        ({"countries": ["US"], "postal_prefixes": ["20", "104"]}, "west"),
        ({"countries": ["US"], "postal_prefixes": ["105"]}, "east"),
        ({"customer_classes": ["gold"]}, "west"),
        ({"customer_classes": ["silver"]}, "east"),
        ({"channels": ["web", "app"]}, "west"),
        ({"channels": ["shop"]}, "east"),
        ({"sku_classes": ["fragile"]}, "west"),
        ({"sku_classes": ["food"]}, "east"),
        ({"countries": ["US"], "channels": ["web"], "customer_classes": ["gold"], "sku_classes": ["fragile"]}, "west"),
        ({"countries": ["US"], "channels": ["web"], "customer_classes": ["silver"]}, "east"),
    ],
    ids=str,
)
async def test_a_rule_counts_where_every_condition_of_it_holds(when: dict[str, Any], node: str, world: World) -> None:
    catalog = (await world.catalogs.current()).document.model_dump(mode="json", by_alias=True)
    for product in catalog["products"]:
        product["class"] = {"MUG": "fragile"}.get(product["sku"])
    await world.catalogs.put(CatalogDocument.model_validate(catalog))
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await order(world, "o1", customer_class="gold")
    await world.route_under(rules=[{"when": when, "forbidden_node_ids": ["east"]}])
    assert await world.sources("o1") == [node]


async def test_orders_of_one_run_keep_to_their_own_rules(world: World) -> None:
    """Catches rules that count for the SKU, which both orders want, and not for the line."""
    await world.count(east={"MUG": 2}, west={"MUG": 2})
    await order(world, "o1", channel="shop")
    await order(world, "o2", channel="web")
    await order(world, "o3", channel="web")
    rules = [{"when": {"channels": ["web"]}, "forbidden_node_ids": ["east"]}]
    await world.route_under(rules=rules)
    assert [await world.sources(f"o{n}") for n in (1, 2, 3)] == [["east"], ["west"], ["west"]]


async def test_what_knows_no_customer_class_has_none(world: World) -> None:
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await order(world, "o1")
    await world.route_under(rules=[{"when": {"customer_classes": ["gold"]}, "forbidden_node_ids": ["east"]}])
    assert await world.sources("o1") == ["east"]


async def test_a_rule_may_limit_the_distance(world: World) -> None:
    await world.count(west={"MUG": 2})
    await order(world, "o1", channel="shop")
    await order(world, "o2")
    run = await world.route_under(rules=[{"when": {"channels": ["shop"]}, "max_distance_km": 1000.0}])
    assert [await world.sources(name) for name in ("o1", "o2")] == [[None], ["west"]]
    assert [(entry.order_id, entry.reason) for entry in run.unrouted] == [("o1", "barred_node")]


async def test_what_an_order_has_reserved_at_a_node_that_is_closed_to_it_still_ships_from_there(world: World) -> None:
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await world.hold("res_1", "east", MUG=1)
    await order(world, "o1", reservation_id="res_1")
    await world.route_under(rules=[{"when": {"channels": ["web"]}, "forbidden_node_ids": ["east"]}])
    assert await world.sources("o1") == ["east"]


@pytest.mark.parametrize(("cents", "node"), [(399, "east"), (401, "west")])
@pytest.mark.parametrize("by", [{"preferred_node_ids": ["west"]}, {"preferred_node_kinds": ["store"]}], ids=str)
async def test_a_preferred_node_is_taken_if_another_costs_more_with_the_price(
    by: dict[str, Any], cents: int, node: str, world: World, network_document: dict[str, Any]
) -> None:
    """And the price is no part of what is told: the plan costs what it costs, and its bound is one of money."""
    network_document["nodes"][0]["kind"] = "store"
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await order(world, "o1")
    run = await world.route_under(rules=[{**by, "preference_cost_cents_per_unit": cents}])
    assert await world.sources("o1") == [node]
    paid = {"east": 500, "west": 900}[node]
    summary: dict[str, Any] = run.summary
    assert (summary["total_cost_cents"], summary["lower_bound_cents"], summary["gap"]) == (paid, paid, 0)
    assert sum(summary["costs"].values()) == paid


async def test_nobody_waits_for_a_preferred_node(world: World) -> None:
    """Seeded bug: without what a backorder costs more, the order waits rather than ship from the east."""
    await world.count(east={"MUG": 1})
    await order(world, "o1")
    await world.route_under(rules=[{"preferred_node_ids": ["west"], "preference_cost_cents_per_unit": 1_000_000}])
    assert await world.sources("o1") == ["east"]


async def test_the_explanation_says_that_a_node_is_closed_to_this_order(world: World) -> None:
    await world.count(east={"MUG": 5}, west={"MUG": 5})
    await order(world, "o1")
    await order(world, "o2", channel="shop")
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    await world.route_under(kept, rules=[{"when": {"channels": ["web"]}, "forbidden_node_ids": ["east"]}])
    told = ExplanationService(world.book, kept, 7)
    standing = {}
    for order_id in ("o1", "o2"):
        (line,) = (await told.explain(order_id)).explanation.lines
        standing[order_id] = {choice.node_id: (choice.standing, choice.binding) for choice in line.nodes}
    assert standing["o1"] == {"west": ("chosen", None), "east": ("policy", "barred")}
    assert standing["o2"]["east"] == ("chosen", None)
    assert standing["o2"]["west"][0] == "eligible"
