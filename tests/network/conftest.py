"""A small sound network document, as plain objects that a test may spoil."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def document() -> dict[str, Any]:
    return {
        "nodes": [
            {
                "node_id": "dc-east",
                "kind": "dc",
                "latitude": 40.0,
                "longitude": -75.0,
                "time_zone": "America/New_York",
                "calendar": "weekdays",
                "cut_off": "15:00",
            },
            {
                "node_id": "shop-west",
                "kind": "store",
                "latitude": 34.0,
                "longitude": -118.0,
                "time_zone": "America/Los_Angeles",
                "calendar": "daily",
                "processing_days": 1,
                "services": ["ground"],
            },
        ],
        "groups": [{"group": "web", "node_ids": ["dc-east", "shop-west"]}],
        "calendars": [
            {"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"], "country": "US"},
            {"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        ],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
        "services": [
            {
                "service": "ground",
                "carrier": "acme",
                "service_level": "standard",
                "calendar": "weekdays",
                "rates": [
                    {"zone": "near", "max_weight_g": 1000, "cost_cents": 500, "transit_days": 1},
                    {"zone": "far", "max_weight_g": 1000, "cost_cents": 900, "transit_days": 4},
                ],
            }
        ],
        "policy": {"split_cost_cents": 50},
    }
