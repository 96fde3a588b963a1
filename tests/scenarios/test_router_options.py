"""Options of routers in scenario files are those of their method, and are told as soon as the file is read."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.scenarios.reading import story_of

STORY = """\
version: 1
name: small
start: 2026-11-23
days: 1
nodes: [{node_id: west}]
carriers: [{carrier: post, services: [{service: ground, cost_cents: 500, transit_days: 2}]}]
products: [{sku: kettle}]
orders: [{placed_at: 2026-11-23T09:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 2}}]
"""
TWO = """\
policies:
- {name: a, router_options: {cost: 5}}
- {name: b, router: weighted, router_options: {load: -5}}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "policies:\n- {name: a, router: cascade, router_options: {daily_order: 5}}",
            ["scenario:10:60: is no option of cascade; did you mean 'daily_orders'?"],
        ),
        (
            TWO,
            [
                "scenario:10:29: are of cascade and weighted; give one of them as router",
                "scenario:11:54: -5 is not valid; give a number from 0 to 1e+09",
            ],
        ),
        (
            "routing: {router: nearest, router_options: {cost: 5}}",
            ["scenario:9:44: nearest has no options; leave them out"],
        ),
    ],
)
def test_options_that_a_router_does_not_have_are_told(text: str, told: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        story_of(STORY + text, folder=None)
    assert [str(fault) for fault in refused.value.faults] == told


def test_options_reach_the_policy_from_routing_and_from_itself() -> None:
    text = "routing: {router: cascade, router_options: {near_km: 50}}\n"
    policies = "policies: [{name: a}, {name: b, router_options: {}}]"
    first, second = story_of(STORY + text + policies, folder=None).policies
    assert (dict(first.router_options), dict(second.router_options)) == ({"near_km": 50}, {})
