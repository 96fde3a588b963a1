"""A store begun in several partitions: it keeps its number, sells over all of them, and routes orders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.errors import InvalidInput
from engine.inventory.model import HoldLine, PositionCount
from engine.inventory.partitions import Partitions
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest, RunStatus
from tests.cluster_servers import StoreCluster


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory", partitions=4)


async def test_a_store_begun_with_another_number_of_partitions_is_refused(settings):
    async with allot_engine(settings) as engine:
        assert await engine.broken_promises() == []
    for number in (1, 8):
        with pytest.raises(InvalidInput, match="begun with 4 partitions, not"):
            async with allot_engine(settings.model_copy(update={"partitions": number})):
                pass
    async with allot_engine(settings):
        pass


async def test_a_store_from_before_there_were_partitions_has_one(settings, client, keys):
    await client.call("SET", keys.stock_epoch, 7)
    with pytest.raises(InvalidInput, match="begun with 1 partitions, not 4"):
        async with allot_engine(settings):
            pass


async def test_carts_are_held_over_partitions_and_what_one_keeps_is_reconciled(settings, network, catalog):
    async with allot_engine(settings) as engine:
        await engine.network.put(NetworkDocument.model_validate(network))
        await engine.catalog.put(CatalogDocument.model_validate(catalog))
        skus = [product["sku"] for product in catalog["products"]][:3]
        counts = [PositionCount(node_id="east", sku=sku, on_hand=5) for sku in skus]
        await engine.inventory.put_positions(counts)
        lines = [HoldLine(sku=sku, quantity=2, node_id="east") for sku in skus]
        of = Partitions(number=4).of
        for _ in range(2):
            held = await engine.inventory.hold(lines)
            assert of(held.value.reservation_id) == max(of(sku) for sku in skus)
        await engine.inventory.confirm(held.value.reservation_id)
        assert engine.reconciler is not None
        found = await engine.reconciler.reconcile()
        assert (found.is_sound, found.reservations, found.positions) == (True, 2, len(skus))


async def test_an_engine_works_on_a_cluster_and_says_when_one_primary_may_forget(store_cluster, network, catalog):
    """The seeded bug: readiness that asks one server only."""
    settings = Settings(
        redis_url=store_cluster.url, tenant=next(store_cluster.tenants), durability="memory", partitions=4
    )
    async with allot_engine(settings) as engine:
        await engine.network.put(NetworkDocument.model_validate(network))
        await engine.catalog.put(CatalogDocument.model_validate(catalog))
        skus = [product["sku"] for product in catalog["products"]][:3]
        counts = [PositionCount(node_id="east", sku=sku, on_hand=5) for sku in skus]
        await engine.inventory.put_positions(counts)
        held = await engine.inventory.hold([HoldLine(sku=sku, quantity=2, node_id="east") for sku in skus])
        await engine.inventory.confirm(held.value.reservation_id)
        assert engine.reconciler is not None
        assert (await engine.reconciler.reconcile()).is_sound
        assert await engine.broken_promises() == []
        store_cluster.servers[1].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        try:
            assert any("noeviction" in sentence for sentence in await engine.broken_promises())
        finally:
            store_cluster.servers[1].ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


async def test_what_is_low_in_any_partition_is_listed_in_one_row(settings, network, catalog):
    network["policy"] = {**network.get("policy", {}), "low_stock": [{"units": 3}]}
    async with allot_engine(settings) as engine:
        await engine.network.put(NetworkDocument.model_validate(network))
        await engine.catalog.put(CatalogDocument.model_validate(catalog))
        skus = [product["sku"] for product in catalog["products"]][:3]
        await engine.inventory.put_positions([PositionCount(node_id="east", sku=sku, on_hand=3) for sku in skus])
        while await engine.low_stock.step():
            pass
        found, has_more = await engine.low_stock.low(limit=10)
        assert (sorted(each.sku for each in found), has_more) == (sorted(skus), False)
        assert [each.number for each in found] == [1, 2, 3]
        assert len({Partitions(number=4).of(sku) for sku in skus}) > 1


@pytest.mark.parametrize("kind", ["one server", "cluster"])
async def test_orders_are_captured_routed_and_cancelled_over_partitions(kind, request, settings, network, catalog):
    if kind == "cluster":
        cluster: StoreCluster = request.getfixturevalue("store_cluster")
        settings = settings.model_copy(update={"redis_url": cluster.url, "tenant": next(cluster.tenants)})
    skus = [product["sku"] for product in catalog["products"]][:3]
    async with allot_engine(settings) as engine:
        await engine.network.put(NetworkDocument.model_validate(network))
        await engine.catalog.put(CatalogDocument.model_validate(catalog))
        await engine.inventory.put_positions([PositionCount(node_id="east", sku=sku, on_hand=5) for sku in skus])
        held = await engine.inventory.hold([HoldLine(sku=sku, quantity=2, node_id="east") for sku in skus])
        order = NewOrder(
            channel="web",
            destination=Destination(latitude=40.73, longitude=-73.99),
            lines=tuple(NewLine(sku=sku, quantity=2) for sku in skus),
        )
        names = []
        for reservation_id in (held.value.reservation_id, None, None):
            captured = await engine.orders.capture(replace(order, reservation_id=reservation_id))
            names.append(captured.value.order_id)
        run = await engine.routing_runs.execute(RunRequest())
        assert run.status is RunStatus.COMMITTED, run.failure
        states = [(await engine.orders.get(name)).state for name in names]
        assert (states[0], sorted(states[1:])) == ("sourced", ["backordered", "sourced"])
        await engine.orders.cancel(names[0])
        assert (await engine.routing_runs.execute(RunRequest())).status is RunStatus.COMMITTED
        assert [(await engine.orders.get(name)).state for name in names[1:]] == ["sourced", "sourced"]
        view = await engine.stock.read(skus)
        east = view.node_ids.index("east")
        assert [view.position(row, east).available for row in range(len(skus))] == [1, 1, 1]
        assert engine.reconciler is not None
        assert (await engine.reconciler.reconcile()).is_sound


async def test_a_cluster_is_not_replicated_yet_and_that_is_said(store_cluster: StoreCluster) -> None:
    settings = Settings(redis_url=store_cluster.url, durability="replicated")
    with pytest.raises(InvalidInput, match="does not work on a cluster"):
        async with allot_engine(settings):
            pass
