"""Orders that cannot be read, or of which nothing can be made, are told, and hold up no other."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from routing.redis_desk import desk, furnish

from engine.catalog.document import CatalogDocument
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.network.document import NetworkDocument
from engine.orders.redis_store import LIBRARY as ORDERS_LIBRARY
from engine.routing.model import OpenOrder
from engine.routing.poison import culprits
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.run_store import LIBRARY as RUNS_LIBRARY
from engine.storage import documents
from engine.storage.client import MultiplexedClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys

if TYPE_CHECKING:
    from conftest import World


def told(run: Run) -> set[tuple[str, str, str]]:
    return {(entry.order_id, entry.sku, entry.reason) for entry in run.unrouted}


async def three_orders(world: World) -> None:
    await world.count(east={"MUG": 9})
    for order_id in ("o1", "o2", "o3"):
        await world.order(order_id, {"MUG": 1})


async def states(world: World) -> list[str]:
    return [(await world.orders.get(order_id)).state for order_id in ("o1", "o3")]


@pytest.mark.parametrize(
    ("was", "becomes", "sku"),
    [
        (b'"order_id"', b'"order', ""),
        (b'"quantity":1', b'"quantity":"many"', ""),
        (b'"quantity":1', b'"quantity":-4', "MUG"),
        (b'"o2"', b'"o3"', "MUG"),
        (b'"time_zone":null', b'"time_zone":"Mars/Olympus"', "MUG"),
    ],
)
async def test_an_order_that_is_malformed_in_the_store_is_told_and_the_others_are_routed(
    was: bytes, becomes: bytes, sku: str, world: World
) -> None:
    """Before, each of these failed the run, and every run after it."""
    await three_orders(world)
    kept = world.book._orders["o2"]
    assert was in kept.doc
    kept.doc = kept.doc.replace(was, becomes)
    run = await world.runs().execute(RunRequest())
    assert (run.status, run.failure, run.summary["committed_orders"]) == (RunStatus.COMMITTED, None, 2)
    assert told(run) == {("o2", sku, "malformed")}
    assert await states(world) == ["sourced", "sourced"]
    assert kept.state == "captured"


async def test_a_shadow_run_compares_the_orders_that_it_could_decide_on(world: World) -> None:
    """Catches a second plan for all orders of the turn: one of which nothing can be made would fail the run."""
    await three_orders(world)
    kept = world.book._orders["o2"]
    kept.doc = kept.doc.replace(b'"time_zone":null', b'"time_zone":"Mars/Olympus"')
    run = await world.runs().execute(RunRequest(shadow=True))
    assert (run.status, run.failure) == (RunStatus.SHADOW, None)
    assert told(run) == {("o2", "MUG", "malformed")}
    assert run.summary["comparison"]["orders_alike"] == 2


async def test_an_order_that_the_store_has_otherwise_when_it_is_committed_is_told(world: World) -> None:
    await three_orders(world)
    world.book._orders["o2"].demand = "nonsense"
    run = await world.runs().execute(RunRequest())
    assert (run.status, run.failure, run.summary["committed_orders"]) == (RunStatus.COMMITTED, None, 2)
    assert told(run) == {("o2", "MUG", "malformed")}
    assert await states(world) == ["sourced", "sourced"]


async def test_a_malformed_order_in_redis_is_told_and_the_others_are_routed(
    client: MultiplexedClient, keys: Keys
) -> None:
    await ensure(client, [documents.LIBRARY, INVENTORY_LIBRARY, ORDERS_LIBRARY, RUNS_LIBRARY])
    here = desk(client, keys, lease_seconds=15)
    await furnish(here, [{"MUG": 1}] * 3, {"east": {"MUG": 9}})
    await client.call("HSET", keys.order("o01"), "doc", "{")
    run = await here.runs.execute(RunRequest())
    assert (run.status, run.failure, told(run)) == (RunStatus.COMMITTED, None, {("o01", "", "malformed")})
    assert [(await here.orders.get(name)).state for name in ("o00", "o02")] == ["sourced", "sourced"]


async def test_a_parcel_that_is_late_without_a_kit_waits_with_it(
    world: World, network_document: dict[str, Any]
) -> None:
    """Below 500 g it takes three days: without the tea, which waits for its pot, the mug alone would come too late.

    Before, the run failed on an assertion, and so did every run while the order was open.
    """
    near = [
        {"zone": "near", "max_weight_g": 500, "cost_cents": 100, "transit_days": 3},
        {"zone": "near", "max_weight_g": 50_000, "cost_cents": 500, "transit_days": 1},
    ]
    network_document["services"] = [{**network_document["services"][0], "rates": near}]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    kit = {"sku": "SET", "components": [{"sku": "TEA", "quantity": 1}, {"sku": "POT", "quantity": 1}]}
    products = [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": [kit]}))
    await world.count(east={"MUG": 9, "TEA": 9})
    await world.order("o1", {"MUG": 1, "SET": 1}, need_by=date(2026, 11, 23))
    await world.order("o2", {"TEA": 2}, need_by=date(2026, 11, 23))
    run = await world.runs().execute(RunRequest())
    assert (run.status, run.failure) == (RunStatus.COMMITTED, None)
    assert {entry.order_id for entry in run.unrouted} == {"o1"}
    assert await world.sourced("o1") == [(None, None, "")] * 3
    assert (await world.orders.get("o2")).state == "sourced"


def test_culprits_are_found_by_halves() -> None:
    orders = [OpenOrder(order_id=str(number), lines=()) for number in range(1000)]
    tries: list[int] = []

    def fails(some: Any) -> bool:
        tries.append(len(some))
        return any(order.order_id in {"7", "8", "640"} for order in some)

    assert [order.order_id for order in culprits(orders, fails)] == ["7", "8", "640"]
    assert sum(tries) < 6000
    assert culprits(orders, lambda some: len(some) > 900) == [], "together too much, and nobody's fault"
