"""Pick-ups: ready times in a store's opening hours, and parcels that other nodes send to the store.

The shop works every day; its hours are 10:00 to 18:00, on Sundays 12:00 to 16:00, and picking takes 90 minutes. `van`
goes to stores: from `a` (111 km away) for 200 cents up to 5 kg in a day, from `b` (far) for 700 in three.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from msgspec import UNSET

from engine.errors import InvalidInput, PromiseStale
from engine.network.closures import NAME, closed_document

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat"]
HOURS = [{"days": WEEK, "from": "10:00", "to": "18:00"}, {"days": ["sun"], "from": "12:00", "to": "16:00"}]
NEW_YORK = ZoneInfo("America/New_York")
PICKUP = {"to": None, "pickup_node_id": "shop"}


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    network["nodes"][2]["store_pickup"] = {"hours": HOURS, "picking_minutes": 90}
    rates = [
        {"zone": "near", "max_weight_g": 5000, "cost_cents": 200, "transit_days": 1},
        {"zone": "far", "max_weight_g": 5000, "cost_cents": 700, "transit_days": 3},
    ]
    van = {"service": "van", "carrier": "own", "service_level": "ship_to_store", "calendar": "daily", "rates": rates}
    network["services"].append(van)
    await world.put_network(network)
    return world


def parcels(option: Any) -> list[tuple[Any, ...]]:
    return [(p.node_id, p.service, sorted(line.sku for line in p.lines)) for p in option.shipments]


def there(day: int, hour: int, minute: int = 0) -> datetime:
    """A time at the shop; the days are of March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=NEW_YORK)


async def test_what_the_store_has_is_ready_within_its_hours(shop: Any) -> None:
    """It is noon on Wednesday 4 March."""
    await shop.stock(("shop", "cup", 5))
    (option,) = (await shop.promise(("cup", 2), **PICKUP)).options
    assert parcels(option) == [("shop", "pickup", ["cup"])]
    assert (option.ready_at, option.promised_on) == (there(4, 13, 30), there(4, 0).date())
    assert option.shipments[0].ready_at == option.ready_at
    assert option.total_cost_cents == 2 * 10
    shop.clock.advance(timedelta(hours=5))
    (late,) = (await shop.promise(("cup", 2), **PICKUP)).options
    assert (late.ready_at, late.promised_on) == (there(5, 10, 30), there(5, 0).date())


async def test_what_is_due_later_is_picked_from_opening_on(shop: Any) -> None:
    await shop.supply("shop", "cup", 5, in_days=4)
    (option,) = (await shop.promise(("cup", 1), **PICKUP)).options
    assert option.ready_at == there(8, 13, 30)


async def test_what_it_lacks_is_sent_there(shop: Any, day: Any) -> None:
    """Ships today before 15:00, arrives tomorrow, is ready when the shop opens the day after."""
    await shop.stock(("a", "cup", 5))
    (option,) = (await shop.promise(("cup", 2), **PICKUP)).options
    assert parcels(option) == [("a", "van", ["cup"])]
    parcel = option.shipments[0]
    assert (parcel.to_node_id, parcel.service_level, parcel.ship_on) == ("shop", "ship_to_store", day(0))
    assert (option.promised_on, parcel.delivery.p90, option.ready_at) == (day(2), day(2), there(6, 10))
    assert (option.cost.shipping_cents, option.cost.handling_cents, option.cost.units_cents) == (200, 100, 20)
    assert option.total_cost_cents == 320
    assert option.service_level == "ship_to_store"


async def test_own_stock_and_parcels_are_ready_together(shop: Any) -> None:
    await shop.stock(("shop", "cup", 5), ("a", "spoon", 5), ("b", "spoon", 5))
    (option,) = (await shop.promise(("cup", 1), ("spoon", 1), **PICKUP)).options
    assert parcels(option) == [("shop", "pickup", ["cup"]), ("a", "van", ["spoon"])] or parcels(option) == [
        ("a", "van", ["spoon"]),
        ("shop", "pickup", ["cup"]),
    ]
    assert option.ready_at == there(6, 10)
    assert option.total_cost_cents == 10 + (200 + 100 + 10) + 50
    assert {p.node_id: p.ready_at for p in option.shipments} == {"shop": there(4, 13, 30), "a": there(6, 10)}


