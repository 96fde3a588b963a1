"""Hubs: golden cases that can be added up by hand (the world is described in conftest.py).

Node `a`, 0 km from the customer, is a hub: 3 cents for each unit that others send. `b`, 850 km away, sends to it every
day: one day, there at 07:00, 150 cents and 5 for each unit. A cup is at `a`, a saucer at `b`, 400 g each. It is noon.

Two parcels: 500 + 100 + 10 from a, in two days, and 900 + 100 + 10 from b, in four; 50 for the split: 1670. One by the
hub: 500 for 800 g and 100 there; 10 + 10 + 3 for units; 150 + 5 for the transfer: 778, and it leaves tomorrow.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from engine.errors import InsufficientStock, PromiseStale
from engine.inventory.model import Hold, HoldLine
from engine.promising.get_it_by import GetItByRequest, GetItByService, PageLine
from engine.promising.model import Destination, Option, OptionCost

ORDER = (("cup", 1), ("saucer", 1))
GROUND = {"service_levels": ("standard",)}


@pytest.fixture
def hub(network: Any) -> Any:
    network["nodes"][0]["hub"] = {"unit_cost_cents": 3}
    transfer = {"from_node_id": "b", "to_node_id": "a", "calendar": "daily", "transit_days": 1, "arrives_at": "07:00"}
    network["transfers"] = [transfer | {"cost_cents": 150, "unit_cost_cents": 5}]
    return network


@pytest_asyncio.fixture
async def stocked(world: Any, hub: Any) -> Any:
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    return world


def told(option: Option) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """(hub or node, days until it leaves, what others send and when) of each parcel."""
    return [
        (s.node_id, s.ship_on.day - 4, [(t.node_id, t.ship_on.day - 4) for t in s.consolidates or ()])
        for s in option.shipments
    ]


async def test_one_parcel_from_the_hub_is_cheaper_than_two(stocked: Any, day: Any) -> None:
    (option,) = (await stocked.promise(*ORDER, **GROUND)).options
    assert (option.total_cost_cents, option.promised_on) == (778, day(3))
    assert option.cost == OptionCost(
        shipping_cents=500, handling_cents=100, units_cents=23, split_cents=0, transfer_cents=155
    )
    assert option.labels == ("cheapest", "fastest", "fewest_shipments")
    (shipment,) = option.shipments
    assert (shipment.node_id, shipment.service, shipment.ship_on) == ("a", "ground", day(1))
    assert [line.sku for line in shipment.lines] == ["cup", "saucer"]
    (transfer,) = shipment.consolidates
    assert (transfer.node_id, transfer.ship_on, transfer.available_on) == ("b", day(0), day(1))
    assert ([line.sku for line in transfer.lines], transfer.transfer_cents) == (["saucer"], 155)


async def test_every_plan_that_no_other_beats_is_offered(stocked: Any, day: Any) -> None:
    """By air the parcel of the hub comes a day earlier, for 1500 more; two by air tomorrow: 2 × 2110 + 50."""
    options = (await stocked.promise(*ORDER)).options
    assert [(o.total_cost_cents, o.promised_on, told(o)) for o in options] == [
        (778, day(3), [("a", 1, [("b", 0)])]),
        (2278, day(2), [("a", 1, [("b", 0)])]),
        (4270, day(1), [("a", 0, []), ("b", 0, [])]),
    ]


async def test_without_a_hub_two_parcels_are_sent_and_no_word_is_said(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    promise = await world.promise(*ORDER, explain=True, **GROUND)
    (option,) = promise.options
    assert (option.total_cost_cents, option.promised_on, len(option.shipments)) == (1670, day(4), 2)
    said = msgspec.json.encode(promise)
    assert not any(word in said for word in (b"consolidates", b"transfer_cents", b"hubs"))


@pytest.mark.parametrize(
    ("change", "leaves", "on"),
    [
        ({"arrives_at": "14:59"}, 0, 1),
        ({"arrives_at": "15:00"}, 0, 2),  # the hub's cut-off
        ({"arrives_at": "16:00"}, 0, 2),
        ({"transit_days": 0, "arrives_at": "14:00"}, 0, 0),
        ({"cut_off": "12:00"}, 1, 2),  # it has left
        ({"cut_off": "12:01"}, 0, 1),
        ({"transit_days": 3}, 0, 3),
        ({"arrives_at": None}, 0, 1),
    ],
)
async def test_when_what_is_sent_goes_on(
    world: Any, hub: Any, day: Any, change: dict[str, Any], leaves: int, on: int
) -> None:
    hub["transfers"][0] |= change
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    options = (await world.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert [told(option) for option in options] == [[("a", on, [("b", leaves)])]]
    assert options[0].promised_on == day(on + 2)


@pytest.mark.parametrize(("pick_up", "on"), [("06:59", 2), ("07:00", 2), ("07:01", 1)])
async def test_a_service_that_has_been_at_the_hub_comes_again_the_next_day(
    world: Any, hub: Any, pick_up: str, on: int
) -> None:
    hub["services"][0]["cut_off"] = pick_up
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    (option,) = (await world.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert told(option) == [("a", on, [("b", 0)])]


async def test_calendars_of_node_transfer_and_hub_count(world: Any, hub: Any) -> None:
    """Friday noon: the transfer, on weekdays, leaves today and is there on Monday; the hub is closed until Wednesday.

    It takes one more working day of the hub to pack: Thursday the 12th.
    """
    hub["calendars"].append({"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"]})
    hub["nodes"][0] |= {"closures": [{"from": "2026-03-09", "to": "2026-03-10"}], "hub": {"processing_days": 1}}
    hub["transfers"][0]["calendar"] = "weekdays"
    await world.put_network(hub)
    await world.stock(("b", "cup", 5), ("b", "saucer", 5))
    world.clock.advance(datetime(2026, 3, 6, 17, tzinfo=UTC) - world.clock.now())
    (option,) = [o for o in (await world.promise(*ORDER)).options if o.shipments[0].node_id == "a"]
    (transfer,) = option.shipments[0].consolidates
    assert (transfer.ship_on.day, transfer.available_on.day, option.shipments[0].ship_on.day) == (6, 12, 12)


async def test_each_node_has_its_own_day(world: Any, hub: Any, day: Any) -> None:
    """Noon of the 4th in New York is 02:00 of the 5th in Tokyo, where the hub is: what b sends is there on the 6th."""
    hub["nodes"][0]["time_zone"] = "Asia/Tokyo"
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    (option,) = (await world.promise(*ORDER, max_shipments=1, **GROUND)).options
    (transfer,) = option.shipments[0].consolidates
    assert (transfer.ship_on, transfer.available_on) == (day(0), day(2))


async def test_what_comes_later_waits_at_its_node(stocked: Any, day: Any) -> None:
    await stocked.stock(("b", "saucer", 0))
    await stocked.supply("b", "saucer", 3, in_days=4)
    (option,) = (await stocked.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert told(option) == [("a", 5, [("b", 4)])]
    assert option.promised_on == day(7)


async def test_a_full_node_sends_on_the_next_day_with_room(stocked: Any, hub: Any) -> None:
    hub["nodes"][1]["capacity_parcels"] = 2
    await stocked.put_network(hub)
    await stocked.busy("b", 0, 9, 2)
    (option,) = (await stocked.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert told(option) == [("a", 2, [("b", 1)])]


async def test_a_node_out_of_reach_sends_all_the_same(world: Any, hub: Any, day: Any) -> None:
    """Within 500 km of the customer there is only the hub."""
    hub["policy"]["max_distance_km"] = 500
    await world.put_network(hub)
    await world.stock(("b", "saucer", 5))
    (option,) = (await world.promise(("saucer", 1), **GROUND)).options
    assert (told(option), option.total_cost_cents) == ([("a", 1, [("b", 0)])], 500 + 100 + 13 + 155)
    late = await world.promise(("saucer", 1), need_by=day(2), **GROUND)
    assert [(line.reason, line.available_on) for line in late.unavailable] == [("after_need_by", day(3))]
    (gone,) = (await world.promise(("saucer", 1), to=Destination(latitude=0.0, longitude=0.0))).unavailable
    assert gone.reason == "too_far"


async def test_a_hub_that_may_not_be_used_packs_nothing(world: Any, hub: Any) -> None:
    hub["groups"] = [{"group": "others", "node_ids": ["b", "shop"]}]
    await world.put_network(hub)
    await world.stock(("shop", "cup", 5), ("b", "saucer", 5))
    (option,) = (await world.promise(*ORDER, group="others", **GROUND)).options
    assert [shipment.node_id for shipment in option.shipments] == ["b", "shop"]


async def test_long_orders_are_merged_for_hubs_too(world: Any, hub: Any) -> None:
    hub["policy"]["max_distance_km"] = 500
    await world.put_network(hub)
    skus = [f"part-{i:02d}" for i in range(14)]
    await world.stock(*(("b" if i % 2 else "a", sku, 5) for i, sku in enumerate(skus)))
    (option,) = (await world.promise(*((sku, 1) for sku in skus), **GROUND)).options
    assert told(option) == [("a", 1, [("b", 0)])]
    assert len(option.shipments[0].lines) == 14
    assert len(option.shipments[0].consolidates[0].lines) == 7


async def test_a_vendor_that_sends_lowers_the_confidence(world: Any, hub: Any) -> None:
    hub["nodes"][1] |= {"kind": "vendor", "acceptance": 0.8}
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    (option,) = (await world.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert option.confidence == pytest.approx(0.9 * 0.8)


# Reserving.


async def test_a_reservation_holds_where_the_units_are(stocked: Any, day: Any) -> None:
    """Each node ships what it has on its own day, so that its capacity counts on that day."""
    promise = await stocked.promise(*ORDER, **GROUND)
    held = await stocked.service.promised_hold(promise.promise_id, "opt_1")
    assert sorted(held.lines, key=lambda line: line.node_id) == [
        HoldLine(sku="cup", quantity=1, node_id="a", ship_on=day(1)),
        HoldLine(sku="saucer", quantity=1, node_id="b", ship_on=day(0)),
    ]
    assert held.promised_on == day(3)
    today = dict.fromkeys(("a", "b"), day(0).toordinal())
    await stocked.inventory.hold(Hold(reservation_id="res_1", lines=held.lines), today=today)
    await stocked.stock(("b", "saucer", 1))
    with pytest.raises(InsufficientStock):
        await stocked.inventory.hold(Hold(reservation_id="res_2", lines=held.lines), today=today)


async def test_a_service_with_other_windows_for_each_node_goes_on_from_a_hub(world: Any, hub: Any, day: Any) -> None:
    """Seeded bug: the pick-ups of a copy of a service are looked up under the number of the copy."""
    window = {"from": "18:00", "to": "20:00", "capacity": 5, "service": "ground"}
    hub["slots"] = [
        {"slot": "saturday", "node_id": "a", "days": ["sat"], **window},
        {"slot": "evening", "node_id": "b", **window},
    ]
    await world.put_network(hub)
    await world.stock(("a", "cup", 5), ("b", "saucer", 5))
    promise = await world.promise(*ORDER, explain=True, **GROUND)
    (option,) = [option for option in promise.options if option.shipments[0].consolidates]
    assert (option.total_cost_cents, option.promised_on) == (778, day(3))  # a Saturday
    assert [found.slot_id for found in option.slots] == ["saturday@2026-03-07"]
    assert promise.explanation.hubs[0].standing == "chosen"


async def test_a_page_where_no_service_goes_on_from_the_hub(stocked: Any) -> None:
    """Seeded bug: lanes of transfers without a service to take them on."""
    pages = GetItByService(reference=stocked.reference, inventory=stocked.inventory, clock=stocked.clock)
    here = Destination(latitude=40.0, longitude=-75.0)
    page = await pages.get_it_by(
        GetItByRequest(lines=(PageLine(sku="saucer"),), destination=here, service_levels=("same_day",))
    )
    assert [(line.earliest, line.reason) for line in page.lines] == [(None, "no_service")]


async def test_kits_are_held_as_their_products(stocked: Any, day: Any) -> None:
    """Two cups and a saucer from b, with a spoon that the hub has."""
    await stocked.stock(("b", "cup", 2), ("a", "cup", 0), ("a", "spoon", 1))
    promise = await stocked.promise(("set", 1), ("spoon", 1), max_shipments=1, **GROUND)
    held = await stocked.service.promised_hold(promise.promise_id, "opt_1")
    assert {(line.sku, line.quantity, line.node_id, line.ship_on) for line in held.lines} == {
        ("cup", 2, "b", day(0)),
        ("saucer", 1, "b", day(0)),
        ("spoon", 1, "a", day(1)),
    }


@pytest.mark.parametrize(
    ("wait", "change", "message"),
    [
        (0, None, None),
        (9, None, None),
        (11, None, "b sends to a on 2026-03-05 at the earliest; promised was 2026-03-04"),
        (0, "transfers", "b does not send to a any more"),
        (0, "to_node_id", "b does not send to a any more"),
    ],
)
async def test_an_option_is_stale_when_its_transfer_has_left(
    stocked: Any, hub: Any, wait: int, change: str | None, message: str | None
) -> None:
    stocked.clock.advance(timedelta(hours=2, minutes=50))
    promise = await stocked.promise(*ORDER, max_shipments=1, **GROUND)
    stocked.clock.advance(timedelta(minutes=wait))
    if change == "transfers":
        hub["transfers"] = []
    elif change == "to_node_id":
        hub["transfers"][0]["from_node_id"] = "shop"
    await stocked.put_network(hub)
    if message is None:
        assert await stocked.service.promised_hold(promise.promise_id, "opt_1")
        return
    with pytest.raises(PromiseStale, match=message):
        await stocked.service.promised_hold(promise.promise_id, "opt_1")


# Explaining.


async def explained(world: Any, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    explanation = (await world.promise(*ORDER, explain=True, **(GROUND | more))).explanation
    return {node.node_id: node for node in explanation.nodes}, {found.node_id: found for found in explanation.hubs}


async def test_a_hub_says_in_which_options_it_packs(stocked: Any) -> None:
    nodes, hubs = await explained(stocked)
    assert (hubs["a"].standing, hubs["a"].option_ids, hubs["a"].cost_difference_cents) == ("chosen", ("opt_1",), 0)
    assert (nodes["a"].standing, nodes["b"].standing) == ("chosen", "chosen")
    assert nodes["b"].why == "it sends to a hub in opt_1"


async def test_a_hub_says_what_it_would_have_cost_more(stocked: Any) -> None:
    """All from a: 500 + 100 + 20. With the saucer of b it takes 778."""
    await stocked.stock(("a", "saucer", 5))
    _, hubs = await explained(stocked)
    assert (hubs["a"].standing, hubs["a"].binding, hubs["a"].cost_difference_cents) == ("eligible", "cost", 158)
    assert "costs 158 cents more" in hubs["a"].why


async def test_what_stands_in_the_way_of_a_hub(stocked: Any, hub: Any, day: Any) -> None:
    _, hubs = await explained(stocked, need_by=day(2))
    assert (hubs["a"].standing, hubs["a"].binding) == ("calendar", "need_by")
    assert "2026-03-07" in hubs["a"].why
    await stocked.stock(("b", "saucer", 0))
    _, hubs = await explained(stocked)
    assert (hubs["a"].standing, hubs["a"].binding) == ("no_stock", "stock")
    _, hubs = await explained(stocked, to=Destination(latitude=0.0, longitude=0.0))
    assert (hubs["a"].standing, hubs["a"].binding) == ("distance", "reach")
    hub["groups"] = [{"group": "hub", "node_ids": ["a"]}, {"group": "others", "node_ids": ["b", "shop"]}]
    await stocked.put_network(hub)
    _, hubs = await explained(stocked, group="hub")
    assert (hubs["a"].standing, hubs["a"].why) == ("policy", "none of the nodes that this promise may use sends to it")
    _, hubs = await explained(stocked, group="others")
    assert (hubs["a"].standing, hubs["a"].binding) == ("policy", "group")


async def test_an_option_is_valid_until_its_transfer_has_left(stocked: Any, hub: Any) -> None:
    """What b sends leaves at 12:10; two parcels leave at 15:00, and are valid as long as the promise."""
    hub["transfers"][0]["cut_off"] = "12:10"
    await stocked.put_network(hub)
    valid = {bool(o.shipments[0].consolidates): o.valid_until for o in (await stocked.promise(*ORDER)).options}
    assert valid == {
        True: datetime(2026, 3, 4, 17, 10, tzinfo=UTC),
        False: datetime(2026, 3, 4, 17, 15, tzinfo=UTC),
    }


async def test_a_parcel_of_a_hub_waits_for_a_slot_of_the_hub(stocked: Any, hub: Any, day: Any) -> None:
    """Ground delivers from a on Mondays only, in slots; from other nodes on any day. It would be there on Saturday."""
    slot = {"slot": "monday", "service": "ground", "node_id": "a", "days": ["mon"], "from": "08:00", "to": "10:00"}
    hub["slots"] = [slot | {"capacity": 5}]
    await stocked.put_network(hub)
    (option,) = (await stocked.promise(*ORDER, max_shipments=1, **GROUND)).options
    assert (told(option), option.promised_on) == ([("a", 1, [("b", 0)])], day(5))
    assert [found.slot_id for found in option.slots] == ["monday@2026-03-09"]
