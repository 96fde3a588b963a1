"""Own stock of a store and parcels to it, against the enumeration of who brings which line."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from engine.promising.model import Option

SKUS = ("cup", "saucer", "spoon")
READY = {"shop": 0, "a": 2, "b": 4}
"""Days until a line is ready: the shop has it, `a` is near (a day, and one to take it in), `b` is far (three)."""
SHIPPING = {"a": ((1000, 200), (5000, 450)), "b": ((1000, 700), (5000, 750))}


def cost_of(lines: dict[str, int], nodes: tuple[str, ...], unit_cents: int) -> int:
    """Cents of an order whose lines come from these nodes: 400 g and 10 cents a unit, `unit_cents` at the shop."""
    total = 50 * (len(set(nodes)) - 1)
    for node in set(nodes):
        units = sum(quantity for (_, quantity), at in zip(lines.items(), nodes, strict=True) if at == node)
        if node == "shop":
            total += unit_cents * units
        else:
            total += 100 + 10 * units + next(cents for most_g, cents in SHIPPING[node] if 400 * units <= most_g)
    return total


@pytest.mark.parametrize("seed", range(30))
async def test_no_way_of_bringing_the_lines_is_cheaper_or_earlier(world: Any, network: Any, seed: int) -> None:
    rng = random.Random(seed)
    rates = [
        {"zone": zone, "max_weight_g": most_g, "cost_cents": cents, "transit_days": days}
        for zone, node, days in (("near", "a", 1), ("far", "b", 3))
        for most_g, cents in SHIPPING[node]
    ]
    van = {"service": "van", "carrier": "own", "service_level": "ship_to_store", "calendar": "daily", "rates": rates}
    network["services"].append(van)
    network["nodes"][2]["unit_cost_cents"] = unit_cents = rng.choice([10, 300])
    await world.put_network(network)
    lines = {sku: rng.randint(1, 4) for sku in SKUS}
    stock = {(node, sku): rng.choice([0, 2, 4, 4]) for node in READY for sku in SKUS}
    await world.stock(*((node, sku, units) for (node, sku), units in stock.items()))
    ways = [
        nodes
        for nodes in itertools.product(READY, repeat=len(SKUS))
        if all(stock[node, sku] >= lines[sku] for node, sku in zip(nodes, SKUS, strict=True))
    ]
    promise = await world.promise(*lines.items(), to=None, pickup_node_id="shop", ship_complete=True)
    assert bool(promise.options) == bool(ways)
    if not ways:
        return
    options: dict[str, Option] = {label: option for option in promise.options for label in option.labels}
    assert options["cheapest"].total_cost_cents == min(cost_of(lines, nodes, unit_cents) for nodes in ways)
    earliest = min(max(READY[node] for node in nodes) for nodes in ways)
    assert (options["fastest"].promised_on - promise.as_of.date()).days == earliest
    assert len(options["fewest_shipments"].shipments) == min(len(set(nodes)) for nodes in ways)
