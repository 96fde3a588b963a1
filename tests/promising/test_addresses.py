"""Addresses that a service does not deliver to: post office boxes, areas by postal prefix, what is out of its range."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from engine.promising.model import Destination, NotServedBy


def to(postal_code: str | None = "19103", country: str | None = "US", **more: Any) -> Destination:
    """An address close to `a`."""
    return Destination(latitude=40.0, longitude=-75.0, postal_code=postal_code, country=country, **more)


def services_of(promise: Any) -> list[list[str]]:
    return [[parcel.service for parcel in option.shipments] for option in promise.options]


async def test_a_po_box_is_served_by_those_who_deliver_to_boxes(world: Any, network: Any) -> None:
    network["services"][0]["delivers_to_po_boxes"] = False
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    box = await world.promise(("cup", 1), to=to(is_po_box=True))
    assert services_of(box) == [["air"]]
    assert box.not_served_by == (NotServedBy(service="ground", cause="po_box"),)
    house = await world.promise(("cup", 1), to=to())
    assert services_of(house) == [["ground"], ["air"]]
    assert house.not_served_by is UNSET


async def test_an_island_is_not_served_though_its_country_is(world: Any, network: Any) -> None:
    network["services"][0]["served_areas"] = [{"country": "US"}, {"country": "GB", "postal_prefixes": ["IV5", "BT"]}]
    network["services"][0]["unserved_areas"] = [{"country": "US", "postal_prefixes": ["967", "968"]}]
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    served = {}
    for country, code in [("US", "96801"), ("US", "96901"), ("GB", "iv51 9xx"), ("GB", "IV1 1AA"), ("JP", "100")]:
        promise = await world.promise(("cup", 1), to=to(code, country))
        served[code] = ["ground"] in services_of(promise)
        assert (promise.not_served_by is UNSET) == served[code]
    assert served == {"96801": False, "96901": True, "iv51 9xx": True, "IV1 1AA": False, "100": False}


async def test_without_a_postal_code_only_whole_countries_are_known(world: Any, network: Any) -> None:
    network["services"][0]["served_areas"] = [{"country": "US"}]
    network["services"][0]["unserved_areas"] = [{"country": "US", "postal_prefixes": ["967"]}]
    network["services"][1]["unserved_areas"] = [{"country": "US"}]
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    assert services_of(await world.promise(("cup", 1), to=to(None))) == [["ground"]]
    nowhere = await world.promise(("cup", 1), to=to(None, None))
    assert services_of(nowhere) == [["air"]]


async def test_a_line_that_only_such_services_could_bring_is_not_served(world: Any, network: Any) -> None:
    network["services"][1]["delivers_to_po_boxes"] = False
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("a", "anvil", 1))
    wanted = {"service_levels": ("next_day",), "to": to(is_po_box=True)}
    promise = await world.promise(("cup", 1), ("anvil", 1), **wanted)
    assert promise.options == ()
    assert [(line.sku, line.reason) for line in promise.unavailable] == [("cup", "not_served"), ("anvil", "no_service")]


async def test_a_service_that_was_not_asked_for_is_not_named(world: Any, network: Any) -> None:
    network["services"][1]["delivers_to_po_boxes"] = False
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), to=to(is_po_box=True), service_levels=("standard",))
    assert promise.not_served_by is UNSET


async def test_a_pick_up_knows_no_address(world: Any, network: Any) -> None:
    network["services"][0]["delivers_to_po_boxes"] = False
    await world.put_network(network)
    await world.stock(("shop", "cup", 5))
    promise = await world.promise(("cup", 1), to=to(is_po_box=True), pickup_node_id="shop")
    assert services_of(promise) == [["pickup"]]


async def test_a_service_of_short_range_serves_who_is_near(world: Any, network: Any) -> None:
    """The shop is 111 km north of `a`, b 851 km west; a courier goes 120 km, on the same day."""
    courier = {
        "service": "bike",
        "carrier": "local",
        "service_level": "same_day",
        "calendar": "daily",
        "cut_off": "14:00",
        "max_km": 120,
        "rates": [{"zone": "near", "max_weight_g": 9000, "cost_cents": 300, "transit_days": 0}],
    }
    network["services"].append(courier)
    await world.put_network(network)
    await world.stock(("shop", "cup", 5), ("b", "spoon", 5))
    wanted = {"service_levels": ("same_day",), "to": to()}
    near = await world.promise(("cup", 1), **wanted)
    assert services_of(near) == [["bike"]]
    assert near.options[0].promised_on == near.as_of.date()
    courier["max_km"] = 110
    await world.put_network(network)
    far = await world.promise(("cup", 1), ("spoon", 1), **wanted)
    assert [(line.sku, line.reason) for line in far.unavailable] == [("cup", "too_far"), ("spoon", "no_service")]


async def test_a_cut_off_ends_the_same_day(world: Any, network: Any) -> None:
    network["services"][1] |= {"service_level": "same_day", "cut_off": "12:00", "max_km": 200}
    network["services"][1]["rates"] = [{"zone": "near", "max_weight_g": 9000, "cost_cents": 300, "transit_days": 0}]
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    late = await world.promise(("cup", 1), service_levels=("same_day",))
    assert (late.options[0].promised_on - late.as_of.date()).days == 1
