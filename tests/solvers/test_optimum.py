"""Thousands of tiny random problems against the brute force, in memory: the optimum lies between bound and plan.

Through files, by every method and with the checker: test_laws.py, on fewer problems.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from brute_force import optimum_cents
from tiny_problems import TinyProblem, tiny_problem

from engine.routing.folder import read_problem as read_for_solvers
from engine.verification.reading import read_problem
from solvers.params import Params
from solvers.plan import RoutingResult
from solvers.solve import solve
from solvers.stopping import Stopping

NewFolder = Callable[[], Path]
PARAMS = (
    Params(),
    Params(dual_steps=25, rounds_per_order=5),
    Params(dual_steps=80, polish_orders=0, proof_orders=0),
    Params(seed=5, rounds_per_order=20, whole_orders=2, block_orders=2, nodes=1, proof_columns=10),
)
"""The usual work, hardly any, all of it without the master, and a master that is cut short."""


def routed(problem: TinyProblem, folder: Path, params: Params) -> tuple[RoutingResult, int]:
    """Return what a solve says, and the true optimum in cents."""
    path = problem.write(folder)
    result = solve(read_for_solvers(path).problem, params, Stopping(stopwatch=time.perf_counter))
    return result, optimum_cents(read_problem(path))


@pytest.mark.parametrize("first", range(10_000, 12_000, 200))
def test_the_optimum_of_two_thousand_problems_lies_between_bound_and_plan(first: int, folder: NewFolder) -> None:
    proven = 0
    for seed in range(first, first + 200):
        result, optimum = routed(tiny_problem(seed), folder(), PARAMS[seed % len(PARAMS)])
        assert result.lower_bound_cents is not None
        assert result.lower_bound_cents <= optimum <= result.total_cost_cents, seed
        assert (result.status == "optimal") == (result.lower_bound_cents == result.total_cost_cents), seed
        proven += result.status == "optimal"
    assert proven > 120  # of 200: a bound of 0 and a plan of backorders would satisfy the law, too


def with_more_stock(less: TinyProblem, dice: Random) -> TinyProblem:
    """Return the problem with units more in its cells, and with cells that were not there."""
    stock = [{**row, "available": row["available"] + dice.randint(0, 2)} for row in less.tables["stock"]]
    there = {(row["node_id"], row["sku"]) for row in stock}
    wanted = sorted({row["sku"] for row in less.tables["order_lines"]})
    stock += [
        {"node_id": node["node_id"], "sku": sku, "available": dice.randint(0, 3)}
        for node in less.tables["nodes"]
        for sku in wanted
        if (node["node_id"], sku) not in there
    ]
    return replace(less, tables={**less.tables, "stock": stock})


def test_more_stock_never_raises_the_optimum_and_no_bound_above_it(folder: NewFolder) -> None:
    """The bound stated for less stock may exceed the new optimum; the one stated for more may not."""
    cheaper = 0
    for seed in range(20_000, 20_120):
        less = tiny_problem(seed)
        before, old = routed(less, folder(), PARAMS[seed % len(PARAMS)])
        after, new = routed(with_more_stock(less, Random(seed)), folder(), PARAMS[seed % len(PARAMS)])
        assert new <= old <= before.total_cost_cents, seed
        assert (after.lower_bound_cents or 0) <= new <= after.total_cost_cents, seed
        cheaper += new < old
    assert cheaper > 10
