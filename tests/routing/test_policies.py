"""Runs under a policy: they keep to it, say which version it was, and to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.errors import InvalidInput
from engine.inventory.model import Adjustment
from engine.network.document import NetworkDocument
from engine.orders.explanations import ExplanationService
from engine.policies.document import RunPolicyDocument
from engine.policies.service import PolicyService
from engine.routing.explained_blobs import MemoryBlobs
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.model import OrderBook, Verdict
from engine.routing.run_model import RunRequest, RunStatus
from engine.routing.runs import RoutingRuns
from engine.storage.documents import MemoryDocumentStore

if TYPE_CHECKING:
    from conftest import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """A world with policies."""

    world: World
    policies: PolicyService

    async def put(self, policy_id: str = "peak", **fields: Any) -> None:
        await self.policies.put(policy_id, RunPolicyDocument.model_validate(fields))

    def runs(self, book: OrderBook | None = None, explained: ExplainedRuns | None = None) -> RoutingRuns:
        world = self.world
        parts = (world.run_store, book or world.book, world.stock, world.reference, world.clock)
        return RoutingRuns(*parts, explained=explained, policies=self.policies)

    async def sourced(self, policy: str | None, lines: dict[str, int], **terms: Any) -> list[str | None]:
        """Return where a run under a policy would ship each line of an order from."""
        await self.world.order("o1", lines, **terms)
        run = await self.runs().execute(RunRequest(policy=policy))
        assert run.status == RunStatus.COMMITTED, run.failure
        return [node for node, _, _ in await self.world.sourced("o1")]


@pytest.fixture
async def planner(world: World) -> Planner:
    return Planner(world=world, policies=PolicyService(MemoryDocumentStore(), world.networks))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["east", "west"]),
        ({"split_cost_cents": 4200}, ["east", None]),
        ({"backorder_cost_cents_per_unit": 800}, ["east", None]),
        ({"max_nodes_per_order": 1}, ["east", None]),
        ({"max_distance_km": 1000}, ["east", None]),
        ({"allowed_node_ids": ["west"]}, [None, "west"]),
        ({"forbidden_node_ids": ["west"]}, ["east", None]),
    ],
    ids=lambda value: "-".join(value) or "nothing stated" if isinstance(value, dict) else "",
)
async def test_each_field_of_a_policy_does_what_it_says(
    fields: dict[str, Any], expected: list[str | None], planner: Planner
) -> None:
    """A mug lies in the east, next to the customer; tea in the west only. The network's own policy ships both."""
    await planner.world.count(east={"MUG": 1}, west={"TEA": 1})
    await planner.put(**fields)
    assert await planner.sourced("peak", {"MUG": 1, "TEA": 1}) == expected


async def test_a_run_without_a_policy_keeps_to_the_network(planner: Planner) -> None:
    await planner.world.count(east={"MUG": 1})
    await planner.put(forbidden_node_ids=["east"])
    assert await planner.sourced(None, {"MUG": 1}) == ["east"]
    run = await planner.runs().execute(RunRequest())
    assert "policy" not in run.summary


async def test_a_field_that_is_left_out_follows_the_network_and_one_that_is_null_does_not(
    planner: Planner, network_document: dict[str, Any]
) -> None:
    """The network allows nothing beyond 1,000 km; a policy that says null has no limit, one that is silent has it."""
    network_document["policy"]["max_distance_km"] = 1000
    await planner.world.networks.put(NetworkDocument.model_validate(network_document))
    await planner.world.count(west={"MUG": 1})
    await planner.put("silent", split_cost_cents=1)
    await planner.put("boundless", max_distance_km=None)
    assert await planner.sourced("silent", {"MUG": 1}) == [None]
    run = await planner.runs().execute(RunRequest(policy="boundless"))
    assert run.summary["backordered_units"] == 0


async def test_nodes_of_other_kinds_get_nothing_new_but_ship_what_is_held_there(
    planner: Planner, network_document: dict[str, Any]
) -> None:
    network_document["nodes"][1]["kind"] = "store"
    await planner.world.networks.put(NetworkDocument.model_validate(network_document))
    await planner.world.count(east={"MUG": 5}, west={"MUG": 5})
    await planner.put(node_kinds=["dc"])
    await planner.world.hold("res_1", "east", MUG=1)
    await planner.world.order("o2", {"MUG": 1}, reservation_id="res_1")
    assert await planner.sourced("peak", {"MUG": 1}) == ["west"]
    assert [node for node, _, _ in await planner.world.sourced("o2")] == ["east"]


