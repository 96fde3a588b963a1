"""Laws of the level of lead times, of open shipments, and of what groups add up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.date_fit import fit
from solvers.date_level import Pace
from solvers.date_model import LEVELS, SCORES, Shapes
from solvers.date_open import complete, told_by
from solvers.lead_times import History, Ordered, groups_of, in_order, keys_of
from solvers.pooling import Moments, group_quantiles, pool_moments, quantiles
from solvers.quantiles import learn

FIRST = 20_000


def shipments(days: np.ndarray, day: np.ndarray, node: np.ndarray | int = 0) -> History:
    """Return a history of one service and zone, sorted by day."""
    count = len(days)
    return History(
        ordered=Ordered(
            node=np.broadcast_to(node, count).astype(np.int64),
            service=np.zeros(count, np.int64),
            zone=np.zeros(count, np.int64),
            ordered_day=FIRST + day.astype(float),
            has_time=np.zeros(count, bool),
            distance_km=np.full(count, np.nan),
            weight_g=np.full(count, np.nan),
        ),
        days=np.asarray(days, float),
        open=np.zeros(count, bool),
    )


def rising(a_day: float, seed: int = 1) -> History:
    """Return days that are level for 150 days, then rise by so much each day for 60."""
    random = np.random.default_rng(seed)
    day = np.arange(210 * 30) // 30
    return shipments(np.round(8 + a_day * np.maximum(day - 150, 0) + random.normal(0, 1.5, len(day))), day)


@pytest.mark.parametrize("a_day", [0.08, -0.08])
def test_a_level_that_moves_is_followed_to_where_it_will_be(a_day: float) -> None:
    """Seeded bug: a mean of the last weeks without a line through it is a day behind."""
    history = rising(a_day)
    model = learn(history.as_of(FIRST + 200), 4.0)
    ahead = history.ordered.take(np.flatnonzero(np.floor(history.ordered.ordered_day) == FIRST + 202))
    assert model.spread(ahead).location.mean() == pytest.approx(8 + a_day * 52, abs=0.6)


def test_a_node_that_slows_down_is_followed_and_leaves_the_others_where_they_are() -> None:
    random = np.random.default_rng(2)
    day = np.arange(200 * 40) // 40
    node = random.integers(0, 4, len(day))
    slower = 3.0 * ((node == 2) & (day >= 180))
    history = shipments(np.round(6 + slower + random.normal(0, 1, len(day))), day, node)
    model = learn(history, 4.0)
    week = history.ordered.take(np.flatnonzero(history.ordered.ordered_day >= FIRST + 193))
    location = model.spread(week).location
    assert location[week.node == 2].mean() == pytest.approx(9, abs=0.5)
    assert location[week.node != 2].mean() == pytest.approx(6, abs=0.3)


def test_without_a_change_no_pace_moves_the_level_by_much() -> None:
    history = rising(0.0)
    fitted = fit(history, FIRST + 210.0)
    for pace in (Pace(half_life_days=7.0), Pace(half_life_days=5.0, ahead_days=2.0)):
        assert fitted.model(pace).spread(history.ordered).location.mean() == pytest.approx(8, abs=0.5)


def test_open_shipments_move_a_mean_to_where_all_would_have_it() -> None:
    """Seeded bug: weighing completed days as they are moves a mean in each round by the share that has arrived."""
    random = np.random.default_rng(3)
    new = np.arange(6000) >= 5000
    took = random.normal(np.where(new, 13, 10), 2)
    still = new & (took > 9.5)
    history = replace(shipments(np.where(still, 9.0, took), np.zeros(6000)), open=still)
    luck, one = np.arange(1, 6001) * 0.618 % 1, np.ones(6000)
    reached = []
    for all_alike in (False, True):
        predicted, days = np.full(6000, 10.0), np.where(still, 10.0, took)
        for _ in range(5):
            complete(history, days, predicted, 2 * one, one, luck)
            told, weight = (days, one) if all_alike else told_by(history, days, predicted, one)
            predicted[new] = np.average(told[new], weights=weight[new])
        reached.append(predicted[-1])
    assert reached[0] == pytest.approx(13, abs=0.3)
    assert reached[1] < 12.4


def test_a_lane_that_is_as_good_as_exact_leaves_the_quantiles_of_others_alone() -> None:
    """Seeded bug: a correction in units of scale takes what an exact lane misses by rounding to all."""
    random = np.random.default_rng(4)
    day = np.arange(9000) // 45
    node = random.integers(0, 3, len(day))
    days = np.where(node == 0, 10 + random.integers(0, 9, len(day)), 2)
    history = shipments(days, day, node)
    model = learn(history)
    wide = history.ordered.take(np.flatnonzero(node == 0)[-50:])
    for quantile in (0.1, 0.5, 0.9):
        exact = np.quantile(days[node == 0], quantile, method="inverted_cdf")
        assert np.abs(model.days(wide, quantile) - exact).max() <= 1


def test_a_shape_that_is_moved_to_its_own_scores_is_as_before() -> None:
    table = np.sort(np.random.default_rng(5).normal(size=(4, len(LEVELS))), axis=1)
    shapes = Shapes(names=(), keys=(), rows=(), table=table)
    assert shapes.moved(SCORES).table == pytest.approx(table)
    assert (shapes.moved(SCORES + 0.3).table >= table).all()
    row = np.arange(4)
    for at in (3, 12, 20):
        assert shapes.scores(table[:, at], row) == pytest.approx(np.full(4, SCORES[at]), abs=1e-6)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 6), st.integers(0, 10**6)), min_size=1, max_size=40))
def test_groups_are_those_of_distinct_combinations(values: list[tuple[int, int, int]]) -> None:
    node, weekday, zone = np.array(values, np.int64).T
    codes = {"node": node, "weekday": weekday, "zone": zone}
    keys, group = groups_of(codes, ("node", "weekday", "zone"))
    assert len(keys) == len(set(values))
    assert (keys[group] == keys_of(codes, ("node", "weekday", "zone"))).all()
    assert [group.tolist()[values.index(value)] for value in sorted(set(values))] == list(range(len(keys)))
    assert in_order(zone).tolist() == np.unique(zone, return_inverse=True)[1].tolist()


def test_moments_of_parts_are_those_of_the_whole() -> None:
    random = np.random.default_rng(6)
    part, value, weight = random.integers(0, 30, 500), random.normal(size=500), random.random(500)
    parts = Moments.of(part, 30, value, weight)
    whole = Moments.of(part % 5, 5, value - 0.7, weight / 2)
    found = parts.less(np.full(30, 0.7)).gathered(np.arange(30) % 5, 5, np.full(30, 0.5))
    for name in Moments.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(whole, name))
    assert pool_moments(found).effect == pytest.approx(pool_moments(whole).effect)


def test_quantiles_of_all_are_those_of_one_group() -> None:
    random = np.random.default_rng(7)
    value, weight = random.normal(size=200), random.random(200)
    one = group_quantiles(np.zeros(200, np.int64), 1, value, weight, LEVELS)[0]
    assert quantiles(value, weight, LEVELS) == pytest.approx(one)
