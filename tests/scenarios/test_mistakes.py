"""A scenario with every kind of mistake in it yields every message, each at its line and column, in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.scenarios.reading import read_story, story_of

HERE = Path(__file__).parent
SMALL = """
version: 1
name: small
start: 2026-11-23
days: 4
nodes: [{node_id: west}, {node_id: east, longitude: 10.0}]
carriers: [{carrier: post, services: [{service: ground, cost_cents: 500, transit_days: 2}]}]
products: [{sku: kettle}]
"""
ORDERS = "orders: [{placed_at: 2026-11-24T09:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 2}}]\n"


def faults(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        story_of(text, folder=folder)
    return [str(fault) for fault in refused.value.faults]


def test_every_mistake_yields_its_message() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_story(HERE / "mistakes.yaml")
    told = [str(fault) for fault in refused.value.faults]
    assert told == (HERE / "mistakes.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", "scenario:2:2: is no YAML: while parsing a flow sequence expected ',' or ']', but got ':'"),
        ("", "scenario:1:1: holds no scenario"),
        ("- 1", "scenario:1:1: holds no scenario"),
        ("version: !tag 1", "scenario:1:10: has the tag '!tag'; plain values only, leave it out"),
        ("a: &a [*a]", "scenario:1:4: is 40 levels deep, aliases included"),
        ("extends: other.yaml", "scenario:1:10: no file can be named here; write the story out"),
        (SMALL, "scenario:2:1: has no orders; list `orders`, name a file of them, or draw them by `generate`"),
        (SMALL + "orders: day.csv", "scenario:9:9: 'day.csv' is a file, which cannot be named here; write it out"),
        (SMALL + ORDERS + "generate: {orders_per_day: 5}", "scenario:9:1: are listed here, and drawn by `generate`"),
        (
            SMALL + "generate: {orders_per_day: 5, nodes: 3}",
            "scenario:9:11: {'orders_per_day': 5, 'nodes': 3} is not valid here; a world has nodes and skus",
        ),
        (
            SMALL + "generate: {orders_per_day: 5, nodes: 3, skus: 4}",
            "scenario:6:1: is drawn; leave `nodes` out",
        ),
        (
            SMALL + ORDERS + "changes: [{scale_demand: {factor: 2.0, channels: [phone]}}]",
            "scenario:10:50: 'phone' is never ordered; use one of: web",
        ),
        (
            "version: 1\nname: a\nstart: 2026-02-30\ndays: 2\norders: []",
            "scenario:3:8: '2026-02-30' is not valid here; day is out of range for month",
        ),
    ],
)
def test_what_no_scenario_can_be_is_told_where_it_stands(text: str, message: str) -> None:
    assert any(fault.startswith(message) for fault in faults(text)), faults(text)


def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    bomb = "a: &a [0,0,0,0,0,0,0,0,0,0]\n" + "".join(
        f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, after in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert "over 100,000 values" in faults(bomb)[0]


def test_a_file_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("")
    assert faults(SMALL + "orders: order.csv", tmp_path) == [
        "scenario:9:9: there is no file 'order.csv'; did you mean 'orders.csv'?"
    ]
