"""Kits that may be split, least quantities, products made to order, substitutes with consent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.inventory.model import Hold
from engine.promising.model import Promise


def lines_of(promise: Promise) -> list[list[tuple[str, str, int]]]:
    """By option, each line as (node, SKU, quantity)."""
    return [sorted((p.node_id, li.sku, li.quantity) for p in o.shipments for li in p.lines) for o in promise.options]


def reasons(promise: Promise) -> list[tuple[str, int, str]]:
    return [(line.sku, line.quantity, line.reason) for line in promise.unavailable]


async def test_a_kit_that_may_be_split_ships_from_several_nodes(world: Any, catalog: Any) -> None:
    await world.stock(("a", "cup", 4), ("shop", "saucer", 2))
    assert reasons(await world.promise(("set", 2))) == [("set", 2, "no_stock")]
    catalog["kits"][0]["ships_split"] = True
    await world.put_catalog(catalog)
    promise = await world.promise(("set", 2))
    assert lines_of(promise)[0] == [("a", "cup", 4), ("shop", "saucer", 2)]
    assert {(li.kit, li.line_id) for p in promise.options[0].shipments for li in p.lines} == {("set", "1")}
    held = (await world.service.promised_hold(promise.promise_id, "opt_1")).lines
    assert {(line.sku, line.quantity, line.node_id) for line in held} == {("cup", 4, "a"), ("saucer", 2, "shop")}


async def test_a_kit_is_never_promised_in_part(world: Any, catalog: Any) -> None:
    catalog["kits"][0]["ships_split"] = True
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 9), ("a", "spoon", 1))
    promise = await world.promise(("set", 2), ("spoon", 1))
    assert lines_of(promise)[0] == [("a", "spoon", 1)]
    assert reasons(promise) == [("set", 2, "no_stock")]
    assert reasons(await world.promise(("set", 1), max_shipments=1)) == [("set", 1, "no_stock")]
    await world.stock(("b", "saucer", 9))
    assert reasons(await world.promise(("set", 1), max_shipments=1)) == [("set", 1, "over_max_shipments")]


async def test_a_kit_in_an_order_of_many_lines_ships_from_one_node(world: Any, catalog: Any) -> None:
    catalog["kits"][0]["ships_split"] = True
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 9), ("b", "saucer", 9), *(("a", f"part-{i:02d}", 1) for i in range(10)))
    promise = await world.promise(("set", 1), *((f"part-{i:02d}", 1) for i in range(10)))
    assert reasons(promise) == [("set", 1, "no_stock")]


@pytest.mark.parametrize(("quantity", "reason"), [(4, "below_minimum"), (6, None), (7, "not_a_multiple"), (8, None)])
async def test_least_quantities_and_multiples(world: Any, catalog: Any, quantity: int, reason: str | None) -> None:
    catalog["products"][0] |= {"min_quantity": 6, "quantity_step": 2}
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 99), ("a", "spoon", 9))
    promise = await world.promise(("cup", quantity), ("spoon", 1))
    assert reasons(promise) == ([] if reason is None else [("cup", quantity, reason)])
    assert ("a", "spoon", 1) in lines_of(promise)[0]
    complete = await world.promise(("cup", quantity), ("spoon", 1), ship_complete=True)
    assert bool(complete.options) == (reason is None)


async def test_lines_of_one_sku_count_together_and_kits_do_not_count(world: Any, catalog: Any) -> None:
    catalog["products"][0] |= {"min_quantity": 4}
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 99), ("a", "saucer", 9))
    assert reasons(await world.promise(("cup", 2), ("cup", 2))) == []
    assert reasons(await world.promise(("cup", 2), ("set", 1))) == [("cup", 2, "below_minimum")]


async def test_what_is_made_to_order_ships_so_many_working_days_later(
    world: Any, network: Any, catalog: Any, day: Any
) -> None:
    """Wednesday 4 March; `a` works Monday to Friday: three working days after Wednesday is Monday, day 5."""
    network["calendars"].append({"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"]})
    network["nodes"][0]["calendar"] = "weekdays"
    catalog["products"][0]["made_to_order_days"] = 3
    await world.put_network(network)
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 5), ("a", "saucer", 5))
    promise = await world.promise(("cup", 1), ("saucer", 1))
    assert promise.options[0].shipments[0].ship_on == day(5)
    assert promise.options[0].promised_on == day(7)
    assert (await world.promise(("saucer", 1))).options[0].shipments[0].ship_on == day(0)
    assert (await world.promise(("set", 1))).options[0].shipments[0].ship_on == day(5)


async def test_processing_comes_before_making_and_a_later_supply_too(
    world: Any, network: Any, catalog: Any, day: Any
) -> None:
    network["nodes"][0]["processing_days"] = 2
    catalog["products"][0]["made_to_order_days"] = 3
    await world.put_network(network)
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 1))
    await world.supply("a", "cup", 4, in_days=4)
    assert (await world.promise(("cup", 1))).options[0].shipments[0].ship_on == day(5)
    assert (await world.promise(("cup", 5))).options[0].shipments[0].ship_on == day(7)


async def test_what_is_made_to_order_can_be_held(world: Any, catalog: Any, day: Any) -> None:
    catalog["products"][0]["made_to_order_days"] = 3
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 2))
    promise = await world.promise(("cup", 2))
    lines = (await world.service.promised_hold(promise.promise_id, "opt_1")).lines
    assert [line.ship_on for line in lines] == [day(3)]
    today = {"a": world.clock.now().date().toordinal()}
    await world.inventory.hold(Hold(reservation_id="res_1", lines=lines), today=today)
    assert reasons(await world.promise(("cup", 1))) == [("cup", 1, "no_stock")]


@pytest.fixture
def with_substitutes(catalog: Any) -> Any:
    """A tray may replace a cup, if not a spoon; a saucer may replace a spoon."""
    catalog["substitutes"] = [
        {"sku": "cup", "substitutes": ["tray", "spoon"]},
        {"sku": "spoon", "substitutes": ["saucer"]},
    ]
    return catalog


def taken(promise: Promise) -> list[tuple[str, str | None]]:
    return sorted((li.sku, li.substitute_for) for p in promise.options[0].shipments for li in p.lines)


async def test_a_substitute_needs_consent(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "tray", 9))
    assert reasons(await world.promise(("cup", 1))) == [("cup", 1, "no_stock")]
    refused = await world.promise(("cup", 1), substitutes=True, each={"cup": {"substitutes": False}})
    assert reasons(refused) == [("cup", 1, "no_stock")]
    for consent in ({"substitutes": True}, {"each": {"cup": {"substitutes": True}}}):
        promise = await world.promise(("cup", 1), **consent)
        assert taken(promise) == [("tray", "cup")]
        assert reasons(promise) == []


async def test_what_is_there_is_not_substituted(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "tray", 9), ("b", "cup", 1))
    assert taken(await world.promise(("cup", 1), substitutes=True)) == [("cup", None)]


async def test_the_first_substitute_that_can_be_had_is_taken(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "tray", 1), ("a", "spoon", 9), ("b", "saucer", 1))
    assert taken(await world.promise(("cup", 1), substitutes=True)) == [("tray", "cup")]
    assert taken(await world.promise(("cup", 2), substitutes=True)) == [("spoon", "cup")]
    await world.stock(("a", "spoon", 0))
    both = await world.promise(("cup", 1), ("spoon", 1), substitutes=True)
    assert taken(both) == [("saucer", "spoon"), ("tray", "cup")]


async def test_without_any_substitute_the_reason_is_of_what_was_asked(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "cup", 1), ("a", "saucer", 3))
    promise = await world.promise(("cup", 2), ("saucer", 1), substitutes=True)
    assert reasons(promise) == [("cup", 2, "insufficient_stock")]
    assert taken(promise) == [("saucer", None)]


async def test_of_a_complete_order_only_what_is_missing_is_substituted(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "tray", 9), ("a", "spoon", 9), ("a", "saucer", 9))
    promise = await world.promise(("cup", 1), ("spoon", 1), substitutes=True, ship_complete=True)
    assert taken(promise) == [("spoon", None), ("tray", "cup")]
    nothing = await world.promise(("cup", 99), ("spoon", 1), substitutes=True, ship_complete=True)
    assert nothing.options == ()
    assert reasons(nothing) == [("cup", 99, "no_stock"), ("spoon", 1, "incomplete")]


async def test_a_substitute_in_time_is_taken_for_a_line_that_is_late(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.supply("a", "cup", 5, in_days=9)
    await world.stock(("a", "tray", 9))
    need_by: date = world.clock.now().date() + timedelta(days=4)
    assert taken(await world.promise(("cup", 1), substitutes=True)) == [("cup", None)]
    assert taken(await world.promise(("cup", 1), substitutes=True, need_by=need_by)) == [("tray", "cup")]


async def test_the_substitute_is_what_is_held(world: Any, with_substitutes: Any) -> None:
    await world.put_catalog(with_substitutes)
    await world.stock(("a", "tray", 9))
    promise = await world.promise(("cup", 1), substitutes=True)
    held = (await world.service.promised_hold(promise.promise_id, "opt_1")).lines
    assert [(line.sku, line.node_id) for line in held] == [("tray", "a")]