async def test_nodes_may_be_barred_for_a_class_of_products_only(planner: Planner) -> None:
    """The east has all, and the west a pot, which is fragile: the east gets no new orders of what is fragile.

    Catches a rule for a class that counts for every product, or frees its products from the rules for all.
    """
    world = planner.world
    catalog = (await world.catalogs.current()).document.model_dump(mode="json", by_alias=True)
    for product in catalog["products"]:
        product["class"] = {"POT": "fragile", "TEA": "food"}.get(product["sku"])
    await world.catalogs.put(CatalogDocument.model_validate(catalog))
    stock = {"MUG": 1, "TEA": 1, "POT": 1}
    await world.count(east=stock, west={"POT": 1})
    await planner.put(product_rules=[{"sku_class": "fragile", "forbidden_node_ids": ["east"]}])
    assert await planner.sourced("peak", stock) == ["east", "west", "east"]
    await planner.put(forbidden_node_ids=["west"], product_rules=[{"sku_class": "fragile", "node_kinds": ["dc"]}])
    await world.order("o2", {"POT": 1})
    run = await planner.runs().execute(RunRequest(order_ids=("o2",), policy="peak"))
    assert [node for node, _, _ in await world.sourced("o2")] == ["east"], run.unrouted
    await planner.put(forbidden_node_ids=["west"], product_rules=[{"sku_class": "food", "node_kinds": ["store"]}])
    run = await planner.runs().execute(RunRequest(policy="peak"))
    assert "may ship by 'product_rules: food'" in str(run.failure)


async def test_what_only_barred_nodes_have_waits_for_that_reason(planner: Planner) -> None:
    """A mug lies in the east only, and the policy lets the west have new orders only; no node has a pot.

    Catches "there is no stock", told of units that are there.
    """
    world = planner.world
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1, "POT": 1})
    await planner.put(allowed_node_ids=["west"])
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    run = await planner.runs(explained=kept).execute(RunRequest(policy="peak"))
    assert {entry.sku: entry.reason for entry in run.unrouted} == {"MUG": "barred_node", "POT": "no_stock"}
    explained = await ExplanationService(world.book, kept, 7).explain("o1")
    lines = {line.sku: line for line in explained.explanation.lines}
    assert [lines[sku].backorder_reason for sku in ("MUG", "POT")] == ["barred_node", "no_stock"]
    (east,) = (choice for choice in lines["MUG"].nodes if choice.node_id == "east")
    assert (east.standing, east.binding) == ("policy", "barred")
    assert "has 1 units, but gets no such line" in east.why


async def test_a_run_says_which_version_it_kept_to(planner: Planner) -> None:
    await planner.put(split_cost_cents=1)
    await planner.put(split_cost_cents=2)
    for asked, stated in (("peak", "peak@2"), ("peak@1", "peak@1")):
        run = await planner.runs().execute(RunRequest(policy=asked, dry_run=True))
        assert (run.summary["policy"], run.request.policy) == (stated, stated)
        assert (await planner.runs().get(run.run_id)).request.policy == stated


async def test_an_unknown_policy_starts_nothing(planner: Planner) -> None:
    await planner.put()
    for asked in ("peek", "peak@2"):
        with pytest.raises(InvalidInput) as caught:
            await planner.runs().start(RunRequest(policy=asked))
        assert [fault.path for fault in caught.value.faults] == ["$.policy"]
    with pytest.raises(InvalidInput, match="none is defined"):
        await planner.world.runs().start(RunRequest(policy="peak"))
    assert planner.world.run_store._records == {}


async def test_a_policy_that_leaves_no_node_fails_the_run_before_any_order(planner: Planner) -> None:
    """Catches a run that commits a backorder of every line, as if there were no stock anywhere."""
    await planner.world.count(east={"MUG": 1})
    await planner.world.order("o1", {"MUG": 1})
    await planner.put(node_kinds=["store"])
    run = await planner.runs().execute(RunRequest(policy="peak"))
    assert run.status == RunStatus.FAILED
    assert "'peak@1' leaves no node" in str(run.failure)
    assert (await planner.world.orders.get("o1")).state == "captured"


class Thief:
    """An order book before whose first commit somebody takes a mug in the east."""

    def __init__(self, world: World) -> None:
        self._world, self.open_orders, self.used_capacity = world, world.book.open_orders, world.book.used_capacity
        self._has_come, self.fence = False, world.book.fence

    async def commit(self, *arguments: Any, **options: Any) -> list[Verdict]:
        if not self._has_come:
            self._has_come = True
            await self._world.stock.adjust([Adjustment(node_id="east", sku="MUG", delta=-1, reason="gone")])
        return await self._world.book.commit(*arguments, **options)


async def test_a_change_in_mid_run_affects_only_the_next(planner: Planner, world: World) -> None:
    """Seeded bug this catches: a run that looks up the latest version when it begins to work, or in its second round.

    Version 1 forbids the west, version 2, put as soon as the run has started, the east. Two orders are to share two
    mugs in the east; as one of these goes, the run has a second round, in which one order waits, for it may not use
    the west.
    """
    await world.count(east={"MUG": 2}, west={"MUG": 2})
    await planner.put(forbidden_node_ids=["west"])
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    runs = planner.runs(Thief(world))
    started = await runs.start(RunRequest(policy="peak"))
    await planner.put(forbidden_node_ids=["east"])
    await runs.finish()
    first = await runs.get(started.value.run_id)
    assert (first.summary["policy"], first.summary["rounds"]) == ("peak@1", 2)
    routed = [node for order_id in ("o1", "o2") for node, _, _ in await world.sourced(order_id)]
    assert sorted(str(node) for node in routed) == ["None", "east"]
    second = await runs.execute(RunRequest(policy="peak"))
    assert second.summary["policy"] == "peak@2"
    routed = [node for order_id in ("o1", "o2") for node, _, _ in await world.sourced(order_id)]
    assert sorted(str(node) for node in routed) == ["east", "west"]
