"""Stories run into folders: the same bytes each time, nothing twice, and facts beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine.errors import InvalidInput
from engine.reporting.simulation_report import simulation_report
from engine.scenarios.orders import OrderTable
from engine.scenarios.story import DAY_SECONDS, Expectation, Operations, Story, StoryPolicy
from engine.simulation.expectations import check
from engine.simulation.results import read_results, replication_path
from engine.simulation.running import Task, one_by_one, perform, run_story
from tests.simulation.small_world import AT_DC, AT_SHOP, HOUR, Orders, story

HOURLY = StoryPolicy(name="hourly")
AT_ONCE = StoryPolicy(name="at once", window_minutes=0)


@pytest.fixture(scope="module")
def shop() -> Story:
    placed = [(day * DAY_SECONDS + 9 * HOUR, {"cup": 1 + day}, AT_SHOP if day else AT_DC) for day in range(3)]
    late = Operations(transit_late_share=0.5)
    return story(Orders(placed=placed), policies=(HOURLY, AT_ONCE), replications=2, operations=late, sha256="ab" * 32)


@pytest.fixture(scope="module")
def folder(shop: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    run_story(shop, out, facts=True)
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))}


def test_the_same_story_gives_the_same_bytes_in_whatever_order_its_tasks_run(
    shop: Story, folder: Path, tmp_path: Path
) -> None:
    def backwards(tasks: Sequence[Task]) -> Iterable[bytes]:
        return one_by_one()(tasks[::-1])

    again = run_story(shop, tmp_path, mapping=backwards)
    assert content(tmp_path) == content(folder)
    assert simulation_report(again) == simulation_report(read_results(folder))


def test_what_is_there_is_not_simulated_again_and_what_is_missing_is(shop: Story, folder: Path) -> None:
    asked: list[tuple[str, int]] = []

    def noting(tasks: Sequence[Task]) -> Iterable[bytes]:
        asked.extend((task.policy.name, task.replication) for task in tasks)
        return one_by_one()(tasks)

    before = content(folder)
    run_story(shop, folder, mapping=noting)
    assert asked == []
    replication_path(folder, "hourly", 1).unlink()
    run_story(shop, folder, mapping=noting)
    assert asked == [("hourly", 1)]
    assert content(folder) == before


def test_another_story_in_the_same_folder_is_simulated_anew(shop: Story, tmp_path: Path) -> None:
    """Seeded bug: results taken by their file name alone."""
    run_story(shop, tmp_path, policies=["hourly"], replications=1)
    demand = Orders(placed=[(9 * HOUR, {"cup": 1}, AT_DC)])
    other = replace(shop, sha256="cd" * 32, demand=demand)
    results = run_story(other, tmp_path, policies=["hourly"], replications=1)
    assert results.values("hourly", "orders_asked") == [1.0]


def test_results_that_cannot_be_read_any_more_are_simulated_anew(shop: Story, tmp_path: Path) -> None:
    run_story(shop, tmp_path, policies=["hourly"], replications=1)
    path = replication_path(tmp_path, "hourly", 0)
    written = path.read_bytes()
    path.write_bytes(written.replace(b'"until_day"', b'"of_another_allot"'))
    run_story(shop, tmp_path, policies=["hourly"], replications=1)
    assert path.read_bytes() == written


def test_a_replication_that_dies_leaves_no_result_and_no_half_file(shop: Story, tmp_path: Path) -> None:
    task = Task(story=shop, policy=HOURLY, replication=0, folder=tmp_path, tables=("orders",))

    def die(day: int) -> None:
        if day == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform(task, die)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_facts_are_those_that_kpis_count(folder: Path) -> None:
    results = read_results(folder)
    orders = pq.read_table(folder / "orders.parquet").to_pylist()
    parcels = pq.read_table(folder / "parcels.parquet").to_pylist()
    for policy, replications in results.by_policy.items():
        for result in replications:
            own = [row for row in orders if (row["policy"], row["replication"]) == (policy, result.replication)]
            sent = [row for row in parcels if (row["policy"], row["replication"]) == (policy, result.replication)]
            assert len(own) == result.tally.counts.asked == 3
            assert sum(row["cost_cents"] for row in own) == result.tally.counts.cost_cents == result.ledger.cost_cents
            assert {row["order"] for row in sent} <= {row["key"] for row in own}
    assert {row["node"] for row in parcels} <= {"dc", "shop"}
    assert {row["ending"] for row in orders} <= {"delivered", "open"}
    assert pq.read_table(folder / "days.parquet").num_rows == 4 * 4
    assert pq.read_table(folder / "node_days.parquet").num_rows == 2 * 4 * 4


def test_expectations_are_checked_against_means(shop: Story, folder: Path) -> None:
    expect = (
        Expectation(kpi="orders_asked", at_least=3, at_most=3),
        Expectation(kpi="cost_per_order_cents", policy="hourly", at_most=100),
        Expectation(kpi="orders_per_run", policy="hourly", of_policy="at once", at_least=1.0),
        Expectation(kpi="on_time_request_share", at_least=0.5),
    )
    told = check(replace(shop, expect=expect), read_results(folder))
    assert [one.holds for one in told] == [True] * 4 + [False, True] + [False] * 2
    assert told[4].missed_by > 400
    assert told[7].value is None


def test_expectations_of_unknown_kpis_and_policies_are_refused_before_anything_runs(
    shop: Story, tmp_path: Path
) -> None:
    expect = (
        Expectation(kpi="cost_per_oder_cents", at_most=1, path="a.yaml:7:3"),
        Expectation(kpi="split_rate", policy="hurly", at_most=1),
    )
    with pytest.raises(InvalidInput) as refused:
        run_story(replace(shop, expect=expect), tmp_path / "out")
    told = [str(fault) for fault in refused.value.faults]
    assert told[0] == "a.yaml:7:3: 'cost_per_oder_cents' is no KPI; did you mean 'cost_per_order_cents'?"
    assert "did you mean 'hourly'?" in told[1]
    assert not (tmp_path / "out").exists()


def test_folders_without_results_are_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there are no results"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidInput, match="is no result of allot simulate"):
        read_results(tmp_path)


def test_an_unknown_policy_is_refused_with_the_nearest(shop: Story, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="did you mean 'hourly'"):
        run_story(shop, tmp_path, policies=["hourli"])


class Recorded(Orders):
    """Orders that were recorded, under ids."""

    def orders(self, replication: int, day: int) -> OrderTable:
        table = super().orders(replication, day)
        return replace(table, order_ids=tuple(f"web-{key}" for key in table.key.tolist()))


def test_a_late_order_that_was_recorded_is_called_by_its_id(tmp_path: Path) -> None:
    placed = [(9 * HOUR, {"cup": 1}, AT_DC), (10 * HOUR, {"cup": 1}, AT_SHOP)]
    late = Operations(transit_late_share=1.0, transit_late_days=1.0)
    told = story(Recorded(placed=placed), policies=(HOURLY,), operations=late, days=6)
    results = run_story(told, tmp_path)
    assert {order.order_id for order in results.by_policy["hourly"][0].tally.latest} == {"web-0", "web-1"}
    assert "Order web-1 of replication 1" in simulation_report(results)
