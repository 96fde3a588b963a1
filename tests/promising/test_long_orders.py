"""Orders beyond ten lines: merged lines give true plans, and nothing that can be served is lost."""

from __future__ import annotations

from typing import Any

from engine.promising.model import Option


def parts(numbers: range) -> list[tuple[str, int]]:
    return [(f"part-{number:02d}", 1) for number in numbers]


def served(option: Option) -> list[str]:
    return sorted(line.sku for parcel in option.shipments for line in parcel.lines)


def nodes_of(option: Option) -> list[str]:
    return sorted(parcel.node_id for parcel in option.shipments)


async def test_forty_lines_at_one_node_are_one_parcel(world: Any) -> None:
    await world.stock(*(("a", sku, 5) for sku, _ in parts(range(40))))
    promise = await world.promise(*parts(range(40)))
    assert promise.unavailable == ()
    assert nodes_of(promise.options[0]) == ["a"]
    assert len(served(promise.options[0])) == 40


async def test_lines_of_three_nodes_are_three_parcels(world: Any) -> None:
    for node, numbers in (("a", range(13)), ("b", range(13, 26)), ("shop", range(26, 40))):
        await world.stock(*((node, sku, 5) for sku, _ in parts(numbers)))
    promise = await world.promise(*parts(range(40)))
    assert promise.unavailable == ()
    assert nodes_of(promise.options[0]) == ["a", "b", "shop"]


async def test_merging_does_not_make_a_parcel_too_heavy(world: Any) -> None:
    """Thirty lines of 400 g: no service carries them all in one parcel, but all three nodes have them all."""
    lines = parts(range(30))
    for node in ("a", "b", "shop"):
        await world.stock(*((node, sku, 50) for sku, _ in lines))
    promise = await world.promise(*((sku, 20) for sku, _ in lines))
    assert promise.unavailable == ()
    assert len(nodes_of(promise.options[0])) == 3
    assert len(served(promise.options[0])) == 30


async def test_missing_lines_do_not_stop_the_others_unless_complete(world: Any) -> None:
    await world.stock(*(("a", sku, 5) for sku, _ in parts(range(14))))
    promise = await world.promise(*parts(range(16)))
    assert len(served(promise.options[0])) == 14
    assert {line.reason for line in promise.unavailable} == {"no_stock"}
    complete = await world.promise(*parts(range(16)), ship_complete=True)
    assert complete.options == ()
    assert len(complete.unavailable) == 16


async def test_ten_lines_are_kept_apart(world: Any) -> None:
    """Each of ten lines could go with its neighbours or alone; merging must not begin before the limit."""
    await world.stock(*(("a", sku, 5) for sku, _ in parts(range(5))), *(("b", sku, 5) for sku, _ in parts(range(10))))
    promise = await world.promise(*parts(range(10)))
    assert nodes_of(promise.options[0]) == ["b"]
    assert promise.unavailable == ()


async def test_more_parcels_than_the_programme_keeps_apart_are_over_the_limit(world: Any, network: Any) -> None:
    """Twelve nodes with one line each: ten parcels at most, and the lines left over say so."""
    network["nodes"] = [{**network["nodes"][0], "node_id": f"n{number:02d}"} for number in range(12)]
    network["groups"] = []
    await world.put_network(network)
    await world.stock(*((f"n{number:02d}", f"part-{number:02d}", 5) for number in range(12)))
    promise = await world.promise(*parts(range(12)))
    assert len(promise.options[0].shipments) == 10
    assert [line.reason for line in promise.unavailable] == ["over_max_shipments"] * 2
