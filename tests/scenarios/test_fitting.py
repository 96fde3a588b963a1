"""Patterns fitted to orders that were drawn from known patterns are those patterns again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from demand_world import MONDAY, drawn_demand

from api.cli.main import main
from engine.errors import InvalidInput
from engine.scenarios.fitting import fit_patterns
from engine.scenarios.order_tables import together
from engine.scenarios.patterns import PatternsDocument
from engine.scenarios.reading import read_story

DAYS = 70
RECORDED = """\
version: 1
name: small
start: 2026-11-23
days: 2
nodes: [{node_id: west}]
carriers: [{carrier: post, services: [{service: ground, cost_cents: 500, transit_days: 2}]}]
products: [{sku: kettle}]
orders:
  - {placed_at: 2026-11-23T09:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 2}}
  - {placed_at: 2026-11-23T10:00, latitude: 0.0, longitude: 2.0, lines: {kettle: 2}}
  - {placed_at: 2026-11-24T10:00, latitude: 0.0, longitude: 1.0, lines: {kettle: 3}}
"""
KNOWN = {
    "orders_per_day": 120,
    "counts": "poisson",
    "weekdays": {"sat": 0.5, "sun": 0.5},
    "variation": 0.25,
    "hours": [0] * 8 + [1, 2, 1] + [0] * 13,
    "products": {"A": 0.5, "B": 0.3, "D": 0.2},
    "lines": {1: 0.7, 2: 0.3},
    "quantities": {1: 0.75, 2: 0.25},
    "channels": {"web": 0.8, "store": 0.2},
    "need_by_days": {1: 0.1, 3: 0.3},
    "places": [
        {"country": "US", "postal_code": "100", "share": 0.6},
        {"latitude": 34, "longitude": -118, "share": 0.4},
    ],
    "together": 0,
}


def test_fitted_patterns_are_those_that_the_orders_were_drawn_from() -> None:
    demand = drawn_demand(**KNOWN)
    days = [demand.orders(0, day) for day in range(DAYS)]
    fitted = fit_patterns(together(days), MONDAY, DAYS)
    orders = sum(map(len, days))
    assert fitted.orders_per_day == pytest.approx(orders / DAYS, abs=1e-4)
    weekend = (fitted.weekdays["sat"] + fitted.weekdays["sun"]) / sum(fitted.weekdays.values())
    assert weekend == pytest.approx(1 / 6, abs=0.03)
    assert fitted.variation == pytest.approx(0.25, abs=0.08)
    assert list(fitted.products or {}) == ["A", "B", "D"]
    for name, expected, tolerance in (
        ("hours", {8: 0.25, 9: 0.5, 10: 0.25}, 0.03),
        ("lines", {1: 0.7, 2: 0.3}, 0.03),
        ("quantities", {1: 0.75, 2: 0.25}, 0.03),
        ("channels", {"web": 0.8, "store": 0.2}, 0.03),
    ):
        found = getattr(fitted, name)
        found = dict(enumerate(found)) if name == "hours" else found
        total = sum(found.values())
        assert {key: share / total for key, share in found.items() if share} == pytest.approx(expected, abs=tolerance)
    assert fitted.need_by_days == pytest.approx({1: 0.1, 3: 0.3}, abs=0.03)
    first, second = fitted.places or ()
    assert (first.country, first.postal_code, first.latitude, second.postal_code) == ("US", "100", 40.7, None)
    assert first.share / orders == pytest.approx(0.6, abs=0.03)


def test_fitted_patterns_can_be_written_down_and_drawn_from_again() -> None:
    fitted = fit_patterns(drawn_demand(**KNOWN).orders(0, 0), MONDAY)
    text = fitted.model_dump_json(exclude_defaults=True)
    assert PatternsDocument.model_validate_json(text) == fitted
    again = drawn_demand(**fitted.model_dump(exclude_defaults=True)).orders(0, 0)
    assert len(again) > 50


def test_what_the_command_prints_stands_in_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recorded.yaml").write_text(RECORDED)
    assert main(["scenario", "fit", str(tmp_path / "recorded.yaml")]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["generate"]["orders_per_day"] == 1.5
    drawn = RECORDED[: RECORDED.index("orders:")].replace("name: small", "name: drawn")
    generate = json.dumps(json.loads(printed)["generate"])
    (tmp_path / "drawn.yaml").write_text(f"{drawn}generate: {generate}\n")
    story = read_story(tmp_path / "drawn.yaml")
    orders = together([story.demand.orders(0, day) for day in range(2)])
    assert set(orders.quantity.tolist()) <= {2, 3}
    assert set(orders.longitude.tolist()) <= {1.0, 2.0}


def test_days_without_orders_count_as_days() -> None:
    table = drawn_demand(orders_per_day=70).orders(0, 0)
    fitted = fit_patterns(table, MONDAY, 7)
    assert fitted.orders_per_day == 10
    assert fitted.weekdays == {"mon": 7} | dict.fromkeys(("tue", "wed", "thu", "fri", "sat", "sun"), 0)


def test_days_that_differ_by_chance_only_have_no_variation_to_speak_of() -> None:
    demand = drawn_demand(orders_per_day=400, counts="poisson")
    table = together([demand.orders(0, day) for day in range(DAYS)])
    assert fit_patterns(table, MONDAY, DAYS).variation < 0.03


def test_no_orders_are_told() -> None:
    table = drawn_demand(orders_per_day=0).orders(0, 0)
    with pytest.raises(InvalidInput, match="has no orders to fit patterns to"):
        fit_patterns(replace(table, key=np.zeros(0, np.int64)), MONDAY)
