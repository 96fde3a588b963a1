"""Runs that change nothing, and what else a request may say: shadow runs, a gap that is enough, a number of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import InvalidInput
from engine.policies.document import RunPolicyDocument
from engine.policies.service import PolicyService
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.runs import RoutingRuns
from engine.storage.documents import MemoryDocumentStore

if TYPE_CHECKING:
    from conftest import World


async def shadow(world: World, request: RunRequest) -> Run:
    """Run in the shadow of a policy `west`, by which the east ships nothing."""
    policies = PolicyService(MemoryDocumentStore(), world.networks)
    await policies.put("west", RunPolicyDocument.model_validate({"forbidden_node_ids": ["east"]}))
    parts = (world.run_store, world.book, world.stock, world.reference, world.clock)
    return await RoutingRuns(*parts, policies=policies).execute(request)


async def test_a_shadow_run_compares_with_what_the_network_would_do_and_touches_nothing(world: World) -> None:
    """o1 would come from the west, o2 holds a mug in the east and keeps it, o3's tea is in the east only."""
    await world.count(east={"MUG": 3, "TEA": 1}, west={"MUG": 3})
    await world.hold("res_2", "east", MUG=1)
    await world.order("o1", {"MUG": 1})
    await world.order("o2", {"MUG": 1}, reservation_id="res_2")
    await world.order("o3", {"TEA": 1})
    run = await shadow(world, RunRequest(policy="west", shadow=True))
    assert (run.status, run.failure, run.summary["policy"]) == (RunStatus.SHADOW, None, "west@1")
    found = run.summary["comparison"]
    assert (found["orders_alike"], found["orders_changed"], found["orders_leaving_what_they_hold"]) == (1, 2, 0)
    assert found["live"]["total_cost_cents"] == 1500
    assert run.summary["total_cost_cents"] == 900 + 500 + 5000
    assert found["difference"]["costs"]["shipping"] == 900 + 500 - 1500
    assert (found["difference"]["parcels"], found["difference"]["backordered_units"]) == (-1, 1)
    assert found["changed"][0] == {
        "order_id": "o1",
        "live": [{"line_id": "1", "node_id": "east", "service": "ground", "quantity": 1}],
        "shadow": [{"line_id": "1", "node_id": "west", "service": "ground", "quantity": 1}],
    }
    assert [entry.order_id for entry in run.unrouted] == ["o3"]
    assert [(await world.orders.get(name)).state for name in ("o1", "o2", "o3")] == ["captured"] * 3
    assert [len(await world.orders.history(name)) for name in ("o1", "o2", "o3")] == [1] * 3
    assert (await world.position("east", "MUG")).held == 1
    assert await world.run_store.steps(run.run_id) == {}


async def test_a_shadow_run_of_the_networks_own_policy_changes_no_order(world: World) -> None:
    await world.count(east={"MUG": 3})
    await world.order("o1", {"MUG": 1})
    found = (await shadow(world, RunRequest(shadow=True))).summary["comparison"]
    assert (found["orders_alike"], found["orders_changed"], found["changed"]) == (1, 0, [])
    assert set(found["difference"]["costs"].values()) == {0}


async def test_the_oldest_orders_go_first_where_a_run_takes_only_some(world: World) -> None:
    await world.count(east={"MUG": 9})
    for order_id in ("o9", "o1", "o5"):
        await world.order(order_id, {"MUG": 1})
    run = await world.runs().execute(RunRequest(max_orders=2))
    assert run.summary["committed_orders"] == 2
    assert [(await world.orders.get(name)).state for name in ("o9", "o1", "o5")] == ["sourced", "sourced", "captured"]


async def test_a_run_stops_at_the_gap_that_is_enough(world: World) -> None:
    """Three orders want two mugs that are near and two that are far; any plan is within its bound's own size."""
    await world.count(east={"MUG": 2}, west={"MUG": 2})
    for number in range(3):
        await world.order(f"o{number}", {"MUG": 1, "TEA": 1} if number else {"MUG": 1})
    run = await world.runs().execute(RunRequest(target_gap=1.0))
    assert run.summary["stop_reason"] in {"target_gap", "optimal"}
    assert run.status == RunStatus.COMMITTED


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (RunRequest(shadow=True, dry_run=True), "$.shadow"),
        (RunRequest(target_gap=-0.1), "$.target_gap"),
        (RunRequest(target_gap=float("nan")), "$.target_gap"),
        (RunRequest(max_orders=0), "$.max_orders"),
        (RunRequest(max_orders=1, order_ids=("o1",)), "$.max_orders"),
    ],
)
async def test_what_does_not_go_together_or_is_out_of_range_is_refused(
    request_: RunRequest, path: str, world: World
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await world.runs().execute(request_)
    assert [fault.path for fault in caught.value.faults] == [path]
