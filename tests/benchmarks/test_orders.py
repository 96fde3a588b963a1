"""`allot bench orders` asks what it says of a small year, and finds what is there."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.orders import p99, questions, searches
from benchmarks.orders_world import STATES, Year
from engine.search.terms import Terms


async def test_searches_of_a_small_year_take_some_time_each(tmp_path: Path) -> None:
    found = await searches(tmp_path, 600, 2)
    assert len(found.times_ms) == 12
    assert all(len(times) == 2 and min(times) > 0 for times in found.times_ms.values())
    assert found.bytes_per_order > 100


def test_a_year_has_states_and_products_of_all_frequencies() -> None:
    year = Year(4000, Terms(b"k" * 32))
    entries = list(year.entries(0, 4000))
    states = [entry.order.state for entry in entries]
    assert 0.8 < states.count("delivered") / 4000 < 0.92
    assert set(states) >= {"shipped", "cancelled", "returned"}
    assert abs(sum(STATES.values()) - 1) < 1e-9
    assert entries == sorted(entries, key=lambda entry: entry.order.captured_at)
    assert questions(year, random.Random(1))["phone"]().phone.startswith("+1 212")  # type: ignore[union-attr]


def test_the_99th_percentile_is_near_the_most() -> None:
    assert p99([float(number) for number in range(1, 101)]) == 100.0
    assert p99([float(number) for number in range(1, 1001)]) == 991.0
