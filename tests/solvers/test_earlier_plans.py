"""Pinned lines, and lines that an earlier plan has somewhere: by the brute force, and by what must not change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from brute_force import Earlier, optimum_cents
from tiny_problems import TinyProblem, by_hand, long_problem, rows, tiny_problem

from engine.routing.folder import read_problem as read_for_solvers
from engine.verification.reading import read_problem
from solvers import tables
from solvers.params import Method, Params
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.problem import IntArray, RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

NewFolder = Callable[[], Path]
Route = Callable[..., RoutingResult]
DEAR = 1_000_000


def routed(problem: RoutingProblem, method: Method = Method.AUTO) -> RoutingResult:
    params = Params(method=method, dual_steps=80, rounds_per_order=10)
    return solve(problem, params, Stopping(stopwatch=time.perf_counter))


def with_earlier(problem: RoutingProblem, dice: Random, *, pins: float = 0.3) -> tuple[RoutingProblem, Earlier]:
    """Return the problem with lines pinned and placed at random, in both forms."""
    orders, node_ids = problem.orders, problem.nodes.node_ids

    def nodes(share: float) -> IntArray:
        drawn = [dice.randrange(len(node_ids)) if dice.random() < share else -1 for _ in orders.line_sku]
        return np.array(drawn, np.int64)

    def named(node: IntArray) -> dict[tuple[str, str], str]:
        keys = [
            (orders.order_ids[o], problem.skus[k]) for o, k in zip(problem.line_order, orders.line_sku, strict=True)
        ]
        return {key: node_ids[n] for key, n in zip(keys, node.tolist(), strict=True) if n >= 0}

    pinned, current, cents = nodes(pins), nodes(0.6), dice.choice([1, 7, 40, 100, 400])
    changed = replace(
        problem,
        orders=replace(orders, line_pinned_node=pinned, line_current_node=current),
        terms=replace(problem.terms, move_cost_cents=cents),
    )
    return changed, Earlier(pinned=named(pinned), current=named(current), move_cost_cents=cents)


def moves_cents(problem: RoutingProblem, plan: RoutingPlan) -> int:
    """Return what the moves of a plan cost, told from its rows."""
    orders, cents = problem.orders, 0
    assert orders.line_current_node is not None
    for line, node, quantity in zip(plan.line.tolist(), plan.node.tolist(), plan.quantity.tolist(), strict=True):
        if orders.line_current_node[line] not in (-1, node):
            split, units = problem.terms.line_split, int(orders.line_quantity[line])
            each = -(-problem.terms.move_cost_cents // units)
            cents += quantity * each if split else problem.terms.move_cost_cents
    return cents


def check(problem: RoutingProblem, optimum: int, method: Method, seed: int) -> bool:
    """Check a solve against the optimum and its own rows; return whether it was proven optimal."""
    result = routed(problem, method)
    plan, pinned = result.plan, problem.orders.line_pinned_node
    assert result.lower_bound_cents is not None
    assert result.lower_bound_cents <= optimum <= result.total_cost_cents, seed
    assert plan.costs.moves == moves_cents(problem, plan), seed
    assert pinned is not None
    allowed = (plan.node == BACKORDER) | (pinned[plan.line] < 0) | (pinned[plan.line] == plan.node)
    assert allowed.all(), seed
    return result.status == "optimal"


@pytest.mark.parametrize("first", [0, 200])
def test_pins_and_moves_keep_the_optimum_between_bound_and_plan(first: int, folder: NewFolder) -> None:
    """Seeded bugs this catches: a move forgotten in the bound, in the plan or twice, a line away from its pin."""
    proven = 0
    for seed in range(first, first + 200):
        path = tiny_problem(seed).write(folder())
        problem, earlier = with_earlier(read_for_solvers(path).problem, Random(seed))
        proven += check(problem, optimum_cents(read_problem(path), earlier), Method.AUTO, seed)
    assert proven > 120


@pytest.mark.parametrize("method", [Method.EXACT, Method.ONE_BY_ONE, Method.NEAREST, Method.FEWEST_SPLITS])
def test_every_method_keeps_pins_and_counts_moves(method: Method, folder: NewFolder) -> None:
    for seed in range(60):
        path = tiny_problem(seed).write(folder())
        problem, earlier = with_earlier(read_for_solvers(path).problem, Random(seed))
        optimum = optimum_cents(read_problem(path), earlier)
        proven = check(problem, optimum, method, seed)
        assert proven or method != Method.EXACT, seed


def test_the_relaxation_of_long_orders_knows_pins_and_moves(folder: NewFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With orders of two lines taken for long ones, or of two units where lines may be split."""
    monkeypatch.setattr(tables, "EXACT_LINES", 1)
    for seed in range(150):
        path = tiny_problem(seed, split=seed % 3 == 0).write(folder())
        problem, earlier = with_earlier(read_for_solvers(path).problem, Random(seed))
        check(problem, optimum_cents(read_problem(path), earlier), Method.AUTO, seed)


