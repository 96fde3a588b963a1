"""The published experiment: schemes keep the shares that they round, and the same world is drawn from the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from benchmarks.ma2023.measuring import HINDSIGHT, OURS, Outcome, measure
from benchmarks.ma2023.policies import Cadence, Scheme, cost_by_prices, cost_by_scheme
from benchmarks.ma2023.rounding import dilated, force_open, jasin_sinha
from benchmarks.ma2023.world import SMALL, draw_world
from benchmarks.published import missed, rows
from solvers.bidprices import solve_fluid

TINY = replace(SMALL, skus=8, longest=3, baskets=3, cities=4, periods=1_500)
SHARE = np.array([[0.5, 0.3, 0.2, 0.0], [0.4, 0.0, 0.3, 0.3], [0.6, 0.2, 0.2, 0.0]])
DRAWS = 40_000


@njit
def rounded(scheme, share, draws):
    np.random.seed(7)
    count, chosen = np.zeros(share.shape), np.zeros(len(share), np.int64)
    places = 0
    for _ in range(draws):
        scheme(share, chosen)
        places += len(np.unique(chosen))
        for line in range(len(share)):
            count[line, chosen[line]] += 1
    return count / draws, places / draws


@pytest.mark.parametrize("scheme", [jasin_sinha, dilated, force_open])
def test_a_rounding_scheme_keeps_the_share_of_every_line_and_uses_fewer_places_than_lines_drawn_apart(scheme) -> None:
    share, places = rounded(scheme, SHARE, DRAWS)
    assert np.abs(share - SHARE).max() < 4 * 0.5 / np.sqrt(DRAWS)
    apart = (1 - (1 - SHARE).prod(axis=0)).sum()
    assert places < apart - 0.05


def test_the_same_seed_draws_the_same_world_and_another_another() -> None:
    once, again, other = draw_world(TINY, 1), draw_world(TINY, 1), draw_world(TINY, 2)
    assert (once.chance == again.chance).all()
    assert (once.fluid.available == again.fluid.available).all()
    assert once.chance.sum() < 1
    assert not np.array_equal(once.chance, other.chance)


def test_no_method_costs_less_than_hindsight_and_prices_cost_less_than_what_they_are_compared_with() -> None:
    outcome = measure(TINY, 3, 2, lambda _: None)
    assert min(outcome.cost, key=outcome.cost.__getitem__) == HINDSIGHT
    assert outcome.cost[OURS] < outcome.cost["exact one by one"] < outcome.cost["closest node"]
    assert outcome.paper_bound <= outcome.proven_bound * 1.001


def test_with_stock_for_everybody_every_order_of_one_line_costs_what_its_closest_node_asks() -> None:
    world = draw_world(replace(TINY, longest=1, carried=1.0), 1)
    ample = replace(world, fluid=replace(world.fluid, available=np.full(world.fluid.available.shape, 1e6)))
    arrivals = ample.arrivals(np.random.default_rng(1))
    solved = solve_fluid(ample.fluid)
    assert solved is not None
    closest = cost_by_scheme(ample, arrivals, Scheme.CLOSEST, solved.share, 0)
    exact = cost_by_prices(ample, arrivals, np.zeros(ample.fluid.available.shape), Cadence(times=1, sweeps=0))
    assert closest == pytest.approx(exact)
    assert cost_by_scheme(ample, arrivals, Scheme.DILATED, solved.share, 0) == pytest.approx(exact)


def test_a_missed_bar_is_told_and_the_table_has_a_row_for_each_method() -> None:
    outcome = Outcome(
        seed=1,
        paper_bound=100.0,
        proven_bound=101.0,
        cost={OURS: 104.0, HINDSIGHT: 101.0},
        seconds={OURS: 1.0, HINDSIGHT: 0.0},
    )
    assert missed("small", [outcome]) == ["small: 1.0400 of the paper bound, the bar is 1.03"]
    assert missed("small", [replace(outcome, cost={OURS: 102.0})]) == []
    assert [row[0] for row in rows([outcome])] == [OURS, HINDSIGHT]
