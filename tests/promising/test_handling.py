"""Handling classes: what nodes and services refuse is never promised, and the reason says so."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from engine.inventory.model import Hold


@pytest_asyncio.fixture
async def shop(world: Any, network: Any, catalog: Any) -> Any:
    """Cups are hazmat, spoons need a cold chain, trays are fragile; air carries no hazmat; only `a` cools."""
    catalog["products"][0]["handling_classes"] = ["hazmat"]
    catalog["products"][2]["handling_classes"] = ["cold_chain"]
    catalog["products"][3]["handling_classes"] = ["fragile"]
    network["services"][1]["refuses"] = ["hazmat"]
    network["nodes"][1]["refuses"] = ["cold_chain"]
    network["nodes"][2]["handles"] = ["hazmat"]
    await world.put_catalog(catalog)
    await world.put_network(network)
    return world


def services_of(promise: Any) -> list[list[str]]:
    return [[parcel.service for parcel in option.shipments] for option in promise.options]


async def test_hazmat_goes_by_ground_even_if_air_is_faster(shop: Any) -> None:
    await shop.stock(("a", "cup", 5), ("a", "saucer", 5))
    assert services_of(await shop.promise(("cup", 1))) == [["ground"]]
    assert services_of(await shop.promise(("cup", 1), ("saucer", 1))) == [["ground"]]
    assert services_of(await shop.promise(("saucer", 1))) == [["ground"], ["air"]]


async def test_what_no_service_may_carry_is_unavailable_for_its_handling(shop: Any) -> None:
    await shop.stock(("a", "cup", 5))
    promise = await shop.promise(("cup", 1), service_levels=("next_day",))
    assert promise.options == ()
    assert [line.reason for line in promise.unavailable] == ["handling"]


async def test_a_node_that_does_not_handle_it_does_not_ship_it(shop: Any) -> None:
    await shop.stock(("b", "spoon", 5), ("shop", "spoon", 5), ("b", "saucer", 5))
    promise = await shop.promise(("spoon", 1), ("saucer", 1))
    assert [(line.sku, line.reason) for line in promise.unavailable] == [("spoon", "handling")]
    await shop.stock(("a", "spoon", 5))
    promise = await shop.promise(("spoon", 1), ("saucer", 1))
    assert promise.unavailable == ()
    assert {p.node_id for p in promise.options[0].shipments} == {"a", "b"}


async def test_a_list_of_what_is_handled_leaves_out_classes_that_nobody_names(shop: Any) -> None:
    """No node or service names `fragile`; the shop takes hazmat only, and what has no class at all."""
    await shop.stock(("shop", "tray", 5), ("shop", "cup", 5), ("shop", "saucer", 5))
    promise = await shop.promise(("tray", 1), ("cup", 1), ("saucer", 1))
    assert [(line.sku, line.reason) for line in promise.unavailable] == [("tray", "handling")]


async def test_a_kit_is_handled_as_all_its_products(shop: Any) -> None:
    await shop.stock(("a", "cup", 5), ("a", "saucer", 5))
    assert services_of(await shop.promise(("set", 1))) == [["ground"]]


async def test_a_pick_up_asks_the_node_only(shop: Any) -> None:
    await shop.stock(("shop", "cup", 5), ("shop", "spoon", 5))
    promise = await shop.promise(("cup", 1), ("spoon", 1), to=None, pickup_node_id="shop")
    assert [line.sku for line in promise.options[0].shipments[0].lines] == ["cup"]
    assert [(line.sku, line.reason) for line in promise.unavailable] == [("spoon", "handling")]


async def test_long_orders_keep_to_the_rules_too(shop: Any) -> None:
    await shop.stock(*(("a", f"part-{i:02d}", 5) for i in range(14)), ("a", "cup", 5))
    promise = await shop.promise(("cup", 1), *((f"part-{i:02d}", 1) for i in range(14)))
    assert promise.unavailable == ()
    assert services_of(promise) == [["ground"]]


async def test_a_node_ships_by_two_services_what_neither_takes_together(shop: Any, network: Any, day: Any) -> None:
    """Ground takes no cold chain, air no hazmat, and only a has both: 500 + 110 in two days, 2000 + 110 in one, 50."""
    network["services"][0]["refuses"] = ["cold_chain"]
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5), ("a", "spoon", 5))
    promise = await shop.promise(("cup", 1), ("spoon", 1))
    (option,) = promise.options
    assert promise.unavailable == ()
    assert sorted((p.node_id, p.service, p.ship_on, p.lines[0].sku) for p in option.shipments) == [
        ("a", "air", day(0), "spoon"),
        ("a", "ground", day(0), "cup"),
    ]
    assert (option.total_cost_cents, option.promised_on) == (610 + 2110 + 50, day(2))
    held = await shop.service.promised_hold(promise.promise_id, "opt_1")
    await shop.inventory.hold(Hold(reservation_id="res_1", lines=held.lines), today={"a": day(0).toordinal()})


async def test_a_node_ships_two_parcels_only_if_no_service_takes_all(shop: Any, network: Any) -> None:
    """A saucer travels with the cup; it is not sent by air, though that would be there a day earlier."""
    network["services"][0]["refuses"] = ["cold_chain"]
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5), ("a", "spoon", 5), ("a", "saucer", 5))
    assert services_of(await shop.promise(("cup", 1), ("saucer", 1))) == [["ground"]]
    limited = await shop.promise(("cup", 1), ("spoon", 1), max_shipments=1)
    assert [(line.sku, line.reason) for line in limited.unavailable] == [("spoon", "over_max_shipments")]
    together = await shop.promise(("cup", 1), ("spoon", 1), ship_complete=True)
    assert [len(option.shipments) for option in together.options] == [2]
    ground = await shop.promise(("cup", 1), ("spoon", 1), service_levels=("standard",))
    assert [(line.sku, line.reason) for line in ground.unavailable] == [("spoon", "handling")]


async def test_more_stock_elsewhere_takes_no_such_way_away(shop: Any, network: Any, day: Any) -> None:
    """Spoons at the shop, in nine days, would do with one parcel of each node: 2000 + 110 from there too, but later."""
    network["services"][0]["refuses"] = ["cold_chain"]
    network["nodes"][2]["handles"] = None
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5), ("a", "spoon", 5))
    before = (await shop.promise(("cup", 1), ("spoon", 1))).options
    await shop.supply("shop", "spoon", 5, in_days=9)
    after = (await shop.promise(("cup", 1), ("spoon", 1))).options
    assert [(o.total_cost_cents, o.promised_on) for o in after] == [(o.total_cost_cents, o.promised_on) for o in before]
    assert before[0].promised_on == day(2)


async def test_lines_of_one_product_are_not_divided_over_parcels_of_one_node(shop: Any, network: Any) -> None:
    """Two lines of spoons: each parcel by itself would count on all of them."""
    network["services"][0]["refuses"] = ["cold_chain"]
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5), ("a", "spoon", 5))
    promise = await shop.promise(("cup", 1), ("spoon", 1), ("spoon", 1))
    assert [line.sku for line in promise.unavailable] == ["cup"]
