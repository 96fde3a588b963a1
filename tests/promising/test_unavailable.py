"""Why a line is in no option, and when it could arrive; every line is in all options or explained."""

from __future__ import annotations

from typing import Any

from engine.promising.model import Destination, Promise

FAR = Destination(latitude=40.0, longitude=-88.0)


def reasons(promise: Promise) -> dict[str, tuple[str, object]]:
    return {line.sku: (line.reason, line.available_on) for line in promise.unavailable}


def served(promise: Promise) -> list[list[str]]:
    return [sorted(line.sku for parcel in option.shipments for line in parcel.lines) for option in promise.options]


async def test_no_stock_anywhere(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("a", "spoon", 0))
    promise = await world.promise(("cup", 1), ("spoon", 1))
    assert reasons(promise) == {"spoon": ("no_stock", None)}
    assert served(promise) == [["cup"], ["cup"]]


async def test_not_enough_at_any_one_node(world: Any) -> None:
    await world.stock(("a", "cup", 2), ("b", "cup", 2))
    promise = await world.promise(("cup", 3))
    assert promise.options == ()
    assert reasons(promise) == {"cup": ("insufficient_stock", None)}


async def test_a_kit_without_all_its_components(world: Any) -> None:
    await world.stock(("a", "cup", 2), ("b", "saucer", 2))
    assert reasons(await world.promise(("set", 1))) == {"set": ("no_stock", None)}


async def test_too_far(world: Any, network: Any) -> None:
    network["policy"]["max_distance_km"] = 600
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("b", "spoon", 5))
    promise = await world.promise(("cup", 1), ("spoon", 1), to=FAR)
    assert reasons(promise) == {"cup": ("too_far", None)}
    beyond_the_last_zone = await world.promise(("cup", 1), to=Destination(latitude=40.0, longitude=0.0))
    assert reasons(beyond_the_last_zone) == {"cup": ("too_far", None)}


async def test_no_service_carries_it(world: Any) -> None:
    await world.stock(("a", "anvil", 1), ("a", "cup", 9))
    promise = await world.promise(("anvil", 1), ("cup", 6), service_levels=("next_day",))
    assert reasons(promise) == {"anvil": ("no_service", None), "cup": ("no_service", None)}


async def test_after_need_by_with_the_day_it_could_be(world: Any, day: Any) -> None:
    await world.supply("a", "cup", 5, in_days=3)
    promise = await world.promise(("cup", 1), need_by=day(3))
    assert promise.options == ()
    assert reasons(promise) == {"cup": ("after_need_by", day(4))}
    in_time = await world.promise(("cup", 1), need_by=day(4))
    assert len(in_time.options) == 1


async def test_over_max_shipments_keeps_the_most_units(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5), ("b", "spoon", 5))
    promise = await world.promise(("cup", 1), ("spoon", 2), max_shipments=1)
    assert reasons(promise) == {"cup": ("over_max_shipments", day(1))}
    assert served(promise) == [["spoon"], ["spoon"]]


async def test_the_policy_limits_parcels_too(world: Any, network: Any, day: Any) -> None:
    network["policy"]["max_nodes_per_order"] = 1
    await world.put_network(network)
    await world.stock(("a", "cup", 5), ("b", "spoon", 5))
    promise = await world.promise(("cup", 2), ("spoon", 1), max_shipments=2)
    assert reasons(promise) == {"spoon": ("over_max_shipments", day(1))}
    network["policy"]["max_nodes_per_order"] = 0
    await world.put_network(network)
    nothing = await world.promise(("cup", 2))
    assert nothing.options == ()
    assert reasons(nothing) == {"cup": ("over_max_shipments", day(1))}


async def test_ship_complete_is_all_or_nothing(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), ("spoon", 1), ship_complete=True)
    assert promise.options == ()
    assert reasons(promise) == {"cup": ("incomplete", day(1)), "spoon": ("no_stock", None)}
    await world.stock(("b", "spoon", 1))
    assert (await world.promise(("cup", 1), ("spoon", 1), ship_complete=True)).unavailable == ()
    one_parcel = await world.promise(("cup", 1), ("spoon", 1), ship_complete=True, max_shipments=1)
    assert {reason for reason, _ in reasons(one_parcel).values()} == {"over_max_shipments"}


async def test_a_pick_up_outside_the_group_has_no_node(world: Any) -> None:
    await world.stock(("shop", "cup", 5))
    promise = await world.promise(("cup", 1), to=None, pickup_node_id="shop", group="warehouses")
    assert reasons(promise) == {"cup": ("no_stock", None)}


async def test_a_promise_without_options_is_not_kept(world: Any) -> None:
    promise = await world.promise(("cup", 1))
    assert promise.options == ()
    assert await world.promises.find(promise.promise_id) is None
