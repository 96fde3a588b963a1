"""A routing run from open orders to confirmed stock, on the in-memory stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.errors import IdempotencyConflict, InvalidInput, NotFound, Unavailable
from engine.inventory.model import Adjustment, Outcome, Replay
from engine.network.document import NetworkDocument
from engine.routing.memory_run_store import MemoryRunStore
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, OrderBook, UsedCapacity, Verdict
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.run_store import LEASE_SECONDS

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


def reasons(run: Run) -> set[tuple[str, str, str]]:
    return {(entry.order_id, entry.sku, entry.reason) for entry in run.unrouted}


async def test_a_run_sources_orders_and_confirms_their_stock(world: World) -> None:
    await world.count(east={"MUG": 3, "TEA": 1})
    await world.order("o1", {"MUG": 2, "TEA": 1})
    run = await world.runs().execute(ALL)
    assert (run.status, run.unrouted, run.failure) == (RunStatus.COMMITTED, (), None)
    assert run.summary["total_cost_cents"] == run.summary["lower_bound_cents"] == 500
    assert run.summary["committed_orders"] == 1
    order = await world.orders.get("o1")
    assert (order.state, order.run_id) == ("sourced", run.run_id)
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20")] * 2
    mugs = await world.position("east", "MUG")
    assert (mugs.on_hand, mugs.confirmed, mugs.available) == (3, 2, 1)
    assert order.reservation_id is not None
    assert (await world.stock.get_reservation(order.reservation_id)).state == "confirmed"


async def test_a_dry_run_tells_the_plan_and_changes_nothing(world: World) -> None:
    await world.count(east={"MUG": 3})
    await world.order("o1", {"MUG": 2})
    run = await world.runs().execute(RunRequest(dry_run=True))
    assert (run.status, run.summary["total_cost_cents"]) == (RunStatus.DRY_RUN, 500)
    assert (await world.orders.get("o1")).state == "captured"
    assert (await world.position("east", "MUG")).available == 3


async def test_what_cannot_be_shipped_is_told_with_its_reason_and_stays_open(world: World) -> None:
    """o1's pot is nowhere, o2 wants more tea than any node has, o3's mug is too heavy for the service it wants."""
    await world.count(east={"MUG": 90, "TEA": 1}, west={"TEA": 1})
    await world.order("o1", {"MUG": 2, "POT": 1})
    await world.order("o2", {"TEA": 2})
    await world.order("o3", {"MUG": 20}, service_level="expedited")
    run = await world.runs().execute(ALL)
    assert run.status == RunStatus.COMMITTED
    assert reasons(run) == {
        ("o1", "POT", "no_stock"),
        ("o2", "TEA", "insufficient_stock"),
        ("o3", "MUG", "no_eligible_node"),
    }
    assert [(await world.orders.get(order_id)).state for order_id in ("o1", "o2", "o3")] == ["backordered"] * 3
    assert await world.sourced("o1") == [("east", "ground", "2026-11-20"), (None, None, "")]
    await world.count(east={"POT": 1})
    again = await world.runs().execute(ALL)
    assert (await world.orders.get("o1")).state == "sourced"
    assert "o1" not in {entry.order_id for entry in again.unrouted}
    assert (await world.position("east", "MUG")).confirmed == 2


async def test_without_open_orders_a_run_is_over_at_once(world: World) -> None:
    run = await world.runs().execute(ALL)
    assert (run.status, run.summary["orders"], run.unrouted) == (RunStatus.COMMITTED, 0, ())


async def test_a_run_takes_only_the_orders_it_was_given(world: World) -> None:
    await world.count(east={"MUG": 9})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    await world.runs().execute(RunRequest(order_ids=("o2",)))
    assert [(await world.orders.get(order_id)).state for order_id in ("o1", "o2")] == ["captured", "sourced"]
    unknown = await world.runs().execute(RunRequest(order_ids=("o2", "o9")))
    assert unknown.status == RunStatus.FAILED
    assert "o9" in str(unknown.failure)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (RunRequest(method="best"), "$.method"),
        (RunRequest(time_limit_seconds=0.0), "$.time_limit_seconds"),
        (RunRequest(time_limit_seconds=float("nan")), "$.time_limit_seconds"),
        (RunRequest(order_ids=("a", "a")), "$.order_ids"),
    ],
)
async def test_a_request_out_of_range_starts_nothing(request_: RunRequest, path: str, world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        await world.runs().start(request_)
    assert [fault.path for fault in caught.value.faults] == [path]


async def test_the_same_key_is_the_same_run_and_another_body_is_refused(world: World) -> None:
    runs, key = world.runs(), Replay(digest="d" * 64, fingerprint="f" * 64)
    first, again = [await runs.start(ALL, replay=key) for _ in range(2)]
    await runs.finish()
    late = await runs.start(ALL, replay=key)
    assert (first.replayed, again.replayed, late.replayed) == (False, True, True)
    assert first.value.run_id == again.value.run_id == late.value.run_id
    assert late.value == first.value, "a retry is answered as the first request was, not as the run stands now"
    assert (await runs.get(first.value.run_id)).status == RunStatus.COMMITTED
    with pytest.raises(IdempotencyConflict):
        await runs.start(ALL, replay=Replay(digest=key.digest, fingerprint="e" * 64))
    with pytest.raises(NotFound):
        await runs.get("run_unknown")


class BrokenOff(MemoryRunStore):
    """A run store whose answers are lost now and then: the records are kept, the callers do not know."""

    lost_creates = 0
    refused_puts = 0

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        made = await super().create(run, replay)
        if self.lost_creates:
            self.lost_creates -= 1
            raise Unavailable("the connection broke")
        return made

    async def put(self, run: Run, epoch: int) -> None:
        if run.status.over and self.refused_puts:
            self.refused_puts -= 1
            raise Unavailable("the connection broke")
        await super().put(run, epoch)


async def test_a_run_whose_first_request_broke_off_begins_with_the_next(world: World) -> None:
    """Catches a retry that is answered as queued while nobody ever works on the run."""
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    store = BrokenOff(world.clock)
    store.lost_creates = 1
    runs, key = replace(world, run_store=store).runs(), Replay(digest="d" * 64, fingerprint="f" * 64)
    with pytest.raises(Unavailable):
        await runs.start(ALL, replay=key)
    again, third = [await runs.start(ALL, replay=key) for _ in range(2)]
    await runs.finish()
    assert (again.replayed, third.replayed) == (True, True)
    run = await runs.get(again.value.run_id)
    assert (run.status, run.summary["committed_orders"]) == (RunStatus.COMMITTED, 1)
    assert len(await world.orders.history("o1")) == 2


async def test_a_run_is_told_as_committed_though_the_store_was_away_when_it_ended(world: World) -> None:
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    store = BrokenOff(world.clock)
    store.refused_puts = 1
    run = await replace(world, run_store=store).runs().execute(ALL)
    assert (await store.get(run.run_id)).status == RunStatus.COMMITTED


async def test_a_run_whose_worker_died_is_taken_up_and_one_at_work_is_not(world: World) -> None:
    """The record is left as a dead process leaves it: running, with a lease that nobody renews."""
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    runs = world.runs()
    run = Run(run_id="run_1", status=RunStatus.RUNNING, request=ALL, created_at=world.clock.now())
    await world.run_store.create(run, None)
    assert await world.run_store.claim("run_1") == 1
    await runs.take_up_left()
    await runs.finish()
    assert (await runs.get("run_1")).status == RunStatus.RUNNING
    world.clock.advance(timedelta(seconds=LEASE_SECONDS + 1))
    await runs.take_up_left()
    await runs.finish()
    assert (await runs.get("run_1")).status == RunStatus.COMMITTED
    assert (await world.orders.get("o1")).run_id == "run_1"


class Meddler:
    """An order book that lets something happen before each of the first commits."""

    def __init__(self, book: OrderBook, events: Sequence[Callable[[], Awaitable[Any]]]) -> None:
        self._book, self._events = book, list(events)
        self.fence = book.fence

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        return await self._book.open_orders(order_ids)

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        return await self._book.used_capacity(days)

    async def commit(
        self,
        run_id: str,
        allocations: Sequence[OrderAllocation],
        *,
        capacities: Mapping[str, NodeCapacity],
        today: Mapping[str, date],
        buffers: Mapping[tuple[str, str], int] | None = None,
        epoch: int = 0,
    ) -> list[Verdict]:
        if self._events:
            await self._events.pop(0)()
        return await self._book.commit(
            run_id, allocations, capacities=capacities, today=today, buffers=buffers, epoch=epoch
        )


def takes(world: World, node_id: str, units: int) -> Callable[[], Awaitable[Any]]:
    """Return what takes mugs from a node."""
    taken = [Adjustment(node_id=node_id, sku="MUG", delta=-units, reason="sold over the counter")]
    return lambda: world.stock.adjust(taken)


async def test_orders_whose_stock_moved_meanwhile_are_solved_again(world: World) -> None:
    """One of two mugs in the east is sold while the run solves: one order goes from there, the other from the west."""
    await world.count(east={"MUG": 2}, west={"MUG": 5})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    run = await world.runs(Meddler(world.book, [takes(world, "east", 1)])).execute(ALL)
    assert (run.status, run.summary["rounds"], run.unrouted) == (RunStatus.COMMITTED, 2, ())
    assert run.summary["committed_orders"] == 2
    assert {(await world.sourced(order_id))[0][0] for order_id in ("o1", "o2")} == {"east", "west"}
    assert (await world.position("east", "MUG")).available == 0


async def test_a_run_leaves_the_buffers_of_a_network_where_they_are(
    world: World, network_document: dict[str, Any]
) -> None:
    """Two of three mugs are kept back by rule: the run plans with one, and the commit takes no more than that.

    The seeded bug: the commit looks at safety stock alone, and an order that was planned before the last free unit was
    sold takes one that is kept back.
    """
    network_document["policy"]["buffers"] = [{"node_kind": "dc", "units": 2}]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 3}, west={"MUG": 0})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    run = await world.runs().execute(ALL)
    assert (run.summary["committed_orders"], run.summary["backordered_units"]) == (2, 1)
    assert (await world.position("east", "MUG")).confirmed == 1
    await world.count(east={"MUG": 4})
    meddled = await world.runs(Meddler(world.book, [takes(world, "east", 1)])).execute(ALL)
    assert meddled.summary["rounds"] == 2
    assert (await world.position("east", "MUG")).confirmed == 1


async def test_an_order_whose_stock_keeps_moving_stays_open_and_is_told(world: World) -> None:
    await world.count(east={"MUG": 3})
    await world.order("o1", {"MUG": 3})
    puts_back = [Adjustment(node_id="east", sku="MUG", delta=1, reason="found again")]

    async def comes_and_goes() -> None:
        await takes(world, "east", 1)()

    meddler = Meddler(world.book, [comes_and_goes] * 3)
    commit = meddler.commit

    async def commit_then_put_back(*args: Any, **terms: Any) -> list[Verdict]:
        verdicts = await commit(*args, **terms)
        await world.stock.adjust(puts_back)
        return verdicts

    meddler.commit = commit_then_put_back  # type: ignore[method-assign]
    run = await world.runs(meddler).execute(ALL)
    assert run.status == RunStatus.COMMITTED
    assert reasons(run) == {("o1", "MUG", "stock_moved")}
    assert (run.summary["rounds"], run.summary["moved_orders"], run.summary["committed_orders"]) == (3, 1, 0)
    assert (await world.orders.get("o1")).state == "captured"


async def test_an_order_cancelled_meanwhile_is_gone_and_takes_nothing(world: World) -> None:
    await world.count(east={"MUG": 2})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    run = await world.runs(Meddler(world.book, [lambda: world.orders.cancel("o1")])).execute(ALL)
    assert (run.summary["gone_orders"], run.summary["committed_orders"]) == (1, 1)
    assert (await world.orders.get("o1")).state == "cancelled"
    assert (await world.position("east", "MUG")).confirmed == 1


async def test_the_figures_of_a_run_are_money(world: World, network_document: dict[str, Any]) -> None:
    """Nothing can leave, so a mug waits that is held for o1: that costs what the policy says.

    Catches totals with the surcharge that keeps held units from being given up.
    """
    for node in network_document["nodes"]:
        node["capacity_parcels"] = 0
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 1})
    await world.hold("res_1", "east", MUG=1)
    await world.order("o1", {"MUG": 1}, reservation_id="res_1")
    summary = (await world.runs().execute(ALL)).summary
    assert (summary["total_cost_cents"], summary["lower_bound_cents"], summary["gap"]) == (5000, 5000, 0.0)
    assert summary["costs"]["backorder"] == 5000


async def test_an_order_of_a_product_that_left_the_catalog_is_told_and_the_others_go(world: World) -> None:
    await world.count(east={"MUG": 1, "POT": 1})
    await world.order("o1", {"POT": 1})
    await world.order("o2", {"MUG": 1})
    await world.catalogs.put(CatalogDocument.model_validate({"products": [{"sku": "MUG", "weight_g": 400}]}))
    run = await world.runs().execute(ALL)
    assert reasons(run) == {("o1", "POT", "unknown_sku")}
    assert [(await world.orders.get(order_id)).state for order_id in ("o1", "o2")] == ["captured", "sourced"]
