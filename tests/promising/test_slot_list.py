"""The list of windows with what is free in each: of a node, of a service, for an address.

The windows are those of slot_windows.py. It is Wednesday 4 March 2026, noon.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from engine.errors import InvalidInput
from engine.network.closures import NAME, closed_document
from engine.promising.slot_list import SlotListService, SlotsAsked
from tests.promising.slot_windows import MORNING, book, opened_counter, opened_shop, slot


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    return await opened_shop(world, network)


@pytest_asyncio.fixture
async def counter(shop: Any, network: Any) -> Any:
    return await opened_counter(shop, network)


async def listed(world: Any, **asked: Any) -> list[str]:
    service = SlotListService(reference=world.reference, book=world.slots, clock=world.clock)
    found = await service.find(SlotsAsked(**asked))
    more = ["…"] if found.has_more else []
    return [f"{entry.slot_id[:-11]} {entry.day.day}: {entry.free}/{entry.capacity}" for entry in found.data] + more


async def test_windows_are_listed_with_what_is_free_full_ones_too(counter: Any) -> None:
    """Pages follow each other by the last window of the one before."""
    await book(counter, "at-13", 5)
    all_of_two = ["at-13 4: 1/1", "at-16 4: 1/1", "at-10 5: 1/1", "at-13 5: 0/1", "at-16 5: 1/1"]
    assert await listed(counter, node_id="shop", days=2) == all_of_two
    assert await listed(counter, node_id="shop", first_on=date(2026, 3, 5), days=1) == all_of_two[2:]
    assert await listed(counter, node_id="shop", days=2, limit=2) == [*all_of_two[:2], "…"]
    page = await listed(counter, node_id="shop", days=2, limit=3, starting_after="at-16@2026-03-04")
    assert page == all_of_two[2:]
    assert await listed(counter, node_id="a") == []


async def test_a_node_that_is_off_lists_no_windows_neither_for_pick_up_nor_of_deliveries(
    counter: Any, network: Any
) -> None:
    network["slots"].append(dict(MORNING))
    await counter.put_network(network)
    assert await listed(counter, service="van", first_on=date(2026, 3, 5), days=1) == ["morning 5: 2/2"]
    await counter.documents.put(NAME, closed_document(["shop"]))
    assert await listed(counter, node_id="shop", days=2) == []
    assert await listed(counter, service="van", first_on=date(2026, 3, 5), days=1) == []


async def test_deliveries_are_listed_by_service_by_node_and_by_address(shop: Any, network: Any) -> None:
    city = slot("city", "12:00", "14:00", 9, service="van", time_zone="America/New_York", areas=[{"country": "US"}])
    del city["node_id"]
    network["slots"].append(city)
    await shop.put_network(network)
    tomorrow: dict[str, Any] = {"first_on": date(2026, 3, 5), "days": 1}
    assert await listed(shop, service="van", **tomorrow) == ["morning 5: 2/2", "city 5: 9/9", "evening 5: 1/1"]
    assert await listed(shop, service="van", node_id="a", country="US", **tomorrow) == ["city 5: 9/9"]
    assert await listed(shop, country="CA", **tomorrow) == ["morning 5: 2/2", "evening 5: 1/1"]
    assert await listed(shop, service="ground", **tomorrow) == []
    assert await listed(shop, service="van", first_on=date(2026, 3, 8), days=1) == []  # a holiday


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({}, "query"),
        ({"node_id": "shob"}, "query.node_id"),
        ({"service": "vann"}, "query.service"),
        ({"node_id": "shop", "postal_code": "19104"}, "query.country"),
        ({"node_id": "shop", "starting_after": "morning"}, "query.starting_after"),
    ],
)
async def test_a_list_of_nobody_is_refused(shop: Any, asked: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await listed(shop, **asked)
    assert [fault.path for fault in refused.value.faults] == [path]
