"""Steps that change a plan keep it a plan: stock and capacity hold, costs are true, and nothing gets dearer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compiled_problems import assert_sound, in_sequence, some_prices
from tiny_problems import TinyProblem, by_hand, long_problem, rows, tiny_problem

from engine.dispatch.local import threads
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem
from solvers.explorers import improve_together
from solvers.improve import ruin_and_recreate
from solvers.offers import choice
from solvers.params import Method, Params
from solvers.parts import rivals
from solvers.plan import BACKORDER, RoutingResult
from solvers.prices import counted, dual_steps, no_prices
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping
from solvers.tables import compile_tables

Read = Callable[[TinyProblem], RoutingProblem]
Route = Callable[..., RoutingResult]


@pytest.mark.parametrize("make", [tiny_problem, long_problem])
def test_ruin_and_recreate_keeps_stock_and_capacity_and_never_costs_more(
    make: Callable[[int], TinyProblem], read: Read
) -> None:
    saved = 0
    for seed in range(60):
        compiled = compile_tables(read(make(seed)))
        coupled = np.flatnonzero(compiled.coupled)
        if not len(coupled):
            continue
        prices = some_prices(compiled, seed)
        plan, out = in_sequence(compiled, prices), choice()
        before = int(plan.cents.sum())
        gain = ruin_and_recreate(compiled.tables, coupled, rivals(compiled), prices.duals(), plan, out, 50, seed)
        assert before - int(plan.cents.sum()) == gain >= 0, seed
        assert_sound(compiled, plan)
        saved += gain
    assert saved > 0


@pytest.mark.parametrize(
    "params",
    [
        Params(dual_steps=0, rounds_per_order=0),
        Params(dual_steps=1, rounds_per_order=1, passes=1, nodes=1, proof_columns=1, polish_orders=0),
        Params(dual_steps=3, polish_orders=0, proof_orders=0),
        Params(seed=2**32 - 1, whole_orders=1, block_orders=1),
    ],
)
def test_with_hardly_any_work_allowed_plan_and_bound_are_still_true(params: Params, read: Read, route: Route) -> None:
    for seed in range(30):
        problem = read(tiny_problem(seed))
        result = solve(problem, params, Stopping(stopwatch=time.perf_counter))
        greedy = route(problem, Method.ONE_BY_ONE)
        assert result.lower_bound_cents is not None
        assert result.lower_bound_cents <= result.total_cost_cents <= greedy.total_cost_cents, seed


def test_a_line_that_may_be_divided_takes_what_is_left_where_it_pays(read: Read, route: Route) -> None:
    """5 wanted: A has 3 (parcel 100), B has 1 (parcel 400), C has 1 (parcel 900); a backordered unit costs 500.

    3 from A and 1 from B save 1,500 - 100 and 500 - 400; C's unit would cost 900 to save 500: 100 + 400 + 500.
    """
    problem = read(
        by_hand(
            {"backorder_cost_cents_per_unit": 500, "line_split": "allowed"},
            nodes=rows(node_id=["A", "B", "C"]),
            stock=rows(node_id=["A", "B", "C"], sku=["s"], available=[3, 1, 1]),
            orders=[{"order_id": "o"}],
            order_lines=rows(order_id=["o"], sku=["s"], quantity=[5]),
            lanes=rows(node_id=["A", "B", "C"], order_id=["o"], service=["van"], cost_cents=[100, 400, 900]),
        )
    )
    plan = route(problem).plan
    assert list(zip(plan.node.tolist(), plan.quantity.tolist(), strict=True)) == [(BACKORDER, 1), (0, 3), (1, 1)]
    assert (plan.costs.total, plan.parcels, plan.split_orders, plan.backordered_units) == (1000, 2, 1, 1)


def test_explorers_save_the_same_wherever_they_work_and_take_nothing_twice(folder: Callable[[], Path]) -> None:
    """Seeded bug this catches: what an explorer found taken over without a look at what the one before it took."""
    generate(Recipe(orders=400, nodes=20, skus=60, seed=2), path := folder())
    compiled = compile_tables(read_problem(path).problem)
    prices = [step.prices for step in dual_steps(compiled, no_prices(compiled), counted(40))][-1]
    orders, plan = np.flatnonzero(compiled.coupled), in_sequence(compiled, prices)
    with threads(3) as spread:
        for seed in range(3):
            before, twin = int(plan.cents.sum()), plan.copy()
            work = (prices, orders, rivals(compiled), 800, seed)
            saved = improve_together(compiled, plan, *work, spread)
            assert improve_together(compiled, twin, *work, map) == saved >= 0
            assert twin.cand.tolist() == plan.cand.tolist()
            assert before - int(plan.cents.sum()) == saved
            assert saved > 0 or seed > 0
            assert_sound(compiled, plan)


def test_explorers_come_as_far_as_one_chain_of_as_many_changes(folder: Callable[[], Path]) -> None:
    """Seeded bug this catches: only the changes of the first explorer kept."""
    generate(Recipe(orders=600, nodes=20, skus=60, seed=5), path := folder())
    compiled = compile_tables(read_problem(path).problem)
    prices = [step.prices for step in dual_steps(compiled, no_prices(compiled), counted(40))][-1]
    orders, chain = np.flatnonzero(compiled.coupled), in_sequence(compiled, prices)
    together, rival = chain.copy(), rivals(compiled)
    rounds, waves = 16 * len(orders), 32
    saved = ruin_and_recreate(compiled.tables, orders, rival, prices.duals(), chain, choice(), rounds, 1)
    found = sum(
        improve_together(compiled, together, prices, orders, rival, rounds // waves, seed, map) for seed in range(waves)
    )
    assert found > 0.85 * saved
