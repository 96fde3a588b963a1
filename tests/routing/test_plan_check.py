"""Plans are checked before they are committed, by other code than made them: every way to be wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from engine.dispatch.dispatcher import Dispatcher
from engine.errors import PlanNotVerified
from engine.network.document import NetworkDocument
from engine.routing import solving
from engine.routing.batch import demanded_skus
from engine.routing.channels import Planned
from engine.routing.model import AllocationRow, OrderAllocation
from engine.routing.phases import Phases
from engine.routing.plan_check import Ground, check_plan
from engine.routing.run_model import RunRequest, RunStatus
from engine.routing.solving import Solved, Solver, Table
from solvers.plan import Costs

if TYPE_CHECKING:
    from conftest import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A solved batch, to be changed and checked again."""

    solved: Solved

    def check(
        self, allocations: Sequence[OrderAllocation] | None = None, *, complete: bool = False, **changes: Any
    ) -> None:
        batch, result = self.solved.batch, self.solved.result
        ground = Ground(
            problem=replace(batch.problem, **changes),
            orders=batch.orders,
            line_ids=batch.line_ids,
            hand_over=batch.hand_over,
            max_nodes_per_line=1,
            ship_complete=complete,
        )
        check_plan(ground, allocations or self.solved.allocations, result.plan, result.lower_bound_cents)

    def row(self, order_id: str, at: int = 0, **changes: Any) -> list[OrderAllocation]:
        """Return the allocations with one row of an order changed."""

        def changed(each: OrderAllocation) -> OrderAllocation:
            if each.order_id != order_id:
                return each
            rows = [replace(row, **changes) if n == at else row for n, row in enumerate(each.rows)]
            return replace(each, rows=tuple(rows))

        return [changed(each) for each in self.solved.allocations]


@pytest.fixture
async def checked(world: World, network_document: dict[str, Any]) -> Checked:
    """o1 ships mugs from both nodes' stock of one order, o2 by air, o3 waits; east may ship eight units."""
    network_document["nodes"][1]["capacity_units"] = 8
    network_document["nodes"][1]["capacity_parcels"] = 2
    network_document["nodes"][1]["parcel_cost_cents"] = 7
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 5, "TEA": 2}, west={"POT": 2, "TEA": 3})
    await world.order("o1", {"MUG": 3, "POT": 1})
    await world.order("o2", {"TEA": 2}, service_level="expedited")
    await world.order("o3", {"POT": 4})
    orders = await world.book.open_orders()
    stock = await world.stock.read(demanded_skus(orders))
    table = Table(
        view=await world.reference.current(), channel=None, planned=Planned(), turns=1, stock=stock, phases=Phases()
    )
    solver = Solver(world.book, world.stock, world.clock, Dispatcher(), explains=False)
    return Checked(solved=await solver.solve(orders, table, RunRequest(), None))


def test_a_plan_that_holds_passes(checked: Checked) -> None:
    nodes = {row.node_id for each in checked.solved.allocations for row in each.rows}
    assert nodes == {"east", "west", None}
    assert checked.solved.result.plan.costs.total > 0
    checked.check()


TAMPERED: dict[str, tuple[Callable[[Checked], list[OrderAllocation]], str]] = {
    "a unit too few": (lambda c: c.row("o1", quantity=2), "3 ordered, 2 planned"),
    "a unit of nothing": (lambda c: c.row("o1", quantity=0), "no such line"),
    "another line": (lambda c: c.row("o1", line_id="9"), "no such line"),
    "another product": (lambda c: c.row("o1", sku="TEA"), "no such line"),
    "a node that is not there": (lambda c: c.row("o1", node_id="north"), "no such line, node"),
    "a row half without a node": (lambda c: c.row("o1", node_id=None), "no such line, node"),
    "an order left out": (lambda c: c.solved.allocations[1:], "order o1 is not decided on"),
    "an order twice": (lambda c: [*c.solved.allocations, c.solved.allocations[0]], "decided on twice"),
    "more than there is": (lambda c: c.row("o1", node_id="west"), "3 units of MUG leave west, which has 0"),
    "another level of service": (lambda c: c.row("o2", service="ground"), "by ground, which does not carry"),
    "another day": (lambda c: c.row("o1", ship_on=date(2026, 11, 23)), "on another day"),
    "another service of the same level": (lambda c: c.row("o1", service="air"), "shipping: "),
    "waiting for what ships": (
        lambda c: c.row("o2", node_id=None, service=None, ship_on=None),
        "backorder: 20000 stated, 30000 counted",
    ),
}


