"""Results of several stories beside one another: named by story, paired by replication, without names that differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.reporting.simulation_report import simulation_report
from engine.simulation.beside import beside
from tests.made_up_results import POLICIES, made_up_results, made_up_story

ALONE = made_up_story(POLICIES[:1], replications=2, days=3, warm_up_days=0)
TWO = made_up_story(POLICIES[:2], replications=3, days=3, warm_up_days=0)


def test_policies_are_named_by_their_story_and_replications_are_those_that_all_have(tmp_path: Path) -> None:
    alone = made_up_results(tmp_path / "a", ALONE, orders_a_day=20, replications=2)
    two = made_up_results(tmp_path / "b", TWO, orders_a_day=20, replications=3)
    together = beside("Both", "", {"small": alone, "large": two})
    assert list(together.by_policy) == ["small", "large: nearest", "large: allot"]
    assert {len(replications) for replications in together.by_policy.values()} == {2}
    same = together.difference("large: nearest", "small", "cost_per_order_cents")
    assert same is not None
    assert (same.mean, same.replications) == (0.0, 2)
    assert "Where it ships from" in simulation_report(together)


def test_stories_of_other_nodes_share_kpis_and_no_maps(tmp_path: Path) -> None:
    """Seeded bug: the numbers of one network read as the names of another."""
    alone = made_up_results(tmp_path, ALONE, orders_a_day=20, replications=2)
    nodes = alone.story.nodes
    other = replace(alone, story=type(alone.story)(**{**_fields(alone.story), "nodes": nodes[::-1]}))
    page = simulation_report(beside("Both", "", {"one": alone, "other": other}))
    assert "All KPIs" in page
    assert "Where it ships from" not in page
    assert not any(f">{node.node_id}<" in page for node in nodes)


def _fields(story: object) -> dict[str, object]:
    return {name: getattr(story, name) for name in story.__struct_fields__}  # type: ignore[attr-defined]


@pytest.mark.parametrize("alike", [True, False])
def test_inputs_of_all_stories_are_told(tmp_path: Path, alike: bool) -> None:
    alone = made_up_results(tmp_path, ALONE, orders_a_day=5, replications=2)
    together = beside("Both", "", {"one": alone, "other": alone} if alike else {"one": alone})
    assert f"{'other' if alike else 'one'}: orders.csv" in together.story.inputs
