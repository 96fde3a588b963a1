"""Availability of live stock, in memory and in the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from engine.availability.model import AskedLine, AvailabilityRequest
from engine.availability.reference import Reference
from engine.availability.service import AvailabilityService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.errors import InvalidInput, NotFound
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Hold, HoldLine, PositionCount, Supply
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.client import MultiplexedClient
from engine.storage.documents import MemoryDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys

TODAY = date(2026, 3, 4)


def day(number: int) -> date:
    """Day 1 is today."""
    return TODAY + timedelta(days=number - 1)


def asked(*skus: str, **more: object) -> AvailabilityRequest:
    return AvailabilityRequest(lines=tuple(AskedLine(sku=sku) for sku in skus), **more)


@dataclass(frozen=True)
class World:
    inventory: InventoryStore
    catalogs: CatalogService
    service: AvailabilityService


@pytest_asyncio.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest, client: MultiplexedClient, keys: Keys) -> AsyncIterator[World]:
    clock = SettableClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
    inventory: InventoryStore = MemoryInventoryStore(clock)
    if request.param == "redis":
        await ensure(client, [LIBRARY])
        inventory = RedisInventoryStore(client, keys)
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    node = {"kind": "dc", "latitude": 40, "longitude": -75, "calendar": "daily"}
    network = {
        "nodes": [
            {"node_id": "east", "time_zone": "America/New_York", **node},
            {"node_id": "west", "time_zone": "America/Los_Angeles", **node},
            {"node_id": "japan", "time_zone": "Asia/Tokyo", **node},
        ],
        "groups": [{"group": "coasts", "node_ids": ["east", "west"]}],
        "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    }
    catalog = {
        "products": [{"sku": "cup", "weight_g": 1}, {"sku": "saucer", "weight_g": 1}],
        "kits": [{"sku": "set", "components": [{"sku": "cup", "quantity": 2}, {"sku": "saucer", "quantity": 1}]}],
    }
    await networks.put(NetworkDocument.model_validate(network))
    await catalogs.put(CatalogDocument.model_validate(catalog))
    reference = Reference(documents, networks, catalogs)
    yield World(inventory, catalogs, AvailabilityService(reference=reference, inventory=inventory, clock=clock))


async def test_the_golden_case_from_live_stock(world: World) -> None:
    """On hand 20; 3 held today; supplies on days 3, 5 and 6; 15 reserved to ship on day 4."""
    await world.inventory.put_positions([PositionCount(node_id="east", sku="cup", on_hand=20)])
    for number, (on, quantity) in enumerate([(3, 10), (5, 1), (6, 3)]):
        supply = Supply(supply_id=f"po{number}", node_id="east", sku="cup", quantity=quantity, expected_on=day(on))
        await world.inventory.put_supplies([supply], today={"east": TODAY.toordinal()})
    today = {"east": TODAY.toordinal()}
    now = Hold(reservation_id="res_now", lines=(HoldLine(sku="cup", quantity=3, node_id="east"),))
    later = Hold(reservation_id="res_later", lines=(HoldLine(sku="cup", quantity=15, node_id="east", ship_on=day(4)),))
    await world.inventory.hold(now, today=today)
    await world.inventory.hold(later, today=today)
    answer = await world.service.availability(asked("cup", horizon_days=7))
    (line,) = answer.lines
    assert [entry.atp for entry in line.by_day] == [12, 12, 12, 12, 13, 16, 16]
    assert line.by_day[0].date == TODAY
    assert line.available_now == 12
    assert [node.node_id for node in line.nodes] == ["east"]
    assert line.nodes[0].by_day == line.by_day
    assert not answer.binding


async def test_nodes_are_summed_each_in_its_own_day(world: World) -> None:
    counts = [PositionCount(node_id=node, sku="cup", on_hand=5) for node in ("east", "west", "japan")]
    await world.inventory.put_positions(counts)
    (line,) = (await world.service.availability(asked("cup", horizon_days=2))).lines
    assert line.available_now == 15
    starts = {node.node_id: node.by_day[0].date for node in line.nodes}
    assert starts == {"east": TODAY, "west": TODAY, "japan": TODAY}
    assert [entry.date for entry in line.by_day] == [TODAY, TODAY + timedelta(days=1)]


async def test_a_group_and_node_ids_restrict_the_nodes(world: World) -> None:
    counts = [PositionCount(node_id=node, sku="cup", on_hand=n) for node, n in (("east", 1), ("west", 2), ("japan", 4))]
    await world.inventory.put_positions(counts)
    for more, expected in (
        ({"group": "coasts"}, 3),
        ({"node_ids": ("japan", "east")}, 5),
        ({"group": "coasts", "node_ids": ("japan", "east")}, 1),
        ({"group": "coasts", "node_ids": ("japan",)}, 0),
    ):
        (line,) = (await world.service.availability(asked("cup", **more))).lines
        assert line.available_now == expected


async def test_safety_stock_is_not_for_sale_and_a_short_count_shows_as_negative(world: World) -> None:
    await world.inventory.put_positions([PositionCount(node_id="east", sku="cup", on_hand=2, safety_stock=5)])
    await world.inventory.put_positions([PositionCount(node_id="west", sku="cup", on_hand=4)])
    (line,) = (await world.service.availability(asked("cup"))).lines
    assert {node.node_id: node.available_now for node in line.nodes} == {"east": -3, "west": 4}
    assert line.available_now == 4


async def test_a_kit_is_counted_by_its_components_node_by_node(world: World) -> None:
    counts = [
        PositionCount(node_id=node, sku=sku, on_hand=n)
        for node, sku, n in (("east", "cup", 5), ("east", "saucer", 9), ("west", "cup", 9), ("west", "saucer", 1))
    ]
    await world.inventory.put_positions(counts)
    supply = Supply(supply_id="po", node_id="west", sku="saucer", quantity=9, expected_on=day(3))
    await world.inventory.put_supplies([supply], today={"west": TODAY.toordinal()})
    kit, cup = (await world.service.availability(asked("set", "cup", horizon_days=4))).lines
    assert [entry.atp for entry in kit.by_day] == [3, 3, 6, 6]
    assert cup.available_now == 14


async def test_a_sku_without_stock_answers_zero(world: World) -> None:
    (line,) = (await world.service.availability(asked("saucer", horizon_days=3))).lines
    assert (line.available_now, [entry.atp for entry in line.by_day], line.nodes) == (0, [0, 0, 0], ())


async def test_unknown_names_are_all_named(world: World) -> None:
    wrong = asked("cupp", "cup", group="coast", node_ids=("eas",), horizon_days=0)
    with pytest.raises(InvalidInput) as refusal:
        await world.service.availability(wrong)
    assert {fault.path: fault.message.rsplit("; ")[-1] for fault in refusal.value.faults} == {
        "$.lines[0].sku": "did you mean 'cup'?",
        "$.group": "did you mean 'coasts'?",
        "$.node_ids[0]": "did you mean 'east'?",
        "$.horizon_days": "give 1 to 365 days",
    }


async def test_the_answer_has_the_shape_of_the_contract(world: World) -> None:
    await world.inventory.put_positions([PositionCount(node_id="east", sku="cup", on_hand=2)])
    answer = msgspec.json.decode(msgspec.json.encode(await world.service.availability(asked("cup", horizon_days=1))))
    assert answer["as_of"] == "2026-03-04T12:00:00Z"
    assert answer["lines"] == [
        {
            "sku": "cup",
            "available_now": 2,
            "by_day": [{"date": "2026-03-04", "atp": 2}],
            "nodes": [{"node_id": "east", "available_now": 2, "by_day": [{"date": "2026-03-04", "atp": 2}]}],
        }
    ]


async def test_before_the_first_network_there_is_none() -> None:
    documents = MemoryDocumentStore()
    reference = Reference(documents, NetworkService(documents), CatalogService(documents))
    with pytest.raises(NotFound, match="PUT /v1/network"):
        await reference.current()


async def test_before_its_launch_nothing_of_a_product_is_available_nor_of_kits_with_it(world: World) -> None:
    """In Los Angeles it is the 4th as well; cups are launched on the 6th, and 5 more come on the 7th."""
    counts = [PositionCount(node_id=node, sku=sku, on_hand=8) for node in ("east", "west") for sku in ("cup", "saucer")]
    await world.inventory.put_positions(counts)
    supply = Supply(supply_id="po", node_id="west", sku="cup", quantity=5, expected_on=day(4))
    await world.inventory.put_supplies([supply], today={"west": TODAY.toordinal()})
    products = [{"sku": "cup", "weight_g": 1, "launch_on": day(3).isoformat()}, {"sku": "saucer", "weight_g": 1}]
    kits = [{"sku": "set", "components": [{"sku": "cup", "quantity": 2}, {"sku": "saucer", "quantity": 1}]}]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": kits}))
    cup, kit = (await world.service.availability(asked("cup", "set", horizon_days=5))).lines
    assert (cup.available_now, [entry.atp for entry in cup.by_day]) == (0, [0, 0, 16, 21, 21])
    assert (kit.available_now, [entry.atp for entry in kit.by_day]) == (0, [0, 0, 8, 10, 10])
