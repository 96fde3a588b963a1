"""What is kept back by rule: of a node's kind and a product's class, and in every hold; on every store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.catalog.model import compile_catalog
from engine.errors import InsufficientStock, InvalidInput
from engine.inventory.buffers import buffers_of, kept_at
from engine.inventory.model import Hold, Reservation, Supply
from engine.inventory.rules import UnitRules
from engine.network.checks import check_network
from engine.network.document import NetworkDocument
from engine.network.model import compile_network

PLACE = ("mug", "berlin")


def network(*rules: dict[str, Any]) -> NetworkDocument:
    node = {"latitude": 50, "longitude": 10, "time_zone": "UTC", "calendar": "daily"}
    return NetworkDocument.model_validate(
        {
            "nodes": [
                node | {"node_id": "shop", "kind": "store"},
                node | {"node_id": "depot", "kind": "dc"},
                node | {"node_id": "corner", "kind": "store"},
            ],
            "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
            "policy": {"buffers": list(rules)},
        }
    )


def compiled(*rules: dict[str, Any]) -> UnitRules | None:
    products = [{"sku": "mug", "weight_g": 1, "class": "fragile"}, {"sku": "tea", "weight_g": 1, "class": "food"}]
    catalog = CatalogDocument.model_validate({"products": [*products, {"sku": "pot", "weight_g": 1}]})
    return buffers_of(compile_network(network(*rules), 1), compile_catalog(catalog, 1))


def test_without_rules_there_are_no_buffers_at_all() -> None:
    assert compiled() is None


def test_the_largest_rule_that_fits_counts() -> None:
    buffers = compiled(
        {"node_kind": "store", "units": 2},
        {"sku_class": "fragile", "units": 3},
        {"node_kind": "store", "sku_class": "fragile", "units": 5},
        {"node_kind": "dc", "sku_class": "food", "units": 4},
        {"node_kind": "vendor", "units": 9},
        {"units": 1},
    )
    assert buffers is not None
    skus, nodes = ("mug", "tea", "pot", "not in the catalog"), ("shop", "depot", "corner")
    table = [[5, 3, 5], [2, 4, 2], [2, 1, 2], [2, 1, 2]]
    assert buffers.of_skus(skus).tolist() == table
    assert [[buffers.of(sku, node_id) for node_id in nodes] for sku in skus] == table
    assert buffers.of("mug", "closed") == 0


def test_only_positions_with_a_buffer_are_named() -> None:
    buffers = compiled({"node_kind": "store", "units": 2})
    assert buffers is not None
    assert kept_at(buffers, [("mug", "shop"), ("mug", "depot"), ("mug", "shop")]) == {("mug", "shop"): 2}


def test_two_rules_for_the_same_are_refused() -> None:
    rules = [{"node_kind": "dc", "units": 1}, {"units": 1}, {"node_kind": "dc", "units": 2}]
    assert [fault.path for fault in check_network(network(*rules))] == ["$.policy.buffers[2]"]
    with pytest.raises(ValueError, match="sku_clas"):
        network({"sku_clas": "fragile", "units": 1})


async def hold(stock: Any, name: str, *lines: Any, buffer: int) -> Reservation:
    wanted = Hold(reservation_id=name, lines=lines)
    found: Reservation = (await stock.store.hold(wanted, today=stock.today, buffers={PLACE: buffer})).value
    return found


@pytest.mark.parametrize(("safety_stock", "buffer", "free"), [(0, 4, 6), (4, 0, 6), (3, 4, 6), (4, 3, 6), (0, 12, -2)])
async def test_a_hold_leaves_the_larger_of_safety_stock_and_buffer(
    stock: Any, safety_stock: int, buffer: int, free: int
) -> None:
    """The seeded bug: the sum of the two is kept back, or the fast way to take units looks at safety stock alone."""
    await stock.count(10, safety_stock=safety_stock)
    with pytest.raises(InsufficientStock) as refusal:
        await hold(stock, "a", stock.line(max(free, 0) + 1), buffer=buffer)
    assert refusal.value.lines[0].available == free
    if free > 0:
        await hold(stock, "b", stock.line(free), buffer=buffer)
        with pytest.raises(InsufficientStock):
            await hold(stock, "c", stock.line(1), buffer=buffer)
        if buffer > safety_stock:
            await hold(stock, "c", stock.line(1), buffer=0)


async def test_a_buffer_is_kept_back_on_later_days_too(stock: Any) -> None:
    await stock.count(1)
    supply = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=5, expected_on=stock.day(3))
    await stock.store.put_supplies([supply], today=stock.today)
    with pytest.raises(InsufficientStock):
        await hold(stock, "a", stock.line(4, ship_on=stock.day(3)), buffer=3)
    await hold(stock, "b", stock.line(3, ship_on=stock.day(3)), buffer=3)


async def test_a_hold_that_comes_again_after_a_rule_has_changed_is_the_same_hold(stock: Any) -> None:
    await stock.count(10)
    first = await hold(stock, "a", stock.line(6), buffer=4)
    assert await hold(stock, "a", stock.line(6), buffer=9) == first


async def test_each_hold_of_many_leaves_the_buffer(stock: Any) -> None:
    await stock.count(10)
    await stock.count(10, sku="cup")
    lines = (stock.line(3), stock.line(3, "cup"))
    holds = [Hold(reservation_id=f"r{n}", lines=lines) for n in range(3)]
    verdicts = (await stock.store.hold_many(holds, today=stock.today, buffers={PLACE: 4, ("cup", "rome"): 9})).value
    assert [type(verdict) for verdict in verdicts] == [Reservation, Reservation, InsufficientStock]
    assert [(line.sku, line.available) for line in verdicts[2].lines] == [("mug", 0)]
    again = (await stock.store.hold_many([replace(holds[2], reservation_id="r3")], today=stock.today)).value
    assert isinstance(again[0], Reservation)


def test_a_rule_needs_units() -> None:
    with pytest.raises((InvalidInput, ValueError), match="units"):
        network({"node_kind": "dc"})
