"""The page about a routed day: it says what the runs say, and refers to nothing outside itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from engine.reporting.flow_map import Flow, Place, flow_map
from engine.reporting.routing_report import RoutedDay, routing_report

EAST = Place(node_id="east <1>", kind="dc", latitude=40.0, longitude=-74.0)
WEST = Place(node_id="west", kind="store", latitude=34.0, longitude=-118.0)


def summary(method: str, total: int) -> dict[str, Any]:
    costs = {"shipping": total - 100, "handling": 100, "units": 0, "split": 0, "late": 0, "backorder": 0}
    return {
        "method": method,
        "total_cost_cents": total,
        "lower_bound_cents": 100_000,
        "gap": (total - 100_000) / 100_000,
        "costs": costs,
        "orders": 12,
        "parcels": 15,
        "split_orders": 3,
        "backordered_units": 0,
    }


@pytest.fixture
def day() -> RoutedDay:
    return RoutedDay(
        title="A & B",
        currency="EUR",
        summaries=[summary("nearest", 150_000), summary("auto", 101_000)],
        places=[EAST, WEST],
        flows=[Flow(node_id=EAST.node_id, latitude=41.0, longitude=-80.0)] * 3,
        notes=("A note.",),
    )


def test_the_page_says_what_the_runs_say(day: RoutedDay) -> None:
    page = routing_report(day)
    for told in ("1,500.00", "1,010.00 EUR", "1,000.00", "50.00%", "1.00%", "A note.", "A &amp; B"):
        assert told in page, told


def test_the_page_refers_to_nothing_outside_itself(day: RoutedDay) -> None:
    page = routing_report(day)
    assert not re.search(r"(src|href)\s*=|url\(|@import|<script|https?://", page)


def test_a_day_whose_rules_cost_nothing_has_a_page_too(day: RoutedDay) -> None:
    free = {**summary("auto", 100), "total_cost_cents": 0, "costs": dict.fromkeys(summary("auto", 100)["costs"], 0)}
    page = routing_report(replace(day, summaries=[{**free, "lower_bound_cents": 0, "gap": 0.0}], flows=[]))
    assert "0.00 EUR" in page


def test_a_disc_grows_with_its_parcels_and_is_named() -> None:
    drawn = ElementTree.fromstring(flow_map([EAST, WEST], [Flow(node_id="west", latitude=35.0, longitude=-110.0)]))
    discs = {next(iter(disc)).text: float(disc.attrib["r"]) for disc in drawn.iter("circle")}
    assert discs["west: 1 parcels"] > discs["east <1>: 0 parcels"] > 0


def test_nothing_is_drawn_outside_the_map() -> None:
    drawn = ElementTree.fromstring(flow_map([EAST, WEST], [Flow(node_id="west", latitude=60.0, longitude=-140.0)]))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    for path in drawn.iter("path"):
        x1, y1, x2, y2 = map(float, re.findall(r"-?[\d.]+", path.attrib["d"]))
        assert 0 <= min(x1, x2) <= max(x1, x2) <= width
        assert 0 <= min(y1, y2) <= max(y1, y2) <= height
