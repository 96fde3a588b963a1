"""The formula of available to promise: the golden case, the law, kits and sums."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.availability.atp import atp_on, atp_steps, kit_steps, launched_steps, sum_steps

GOLDEN = [(1, -3), (3, 10), (4, -15), (5, 1), (6, 3)]


def by_day(steps: list[tuple[int, int]], days: range) -> list[int]:
    return [atp_on(steps, day) for day in days]


def test_the_golden_case() -> None:
    assert by_day(atp_steps(20, GOLDEN, today=1), range(1, 8)) == [12, 12, 12, 12, 13, 16, 16]


def test_an_overdue_supply_does_not_count_but_overdue_demand_does() -> None:
    assert atp_steps(5, [(1, 10), (1, -2)], today=2) == [(2, 3)]


def test_a_supply_of_today_counts_today() -> None:
    assert atp_steps(5, [(2, 10)], today=2) == [(2, 15)]


def test_later_demand_lowers_every_day_before_it() -> None:
    assert atp_steps(5, [(9, -8)], today=2) == [(2, -3)]


schedules = st.lists(st.tuples(st.integers(-3, 12), st.integers(-9, 9)), max_size=8)


@given(st.integers(-5, 20), schedules)
def test_steps_are_the_minimum_over_all_later_days(available: int, schedule: list[tuple[int, int]]) -> None:
    def projected(t: int) -> int:
        supplies = sum(delta for day, delta in schedule if delta > 0 and 0 <= day <= t)
        return available + supplies + sum(delta for day, delta in schedule if delta < 0 and day <= t)

    steps = atp_steps(available, schedule, today=0)
    assert by_day(steps, range(15)) == [min(projected(t) for t in range(d, 20)) for d in range(15)]
    assert all(a < b for (_, a), (_, b) in itertools.pairwise(steps))
    assert steps[0][0] == 0


def test_a_kit_is_as_available_as_its_scarcest_component() -> None:
    cups, saucers = [(1, 5), (4, 20)], [(1, 9), (6, 12)]
    assert kit_steps([(cups, 2), (saucers, 3)]) == [(1, 2), (4, 3), (6, 4)]


def test_what_one_node_lacks_does_not_lessen_what_another_has() -> None:
    assert sum_steps([[(1, -4), (3, 2)], [(1, 10)], [(2, 1)]]) == [(1, 10), (2, 11), (3, 13)]
    assert sum_steps([]) == []


def test_before_its_launch_a_product_has_nothing_and_on_it_all_that_is_there_by_then() -> None:
    steps = atp_steps(20, GOLDEN, today=1)
    assert by_day(launched_steps(steps, 6), range(1, 8)) == [0, 0, 0, 0, 0, 16, 16]
    assert by_day(launched_steps(steps, 4), range(1, 8)) == [0, 0, 0, 12, 13, 16, 16]
    assert launched_steps(steps, 1) == steps
    assert launched_steps(atp_steps(-4, [(3, 3)], today=1), 5) == [(1, -4), (5, -1)]
    assert launched_steps(atp_steps(0, [], today=1), 5) == [(1, 0)]
