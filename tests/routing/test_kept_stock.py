"""What giving up held stock is reckoned at: more than any parcel that could ship it, and not as much as the dearest."""

from __future__ import annotations

import numpy as np
import pytest

from engine.routing.demand import _dearest_cents
from engine.routing.rate_cards import Cards


def cards_of(*rows: list[tuple[int, int]]) -> Cards:
    """Return the cards of rows of (heaviest grams, cents)."""
    steps = [step for row in rows for step in row]
    return Cards(
        start=np.cumsum([0, *map(len, rows)]),
        max_weight_g=np.array([grams for grams, _ in steps], np.int64),
        cost_cents=np.array([cents for _, cents in steps], np.int64),
        days=np.zeros(len(steps), np.int64),
        days_of=(),
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_dearest_parcel_is_that_of_all_cards_up_to_a_weight(seed: int) -> None:
    """Against looking at every step; rows may be empty, and a heavier parcel may cost less than a lighter one."""
    rng = np.random.default_rng(seed)
    rows = [
        sorted((int(grams), int(rng.integers(1, 900))) for grams in rng.choice(50, int(rng.integers(0, 5)), False) + 1)
        for _ in range(6)
    ]
    rows.append([(60, 1000)])
    for grams in range(61):
        dearest = 0
        for row in rows:
            above = -1
            for heaviest, cents in row:
                dearest = max(dearest, cents if above < grams else 0)
                above = heaviest
        assert _dearest_cents(cards_of(*rows), np.array([grams])).tolist() == [dearest]


def test_what_nobody_carries_costs_nothing_to_send() -> None:
    assert _dearest_cents(cards_of([], []), np.array([5, 7])).tolist() == [0, 0]
