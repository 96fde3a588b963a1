"""The referee: method `exact` finds the optimum, says so only when it is, and never does worse than one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from brute_force import optimum_cents
from tiny_problems import by_hand, long_problem, rows, tiny_problem

from engine.errors import InvalidInput
from engine.routing.route_folder import Options, route_folder
from engine.verification.reading import read_problem
from engine.verification.verify import verify
from solvers import textbook as model_of
from solvers import textbook_solve
from solvers.params import Method, Params
from solvers.plan import BoundMethod
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping
from solvers.tables import compile_tables
from solvers.textbook import ExactSolver, textbook
from solvers.textbook_search import whole_cents

NewFolder = Callable[[], Path]
Read = Callable[..., RoutingProblem]
EXACT = [*ExactSolver]


def checked(problem: Path, out: Path, **options: Any) -> dict[str, Any]:
    """Route, let the checker confirm every statement, and return the summary."""
    summary = route_folder(problem, out, Options(**options)).summary
    verdict = verify(problem, out)
    assert verdict.agrees, [str(check) for check in verdict.checks if check.state == "failed"]
    return summary


def exactly(problem: Path, out: Path, solver: ExactSolver, **options: Any) -> dict[str, Any]:
    return checked(problem, out, method=Method.EXACT, exact_solver=solver, **options)


@pytest.mark.parametrize("solver", EXACT)
@pytest.mark.parametrize("first", range(0, 240, 80))
def test_the_referee_finds_the_optimum_and_proves_it(first: int, solver: ExactSolver, folder: NewFolder) -> None:
    """Seeded bugs this catches: any row of textbook_rows.py left out, a step without its least weight."""
    found = set()
    for seed in range(first, first + 80):
        problem = tiny_problem(seed).write(folder())
        optimum = optimum_cents(read_problem(problem))
        summary = exactly(problem, folder(), solver)
        assert summary["total_cost_cents"] == summary["lower_bound_cents"] == optimum, seed
        assert (summary["status"], summary["stop_reason"]) == ("optimal", "optimal"), seed
        found.add(summary["bound_method"])
    assert found == {"prices", "search"}


@pytest.mark.parametrize("solver", EXACT)
def test_lines_that_may_be_split_are_split_where_that_is_best(solver: ExactSolver, folder: NewFolder) -> None:
    for seed in range(60):
        problem = tiny_problem(seed, split=True).write(folder())
        summary = exactly(problem, folder(), solver)
        optimum = optimum_cents(read_problem(problem))
        assert summary["total_cost_cents"] == summary["lower_bound_cents"] == optimum, seed


@pytest.mark.parametrize("solver", EXACT)
def test_quantities_of_a_million_are_as_exact_as_small_ones(solver: ExactSolver, folder: NewFolder) -> None:
    for seed in range(1000, 1030):
        problem = tiny_problem(seed, split=False, scale=333_333).write(folder())
        summary = exactly(problem, folder(), solver)
        optimum = optimum_cents(read_problem(problem))
        assert summary["total_cost_cents"] == summary["lower_bound_cents"] == optimum, seed


@pytest.mark.parametrize("split", [False, True])
def test_the_referee_and_the_prices_agree_on_orders_of_forty_lines(split: bool, folder: NewFolder) -> None:
    for seed in range(0, 20, 2 if split else 1):
        problem = long_problem(seed, split=split).write(folder())
        exact = exactly(problem, folder(), ExactSolver.HIGHS, time_limit_seconds=1.0)
        auto = checked(problem, folder(), method=Method.AUTO)
        assert auto["lower_bound_cents"] <= exact["total_cost_cents"], seed
        assert exact["lower_bound_cents"] <= auto["total_cost_cents"], seed


@pytest.mark.parametrize("solver", EXACT)
def test_one_order_alone_costs_what_its_best_pattern_costs(solver: ExactSolver, read: Read) -> None:
    """What only routing runs say: units an order holds already, levels of service, delivery by calendar.

    The patterns of one order are priced by other code, which needs no model.
    """
    for seed in range(100):
        alone = sourced(read(tiny_problem(seed, split=False, most_orders=1)), Random(seed))
        results = [
            solve(alone, Params(method=method, exact_solver=solver), Stopping(stopwatch=time.perf_counter))
            for method in (Method.EXACT, Method.ONE_BY_ONE)
        ]
        exact, pattern = (result.total_cost_cents for result in results)
        assert exact == pattern == results[0].lower_bound_cents, seed


def sourced(problem: RoutingProblem, dice: Random) -> RoutingProblem:
    """Return the problem as a routing run might have it."""
    orders, nodes, services = problem.orders, len(problem.nodes.node_ids), len(problem.services)
    count = len(orders.line_sku)
    longest = int(problem.rates.transit_days.max(initial=0)) + 1
    days = np.array([dice.choice([0, 1, 2, 5, 2**30]) for _ in range(nodes * services * longest)], np.int64)
    return replace(
        problem,
        orders=replace(
            orders,
            line_own_node=np.array([dice.choice([-1, dice.randrange(nodes)]) for _ in range(count)], np.int64),
            line_backorder_cents=np.array([dice.choice([0, 40, 900]) for _ in range(count)], np.int64),
            service_level=np.array([dice.choice([-1, 0, 1]) for _ in orders.order_ids], np.int64),
        ),
        service_level=np.array([dice.choice([0, 1]) for _ in problem.services], np.int64),
        rates=replace(problem.rates, delivery_days=None if problem.lanes else days.reshape(nodes, services, longest)),
    )


@pytest.mark.parametrize("solver", EXACT)
def test_a_light_parcel_cannot_pass_for_a_heavy_one_that_costs_less(solver: ExactSolver, folder: NewFolder) -> None:
    """Seeded bug this catches: a step without its least weight; s alone, at 700, would cost 200 then."""
    problem = by_hand(
        {"backorder_cost_cents_per_unit": 5000},
        nodes=rows(node_id=["A"], kind=["dc"], latitude=[0], longitude=[0]),
        products=rows(sku=["s", "t"], weight_g=[10, 20]),
        stock=rows(node_id=["A"], sku=["s", "t"], available=[2, 1]),
        orders=rows(order_id=["o", "p"], latitude=[0], longitude=[0]),
        order_lines=rows(order_id=["o", "o", "p", "p"], sku=["s", "t", "s", "t"], quantity=[1]),
        zones=rows(zone=["z"], max_km=[None]),
        rates=rows(service=["road"], zone=["z"], max_weight_g=[10, 30], cost_cents=[700, 200]),
    ).write(folder())
    summary = exactly(problem, folder(), solver)
    assert summary["total_cost_cents"] == summary["lower_bound_cents"] == 200 + 700 + 5000


@pytest.mark.parametrize("solver", EXACT)
def test_without_time_the_plan_is_the_one_by_one_plan_and_the_bound_holds(
    solver: ExactSolver, folder: NewFolder
) -> None:
    for seed in range(20):
        problem = (tiny_problem(seed) if seed % 2 else long_problem(seed, split=seed % 4 == 0)).write(folder())
        exact = exactly(problem, folder(), solver, time_limit_seconds=1e-9)
        greedy = checked(problem, folder(), method=Method.ONE_BY_ONE)
        assert exact["lower_bound_cents"] <= exact["total_cost_cents"] <= greedy["total_cost_cents"], seed


def test_one_cost_per_order_as_large_batches_have_it_leads_to_the_same_optimum(
    folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textbook_solve, "MANY_COLUMNS", 0)
    for seed in range(60):
        problem = tiny_problem(seed).write(folder())
        summary = exactly(problem, folder(), ExactSolver.HIGHS, time_limit_seconds=60.0)
        optimum = optimum_cents(read_problem(problem))
        assert summary["total_cost_cents"] == summary["lower_bound_cents"] == optimum, seed


@pytest.mark.parametrize("solver", EXACT)
def test_the_same_problem_gives_the_same_bytes(solver: ExactSolver, folder: NewFolder) -> None:
    for seed in range(12):
        problem, outs = tiny_problem(seed).write(folder()), (folder(), folder())
        for out, workers in zip(outs, (1, 3), strict=True):
            exactly(problem, out, solver, deterministic=True, workers=workers)
        for name in ("plan.csv", "prices.csv", "summary.json"):
            assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), seed


def test_a_target_gap_that_is_met_ends_the_search(folder: NewFolder) -> None:
    reasons = set()
    for seed in range(80):
        summary = exactly(tiny_problem(seed).write(folder()), folder(), ExactSolver.HIGHS, target_gap=0.5)
        assert summary["gap"] is not None, seed
        assert summary["gap"] <= 0.5, seed
        reasons.add(summary["stop_reason"])
    assert reasons <= {"optimal", "target_gap"}


def test_a_batch_that_is_too_large_is_refused_with_the_remedy(
    folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_of, "MOST_COLUMNS", 1)
    out = folder()
    with pytest.raises(InvalidInput, match=r"more than 1; use method auto") as caught:
        route_folder(long_problem(1).write(folder()), out, Options(method=Method.EXACT))
    assert [fault.path for fault in caught.value.faults] == ["--method"]
    assert not out.exists()


def test_a_line_that_only_one_parcel_could_hold_shares_its_column(read: Read) -> None:
    compiled = compile_tables(
        read(
            by_hand(
                {"backorder_cost_cents_per_unit": 100},
                nodes=rows(node_id=["A", "B"], kind=["dc"], latitude=[0], longitude=[0]),
                products=rows(sku=["s", "t"], weight_g=[1]),
                stock=rows(node_id=["A", "A", "B"], sku=["s", "t", "s"], available=[1]),
                orders=rows(order_id=["o"], latitude=[0], longitude=[0]),
                order_lines=rows(order_id=["o"], sku=["s", "t"], quantity=[1]),
                zones=rows(zone=["z"], max_km=[None]),
                rates=rows(service=["road"], zone=["z"], max_weight_g=[1, 9], cost_cents=[10, 20]),
            )
        )
    )
    model = textbook(compiled)
    assert model.cost.tolist() == [-100, -100, -90, 10, 20]
    assert model.step_column.tolist() == [3, 4, 2]


def test_a_bound_in_floating_point_is_rounded_up_only_beyond_its_margin(read: Read) -> None:
    model = textbook(compile_tables(read(tiny_problem(4))))
    assert [whole_cents(bound, model, exact=False) for bound in (7.0, 7.0004, 7.2, 7.9, -3.0, np.inf, -np.inf)] == [
        *(7, 7, 8, 8, 0),
        *(None, None),
    ]


def test_a_bound_that_prices_prove_is_said_to_be_proven_by_prices(read: Read) -> None:
    methods = set()
    for seed in range(40):
        result = solve(read(tiny_problem(seed)), Params(method=Method.EXACT), Stopping(stopwatch=time.perf_counter))
        methods.add(result.bound_method)
        if result.bound_method == BoundMethod.PRICES:
            assert result.prices is not None, seed
    assert methods == {BoundMethod.PRICES, BoundMethod.SEARCH}
