"""Adding stock or capacity makes no promise later or dearer, with holidays, backlogs, and whatever history says.

The fastest option is never later and the cheapest never dearer than before, where the whole order was served before. (A
cheapest option may be later than it was: cheaper stock may be farther away.)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from engine.promising.model import Option, Promise
from tests.promising.test_learned_dates import random_document  # type: ignore[import-not-found]

SKUS = ("cup", "saucer", "spoon")


def by_label(promise: Promise, label: str) -> Option:
    return next(option for option in promise.options if label in option.labels)


async def random_world(world: Any, network: Any, rng: np.random.Generator, day: Any) -> None:
    """Some stock and supplies, two days off somewhere, nodes with little room and much to do."""
    for node in network["nodes"]:
        node["capacity_units"] = int(rng.integers(1, 12)) if rng.random() < 0.7 else None
        node["capacity_parcels"] = int(rng.integers(1, 4)) if rng.random() < 0.4 else None
        node["processing_days"] = int(rng.integers(0, 2))
        if rng.random() < 0.5:
            first = int(rng.integers(0, 6))
            node["closures"] = [{"from": str(day(first)), "to": str(day(first + int(rng.integers(0, 3))))}]
    if rng.random() < 0.5:
        off = [str(day(int(d))) for d in sorted(set(rng.integers(0, 9, 2).tolist()))]
        network["calendars"].append(network["calendars"][0] | {"calendar": "carrier", "holidays": off})
        network["services"][0]["calendar"] = "carrier"
    await world.put_network(network)
    for node in network["nodes"]:
        for in_days in range(4):
            await world.busy(node["node_id"], in_days, int(rng.integers(0, 9)), int(rng.integers(1, 3)))
        for sku in SKUS:
            await world.stock((node["node_id"], sku, int(rng.integers(0, 4))))
            if rng.random() < 0.3:
                await world.supply(node["node_id"], sku, int(rng.integers(1, 5)), in_days=int(rng.integers(1, 6)))


async def add_something(world: Any, network: Any, rng: np.random.Generator) -> None:
    """Stock, a supply, or room."""
    node = network["nodes"][int(rng.integers(3))]
    sku, kind = SKUS[int(rng.integers(3))], int(rng.integers(3))
    if kind == 0:
        position = next((p for p in await world.inventory.positions(sku) if p.node_id == node["node_id"]), None)
        await world.stock((node["node_id"], sku, (position.on_hand if position else 0) + int(rng.integers(1, 6))))
    elif kind == 1:
        await world.supply(node["node_id"], sku, 9, in_days=7)
    else:
        for field in ("capacity_units", "capacity_parcels"):
            if node[field] is not None:
                node[field] = None if rng.random() < 0.3 else node[field] + int(rng.integers(1, 6))
        await world.put_network(network)


@pytest.mark.parametrize("seed", range(60))
async def test_adding_stock_or_capacity_makes_no_promise_later_or_dearer(
    seed: int, world: Any, network: Any, day: Any
) -> None:
    rng = np.random.default_rng(seed)
    await random_world(world, network, rng, day)
    if seed % 3:
        await world.learn(random_document(rng))
    world.clock.advance(timedelta(hours=int(rng.integers(0, 24))))
    lines = [(sku, int(rng.integers(1, 4))) for sku in SKUS[: int(rng.integers(1, 4))]]
    asked = {"service_levels": ("standard",)} if seed % 2 else {}
    before = await world.promise(*lines, **asked)
    for _ in range(6):
        await add_something(world, network, rng)
        after = await world.promise(*lines, **asked)
        if not before.unavailable:
            assert after.unavailable == ()
            assert by_label(after, "fastest").promised_on <= by_label(before, "fastest").promised_on
            assert by_label(after, "cheapest").total_cost_cents <= by_label(before, "cheapest").total_cost_cents
        before = after


@pytest.mark.parametrize("seed", range(30))
async def test_what_comes_sooner_is_never_promised_later(seed: int, world: Any, network: Any, day: Any) -> None:
    """One node, one service, and units that come a day sooner each time; history has its quirks of weekdays.

    Seeded bug: the learned day of the first day of hand-over, without looking at the days after it.
    """
    rng = np.random.default_rng(2000 + seed)
    await world.learn(random_document(rng))
    network["nodes"] = network["nodes"][:1]
    network["groups"] = []
    if seed % 2:
        network["nodes"][0]["closures"] = [{"from": str(day(3)), "to": str(day(4))}]
    await world.put_network(network)
    latest = None
    for in_days in range(12, -1, -1):
        await world.supply("a", "cup", 1, in_days=in_days)
        promised_on = by_label(await world.promise(("cup", 1), service_levels=("standard",)), "fastest").promised_on
        assert latest is None or promised_on <= latest
        latest = promised_on


@pytest.mark.parametrize("seed", range(20))
async def test_a_promise_that_is_reserved_at_once_is_held(seed: int, world: Any, network: Any, day: Any) -> None:
    from engine.inventory.model import Hold

    rng = np.random.default_rng(1000 + seed)
    await random_world(world, network, rng, day)
    await world.learn(random_document(rng))
    view = await world.service._reference.current()
    for number in range(5):
        promise = await world.promise(*[(sku, int(rng.integers(1, 3))) for sku in SKUS])
        if not promise.options:
            continue
        option = promise.options[int(rng.integers(len(promise.options)))]
        lines = (await world.service.promised_hold(promise.promise_id, option.option_id)).lines
        today = dict(view.days.at(world.clock.now()).by_node)
        await world.inventory.hold(Hold(reservation_id=f"res_p{number}", lines=lines), today=today)
