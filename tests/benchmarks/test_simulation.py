"""The benchmark of simulations in a small form: a process of its own, and bars that are named when they are missed."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from benchmarks.simulation import Wanted, failures, measure_here
from benchmarks.simulation_world import drawn_story

SMALL = Wanted(orders=40, nodes=8, skus=30, window_minutes=60, days=2, seed=3)


@pytest.fixture(scope="module")
def measured():
    return measure_here(SMALL)


def test_every_order_of_every_day_ends_and_each_day_is_timed(measured):
    assert measured.orders == SMALL.orders * SMALL.days
    assert len(measured.day_seconds) == len(measured.day_mb) == SMALL.days
    assert 0 < sum(measured.day_seconds) <= measured.seconds


def test_a_bar_that_is_missed_is_named(measured):
    slow = msgspec.structs.replace(measured, seconds=61.0)
    grows = msgspec.structs.replace(measured, day_mb=[mb * 1.2 for mb in measured.day_mb])
    assert failures(measured, [measured, measured]) == []
    assert len(failures(slow, [measured, grows])) == 2


def test_days_have_the_same_orders_under_other_keys():
    demand = drawn_story(orders=40, nodes=8, skus=30, window_minutes=60, days=2, seed=3).demand
    first, second = demand.orders(0, 0), demand.orders(0, 1)
    assert not set(first.key.tolist()) & set(second.key.tolist())
    assert np.array_equal(first.sku, second.sku)
    assert np.array_equal(first.placed_s + 86_400, second.placed_s)
