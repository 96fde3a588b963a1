"""A scenario file becomes a story; what it does not say has a default."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.scenarios.reading import read_story, story_of
from engine.scenarios.story import AdjustStock, CloseNode, OpenNode

SMALL = """
version: 1
name: small
start: 2026-11-23
days: 4
nodes: [{node_id: west}, {node_id: east, longitude: 10.0}]
carriers: [{carrier: post, services: [{service: ground, cost_cents: 500, transit_days: 2}]}]
products: [{sku: kettle}]
stock: [{node_id: west, sku: kettle, on_hand: 2}]
orders:
  - {placed_at: 2026-11-24T09:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 2}}
  - {placed_at: 2026-11-24T08:00:30, latitude: 0.0, longitude: 2.0, lines: {kettle: 1}}
"""


def test_a_story_of_ten_lines_has_a_world_and_its_orders() -> None:
    story = story_of(SMALL)
    network = story.world.network
    assert [(node.node_id, node.longitude, node.kind, node.cut_off) for node in network.nodes] == [
        ("west", 0.0, "dc", "15:00"),
        ("east", 10.0, "dc", "15:00"),
    ]
    assert [(rate.zone, rate.cost_cents, rate.transit_days) for rate in network.services[0].rates] == [
        ("everywhere", 500, 2)
    ]
    table = story.demand.orders(0, 1)
    assert table.placed_s.tolist() == [86_400 + 8 * 3600 + 30, 86_400 + 9 * 3600]
    assert table.quantity.tolist() == [1, 2]
    assert not len(story.demand.orders(0, 0))


def test_a_day_begins_at_midnight_of_the_time_zone() -> None:
    assert story_of(SMALL + "time_zone: America/New_York").start.isoformat() == "2026-11-23T05:00:00+00:00"


def test_a_node_that_closes_for_some_days_opens_again() -> None:
    changes = """
changes:
  - close_node: {node_id: east, from_day: 2026-11-24, at: "10:00", days: 2}
  - add_stock: {node_id: east, sku: kettle, quantity: 5, day: 1}
"""
    dated = story_of(SMALL + changes).changes
    assert [(each.at_s, type(each.action)) for each in dated] == [
        (86_400, AdjustStock),
        (86_400 + 36_000, CloseNode),
        (3 * 86_400 + 36_000, OpenNode),
    ]


def test_faults_are_told_together_each_with_its_line_and_column() -> None:
    with pytest.raises(InvalidInput) as refused:
        story_of(SMALL + "chnages: []\nwarm_up_days: 4\nstock: [{node_id: wst, sku: kettle, on_hand: 1}]")
    assert [str(fault) for fault in refused.value.faults] == [
        "scenario:13:1: unknown key 'chnages'; did you mean 'changes'?",
        "scenario:14:15: 4 leaves none of 4 days; give fewer",
        "scenario:15:1: key 'stock' stands here and in line 9; keep one",
    ]


def test_the_same_file_gives_the_same_story(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SMALL)
    first, again = read_story(tmp_path / "a.yaml"), read_story(tmp_path / "a.yaml")
    assert (first.sha256, first.world, first.changes) == (again.sha256, again.world, again.changes)
    (tmp_path / "a.yaml").write_text("# a remark\n" + SMALL)
    assert read_story(tmp_path / "a.yaml").sha256 == first.sha256
