"""A run that is taken up on another day: what it had committed stays so and is told, the rest is decided anew."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.orders.model import OrderState
from engine.routing.model import AllocationRow, OrderAllocation
from engine.routing.reasons import ORDER_HOLD, STOCK_MOVED
from engine.routing.run_ledger import RunLedger, Start, Step
from engine.routing.run_model import Run, RunRequest, RunStatus, Unrouted
from tests.routing.conftest import FRIDAY

if TYPE_CHECKING:
    from conftest import World


def rows(shipped: int, waiting: int = 0) -> tuple[AllocationRow, ...]:
    east = AllocationRow(
        line_id="1", sku="MUG", quantity=shipped, node_id="east", service="ground", ship_on=FRIDAY.date()
    )
    rest = (AllocationRow(line_id="1", sku="MUG", quantity=waiting),) if waiting else ()
    return (east, *rest)


async def test_what_a_run_committed_before_a_midnight_is_told_once_and_not_decided_again(world: World) -> None:
    """Catches a run that tells nothing of what it committed on the day before, and decides anew on orders that wait.

    Of o1 everything was committed, of o3 a part; o2 was decided on, and not committed.
    """
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    decided = [
        OrderAllocation(order_id="o1", rows=rows(1)),
        OrderAllocation(order_id="o2", rows=rows(2)),
        OrderAllocation(order_id="o3", rows=rows(3, 4)),
    ]
    for each in decided:
        await world.order(each.order_id, {"MUG": sum(row.quantity for row in each.rows)})
    queued = Run(run_id="run_1", status=RunStatus.QUEUED, request=RunRequest(), created_at=FRIDAY)
    await world.run_store.create(queued, None)
    epoch = await world.run_store.claim("run_1")
    ledger = RunLedger(world.run_store, "run_1", epoch, {}, is_kept=True)
    await ledger.begin(Start(turns=((None, ("o1", "o2", "o3")),), left_out=()))
    waits = Unrouted(order_id="o3", line_id="1", sku="MUG", quantity=4, reason=STOCK_MOVED)
    days = {"east": FRIDAY.toordinal(), "west": FRIDAY.toordinal()}
    await ledger.keep(0, 0, Step(allocations=tuple(decided), unrouted=(waits,), summary={}, today=days))
    today = {"east": FRIDAY.date()}
    await world.book.commit("run_1", [decided[0], decided[2]], capacities={}, today=today, epoch=epoch)

    world.clock.advance(timedelta(days=1))
    runs = world.runs()
    await runs.take_up_left()
    await runs.finish()
    run = await runs.get("run_1")
    assert (run.status, run.failure) == (RunStatus.COMMITTED, None)
    assert (run.summary["committed_orders"], run.summary["moved_orders"], run.unrouted) == (3, 0, (waits,))
    for each in (decided[0], decided[2]):
        assert (await world.orders.get(each.order_id)).allocation == each.rows
    (row,) = (await world.orders.get("o2")).allocation
    assert (row.quantity, row.ship_on is not None and row.ship_on > FRIDAY.date()) == (2, True)
    assert (await world.orders.get("o2")).state is OrderState.SOURCED
    east = await world.position("east", "MUG")
    assert east.confirmed + sum(each.quantity for each in east.dated) == 6


@pytest.mark.parametrize(("revision", "rounds"), [(-1, 3), (0, 2)])
async def test_an_order_that_moves_only_when_its_run_is_taken_up_is_routed_after_what_was_decided_before(
    revision: int, rounds: int, world: World
) -> None:
    """Two rounds were kept; o1 and o2, of the first, were gone then, and are open again, since a node refused them.

    Or nothing moves any more, and what the second round left is told all the same.

    Seeded bugs this catches: orders to solve again taken from the last round alone; rounds that left all their orders
    for people not told.
    """
    await world.count(east={"MUG": 9})
    for order_id in ("o1", "o2", "o3"):
        await world.order(order_id, {"MUG": 1})
    queued = Run(run_id="run_1", status=RunStatus.QUEUED, request=RunRequest(), created_at=FRIDAY)
    await world.run_store.create(queued, None)
    ledger = RunLedger(world.run_store, "run_1", await world.run_store.claim("run_1"), {}, is_kept=True)
    await ledger.begin(Start(turns=((None, ("o1", "o2", "o3")),), left_out=()))
    of_then = tuple(OrderAllocation(order_id=name, rows=rows(1), revision=revision) for name in ("o1", "o2"))
    held = Unrouted(order_id="o3", line_id="1", sku="MUG", quantity=1, reason=ORDER_HOLD)
    days = {"east": FRIDAY.toordinal(), "west": FRIDAY.toordinal()}
    await ledger.keep(0, 0, Step(allocations=of_then, unrouted=(), summary={}, today=days))
    await ledger.keep(0, 1, Step(allocations=(), unrouted=(held,), summary={}, today=days))

    world.clock.advance(timedelta(seconds=world.run_store.lease_seconds + 1))
    runs = world.runs()
    await runs.take_up_left()
    await runs.finish()
    run = await runs.get("run_1")
    assert (run.status, run.failure, run.summary["rounds"]) == (RunStatus.COMMITTED, None, rounds)
    assert run.unrouted == (held,)
    assert [(await world.orders.get(name)).allocation for name in ("o1", "o2")] == [rows(1), rows(1)]


async def test_a_step_that_cannot_be_read_is_decided_anew(world: World) -> None:
    """Catches a run that fails, and with it all windows of a server, as another version kept something else."""
    await world.count(east={"MUG": 9})
    await world.order("o1", {"MUG": 1})
    queued = Run(run_id="run_1", status=RunStatus.QUEUED, request=RunRequest(), created_at=FRIDAY)
    await world.run_store.create(queued, None)
    epoch = await world.run_store.claim("run_1")
    for name, body in (("start", b"not compressed"), ("0:0", zlib.compress(b"no step"))):
        await world.run_store.keep_step("run_1", epoch, name, body)
    world.clock.advance(timedelta(seconds=world.run_store.lease_seconds + 1))
    runs = world.runs()
    await runs.take_up_left()
    await runs.finish()
    assert (await runs.get("run_1")).status is RunStatus.COMMITTED
    assert (await world.orders.get("o1")).allocation == rows(1)
