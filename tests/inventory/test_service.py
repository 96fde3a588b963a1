"""What the service refuses before the store is asked, by JSON path, with the value and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.catalog.model import Catalog, compile_catalog
from engine.clock import SettableClock
from engine.errors import InvalidInput, NotFound, TooManyHolds
from engine.events.holder import holding_as
from engine.inventory.checks import MAX_FAULTS
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import MAX_UNITS, Adjustment, Hold, HoldLine, PositionCount, Replay, Supply
from engine.inventory.service import InventoryService
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network

NOW = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # in Tokyo it is the 3rd already


def network_document() -> NetworkDocument:
    node = {"kind": "dc", "latitude": 50, "longitude": 10, "calendar": "daily", "cut_off": "15:00"}
    node |= {"parcel_cost_cents": 100, "unit_cost_cents": 10}
    return NetworkDocument.model_validate(
        {
            "currency": "EUR",
            "nodes": [
                node | {"node_id": "berlin", "time_zone": "Europe/Berlin"},
                node | {"node_id": "tokyo", "time_zone": "Asia/Tokyo"},
            ],
            "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
            "zones": [{"zone": "all", "max_km": None}],
            "services": [
                {
                    "service": "ground",
                    "carrier": "post",
                    "service_level": "standard",
                    "calendar": "daily",
                    "rates": [{"zone": "all", "max_weight_g": 30000, "cost_cents": 500, "transit_days": 2}],
                }
            ],
            "policy": {"split_cost_cents": 0, "backorder_cost_cents_per_unit": 6000},
        }
    )


def catalog(*extra: str, **launches: str) -> Catalog:
    products = [{"sku": sku, "weight_g": 300} for sku in ("MUG-RED", "MUG-BLUE", "TEA", *extra)]
    document = CatalogDocument.model_validate(
        {
            "products": [product | {"launch_on": launches.get(str(product["sku"]))} for product in products],
            "kits": [{"sku": "SET", "components": [{"sku": "MUG-RED", "quantity": 2}, {"sku": "TEA", "quantity": 1}]}],
        }
    )
    return compile_catalog(document, 1)


@dataclass
class Known:
    """A world whose catalog can be changed by a test."""

    catalog: Catalog
    days: NetworkDays = field(default_factory=lambda: NetworkDays(compile_network(network_document(), 1)))

    @property
    def network(self) -> Network:
        return self.days.network


@pytest.fixture
def known() -> Known:
    return Known(catalog=catalog())


@pytest.fixture
def service(known: Known) -> InventoryService:
    clock = SettableClock(NOW)

    async def world() -> Known:
        return known

    return InventoryService(MemoryInventoryStore(clock), world=world, clock=clock)


def position(**fields: Any) -> PositionCount:
    return PositionCount(**{"node_id": "berlin", "sku": "TEA", "on_hand": 10} | fields)


def change(**fields: Any) -> Adjustment:
    return Adjustment(**{"node_id": "berlin", "sku": "TEA", "delta": 1, "reason": "found"} | fields)


def supply(**fields: Any) -> Supply:
    usual = {"supply_id": "po-1", "node_id": "berlin", "sku": "TEA", "quantity": 5, "expected_on": date(2026, 3, 9)}
    return Supply(**usual | fields)


def line(**fields: Any) -> HoldLine:
    return HoldLine(**{"node_id": "berlin", "sku": "TEA", "quantity": 1} | fields)


async def faults(call: Callable[[Any], Any], argument: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        await call(argument)
    return {fault.path: fault.message for fault in refusal.value.faults}


async def test_unknown_names_come_with_the_nearest_known_one(service: InventoryService) -> None:
    found = await faults(service.put_positions, [position(), position(node_id="berlim"), position(sku="MUG-RDE")])
    assert found == {
        "$.positions[1].node_id": "there is no node 'berlim'; did you mean 'berlin'?",
        "$.positions[2].sku": "there is no product 'MUG-RDE'; did you mean 'MUG-RED'?",
    }


async def test_a_kit_is_not_a_position_and_its_products_are_named(service: InventoryService) -> None:
    for call, wrong in ((service.put_positions, position(sku="SET")), (service.hold, line(sku="SET"))):
        (message,) = (await faults(call, [wrong])).values()
        assert message == "'SET' is a kit and has no stock of its own; name its products: 2 × MUG-RED, 1 × TEA"
    with pytest.raises(NotFound, match="is a kit"):
        await service.positions("SET")


@pytest.mark.parametrize(
    ("what", "argument", "path", "value"),
    [
        ("put_positions", position(on_hand=-1), "$.positions[0].on_hand", "-1"),
        ("put_positions", position(on_hand=MAX_UNITS + 1), "$.positions[0].on_hand", "2147483648"),
        ("put_positions", position(safety_stock=-2), "$.positions[0].safety_stock", "-2"),
        ("put_positions", position(expected_version=-3), "$.positions[0].expected_version", "-3"),
        ("adjust", change(delta=2**31), "$.adjustments[0].delta", "2147483648"),
        ("adjust", change(delta=0), "$.adjustments[0].delta", "0 changes nothing"),
        ("adjust", change(reason=" "), "$.adjustments[0].reason", "' '"),
        ("put_supplies", supply(quantity=-1), "$.supplies[0].quantity", "-1"),
        ("put_supplies", supply(quantity=10**6 + 1), "$.supplies[0].quantity", "1000001"),
        ("put_supplies", supply(supply_id=""), "$.supplies[0].supply_id", "empty"),
        ("hold", line(quantity=0), "$.lines[0].quantity", "0"),
        ("hold", line(quantity=10**6 + 1), "$.lines[0].quantity", "1000001"),
        ("hold", line(ship_on=date(2026, 2, 28)), "$.lines[0].ship_on", "2026-02-28"),
        ("hold", line(ship_on=date(2029, 3, 2)), "$.lines[0].ship_on", "2029-03-02"),
    ],
)
async def test_a_number_or_date_out_of_range_is_named(
    service: InventoryService, what: str, argument: Any, path: str, value: str
) -> None:
    found = await faults(getattr(service, what), [argument])
    assert list(found) == [path]
    assert value in found[path]


async def test_what_is_named_twice_in_one_request_is_refused(service: InventoryService) -> None:
    found = await faults(service.put_positions, [position(), position(node_id="tokyo"), position(on_hand=3)])
    assert found == {
        "$.positions[2]": "the position TEA at berlin is in this request already, at index 0; send it once"
    }
    assert list(await faults(service.put_supplies, [supply(), supply(quantity=2)])) == ["$.supplies[1]"]
    await service.put_supplies([supply(), supply(sku="MUG-RED")])


async def test_nothing_is_changed_when_one_line_is_wrong(service: InventoryService) -> None:
    for call, right, wrong in (
        (service.put_positions, position(), position(on_hand=-1)),
        (service.adjust, change(), change(node_id="x")),
        (service.put_supplies, supply(), supply(sku="x")),
    ):
        await faults(call, [right, wrong])
    assert await service.positions("TEA") == ()


async def test_a_hold_needs_lines_and_a_time_to_live_in_range(service: InventoryService) -> None:
    assert list(await faults(service.hold, [])) == ["$.lines"]
    for seconds in (0, 3601, float("nan")):
        with pytest.raises(InvalidInput, match=r"\$\.ttl_seconds"):
            await service.hold([line()], ttl_seconds=seconds)
        with pytest.raises(InvalidInput, match=r"\$\.ttl_seconds"):
            await service.extend("res_1", ttl_seconds=seconds)


async def test_a_part_of_a_reservation_has_a_quantity_in_range(service: InventoryService) -> None:
    """The seeded bug: without the check, cancelling −5 units takes 5 more."""
    for call in (service.cancel, service.consume):
        with pytest.raises(InvalidInput, match=r"\$\.lines\[0\]\.quantity: -5 is out of range"):
            await call("res_1", lines=[line(quantity=-5)])


async def test_today_is_the_day_at_each_node(service: InventoryService) -> None:
    await service.put_positions([position(), position(node_id="tokyo")])
    third = date(2026, 3, 3)
    await service.hold([line(ship_on=third), line(node_id="tokyo", ship_on=third)])
    berlin, tokyo = await service.positions("TEA")
    assert (berlin.held, [demand.ship_on for demand in berlin.dated]) == (0, [third])
    assert (tokyo.held, tokyo.dated) == (1, ())


async def test_a_reservation_gets_an_id_and_lives_its_life(service: InventoryService) -> None:
    await service.put_positions([position()])
    held = (await service.hold([line(quantity=3)], reference="cart", channel="web")).value
    assert held.reservation_id.startswith("res_")
    assert await service.get(held.reservation_id) == held
    await service.extend(held.reservation_id, ttl_seconds=60)
    await service.confirm(held.reservation_id)
    await service.consume(held.reservation_id, lines=[line(quantity=1)])
    await service.cancel(held.reservation_id)
    (left,) = await service.positions("TEA")
    assert (left.on_hand, left.available) == (9, 9)
    assert await service.sweep() == 0


async def test_a_key_keeps_its_answer_when_the_catalog_has_moved(service: InventoryService, known: Known) -> None:
    known.catalog = catalog("NEW")
    await service.put_positions([position(sku="NEW")])
    key = Replay(digest="k", fingerprint="f")
    first = await service.hold([line(sku="NEW")], replay=key)
    known.catalog = catalog()
    again = await service.hold([line(sku="NEW")], replay=key)
    assert (again.value, again.replayed) == (first.value, True)
    with pytest.raises(InvalidInput):
        await service.hold([line(sku="NEW")], replay=Replay(digest="other", fingerprint="f"))


async def test_stock_of_a_product_that_left_the_catalog_can_still_be_read(
    service: InventoryService, known: Known
) -> None:
    known.catalog = catalog("OLD")
    await service.put_positions([position(sku="OLD")])
    known.catalog = catalog()
    assert [found.on_hand for found in await service.positions("OLD")] == [10]
    with pytest.raises(NotFound, match="no product 'MUG-RDE'; did you mean 'MUG-RED'"):
        await service.positions("MUG-RDE")


async def test_a_request_full_of_faults_names_a_bounded_number_of_them(service: InventoryService) -> None:
    wrong: Sequence[PositionCount] = [position(sku=f"X{i}", node_id=f"Y{i}") for i in range(10_000)]
    with pytest.raises(InvalidInput) as refusal:
        await service.put_positions(wrong)
    assert len(refusal.value.faults) == MAX_FAULTS


async def test_before_its_launch_a_product_can_only_be_held_to_ship_from_that_day_on(
    service: InventoryService, known: Known
) -> None:
    """In Tokyo it is the day of the launch already; in Berlin it is tomorrow."""
    known.catalog = catalog(TEA="2026-03-03")
    await service.put_positions([position(), position(node_id="tokyo")])
    launch = date(2026, 3, 3)
    found = await faults(service.hold, [line(node_id="tokyo"), line(), line(ship_on=date(2026, 3, 2)), line(sku="TEA")])
    assert list(found) == ["$.lines[1].ship_on", "$.lines[2].ship_on", "$.lines[3].ship_on"]
    assert "'TEA' is launched on 2026-03-03; give a ship_on from that day" in found["$.lines[1].ship_on"]
    many = [Hold(reservation_id="a", lines=(line(),)), Hold(reservation_id="b", lines=(line(ship_on=launch),))]
    assert list(await faults(service.hold_many, many)) == ["$.reservations[0].lines[0].ship_on"]
    held = (await service.hold([line(node_id="tokyo"), line(ship_on=launch)])).value
    await service.cancel(held.reservation_id, lines=[line(ship_on=launch)])


async def test_a_preorder_may_be_pegged_to_a_supply_and_ships_when_both_have_come(
    service: InventoryService, known: Known
) -> None:
    known.catalog = catalog(TEA="2026-03-20")
    await service.put_supplies([supply()])
    assert list(await faults(service.hold, [line(supply_id="po-1")])) == ["$.lines[0].ship_on"]
    launch = date(2026, 3, 20)
    held = (await service.hold([line(supply_id="po-1", ship_on=launch)])).value
    await service.put_supplies([supply(expected_on=date(2026, 3, 12))])
    assert (await service.get(held.reservation_id)).lines[0].ship_on == launch
    await service.put_supplies([supply(expected_on=date(2026, 3, 25))])
    assert (await service.get(held.reservation_id)).lines[0].ship_on == date(2026, 3, 25)


async def test_a_limit_counts_the_open_holds_of_whoever_holds(known: Known) -> None:
    clock = SettableClock(NOW)

    async def world() -> Known:
        return known

    service = InventoryService(MemoryInventoryStore(clock), world=world, clock=clock, most_open_holds=1)
    await service.put_positions([position()])
    await service.hold([line()])
    with pytest.raises(TooManyHolds, match="'anonymous' has 1 open hold, and 1 may"):
        await service.hold([line()])
    with holding_as("key_ben"):
        await service.hold([line()])
        many = [Hold(reservation_id="a", lines=(line(),))]
        assert isinstance((await service.hold_many(many)).value[0], TooManyHolds)
