"""The benchmark of promised dates: its histories are what they say, and its claims hold in a small form."""

from __future__ import annotations

import numpy as np

from benchmarks.dates.coverage_plot import coverage_page
from benchmarks.dates.generated import DAYS, FIRST_DAY, generate, peak_days
from benchmarks.dates.real import real_lead_times
from benchmarks.promise_dates import plain_quantiles
from solvers.quantiles import learn, pinball_loss


def test_the_generated_history_is_the_same_for_a_seed_and_has_thin_lanes_and_a_peak() -> None:
    one, other = generate(3000, 5), generate(3000, 5)
    assert (one.history.days == other.history.days).all()
    counts = np.bincount(one.lane)
    assert counts.max() > 300
    assert (counts < 10).sum() > 40
    assert peak_days(np.array([350]), np.array([0]))[0] == peak_days(np.array([371]), np.array([7]))[0] == 2.5


def test_the_chance_of_a_promise_is_how_often_it_is_kept() -> None:
    generated = generate(40_000, 3)
    rows, promised = np.arange(40_000), np.full(40_000, 6.0)
    chance, kept = generated.chance(rows, promised), generated.history.days <= promised
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        some = (low <= chance) & (chance < high)
        assert some.sum() > 2_000
        assert abs(kept[some].mean() - chance[some].mean()) < 0.03


def test_coverage_on_generated_history_is_within_two_points_before_the_peak() -> None:
    """Seeded bug: leaving out what is still open on the day of learning; 0.9 is then reached by far fewer."""
    generated = generate(12_000, 2)
    history, when = generated.history, generated.history.ordered.ordered_day
    reached, promised = 0, 0
    for day in range(FIRST_DAY + 240, FIRST_DAY + 296, 14):
        rows = np.flatnonzero((when >= day) & (when < day + 14))
        days = learn(history.as_of(day), 14.0).days(history.ordered.take(rows), 0.9)
        reached += int((history.days[rows] <= days).sum())
        promised += len(rows)
    assert promised > 1000
    assert abs(reached / promised - 0.9) <= 0.02 + 2 * 0.0075
    assert when.max() < FIRST_DAY + DAYS


def test_real_lead_times_lose_less_than_with_the_pooled_quantile_and_with_plain_ones_per_lane() -> None:
    train, tests = real_lead_times()
    assert (len(train), len(tests)) == (3673, 919)
    horizon = float(np.median(tests.ordered.ordered_day) - train.ordered.ordered_day.max())
    model = learn(train, horizon)
    for quantile in (0.5, 0.9):
        least = min(pinball_loss(tests.days, days, quantile) for days in plain_quantiles(train, tests, quantile))
        assert pinball_loss(tests.days, model.days(tests.ordered, quantile).astype(float), quantile) < least


def test_the_page_names_what_was_asked_and_reached() -> None:
    page = coverage_page(
        0.9, np.array([True, True, False]), np.array([280.0, 290.0, 300.0]), np.array([0, 0, 1]), "here"
    )
    assert "90% of shipments are to be on time; 66.7% of 3 were" in page
    assert page.count("<svg") == 2
    assert "<script" not in page
