"""The oracle of promised dates: it knows what it says it knows, and not more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.dates.coverage import coverage, table_of_seeds
from benchmarks.dates.generated import DAYS, FIRST_DAY, LANES, OWN_DAYS, Generated, generate
from benchmarks.dates.oracle import EVENING, GRID, ORACLE, TRUTH, _World, oracles
from benchmarks.promise_dates import FIRST_PROMISE, _seeds


@pytest.fixture(scope="module")
def generated() -> Generated:
    """Six thousand shipments of 144 lanes."""
    return generate(6_000, 3)


def test_what_a_posterior_says_of_lanes_is_right_as_often_as_it_says(generated: Generated) -> None:
    """Seeded bug: leaving out what is still open; lanes then look fast, and far fewer lie below their 90 % bound."""
    own = np.zeros(LANES)
    own[generated.lane] = generated.own_days
    likely = _World(generated).posterior(FIRST_DAY + 200)
    assert likely.sum(axis=1) == pytest.approx(1)
    passed = np.cumsum(likely, axis=1)
    level = passed[np.arange(LANES), np.searchsorted(GRID, own)]
    for asked in (0.1, 0.5, 0.9):
        assert abs(np.mean(level <= asked) - asked) < 0.08
    spread = np.sqrt(likely @ GRID**2 - (likely @ GRID) ** 2)
    before = generated.history.ordered.ordered_day < FIRST_DAY + 200
    count = np.bincount(generated.lane[before], minlength=LANES)
    assert spread[count > 100].max() < 0.15
    assert 0.25 < spread[count < 4].min() <= spread.max() < OWN_DAYS + 0.01


def test_the_oracle_does_not_know_what_happens_after_it_promises(generated: Generated) -> None:
    """Seeded bug: a posterior of all shipments, whenever they arrived."""
    day = FIRST_DAY + 300
    history = generated.history
    later = np.where(history.ordered.ordered_day >= day, history.days + 9, history.days)
    rows = np.flatnonzero((history.ordered.ordered_day >= day) & (history.ordered.ordered_day < day + 4))
    changed = replace(generated, history=replace(history, days=later))
    for name, days in oracles(generated, rows, 4, 0.9).items():
        assert (days == oracles(changed, rows, 4, 0.9)[name]).all()


def test_the_truth_misses_least_for_each_promise_and_evening_out_least_over_all(generated: Generated) -> None:
    rows = np.flatnonzero(generated.history.ordered.ordered_day >= FIRST_PROMISE)
    found = oracles(generated, rows, 7, 0.9)
    missed = {name: np.abs(generated.chance(rows, days) - 0.9) for name, days in found.items()}
    assert (missed[TRUTH] <= missed[ORACLE] + 1e-9).all()
    said = {name: coverage(generated, rows, days, 0.9, name) for name, days in found.items()}
    assert abs(said[EVENING].chance - 0.9) < 0.005 < said[ORACLE].chance - 0.9 + 0.01
    assert said[ORACLE].worst[0] < 0.05
    assert said[TRUTH].worst[1] <= said[TRUTH].worst[0]
    assert generated.history.ordered.ordered_day.max() < FIRST_DAY + DAYS


def test_seeds_are_lists_and_ranges_and_their_table_counts_those_beyond_five_points(generated: Generated) -> None:
    assert _seeds("7") == [7]
    assert _seeds("1,3-5") == [1, 3, 4, 5]
    rows = np.flatnonzero(generated.history.ordered.ordered_day >= FIRST_PROMISE)
    asked = oracles(generated, rows, 7, 0.9)[ORACLE]
    found = [coverage(generated, rows, days, 0.9, "oracle") for days in (asked, asked + 5)]
    cells = [next(iter(column.cells)) for column in table_of_seeds(found, 2).columns]
    assert cells[3].endswith(f"{found[1].worst[0]:.1%}, 1 of 2")
