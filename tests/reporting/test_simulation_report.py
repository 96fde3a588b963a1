"""The page about a simulated story: it says what the results say, is the same each time, and needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.reporting.numbers import written
from engine.reporting.simulation_report import simulation_report, verdict
from engine.reporting.summary import summary
from engine.scenarios.story import Expectation
from engine.simulation.expectations import check
from engine.simulation.intervals import Interval
from engine.simulation.kpi import Better, Unit
from engine.simulation.kpis import KPIS
from engine.simulation.results import StoryResults
from tests.made_up_results import POLICIES, made_up_results, made_up_story

STORY = made_up_story(replications=3, days=8, warm_up_days=2)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StoryResults:
    return made_up_results(tmp_path_factory.mktemp("results"), STORY, orders_a_day=40, replications=3)


@pytest.fixture(scope="module")
def page(results: StoryResults) -> str:
    return simulation_report(results).replace("<wbr>", "")


def test_the_page_says_what_the_results_say(results: StoryResults, page: str) -> None:
    for policy in ("nearest", "allot", "allot, four hours"):
        mean = results.mean(policy, "cost_per_order_cents")
        assert mean is not None
        assert written(mean.mean, Unit.CENTS) in page
    for kpi in KPIS:
        assert kpi.name in page, kpi.name
        has_value = any(results.mean(policy, kpi.name) for policy in results.by_policy)
        assert (kpi.formula in page.replace("&#39;", "'")) == has_value, kpi.name
    assert "3b" * 32 in page
    assert "cd" * 32 in page


def test_the_page_refers_to_nothing_outside_itself_and_has_no_scripts(page: str) -> None:
    assert not re.search(r"(src|href)\s*=|url\(|@import|<script|https?://", page)


def test_the_same_results_give_the_same_page(results: StoryResults, page: str, tmp_path: Path) -> None:
    again = made_up_results(tmp_path, STORY, orders_a_day=40, replications=3)
    assert simulation_report(again).replace("<wbr>", "") == page


def test_every_chart_is_well_formed_and_has_words_for_who_does_not_see_it(page: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) >= 12
    for chart in charts:
        drawn = ElementTree.fromstring(chart)
        assert drawn.attrib["aria-label"]
        assert "nan" not in chart


def test_the_page_is_small(page: str) -> None:
    assert len(page) < 300_000


def test_missed_expectations_are_told(results: StoryResults) -> None:
    expect = (
        Expectation(kpi="cost_per_order_cents", policy="allot", at_most=1),
        Expectation(kpi="cost_per_order_cents", of_policy="nearest", policy="allot", at_most=1.0),
    )
    told = check(replace(STORY, expect=expect), results)
    page = simulation_report(results, told)
    assert [one.holds for one in told] == [False, True]
    assert page.count("✗ missed") == 1
    assert page.count("✓ holds") == 1


def test_a_story_of_one_policy_has_a_page_without_comparisons(tmp_path: Path) -> None:
    alone = made_up_story(POLICIES[:1], replications=1, days=3, warm_up_days=0)
    page = simulation_report(made_up_results(tmp_path, alone, orders_a_day=10, replications=1))
    assert "Service against cost" not in page
    assert "±" not in page


def test_a_difference_is_better_or_worse_only_if_it_may_not_be_chance() -> None:
    sure, unsure = (Interval(mean=-2.0, half_width=reach, replications=5) for reach in (1.0, 3.0))
    assert verdict(sure, Better.LOWER) == "better"
    assert verdict(sure, Better.HIGHER) == "worse"
    assert verdict(unsure, Better.LOWER) == "unsure"
    assert verdict(sure, Better.NEITHER) == "unsure"


def test_a_summary_names_what_differs_and_leaves_chance_to_chance(results: StoryResults) -> None:
    said = summary(results, "allot", "nearest")
    assert re.search(r"costs \d+\.\d\d USD less an order", said)
    assert "may be chance" in said
