"""`allot simulate`, `compare` and `sweep`: what they print and write, and their exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from api.cli.main import BAD_INPUT, DONE, EXPECTATION_MISSED, main
from api.cli.sweep import label, read_values
from engine.errors import InvalidInput
from engine.simulation.kpis import KPIS

ROOT = Path(__file__).parents[2]
NEAREST = ROOT / "scenarios" / "small" / "nearest_of_two.yaml"
EXPECTED = """
extends: nearest_of_two.yaml
expect:
  - {kpi: cost_per_order_cents, at_most: 735}
  - {kpi: orders_shipped, at_least: 5}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "two"
    assert main(["simulate", str(NEAREST), "--out", str(out), "--facts"]) == DONE
    return out


def test_a_scenario_becomes_a_table_a_report_and_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(NEAREST), "--out", str(folder), "--facts"]) == DONE
    assert "7.35" in capsys.readouterr().out
    written = {path.name for path in folder.iterdir()}
    tables = {f"{table}.parquet" for table in ("orders", "parcels", "node_days", "days", "runs")}
    assert written == {"report.html", "kpis.csv", "kpis.parquet", "results.json", "replications", *tables}
    with (folder / "kpis.csv").open(encoding="utf-8") as file:
        rows = {row["kpi"]: row for row in csv.DictReader(file)}
    assert list(rows) == [kpi.name for kpi in KPIS]
    assert float(rows["cost_per_order_cents"]["mean"]) == (610 + 660 + 610 + 1060) / 4


def test_a_missed_expectation_is_exit_code_3_and_says_by_how_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nearest_of_two.yaml").write_text(NEAREST.read_text(encoding="utf-8"), encoding="utf-8")
    scenario = tmp_path / "expected.yaml"
    scenario.write_text(EXPECTED, encoding="utf-8")
    assert main(["simulate", str(scenario), "--out", str(tmp_path / "out"), "--json"]) == EXPECTATION_MISSED
    told = capsys.readouterr()
    assert [one["holds"] for one in json.loads(told.out)["expect"]] == [True, False]
    assert "1 of 2 expectations are missed" in told.err
    assert "expected.yaml:5:11: orders_shipped of 'allot' is 4, expected at least 5: missed by 1" in told.err
    assert "✗ missed" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_sweep_runs_each_value_once_and_a_comparison_tells_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "stock"
    vary = ["sweep", str(NEAREST), "--out", str(whole), "--vary"]
    assert main([*vary, "stock[0].on_hand=1", "--json"]) == DONE
    first = whole / "on_hand=1" / "replications" / "allot-0.json"
    made = first.stat().st_mtime_ns
    assert main([*vary, "stock[0].on_hand=1,2", "--json"]) == DONE
    assert first.stat().st_mtime_ns == made
    swept = json.loads(capsys.readouterr().out.splitlines()[-1])["policies"]
    assert list(swept) == ["on_hand=1", "on_hand=2"]
    assert (whole / "report.html").is_file()
    assert main(["compare", str(whole / "on_hand=1"), str(whole / "on_hand=2"), "--json"]) == DONE
    compared = json.loads(capsys.readouterr().out)["policies"]["on_hand=2"]
    assert compared == swept["on_hand=2"]
    assert compared["cost_per_order_cents"]["difference"] != 0


def test_bad_input_is_refused_before_anything_is_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["simulate", str(NEAREST), str(NEAREST), "--out", out]) == BAD_INPUT
    assert "stands twice" in capsys.readouterr().err
    assert main(["simulate", str(NEAREST), "--policy", "alot", "--out", out]) == BAD_INPUT
    assert "did you mean 'allot'?" in capsys.readouterr().err
    assert main(["sweep", str(NEAREST), "--vary", "stock[0].on_hnd=1,2", "--out", out]) == BAD_INPUT
    assert "did you mean 'on_hand'?" in capsys.readouterr().err
    assert main(["compare", out, out]) == BAD_INPUT
    assert not (tmp_path / "out").exists()


def test_values_of_a_sweep_are_read_as_yaml_says() -> None:
    assert read_values("a.b=0,0.5,true,x,'1,2'") == ("a.b", [0, 0.5, True, "x", "1,2"])
    for text in ("a.b", "a.b=", "=1", "a=[1"):
        with pytest.raises(InvalidInput):
            read_values(text)


def test_a_combination_is_called_by_what_tells_its_fields_apart() -> None:
    assert label([("policies[0].window_minutes", 5), ("days", 2)], ["policies[0].window_minutes", "days"]) == (
        "window_minutes=5, days=2"
    )
    paths = ["stock[0].on_hand", "stock[1].on_hand"]
    assert label([(paths[0], 1), (paths[1], 2)], paths) == "stock[0].on_hand=1, stock[1].on_hand=2"
