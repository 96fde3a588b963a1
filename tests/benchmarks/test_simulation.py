"""The benchmark of simulations in a small form: a process of its own, and bars that are named when they are missed."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.simulation import Wanted, failures, measure_here
from benchmarks.simulation_world import drawn_story, scarce_story, steady_story
from engine.simulation.simulator import simulate
from engine.simulation.tally import Tally

SMALL = Wanted(orders=20, nodes=8, skus=30, window_minutes=480, days=2, seed=3)


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
    assert len(failures(slow, [measured, grows], [(3.0, 2.1), (3.0, 1.9), (3.0, 2.2)])) == 3
    assert failures(measured, [], [(3.0, 2.1), (3.0, 1.9), (3.0, 1.8)]) == []


def test_days_have_other_orders_and_stock_for_all_of_them():
    story = drawn_story(orders=40, nodes=8, skus=30, window_minutes=60, days=2, seed=3)
    first, second = story.demand.orders(0, 0), story.demand.orders(0, 1)
    assert len(first) == len(second) == 40
    assert not set(first.key.tolist()) & set(second.key.tolist())
    ordered = first.quantity.sum() + second.quantity.sum()
    assert sum(each.units for each in story.world.positions) > ordered


def test_a_steady_story_is_in_the_same_world_however_long_it_is():
    """So that a longer one is longer, and nothing else."""
    short, long = (steady_story(orders=40, nodes=8, skus=30, window_minutes=60, days=days, seed=3) for days in (1, 29))
    assert short.world.positions == long.world.positions
    assert short.world.network == long.world.network
    assert long.start.weekday() == 0


def test_orders_of_the_scarce_story_compete():
    """It is there to have what competing orders need loaded before memory is measured."""
    story = scarce_story(window_minutes=120, seed=3)
    tally = Tally.of(story, 0)
    simulate(story, story.policies[0], 0, tally)
    assert tally.counts.backordered_orders > 0
