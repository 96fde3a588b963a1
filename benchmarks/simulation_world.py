"""The drawn stories of the benchmark of simulations: days of orders over a network of any size, and stock for them.

Not here: measuring (simulation.py).
"""

from __future__ import annotations

import json
from typing import Any

from engine.scenarios.reading import story_of
from engine.scenarios.story import Story

STEADY = {"cover_days": 100, "capacity_share": 2.5}
"""Stock for longer than any of these stories, and room at the nodes for what a Sunday leaves to a Monday."""
SCARCE = {"cover_days": 0.5, "capacity_share": 0.3}


def drawn_story(*, orders: int, nodes: int, skus: int, window_minutes: int, days: int, seed: int) -> Story:
    """Return so many days of so many orders each, under one policy with windows; what is under way goes on a week."""
    return _drawn("2026-11-23", orders, nodes, skus, window_minutes, days, seed, {})


def steady_story(*, orders: int, nodes: int, skus: int, window_minutes: int, days: int, seed: int) -> Story:
    """Return such days in the same world however many they are, each week as the last: nothing runs out, no holidays.

    It begins on a Monday in March. Without this, longer stories would be others, not longer ones: their stock is drawn
    for their days, and after the holiday of the fourth day nodes have more to do than they can, so that orders wait,
    which all later windows route again.
    """
    return _drawn("2026-03-02", orders, nodes, skus, window_minutes, days, seed, STEADY)


def scarce_story(*, window_minutes: int, seed: int) -> Story:
    """Return a day of a few orders that compete for stock and nodes, so that all that routing runs call is loaded."""
    return _drawn("2026-11-23", 120, 10, 60, window_minutes, 1, seed, SCARCE)


def _drawn(
    start: str, orders: int, nodes: int, skus: int, window_minutes: int, days: int, seed: int, more: dict[str, Any]
) -> Story:
    scenario = {
        "version": 1,
        "name": "drawn days",
        "seed": seed,
        "start": start,
        "days": days,
        "drain_days": 7,
        "generate": {
            "nodes": nodes,
            "skus": skus,
            "orders_per_day": orders,
            "counts": "exact",
            "world_seed": seed,
            **more,
        },
        "policies": [{"name": "windows", "window_minutes": window_minutes}],
    }
    return story_of(json.dumps(scenario), source="benchmark")
