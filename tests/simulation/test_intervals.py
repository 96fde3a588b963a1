"""Intervals over replications: against figures of a textbook table, and their cover."""

from __future__ import annotations

import numpy as np
import pytest

from engine.simulation.intervals import difference, interval


def test_an_interval_is_that_of_students_t() -> None:
    """Ten values with mean 1.34 and variance 0.17: t(9, 0.95) = 1.833 gives 0.24 (Law, example 4.26)."""
    values = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]
    found = interval(values, confidence=0.90)
    assert found is not None
    assert found.mean == pytest.approx(1.34, abs=0.005)
    assert found.half_width == pytest.approx(0.24, abs=0.005)


def test_of_one_replication_there_is_a_mean_and_no_interval() -> None:
    found = interval([4.0])
    assert found is not None
    assert (found.mean, found.half_width, found.is_off_zero) == (4.0, None, False)
    assert interval([None]) is None


def test_pairs_on_the_same_random_numbers_tell_a_difference_that_means_alone_do_not() -> None:
    base = [10.0, 20.0, 30.0, 40.0]
    policy = [9.0, 18.9, 29.1, 39.0]
    paired = difference(policy, base)
    assert paired is not None
    assert paired.is_off_zero
    alone, other = interval(policy), interval(base)
    assert alone is not None
    assert other is not None
    assert alone.half_width is not None
    assert alone.half_width > 10 * abs(alone.mean - other.mean)


def test_a_replication_without_the_kpi_is_left_out_of_both() -> None:
    found = difference([1.0, None, 5.0], [0.0, 7.0, 3.0])
    assert found is not None
    assert (found.mean, found.replications) == (1.5, 2)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    draws = np.random.default_rng(1).normal(5.0, 2.0, (2_000, 6))
    hits = 0
    for row in draws:
        found = interval(row.tolist())
        assert found is not None
        assert found.half_width is not None
        hits += abs(found.mean - 5.0) <= found.half_width
    assert hits / len(draws) == pytest.approx(0.95, abs=0.015)
