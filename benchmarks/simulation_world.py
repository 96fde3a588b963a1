"""The drawn story of the benchmark of simulations: days of orders over a network of any size, and stock for them.

Not here: measuring (simulation.py).
"""

from __future__ import annotations

import json

from engine.scenarios.reading import story_of
from engine.scenarios.story import Story


def drawn_story(*, orders: int, nodes: int, skus: int, window_minutes: int, days: int, seed: int) -> Story:
    """Return so many days of so many orders each, under one policy with windows; what is under way goes on a week."""
    scenario = {
        "version": 1,
        "name": "drawn days",
        "seed": seed,
        "start": "2026-11-23",
        "days": days,
        "drain_days": 7,
        "generate": {
            "nodes": nodes,
            "skus": skus,
            "orders_per_day": orders,
            "counts": "exact",
            "world_seed": seed,
        },
        "policies": [{"name": "windows", "window_minutes": window_minutes}],
    }
    return story_of(json.dumps(scenario), source="benchmark")