def test_orders_of_forty_lines_stay_where_they_are(folder: NewFolder) -> None:
    for seed in range(20):
        problem = read_for_solvers(long_problem(seed).write(folder())).problem
        before = routed(problem, Method.NEAREST).plan
        again = routed(staying(problem, before, DEAR))
        assert again.plan.costs.moves == 0, seed
        assert again.lower_bound_cents is not None, seed
        assert again.lower_bound_cents <= again.total_cost_cents, seed


def staying(problem: RoutingProblem, plan: RoutingPlan, move_cost_cents: int) -> RoutingProblem:
    """Return the problem after a plan: each line is where its first row is."""
    current = np.full(len(problem.orders.line_sku), -1, np.int64)
    current[plan.line[::-1]] = plan.node[::-1]
    return replace(
        problem,
        orders=replace(problem.orders, line_current_node=current),
        terms=replace(problem.terms, move_cost_cents=move_cost_cents),
    )


def test_dear_moves_leave_a_plan_as_it_is_and_free_ones_change_nothing_of_a_solve(folder: NewFolder) -> None:
    """The plan to keep is a baseline's, which the router would not choose."""
    kept = better = 0
    for seed in range(400):
        problem = read_for_solvers(tiny_problem(seed, split=False).write(folder())).problem
        before, best = routed(problem, Method.NEAREST), routed(problem)
        again, free = routed(staying(problem, before.plan, DEAR)), routed(staying(problem, before.plan, 0))
        shipped = before.plan.node != BACKORDER
        assert (again.plan.node[shipped] == before.plan.node[shipped]).all(), seed
        assert again.plan.costs.moves == 0, seed
        for name in ("line", "node", "quantity", "service"):
            assert getattr(free.plan, name).tolist() == getattr(best.plan, name).tolist(), seed
        assert (free.plan.costs, free.lower_bound_cents) == (best.plan.costs, best.lower_bound_cents), seed
        kept += int(shipped.sum())
        better += best.total_cost_cents < before.total_cost_cents
    assert kept > 100
    assert better > 20


TWO = by_hand(
    {"backorder_cost_cents_per_unit": 5000},
    nodes=rows(node_id=["A", "B"], kind=["dc"], latitude=[0], longitude=[0], parcel_cost_cents=[0, 30]),
    products=rows(sku=["s", "t"], weight_g=[1]),
    stock=rows(node_id=["A", "A", "B", "B"], sku=["s", "t", "s", "t"], available=[1, 1, 1, 1]),
    orders=rows(order_id=["o", "p"], latitude=[0], longitude=[0]),
    order_lines=rows(order_id=["o", "p"], sku=["s", "t"], quantity=[1]),
    zones=rows(zone=["z"], max_km=[None]),
    rates=rows(service=["road"], zone=["z"], max_weight_g=[100], cost_cents=[100], transit_days=[1]),
)
"""From A each order costs 100, from B 130; an earlier plan has both at B."""


@pytest.mark.parametrize(("cents", "nodes", "total"), [(0, [0, 0], 200), (29, [0, 0], 258), (31, [1, 1], 260)])
def test_a_line_moves_when_that_saves_more_than_the_move_costs(
    cents: int, nodes: list[int], total: int, folder: NewFolder
) -> None:
    problem = read_for_solvers(TWO.write(folder())).problem
    problem = replace(
        problem,
        orders=replace(problem.orders, line_current_node=np.array([1, 1])),
        terms=replace(problem.terms, move_cost_cents=cents),
    )
    result = routed(problem)
    assert (result.plan.node.tolist(), result.total_cost_cents, result.lower_bound_cents) == (nodes, total, total)
    assert result.plan.costs.moves == 2 * cents * (nodes == [0, 0])


def test_a_dear_move_is_made_where_it_must_and_nowhere_else(folder: NewFolder) -> None:
    """B has lost its s: o moves to A, p stays."""
    without: TinyProblem = replace(
        TWO, tables={**TWO.tables, "stock": [r for r in TWO.tables["stock"] if r["node_id"] + r["sku"] != "Bs"]}
    )
    problem = read_for_solvers(without.write(folder())).problem
    problem = replace(
        problem,
        orders=replace(problem.orders, line_current_node=np.array([1, 1])),
        terms=replace(problem.terms, move_cost_cents=3000),
    )
    result = routed(problem)
    assert result.plan.node.tolist() == [0, 1]
    assert (result.plan.costs.moves, result.total_cost_cents) == (3000, 100 + 3000 + 130)