async def test_the_cheapest_and_the_earliest_may_differ(shop: Any, day: Any) -> None:
    """The shop gets its own in ten days, for the units only; a parcel is there sooner."""
    await shop.supply("shop", "cup", 5, in_days=10)
    await shop.stock(("a", "cup", 5))
    cheapest, fastest = (await shop.promise(("cup", 1), **PICKUP)).options
    assert (parcels(cheapest)[0][1], cheapest.promised_on) == ("pickup", day(10))
    assert (parcels(fastest)[0][1], fastest.promised_on) == ("van", day(2))


async def test_a_reservation_holds_where_it_ships(shop: Any) -> None:
    await shop.stock(("shop", "cup", 5), ("a", "spoon", 5))
    promise = await shop.promise(("cup", 1), ("spoon", 2), **PICKUP)
    hold = await shop.service.promised_hold(promise.promise_id, promise.options[0].option_id)
    assert {(line.node_id, line.sku, line.quantity) for line in hold.lines} == {("shop", "cup", 1), ("a", "spoon", 2)}


async def test_a_parcel_that_misses_its_van_is_stale(shop: Any) -> None:
    await shop.stock(("a", "spoon", 5))
    shop.clock.advance(timedelta(hours=2, minutes=55))
    promise = await shop.promise(("spoon", 2), **PICKUP)
    shop.clock.advance(timedelta(minutes=6))
    with pytest.raises(PromiseStale):
        await shop.service.promised_hold(promise.promise_id, promise.options[0].option_id)


async def test_levels_choose_between_the_two(shop: Any) -> None:
    await shop.stock(("shop", "cup", 5), ("a", "cup", 5), ("a", "spoon", 5))
    own = await shop.promise(("cup", 1), ("spoon", 1), service_levels=("pickup",), **PICKUP)
    assert [parcels(option) for option in own.options] == [[("shop", "pickup", ["cup"])]]
    assert [(line.sku, line.reason) for line in own.unavailable] == [("spoon", "no_stock")]
    sent = await shop.promise(("cup", 1), service_levels=("ship_to_store",), **PICKUP)
    assert [parcels(option) for option in sent.options] == [[("a", "van", ["cup"])]]
    with pytest.raises(InvalidInput, match="needs a pickup_node_id"):
        await shop.promise(("cup", 1), service_levels=("ship_to_store",))
    with pytest.raises(InvalidInput, match="add one, or no pickup_node_id"):
        await shop.promise(("cup", 1), service_levels=("standard",), **PICKUP)


async def test_a_van_to_stores_brings_nothing_to_customers(shop: Any) -> None:
    """It would be the cheapest."""
    await shop.stock(("a", "cup", 5))
    promise = await shop.promise(("cup", 1))
    assert {p.service for option in promise.options for p in option.shipments} == {"ground", "air"}


async def test_ready_on_the_day_of_arrival_means_at_closing_time(shop: Any, network: Any, day: Any) -> None:
    network["nodes"][2]["store_pickup"]["receiving_days"] = 0
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5))
    (option,) = (await shop.promise(("cup", 1), **PICKUP)).options
    assert (option.promised_on, option.ready_at) == (day(1), there(5, 18))


async def test_a_store_without_hours_is_ready_on_a_day(shop: Any, network: Any, day: Any) -> None:
    del network["nodes"][2]["store_pickup"]
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5), ("shop", "spoon", 5))
    (option,) = (await shop.promise(("cup", 1), ("spoon", 1), **PICKUP)).options
    assert (option.promised_on, option.ready_at) == (day(2), UNSET)


