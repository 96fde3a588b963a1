"""Plans told from their rows cost what the solvers say, and parts of a batch can be solved again and put back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tiny_problems import tiny_problem

from engine.routing.again import part_of, put_back
from engine.routing.folder import read_problem
from engine.routing.plan_costs import plan_of
from solvers.params import Method, Params
from solvers.plan import RoutingPlan
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping


def solved(problem: RoutingProblem) -> RoutingPlan:
    return solve(problem, Params(method=Method.AUTO), Stopping(stopwatch=time.perf_counter)).plan


def by_rates(folder: Callable[[], Path], seeds: int) -> Iterator[tuple[int, RoutingProblem]]:
    """Yield the problems that have rate cards, as those of runs do."""
    for seed in range(seeds):
        problem = read_problem(tiny_problem(seed).write(folder())).problem
        if problem.lanes is None:
            yield seed, problem


def test_a_plan_told_from_its_rows_costs_what_the_solver_says(folder: Callable[[], Path]) -> None:
    seen = 0
    for seed, problem in by_rates(folder, 120):
        plan = solved(problem)
        draw = np.random.default_rng(seed).permutation(len(plan.line))
        told = plan_of(problem, *(column[draw] for column in (plan.line, plan.node, plan.quantity, plan.service)))
        assert told.costs == plan.costs, seed
        assert (told.parcels, told.split_orders) == (plan.parcels, plan.split_orders), seed
        assert told.backordered_units == plan.backordered_units, seed
        assert all((getattr(told, name) == getattr(plan, name)).all() for name in ("line", "node", "quantity")), seed
        seen += plan.costs.late > 0
    assert seen


def test_orders_that_are_solved_again_against_what_is_left_cost_no_more_than_before(folder: Callable[[], Path]) -> None:
    """Optimal plans stay optimal, whichever orders are taken out; catches units that are taken or left twice."""
    for seed, problem in by_rates(folder, 60):
        plan = solved(problem)
        draw = np.random.default_rng(seed).random(problem.order_count) < 0.5
        part = part_of(problem, plan, np.flatnonzero(draw).tolist())
        if part.problem.order_count:
            again = put_back(problem, plan, part, solved(part.problem))
            assert again.costs.total == plan.costs.total, seed
