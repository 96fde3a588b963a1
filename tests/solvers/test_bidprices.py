"""Bid prices of small forecasts: they are what one more unit saves, and they prove what nobody can expect to beat."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from solvers.baskets import cheapest_places
from solvers.bidprices import FluidProblem, solve_fluid, stock_rows
from solvers.bidsweeps import Sweeps, sweep_prices

MANY = Sweeps(count=600, first_step=2.0, last_step=0.001)


def forecast(seed: int, *, lines: int = 1, periods: int = 1, supply: float = 0.6) -> FluidProblem:
    """Draw four classes over three nodes, and stock for a share of the units that they ask for."""
    draw = np.random.default_rng(seed)
    classes, nodes, skus = 4, 3, 2 if lines == 1 else 3
    sku = np.concatenate([draw.permutation(skus)[:lines] for _ in range(classes)])
    line_cost = draw.uniform(1, 6, (classes * lines, nodes + 1))
    line_cost[:, -1] = draw.uniform(12, 20, classes * lines)
    line_cost[draw.random(line_cost.shape) < 0.1] = np.inf
    line_cost[:, -1] = np.where(np.isfinite(line_cost[:, -1]), line_cost[:, -1], 15.0)
    expected, quantity = draw.uniform(1, 9, classes), draw.integers(1, 3, classes * lines).astype(float)
    asked = np.zeros(skus)
    np.add.at(asked, sku, np.repeat(expected, lines) * quantity)
    first = draw.dirichlet(np.ones(nodes), skus) * asked[:, None] * supply
    more = draw.random((periods, skus, nodes)) * (draw.random((periods, skus, nodes)) < 0.5)
    more[0] = first
    return FluidProblem(
        expected=expected,
        period=draw.integers(0, periods, classes),
        line_start=np.arange(classes + 1) * lines,
        line_sku=sku,
        quantity=quantity,
        parcel_cost=draw.uniform(0, 4, (classes, nodes + 1)),
        line_cost=line_cost,
        available=np.cumsum(more, 0),
    )


def solved(problem: FluidProblem):
    found = solve_fluid(problem)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_places_are_those_of_all_assignments(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for _ in range(40):
        lines, places = draw.integers(1, 6), draw.integers(1, 7)
        parcel, line = draw.uniform(0, 3, places), draw.uniform(0, 5, (lines, places))
        line[draw.random(line.shape) < 0.2] = np.inf
        chosen = np.zeros(lines, np.int64)
        found = cheapest_places(parcel, line, chosen)
        best = min(
            parcel[sorted(set(places_of))].sum() + line[np.arange(lines), list(places_of)].sum()
            for places_of in product(range(places), repeat=lines)
        )
        assert found == pytest.approx(best)
        if np.isfinite(found):
            assert parcel[np.unique(chosen)].sum() + line[np.arange(lines), chosen].sum() == pytest.approx(best)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lines", [1, 2])
def test_a_price_is_what_one_more_unit_saves(seed: int, lines: int) -> None:
    problem = forecast(seed, lines=lines)
    found = solved(problem)
    little = 1e-4
    for _, sku, node in zip(*stock_rows(problem), strict=True):
        more = problem.available.copy()
        more[:, sku, node] += little
        saved = (found.cost - solved(replace(problem, available=more)).cost) / little
        fewer = problem.available.copy()
        fewer[:, sku, node] -= min(little, fewer[0, sku, node])
        taken = problem.available[0, sku, node] - fewer[0, sku, node]
        lost = (solved(replace(problem, available=fewer)).cost - found.cost) / taken if taken > little / 2 else np.inf
        assert saved - 1e-3 <= found.prices[0, sku, node] <= lost + 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_only_what_is_used_up_has_a_price_and_nobody_uses_a_place_that_costs_more_at_the_prices(seed: int) -> None:
    problem = forecast(seed)
    found = solved(problem)
    owner = problem.class_of_line
    use = np.zeros(problem.available.shape[1:])
    priced = problem.line_cost + problem.parcel_cost[owner]
    for line, sku in enumerate(problem.line_sku):
        use[sku] += problem.expected[owner[line]] * problem.quantity[line] * found.share[line, :-1]
        priced[line, :-1] += problem.quantity[line] * found.prices[0, sku]
    slack = problem.available[0] - use
    assert (slack >= -1e-6).all()
    assert (np.minimum(slack, found.prices[0]) <= 1e-6).all()
    served_at = found.share > 1e-6
    assert (priced[served_at] <= np.repeat(priced.min(axis=1), served_at.sum(axis=1)) + 1e-6).all()


@pytest.mark.parametrize("lines", [1, 2])
def test_with_enough_of_everything_everywhere_all_prices_are_zero(lines: int) -> None:
    for seed in range(6):
        problem = forecast(seed, lines=lines, supply=1.0)
        ample = replace(problem, available=np.full(problem.available.shape, 1000.0))
        assert (solved(ample).prices == 0).all()
        swept = sweep_prices(ample, np.zeros(ample.available.shape), Sweeps(count=3, first_step=1.0, last_step=0.1))
        assert (swept.prices == 0).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("periods", [1, 3])
def test_sweeps_reach_the_optimum_of_orders_of_one_line(seed: int, periods: int) -> None:
    problem = forecast(seed, periods=periods)
    cost = solved(problem).cost
    bound = sweep_prices(problem, np.zeros(problem.available.shape), MANY).bound
    assert bound <= cost + 1e-6
    assert bound == pytest.approx(cost, rel=2e-3 if periods == 1 else 1e-2)


@pytest.mark.parametrize("seed", range(8))
def test_sweeps_over_whole_orders_prove_no_less_than_the_programme_of_lines_and_parcels(seed: int) -> None:
    problem = forecast(seed, lines=2)
    bound = sweep_prices(problem, np.zeros(problem.available.shape), MANY).bound
    assert bound >= solved(problem).cost * (1 - 2e-3)


def test_a_unit_that_comes_before_the_demand_is_worth_what_a_unit_now_is_and_one_after_it_is_worth_nothing() -> None:
    problem = FluidProblem(
        expected=np.array([5.0]),
        period=np.array([1]),
        line_start=np.array([0, 1]),
        line_sku=np.array([0]),
        quantity=np.array([1.0]),
        parcel_cost=np.zeros((1, 2)),
        line_cost=np.array([[3.0, 10.0]]),
        available=np.array([[[1.0]], [[2.0]], [[9.0]]]),
    )
    assert solved(problem).prices[:, 0, 0].tolist() == [7.0, 7.0, 0.0]
