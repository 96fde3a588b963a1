"""Orders that are priced by a relaxation: long ones, and large ones whose lines may be divided."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brute_force import optimum_cents
from compiled_problems import NewFolder, both
from numpy.random import default_rng
from random_prices import random_prices
from tiny_problems import TinyProblem, by_hand, long_problem, rows, tiny_problem

from engine.routing.route_folder import Options, route_folder
from engine.verification.menu import Menus
from engine.verification.reading import read_problem
from engine.verification.relaxation import many_lines, split_lines
from engine.verification.verify import verify
from solvers import tables
from solvers.plan import RoutingResult
from solvers.prices import long_orders, relaxed_space
from solvers.problem import RoutingProblem
from solvers.relaxation import relaxed_order

Read = Callable[[TinyProblem], RoutingProblem]
Route = Callable[..., RoutingResult]


def checked(problem: Path, out: Path) -> dict[str, Any]:
    """Route, let the checker confirm every statement, and return the summary."""
    summary = route_folder(problem, out, Options()).summary
    verdict = verify(problem, out)
    assert verdict.agrees, [str(check) for check in verdict.checks if check.state == "failed"]
    return summary


@pytest.mark.parametrize("split", [False, True])
def test_solver_and_checker_read_the_same_bound_out_of_any_values(split: bool, folder: NewFolder) -> None:
    """The checker rounds a mixture's earnings down node by node, and leaves out nodes that may ship no parcel."""
    compared = 0
    for seed in range(60):
        compiled, problem = both(long_problem(seed, split=split), folder)
        duals, prices = random_prices(compiled, default_rng(seed))
        t, menus, orders = compiled.tables, Menus(problem, prices), list(problem.orders.values())
        space, dice = relaxed_space(compiled), default_rng(seed)
        for o in long_orders(compiled):
            values = {line.sku: int(dice.integers(0, 300_000)) for line in orders[o].lines}
            skus = (compiled.problem.skus[k] for k in compiled.problem.orders.line_sku[t.line])
            worth = np.array([float(values.get(sku, 0)) for sku in skus])
            found = relaxed_order(t, o, duals, worth, space)
            proven = (split_lines if split else many_lines)(menus, orders[o], values)
            shipping = [node for node in problem.nodes.values() if node.capacity_parcels != 0]
            assert math.floor(found) <= proven, seed
            assert proven <= math.floor(found) + len(shipping) or len(shipping) < len(problem.nodes), seed
            compared += 1
    assert compared > 30


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_a_relaxation_of_every_order_still_keeps_the_optimum_between_bound_and_plan(
    first: int, folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With orders of two lines taken for long ones, or of two units where lines may be split."""
    monkeypatch.setattr(tables, "EXACT_LINES", 1)
    for seed in range(first, first + 100):
        problem = tiny_problem(seed, split=seed % 2 == 0).write(folder())
        summary = checked(problem, folder())
        assert summary["lower_bound_cents"] <= optimum_cents(read_problem(problem)) <= summary["total_cost_cents"], seed


def test_lines_of_a_dozen_units_are_divided_and_bounded_with_the_optimum_in_between(folder: NewFolder) -> None:
    """Seeded bug this catches: an order of few but large pieces priced as if no other division were possible."""
    for seed in range(120):
        problem = tiny_problem(seed, split=True, scale=6).write(folder())
        summary = checked(problem, folder())
        assert summary["lower_bound_cents"] <= optimum_cents(read_problem(problem)) <= summary["total_cost_cents"], seed


def wide(lines: int, *, quantity: int = 1, split: bool = False, **order: Any) -> TinyProblem:
    """One order of so many lines; the even ones lie in A, the odd ones in B, and C has half of each line."""
    skus = [f"s{n:02}" for n in range(lines)]
    home = ["AB"[n % 2] for n in range(lines)]
    return by_hand(
        {
            "backorder_cost_cents_per_unit": 700,
            "split_cost_cents": 30,
            "line_split": "allowed" if split else "never",
        },
        nodes=rows(node_id=list("ABC"), latitude=[0], longitude=[0], parcel_cost_cents=[100, 120, 50]),
        products=rows(sku=skus, weight_g=[10]),
        stock=[
            *rows(node_id=home, sku=skus, available=[quantity]),
            *rows(node_id=["C"] * lines, sku=skus, available=[max(quantity // 2, 1)]),
        ]
        if split
        else rows(node_id=home, sku=skus, available=[quantity]),
        orders=[{"order_id": "o", "latitude": 0, "longitude": 0, **order}],
        order_lines=rows(order_id=["o"] * lines, sku=skus, quantity=[quantity]),
        zones=[{"zone": "z"}],
        rates=rows(service=["van"], zone=["z"], max_weight_g=[10**6, 10**12], cost_cents=[200, 300]),
    )


def test_an_order_of_forty_lines_from_two_nodes_is_proven_optimal(read: Read, route: Route) -> None:
    """Two parcels: 300 + 320 + 30; no value of lines proves more, and the one that is found proves all of it."""
    result = route(read(wide(40)))
    assert (result.total_cost_cents, result.lower_bound_cents) == (650, 650)


def test_an_order_of_forty_lines_in_one_parcel_leaves_half_of_them(read: Read, route: Route) -> None:
    result = route(read(wide(40, max_nodes=1)))
    assert result.total_cost_cents == 300 + 20 * 700
    assert result.lower_bound_cents == result.total_cost_cents


@pytest.mark.parametrize("quantity", [2, 3, 11, 1000, 999_999])
def test_a_line_that_no_node_has_whole_is_divided(quantity: int, read: Read, route: Route) -> None:
    """A and C have half each, rounded down and up: both are needed, and everything is shipped."""
    half = quantity // 2
    problem = by_hand(
        {"backorder_cost_cents_per_unit": 700, "split_cost_cents": 30, "line_split": "allowed"},
        nodes=rows(node_id=["A", "C"], latitude=[0], longitude=[0], parcel_cost_cents=[100, 50]),
        products=rows(sku=["s"], weight_g=[10]),
        stock=rows(node_id=["A", "C"], sku=["s"], available=[half, quantity - half]),
        orders=[{"order_id": "o", "latitude": 0, "longitude": 0}],
        order_lines=rows(order_id=["o"], sku=["s"], quantity=[quantity]),
        zones=[{"zone": "z"}],
        rates=rows(service=["van"], zone=["z"], max_weight_g=[10**12], cost_cents=[200]),
    )
    result = route(read(problem))
    assert result.plan.backordered_units == 0
    assert result.plan.quantity.tolist() == [half, quantity - half]
    assert result.total_cost_cents == result.lower_bound_cents == 300 + 250 + 30


def test_what_is_left_of_a_line_at_one_node_is_one_row_of_the_plan(read: Read, route: Route) -> None:
    result = route(read(wide(1, quantity=9, split=True)))
    assert result.plan.quantity.tolist() == [9]
    assert result.plan.parcels == 1