async def test_what_the_store_does_not_handle_is_not_sent_there(shop: Any, network: Any, catalog: Any) -> None:
    catalog["products"][0]["handling_classes"] = ["hazmat"]
    network["nodes"][2]["refuses"] = ["hazmat"]
    await shop.put_catalog(catalog)
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5))
    promise = await shop.promise(("cup", 1), **PICKUP)
    assert [line.reason for line in promise.unavailable] == ["handling"]


async def test_parcels_go_in_cartons_and_own_stock_without(shop: Any, network: Any) -> None:
    carton = {"carton": "box", "length_mm": 400, "width_mm": 400, "height_mm": 400, "max_weight_g": 5000}
    network["cartons"] = [carton | {"cost_cents": 35}]
    await shop.put_network(network)
    await shop.stock(("shop", "cup", 5), ("a", "spoon", 5))
    (option,) = (await shop.promise(("cup", 1), ("spoon", 1), **PICKUP)).options
    assert {p.node_id: p.cost.packaging_cents for p in option.shipments} == {"shop": 0, "a": 35}
    assert option.total_cost_cents == 10 + (200 + 100 + 10 + 35) + 50


async def test_long_orders_are_picked_up_too(shop: Any) -> None:
    await shop.stock(*(("a", f"part-{i:02d}", 5) for i in range(14)), ("shop", "cup", 5))
    promise = await shop.promise(("cup", 1), *((f"part-{i:02d}", 1) for i in range(14)), **PICKUP)
    assert promise.unavailable == ()
    assert {p.node_id for p in promise.options[0].shipments} == {"a", "shop"}


async def test_learned_days_of_a_parcel_end_when_the_store_has_taken_it_in(shop: Any, day: Any) -> None:
    """The van takes three days in the middle and four at P90, near; ready on the next day of opening."""
    document = {
        "version": 1,
        "shipments": 500,
        "service_ids": ["van"],
        "levels": [0.1, 0.5, 0.9],
        "center_days": 3.0,
        "scale_days": 1.0,
        "spread_ratio": 0.8,
        "bins": {"distance_km": [], "weight_g": [], "location_days": []},
        "location": [],
        "scale": [],
        "shapes": [[-1.0, 0.0, 1.0]],
        "shape_of": [],
    }
    await shop.learn(document)
    await shop.stock(("a", "cup", 5), ("shop", "spoon", 5))
    (option,) = (await shop.promise(("cup", 1), ("spoon", 1), **PICKUP)).options
    assert (option.promised_on, option.delivery.p50) == (day(5), day(4))
    assert option.ready_at == there(9, 10)
    assert {p.node_id: p.dates_from for p in option.shipments} == {"a": "history", "shop": "rate_card"}


async def test_a_pick_up_is_explained_node_by_node(shop: Any) -> None:
    await shop.stock(("shop", "cup", 5), ("a", "cup", 5), ("b", "cup", 5))
    promise = await shop.promise(("cup", 1), explain=True, **PICKUP)
    nodes = {node.node_id: node for node in promise.explanation.nodes}
    assert {node_id: node.standing for node_id, node in nodes.items()} == {
        "shop": "chosen",
        "a": "eligible",
        "b": "eligible",
    }
    assert nodes["a"].cost_difference_cents == 200 + 100 + 10 - 10


async def test_nothing_is_brought_to_a_store_that_is_off_or_handed_over_there(shop: Any) -> None:
    """Catches a store that only loses its stock when it is switched off: parcels would still be sent there."""
    await shop.stock(("shop", "cup", 5), ("a", "spoon", 5))
    assert (await shop.promise(("spoon", 1), **PICKUP)).options
    await shop.documents.put(NAME, closed_document(["shop"]))
    for sku, reason in (("spoon", "no_service"), ("cup", "no_stock")):
        promise = await shop.promise((sku, 1), **PICKUP)
        assert promise.options == ()
        assert [line.reason for line in promise.unavailable] == [reason]
