"""Each node says why it was chosen or not, by cases that can be added up by hand (the world is in conftest.py)."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.inventory.quotas import PositionQuotas, Quota
from engine.promising.model import Destination

FAR = Destination(latitude=40.0, longitude=0.0)


async def explained(world: Any, *lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    promise = await world.promise(*lines, explain=True, **more)
    assert not promise.explanation.has_more
    return {node.node_id: node for node in promise.explanation.nodes}


def standings(nodes: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {node_id: (node.standing, node.binding) for node_id, node in nodes.items()}


async def test_without_asking_nothing_is_explained(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1))
    assert "explanation" not in msgspec.json.decode(msgspec.json.encode(promise))
    again = await world.promise(("cup", 1), explain=True)
    assert again.options == promise.options


async def test_what_a_node_would_have_cost_more(world: Any, network: Any) -> None:
    """The shop takes 40 cents more for a parcel, b is far: 900 for ground there, 500 here."""
    network["nodes"][2]["parcel_cost_cents"] = 140
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("b", "cup", 5), ("shop", "cup", 5))
    nodes = await explained(world, ("cup", 1))
    assert standings(nodes) == {"a": ("chosen", None), "shop": ("eligible", "cost"), "b": ("eligible", "cost")}
    assert list(nodes) == ["a", "shop", "b"]
    assert [node.cost_difference_cents for node in nodes.values()] == [0, 40, 400]
    assert nodes["a"].option_ids == ("opt_1", "opt_2")
    assert "40 cents more" in nodes["shop"].why
    assert nodes["b"].line_ids == ("1",)


async def test_a_part_of_the_order_costs_its_split_too(world: Any) -> None:
    """All from a: 500 + 100 + 20. Cups from the shop instead: another 500, 100 and a split of 50."""
    await world.stock(("a", "cup", 5), ("a", "saucer", 5), ("shop", "cup", 5))
    nodes = await explained(world, ("cup", 1), ("saucer", 1))
    assert nodes["shop"].cost_difference_cents == 650
    assert nodes["shop"].line_ids == ("1",)


async def test_a_node_that_would_need_another_parcel_than_allowed(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("a", "saucer", 5), ("shop", "cup", 5))
    nodes = await explained(world, ("cup", 1), ("saucer", 1), max_shipments=1)
    assert standings(nodes)["shop"] == ("eligible", "parcels")
    assert nodes["shop"].cost_difference_cents is None


async def test_too_little_stock_is_counted(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("shop", "cup", 2))
    nodes = await explained(world, ("cup", 3))
    assert standings(nodes) == {"a": ("chosen", None), "b": ("no_stock", "stock"), "shop": ("no_stock", "stock")}
    assert nodes["shop"].why == "3 of cup asked, 2 available"


async def test_units_kept_for_another_channel_are_a_quota(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("shop", "cup", 5))
    quota = Quota(channel="web", reserve=4)
    await world.inventory.put_quotas([PositionQuotas(node_id="shop", sku="cup", quotas=(quota,))])
    nodes = await explained(world, ("cup", 3), channel="market")
    assert standings(nodes)["shop"] == ("quota", "quota")
    assert nodes["shop"].why == "3 of cup asked, 5 there, 1 not kept for others"
    assert standings(await explained(world, ("cup", 3), channel="web"))["shop"][0] == "eligible"


async def test_nodes_that_were_not_asked_for_and_places_beyond_reach(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("shop", "cup", 5))
    assert standings(await explained(world, ("cup", 1), group="warehouses"))["shop"] == ("policy", "group")
    assert {standing for standing, _ in standings(await explained(world, ("cup", 1), to=FAR)).values()} == {"distance"}


async def test_handling_and_services(world: Any, network: Any, catalog: Any) -> None:
    catalog["products"][0]["handling_classes"] = ["hazmat"]
    network["nodes"][2]["refuses"] = ["hazmat"]
    network["nodes"][1]["services"] = ["air"]
    await world.put_catalog(catalog)
    await world.put_network(network)
    await world.stock(("a", "cup", 9), ("b", "cup", 9), ("shop", "cup", 9))
    nodes = await explained(world, ("cup", 6))
    assert standings(nodes) == {"a": ("chosen", None), "b": ("service", "service"), "shop": ("handling", "handling")}


async def test_what_would_come_after_the_deadline(world: Any, day: Any, network: Any) -> None:
    """By the cut-off of nine the shop ships tomorrow; b has its units the day after tomorrow."""
    network["nodes"][2]["cut_off"] = "09:00"
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("shop", "cup", 5))
    await world.supply("b", "cup", 5, in_days=2)
    nodes = await explained(world, ("cup", 1), need_by=day(1))
    assert standings(nodes) == {
        "a": ("chosen", None),
        "b": ("no_stock", "stock"),
        "shop": ("calendar", "need_by"),
    }
    assert str(day(2)) in nodes["shop"].why
    assert str(day(3)) in nodes["b"].why


async def test_long_orders_are_explained_without_comparing_plans(world: Any) -> None:
    skus = [f"part-{i:02d}" for i in range(8)]
    await world.stock(*(("a", sku, 5) for sku in skus), ("shop", skus[0], 5))
    nodes = await explained(world, *((sku, 1) for sku in skus))
    assert standings(nodes)["shop"] == ("eligible", "cost")
    assert nodes["shop"].cost_difference_cents is None
    assert nodes["shop"].line_ids == ("1",)
