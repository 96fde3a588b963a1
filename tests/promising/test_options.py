"""What is promised, by cases that can be added up by hand (the world is described in conftest.py)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.catalog.document import CatalogDocument
from engine.promising.model import Destination, Option, Promise, PromiseRequest


def by_label(promise: Promise) -> dict[str, Option]:
    return {label: option for option in promise.options for label in option.labels}


def nodes_of(option: Option) -> list[str]:
    return sorted(shipment.node_id for shipment in option.shipments)


async def test_one_line_near_by(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 2))
    cheap, fast = promise.options
    assert cheap.labels == ("cheapest", "fewest_shipments")
    assert (cheap.total_cost_cents, cheap.promised_on) == (500 + 100 + 2 * 10, day(2))
    assert cheap.service_level == "standard"
    assert fast.labels == ("fastest",)
    assert (fast.total_cost_cents, fast.promised_on) == (2000 + 100 + 2 * 10, day(1))
    assert fast.service_level == "next_day"
    (parcel,) = cheap.shipments
    assert (parcel.node_id, parcel.service, parcel.carrier, parcel.ship_on) == ("a", "ground", "acme", day(0))
    assert parcel.delivery.p50 == parcel.delivery.p90 == day(2)
    assert (parcel.cost.shipping_cents, parcel.cost.handling_cents, parcel.cost.units_cents) == (500, 100, 20)
    assert [(line.line_id, line.sku, line.quantity) for line in parcel.lines] == [("1", "cup", 2)]
    assert promise.unavailable == ()
    assert cheap.confidence == 0.9


async def test_a_plan_that_is_best_in_every_way_is_one_option_with_all_labels(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), service_levels=("standard",))
    (only,) = promise.options
    assert only.labels == ("cheapest", "fastest", "fewest_shipments")


async def test_quote_limits_the_options_to_the_cheapest(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    (only,) = (await world.promise(("cup", 2), quote=1)).options
    assert only.labels == ("cheapest", "fewest_shipments")


async def test_cheapest_fastest_and_fewest_may_all_differ(world: Any, day: Any, network: Any) -> None:
    """Two near parcels and a split cost less than one from the dear node far away, which alone can fly it in one."""
    network["nodes"][1]["parcel_cost_cents"] = 400
    await world.put_network(network)
    await world.stock(("a", "cup", 1), ("shop", "saucer", 1), ("b", "cup", 1), ("b", "saucer", 1))
    promise = await world.promise(("cup", 1), ("saucer", 1))
    cheap, few, fast = promise.options
    assert [option.labels for option in promise.options] == [("cheapest",), ("fewest_shipments",), ("fastest",)]
    assert (nodes_of(cheap), cheap.promised_on) == (["a", "shop"], day(2))
    assert cheap.total_cost_cents == 2 * 500 + 2 * 100 + 2 * 10 + 50
    assert (cheap.cost.shipping_cents, cheap.cost.handling_cents, cheap.cost.units_cents) == (1000, 200, 20)
    assert cheap.cost.split_cents == 50
    assert (nodes_of(fast), fast.promised_on, fast.total_cost_cents) == (["b"], day(1), 2000 + 400 + 20)
    assert (nodes_of(few), few.promised_on, few.total_cost_cents) == (["b"], day(4), 900 + 400 + 20)


async def test_what_lies_between_is_an_option_too_and_the_best_of_it_balanced(
    world: Any, day: Any, network: Any
) -> None:
    """`rail` takes two days to far places for 950: beaten by neither ground (900, four days) nor air (2000, one)."""
    ground, air = network["services"]
    rates = [{"zone": "far", "max_weight_g": 5000, "cost_cents": 950, "transit_days": 2}]
    slow = [{"zone": "far", "max_weight_g": 5000, "cost_cents": 940, "transit_days": 3}]
    network["services"] = [ground, air, ground | {"service": "rail", "rates": rates}]
    network["services"].append(ground | {"service": "cart", "rates": slow})
    await world.put_network(network)
    await world.stock(("b", "cup", 5))
    promise = await world.promise(("cup", 1))
    found = [(o.labels, o.promised_on, o.total_cost_cents) for o in promise.options]
    assert found == [
        (("cheapest", "fewest_shipments"), day(4), 900 + 110),
        ((), day(3), 940 + 110),
        (("balanced",), day(2), 950 + 110),
        (("fastest",), day(1), 2000 + 110),
    ]
    for quote, services in ((1, ["ground"]), (2, ["ground", "air"]), (3, ["ground", "rail", "air"])):
        quoted = (await world.promise(("cup", 1), quote=quote)).options
        assert [option.shipments[0].service for option in quoted] == services


async def test_a_later_supply_gives_a_later_promise(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 1))
    await world.supply("a", "cup", 4, in_days=3)
    promise = await world.promise(("cup", 5))
    cheap, fast = promise.options
    assert (cheap.shipments[0].ship_on, cheap.promised_on) == (day(3), day(5))
    assert (fast.shipments[0].ship_on, fast.promised_on) == (day(3), day(4))


async def test_stock_that_is_due_elsewhere_later_is_not_promised_now(world: Any) -> None:
    from engine.inventory.model import Hold, HoldLine

    await world.stock(("a", "cup", 5))
    line = HoldLine(sku="cup", quantity=4, node_id="a", ship_on=world.clock.now().date().replace(day=20))
    await world.inventory.hold(
        Hold(reservation_id="res_1", lines=(line,)), today={"a": world.clock.now().date().toordinal()}
    )
    promise = await world.promise(("cup", 2))
    assert promise.options == ()
    assert promise.unavailable[0].reason == "insufficient_stock"


async def test_after_the_cut_off_everything_is_a_day_later(world: Any, day: Any) -> None:
    from datetime import timedelta

    await world.stock(("a", "cup", 5))
    world.clock.advance(timedelta(hours=3))
    promise = await world.promise(("cup", 1))
    assert by_label(promise)["cheapest"].shipments[0].ship_on == day(1)
    assert by_label(promise)["cheapest"].promised_on == day(3)


async def test_need_by_leaves_out_what_comes_too_late(world: Any, day: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), need_by=day(1))
    (only,) = promise.options
    assert only.promised_on == day(1)
    assert only.service_level == "next_day"


async def test_two_lines_of_one_sku_share_its_stock(world: Any) -> None:
    await world.stock(("a", "cup", 3), ("b", "cup", 2))
    promise = await world.promise(("cup", 2), ("cup", 2))
    assert nodes_of(by_label(promise)["cheapest"]) == ["a", "b"]


async def test_a_kit_comes_from_one_node(world: Any) -> None:
    await world.stock(("a", "cup", 2), ("shop", "saucer", 1), ("b", "cup", 2), ("b", "saucer", 1))
    promise = await world.promise(("set", 1))
    assert nodes_of(by_label(promise)["cheapest"]) == ["b"]
    (parcel,) = by_label(promise)["cheapest"].shipments
    assert [(line.sku, line.quantity) for line in parcel.lines] == [("set", 1)]
    assert parcel.cost.units_cents == 30


async def test_a_kit_and_its_component_share_stock(world: Any) -> None:
    await world.stock(("a", "cup", 3), ("a", "saucer", 1))
    promise = await world.promise(("set", 1), ("cup", 2))
    served = {line.sku for shipment in promise.options[0].shipments for line in shipment.lines}
    assert served == {"set"}  # the most units
    assert promise.unavailable[0].sku == "cup"
    assert promise.unavailable[0].reason == "insufficient_stock"


async def test_a_heavy_order_is_split_when_no_service_carries_it_whole(world: Any) -> None:
    await world.stock(("a", "cup", 10), ("shop", "saucer", 10), ("a", "saucer", 10))
    promise = await world.promise(("cup", 8), ("saucer", 8))
    assert nodes_of(by_label(promise)["fewest_shipments"]) == ["a", "shop"]


async def test_a_group_restricts_the_nodes(world: Any) -> None:
    await world.stock(("shop", "cup", 5), ("b", "cup", 5))
    assert nodes_of((await world.promise(("cup", 1))).options[0]) == ["shop"]
    assert nodes_of((await world.promise(("cup", 1), group="warehouses")).options[0]) == ["b"]


async def test_a_postal_code_is_as_good_as_coordinates(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    by_code = await world.promise(("cup", 1), to=Destination(postal_code="19003", country="US"))
    by_place = await world.promise(("cup", 1))
    assert by_code.options == by_place.options


async def test_promised_on_is_a_day_at_the_destination(world: Any, day: Any) -> None:
    """At 15:00 in New York it is 05:00 of the next day in Tokyo."""
    await world.stock(("a", "cup", 5))
    at_home = await world.promise(("cup", 1))
    abroad = await world.promise(("cup", 1), to=Destination(postal_code="1", country="JP"))
    assert by_label(at_home)["cheapest"].promised_on == day(2)
    assert by_label(abroad)["cheapest"].promised_on == day(3)
    assert by_label(abroad)["cheapest"].shipments[0].ship_on == day(0)
    named = await world.promise(("cup", 1), to=Destination(latitude=40.0, longitude=-75.0, time_zone="Asia/Tokyo"))
    assert named.options == abroad.options


async def test_a_pick_up_has_no_carrier_and_costs_the_units(world: Any, day: Any) -> None:
    await world.stock(("shop", "cup", 5), ("a", "saucer", 5))
    promise = await world.promise(("cup", 2), ("saucer", 1), to=None, pickup_node_id="shop")
    (option,) = promise.options
    (parcel,) = option.shipments
    assert (parcel.node_id, parcel.service, parcel.carrier, parcel.service_level) == ("shop", "pickup", None, "pickup")
    assert (option.total_cost_cents, option.promised_on, parcel.ship_on) == (20, day(0), day(0))
    assert option.service_level == "pickup"
    assert [(line.sku, line.reason) for line in promise.unavailable] == [("saucer", "no_stock")]


async def test_a_pick_up_waits_for_the_supply(world: Any, day: Any) -> None:
    await world.supply("shop", "cup", 5, in_days=2)
    promise = await world.promise(("cup", 2), to=None, pickup_node_id="shop")
    assert promise.options[0].promised_on == day(2)


async def test_a_new_network_counts_from_the_next_promise_on(world: Any, network: Any) -> None:
    await world.stock(("a", "cup", 5))
    before = await world.promise(("cup", 1))
    network["policy"]["max_distance_km"] = 1
    await world.put_network(network)
    after = await world.promise(("cup", 1), to=Destination(latitude=41.0, longitude=-75.0))
    assert before.options
    assert after.unavailable[0].reason == "too_far"


async def test_a_sku_that_was_added_just_now_is_known(world: Any) -> None:
    from engine.catalog.document import CatalogDocument

    await world.stock(("a", "cup", 5), ("a", "new", 5))
    await world.promise(("cup", 1))
    document = {"products": [{"sku": "new", "weight_g": 100}]}
    await world.catalogs.put(CatalogDocument.model_validate(document))
    assert (await world.promise(("new", 1))).options


async def test_the_answer_has_the_shape_of_the_contract(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    promise = await world.promise(("cup", 1), ("spoon", 1), channel="web")
    answer = msgspec.json.decode(msgspec.json.encode(promise))
    assert answer["promise_id"].startswith("prm_")
    assert (answer["as_of"], answer["expires_at"]) == ("2026-03-04T17:00:00Z", "2026-03-04T17:15:00Z")
    assert answer["binding"] is False
    assert answer["channel"] == "web"
    option = answer["options"][0]
    assert option["delivery"] == {"p50": "2026-03-06", "p90": "2026-03-06"}
    assert set(option["shipments"][0]) >= {"node_id", "service", "ship_on", "delivery", "lines", "cost"}
    assert answer["unavailable"] == [
        {"line_id": "2", "sku": "spoon", "quantity": 1, "reason": "no_stock", "available_on": None}
    ]


def test_the_request_is_read_from_the_shape_of_the_contract() -> None:
    body = b"""{
        "destination": {"latitude": 40, "longitude": -75},
        "lines": [{"line_id": "l1", "sku": "cup", "quantity": 2}],
        "channel": "web", "service_levels": ["standard"], "need_by": "2026-03-09",
        "ship_complete": true, "max_shipments": 2, "pickup_node_id": null
    }"""
    request = msgspec.json.decode(body, type=PromiseRequest)
    assert request.lines[0].line_id == "l1"
    with pytest.raises(msgspec.ValidationError, match="quantity"):
        msgspec.json.decode(body.replace(b'"quantity": 2', b'"quantity": 0'), type=PromiseRequest)


async def test_before_its_launch_a_product_is_promised_for_a_day_from_its_launch_on(world: Any, day: Any) -> None:
    """Cups lie there, may ship from day 3 on, and hold what travels with them; the kit waits for its cups."""
    await world.stock(("a", "cup", 9), ("a", "saucer", 9))
    document = (await world.catalogs.current()).document.model_dump(mode="json")
    document["products"][0]["launch_on"] = day(3).isoformat()
    await world.catalogs.put(CatalogDocument.model_validate(document))
    for lines in ([("cup", 1)], [("set", 1)], [("cup", 1), ("saucer", 1)]):
        promise = await world.promise(*lines)
        assert promise.unavailable == ()
        for option in promise.options:
            held = (await world.service.promised_hold(promise.promise_id, option.option_id)).lines
            assert {line.ship_on for line in held if line.sku == "cup"} == {day(3)}
    assert {shipment.ship_on for shipment in (await world.promise(("saucer", 1))).options[0].shipments} == {day(0)}
    late = await world.promise(("cup", 1), need_by=day(3))
    assert (late.options, late.unavailable[0].reason, late.unavailable[0].available_on) == ((), "after_need_by", day(4))
