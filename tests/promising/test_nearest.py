"""The nearest stores that have a basket: distance, kind, radius, what quotas leave, and the day of pick-up."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from msgspec import UNSET

from engine.errors import InvalidInput
from engine.promising.model import Destination
from engine.promising.nearest import BasketLine, NearestStoresRequest, NearestStoresService

HERE = Destination(latitude=40.1, longitude=-75.0)


@pytest_asyncio.fixture
async def near(world: Any, network: Any) -> Any:
    """Shops at 1, 2 and 4 degrees of latitude (111 km each) from 40, and the warehouse `a` at 40."""
    shop = network["nodes"][2] | {"kind": "store"}
    network["nodes"] = [
        network["nodes"][0],
        shop | {"node_id": "s1", "latitude": 41.0, "name": "First"},
        shop | {"node_id": "s2", "latitude": 42.0, "cut_off": "10:00"},
        shop | {"node_id": "s4", "latitude": 44.0},
    ]
    network["groups"] = [{"group": "far", "node_ids": ["s4"]}]
    await world.put_network(network)
    service = NearestStoresService(reference=world.service._reference, inventory=world.inventory, clock=world.clock)

    async def found(*lines: tuple[str, int], **more: Any) -> list[Any]:
        basket = tuple(BasketLine(sku=sku, quantity=quantity) for sku, quantity in lines)
        more = {"destination": HERE, "radius_km": 1000.0} | more
        return list((await service.nearest(NearestStoresRequest(lines=basket, **more))).stores)

    return found


def ids(stores: list[Any]) -> list[str]:
    return [store.node_id for store in stores]


async def test_stores_come_nearest_first_with_what_they_have(world: Any, near: Any) -> None:
    await world.stock(("s4", "cup", 9), ("s1", "cup", 3), ("s2", "cup", 1), ("a", "cup", 50))
    stores = await near(("cup", 1))
    assert [(s.node_id, s.distance_km, s.lines[0].available_now) for s in stores] == [
        ("s1", 100.1, 3),
        ("s2", 211.3, 1),
        ("s4", 433.7, 9),
    ]
    assert (stores[0].name, stores[0].kind) == ("First", "store")
    assert ids(await near(("cup", 2))) == ["s1", "s4"]
    assert ids(await near(("cup", 1), radius_km=220.0)) == ["s1", "s2"]
    assert ids(await near(("cup", 1), kinds=("store", "dc"), limit=2)) == ["a", "s1"]
    assert ids(await near(("cup", 1), group="far")) == ["s4"]


async def test_a_store_has_the_whole_basket_or_is_left_out(world: Any, near: Any) -> None:
    await world.stock(("s1", "cup", 3), ("s2", "cup", 4), ("s2", "saucer", 1), ("s4", "saucer", 5))
    assert ids(await near(("cup", 1), ("saucer", 1))) == ["s2"]
    assert ids(await near(("set", 1))) == ["s2"]
    assert ids(await near(("set", 1), ("cup", 2))) == ["s2"]
    assert ids(await near(("set", 1), ("cup", 3))) == []


async def test_the_day_of_pick_up_is_that_of_a_promise(world: Any, near: Any, day: Any) -> None:
    """It is noon: s2 counts orders after ten as the next day's."""
    await world.stock(("s1", "cup", 3), ("s2", "cup", 3))
    stores = await near(("cup", 1))
    assert [store.ready_on for store in stores] == [day(0), day(1)]
    for store in stores:
        promise = await world.promise(("cup", 1), to=None, pickup_node_id=store.node_id)
        assert promise.options[0].promised_on == store.ready_on


async def test_stock_that_comes_later_is_not_there(world: Any, near: Any) -> None:
    await world.supply("s1", "cup", 5, in_days=1)
    assert ids(await near(("cup", 1))) == []


async def test_what_is_made_to_order_is_ready_when_it_is_made(world: Any, near: Any, catalog: Any, day: Any) -> None:
    catalog["products"][0]["made_to_order_days"] = 2
    await world.put_catalog(catalog)
    await world.stock(("s1", "cup", 3))
    (store,) = await near(("cup", 1))
    promise = await world.promise(("cup", 1), to=None, pickup_node_id="s1")
    assert store.ready_on == promise.options[0].promised_on == day(2)


async def test_unknown_skus_and_places_are_named(world: Any, near: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await near(("cupp", 1), destination=Destination(postal_code="555", country="US"))
    assert {fault.path for fault in refusal.value.faults} == {"$.lines[0].sku", "$.destination.postal_code"}


async def test_a_store_with_opening_hours_says_when_it_is_ready(world: Any, near: Any, network: Any) -> None:
    """It is noon; picking takes half an hour, whatever the cut-off of s2 was; s1 has no hours."""
    hours = [{"from": "11:00", "to": "18:00"}]
    network["nodes"][2]["store_pickup"] = {"hours": hours, "picking_minutes": 30}
    await world.put_network(network)
    await world.stock(("s1", "cup", 3), ("s2", "cup", 4))
    first, second = await near(("cup", 1))
    assert first.ready_at is UNSET
    assert second.ready_at == datetime(2026, 3, 4, 12, 30, tzinfo=ZoneInfo("America/New_York"))
    assert second.ready_on == second.ready_at.date()
