"""A scenario may extend another: what it says is put on top, and overrides on top of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.scenarios.reading import read_story
from engine.scenarios.story import AdjustStock

BASE = """
version: 1
name: base
start: 2026-11-23
days: 4
nodes: [{node_id: west, cut_off: "12:00"}, {node_id: east, longitude: 10.0}]
carriers: [{carrier: post, services: [{service: ground, cost_cents: 500, transit_days: 2}]}]
products: [{sku: kettle}]
orders: [{placed_at: 2026-11-24T09:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 2}}]
operations: {rejection_share: 0.1, short_pick_share: 0.2}
changes: [{add_stock: {node_id: west, sku: kettle, quantity: 1}}]
expect: [{kpi: fill_rate_units, at_least: 1.0}]
"""

NETWORK = """
nodes: [{node_id: west, kind: dc, latitude: 0.0, longitude: 0.0, time_zone: UTC, calendar: all}]
calendars: [{calendar: all, working_days: [mon, tue]}]
"""
ORDERS = """{"orders": [{"channel": "web", "destination": {"latitude": 0.0, "longitude": 0.0},
"lines": [{"sku": "kettle", "quantity": 1}]}]}"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_objects_merge_lists_are_replaced_changes_are_appended_and_null_takes_away(tmp_path: Path) -> None:
    written(tmp_path, "base.yaml", BASE)
    top = written(
        tmp_path,
        "top.yaml",
        """
extends: base.yaml
name: top
nodes: [{node_id: west}]
operations: {short_pick_share: 0.3}
changes: [{add_stock: {node_id: west, sku: kettle, quantity: 2}}]
expect: null
""",
    )
    story = read_story(top)
    assert (story.name, story.days, len(story.expect)) == ("top", 4, 0)
    assert [(node.node_id, node.cut_off) for node in story.world.network.nodes] == [("west", "15:00")]
    assert (story.operations.rejection_share, story.operations.short_pick_share) == (0.1, 0.3)
    deltas = [each.action.adjustments[0].delta for each in story.changes if isinstance(each.action, AdjustStock)]
    assert deltas == [1, 2]
    assert sorted(story.inputs) == ["base.yaml", "top.yaml"]


def test_files_that_a_base_names_are_found_from_where_it_lies(tmp_path: Path) -> None:
    written(
        tmp_path,
        "bases/day.csv",
        "order_id,placed_at,sku,quantity,latitude,longitude\na,2026-11-23T10:00,kettle,1,0,0\n",
    )
    text = "\n".join(line for line in BASE.splitlines() if not line.startswith("orders"))
    written(tmp_path, "bases/base.yaml", text + "\norders: day.csv\n")
    story = read_story(written(tmp_path, "top.yaml", "extends: bases/base.yaml\nname: top\n"))
    assert len(story.demand.orders(0, 0)) == 1
    assert sorted(story.inputs) == ["bases/base.yaml", "bases/day.csv", "top.yaml"]


def test_a_folder_above_the_file_may_be_named(tmp_path: Path) -> None:
    world = {"network.yaml": NETWORK, "catalog.yaml": "products: [{sku: kettle, weight_g: 5}]\n", "orders.json": ORDERS}
    for name, text in world.items():
        written(tmp_path, f"world/{name}", text)
    top = written(tmp_path, "stories/top.yaml", "version: 1\nname: a\nstart: 2026-11-23\ndays: 2\nnetwork: ../world\n")
    story = read_story(top)
    assert (len(story.demand.orders(0, 0)), len(story.inputs)) == (1, 4)
    assert not [name for name in story.inputs if str(tmp_path) in name]


def test_files_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", "extends: b.yaml\n")
    written(tmp_path, "b.yaml", "extends: a.yaml\n")
    with pytest.raises(InvalidInput, match=r"b\.yaml:1:10: a\.yaml → b\.yaml → a\.yaml is a circle"):
        read_story(tmp_path / "a.yaml")


def test_a_file_to_extend_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "peak.yaml", "")
    with pytest.raises(
        InvalidInput, match=r"top\.yaml:1:10: there is no file 'peek\.yaml'; did you mean 'peak\.yaml'\?"
    ):
        read_story(written(tmp_path, "top.yaml", "extends: peek.yaml\n"))


def test_a_fault_below_is_told_in_the_file_that_has_it(tmp_path: Path) -> None:
    written(tmp_path, "base.yaml", BASE.replace("cut_off", "cutoff"))
    with pytest.raises(InvalidInput, match=r"^base\.yaml:6:25: unknown key 'cutoff'; did you mean 'cut_off'\?$"):
        read_story(written(tmp_path, "top.yaml", "extends: base.yaml\nname: top\n"))


def test_overrides_name_fields_by_key_number_or_name(tmp_path: Path) -> None:
    path = written(tmp_path, "base.yaml", BASE + "policies: [{name: a}, {name: b}]\n")
    overrides = [
        ("nodes[east].cut_off", "17:00"),
        ("nodes[0].capacity_parcels", 5),
        ("policies[b].window_minutes", 240),
        ("routing.line_split", "allowed"),
    ]
    story = read_story(path, overrides=overrides)
    assert [(node.cut_off, node.capacity_parcels) for node in story.world.network.nodes] == [
        ("12:00", 5),
        ("17:00", None),
    ]
    assert [policy.window_minutes for policy in story.policies] == [60, 240]
    assert story.policies[0].network_fields == {"line_split": "allowed"}
    assert story.sha256 != read_story(path).sha256


def test_an_override_that_leads_nowhere_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path = written(tmp_path, "base.yaml", BASE)
    overrides = [("nodes[eas].cut_off", "17:00"), ("days.x", 1), ("nodes..x", 1), ("dyas", 3), ("days", "x")]
    for override, message in zip(
        overrides,
        (
            "there is no entry 'eas' in the list at base.yaml:6:8 of 2; did you mean 'east'?",
            "'x' leads into the value 4 at base.yaml:5:7; end the path before it",
            "is no path of a scenario",
            "unknown key 'dyas'; did you mean 'days'?",
            "'x' is not valid here; give a whole number without quotes",
        ),
        strict=True,
    ):
        with pytest.raises(InvalidInput) as refused:
            read_story(path, overrides=[override])
        assert message in str(refused.value)
