"""The rounding schemes of the literature, from their papers' text: from shares of lines to one place for each line.

All keep the share of every line and try to use few places. `jasin_sinha`: Jasin & Sinha (2015), Operations Research
63:6. `dilated` and `force_open`: Ma (2023), Manufacturing & Service Operations Management 25:4.
Not here: how shares are found (the fluid programme of orders, solved once, as both papers do).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.problem import FloatArray, IntArray

NOTHING = 1e-9


@njit(cache=True)
def jasin_sinha(share: FloatArray, chosen: IntArray) -> None:
    """Draw one layer of one place; its lines go there together, the others each by what is left of their shares.

    The shares of a place, sorted, are a stack of layers: layer m is what its m largest have and the next has not. A
    layer is drawn with its height times m over the number of lines. `share` is (lines, places).
    """
    lines, places = share.shape
    rest = np.zeros((lines, places))
    member = np.zeros(lines, np.bool_)
    lot, place_drawn, passed = np.random.random(), -1, 0.0
    for place in range(places):
        ranked = np.argsort(-share[:, place])
        for layer in range(lines, 0, -1):
            below = share[ranked[layer], place] if layer < lines else 0.0
            height = share[ranked[layer - 1], place] - below
            if height <= NOTHING:
                continue
            chance = height * layer / lines
            for rank in range(layer):
                rest[ranked[rank], place] += height - chance
            if place_drawn < 0 and lot < passed + chance:
                place_drawn = place
                for rank in range(layer):
                    member[ranked[rank]] = True
            passed += chance
    for line in range(lines):
        if member[line]:
            chosen[line] = place_drawn
        else:
            chosen[line] = _drawn(rest if rest[line].sum() > NOTHING else share, line)


@njit(cache=True)
def dilated(share: FloatArray, chosen: IntArray) -> None:
    """Let every place open at an exponential time, seen by each line on a scale stretched by its share."""
    lines, places = share.shape
    opens = np.random.exponential(1.0, (places,))
    for line in range(lines):
        chosen[line] = _first_seen(opens, share, line, -1, 0.0)


@njit(cache=True)
def force_open(share: FloatArray, chosen: IntArray) -> None:
    """Do as `dilated`, but let each line see its likeliest place open by time 1 at the latest.

    That alone would favor the place; so with a chance that restores its share the line sees it at time 1 exactly.
    """
    lines, places = share.shape
    opens = np.random.exponential(1.0, (places,))
    for line in range(lines):
        likeliest = int(np.argmax(share[line]))
        x = share[line, likeliest]
        when = min(opens[likeliest], 1.0) / x
        if x < 1 - NOTHING and np.random.random() < (1 - x) / (1 - x + x * np.exp(1 / x) - np.e):
            when = 1 / x
        chosen[line] = _first_seen(opens, share, line, likeliest, when)


@njit(cache=True)
def _first_seen(opens: FloatArray, share: FloatArray, line: int, forced: int, when: float) -> int:
    first, best = np.inf, -1
    for place in range(len(opens)):
        if share[line, place] > NOTHING:
            seen = when if place == forced else opens[place] / share[line, place]
            if seen < first:
                first, best = seen, place
    return best


@njit(cache=True)
def _drawn(weight: FloatArray, line: int) -> int:
    lot = np.random.random() * weight[line].sum()
    last = 0
    for place in range(weight.shape[1]):
        if weight[line, place] > 0:
            last = place
            lot -= weight[line, place]
            if lot < 0:
                return place
    return last