@pytest.mark.parametrize(("tamper", "told"), TAMPERED.values(), ids=TAMPERED)
def test_a_plan_that_was_changed_is_told_with_what_is_wrong(
    tamper: Callable[[Checked], list[OrderAllocation]], told: str, checked: Checked
) -> None:
    with pytest.raises(PlanNotVerified, match=told):
        checked.check(tamper(checked))


def test_a_line_in_two_parts_is_told_where_lines_may_not_be_split(checked: Checked) -> None:
    first = checked.solved.allocations[0]
    row = first.rows[0]
    parts = (replace(row, quantity=1), AllocationRow(line_id=row.line_id, sku=row.sku, quantity=row.quantity - 1))
    with pytest.raises(PlanNotVerified, match="is split"):
        checked.check([replace(first, rows=(*parts, *first.rows[1:])), *checked.solved.allocations[1:]])


def test_an_order_that_leaves_in_part_is_told_where_orders_ship_complete(checked: Checked) -> None:
    checked.check(complete=True)
    with pytest.raises(PlanNotVerified, match="order o1 ships in part"):
        checked.check(checked.row("o1", node_id=None, service=None, ship_on=None), complete=True)


def test_a_problem_that_was_tighter_is_told(checked: Checked) -> None:
    """Each limit, made a little too small for the plan."""
    problem = checked.solved.batch.problem
    nodes, orders = problem.nodes, problem.orders
    with pytest.raises(PlanNotVerified, match="east ships 3 units, and has 2 left"):
        checked.check(nodes=replace(nodes, capacity_units=nodes.capacity_units * 0 + 2))
    with pytest.raises(PlanNotVerified, match="parcels, and has 0 left"):
        checked.check(nodes=replace(nodes, capacity_parcels=nodes.capacity_parcels * 0))
    with pytest.raises(PlanNotVerified, match="order o1 leaves in 2 parcels, and may in 1"):
        checked.check(orders=replace(orders, max_parcels=orders.max_parcels * 0 + 1))
    with pytest.raises(PlanNotVerified, match="is pinned to west"):
        checked.check(orders=replace(orders, line_pinned_node=orders.line_sku * 0 + 1))
    with pytest.raises(PlanNotVerified, match="gets no such orders"):
        checked.check(closed=(problem.weight_g > 0)[:, None].repeat(2, axis=1))
    with pytest.raises(PlanNotVerified, match="does not carry"):
        checked.check(orders=replace(orders, due_days=orders.due_days * 0 - 3))
    with pytest.raises(PlanNotVerified, match="does not carry"):
        checked.check(terms=replace(problem.terms, max_distance_km=1.0))
    with pytest.raises(PlanNotVerified, match="handling: "):
        checked.check(nodes=replace(nodes, parcel_cost_cents=nodes.parcel_cost_cents + 1))
    with pytest.raises(PlanNotVerified, match="split: "):
        checked.check(terms=replace(problem.terms, split_cost_cents=1))


async def test_a_run_whose_plan_does_not_hold_fails_and_commits_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is seeded behind the solver: one cent of freight is forgotten. Then the same run without it."""
    await world.count(east={"MUG": 3})
    await world.order("o1", {"MUG": 2})
    real = solving.solve

    def forgetful(*arguments: Any, **options: Any) -> Any:
        result = real(*arguments, **options)
        costs: Costs = replace(result.plan.costs, shipping=result.plan.costs.shipping - 1)
        return replace(result, plan=replace(result.plan, costs=costs), lower_bound_cents=None)

    with monkeypatch.context() as seeded:
        seeded.setattr(solving, "solve", forgetful)
        run = await world.runs().execute(RunRequest())
    assert run.status == RunStatus.FAILED
    assert str(run.failure) == (
        "The plan does not hold, and nothing of it was committed: shipping: 499 stated, 500 counted."
    )
    assert (await world.orders.get("o1")).state == "captured"
    assert (await world.position("east", "MUG")).confirmed == 0
    assert (await world.runs().execute(RunRequest())).status == RunStatus.COMMITTED
