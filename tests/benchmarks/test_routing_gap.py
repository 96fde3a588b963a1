"""The benchmark of the routing gap: its instances are the committed ones, and what it says is what was measured."""

from __future__ import annotations

import json
import re
import resource
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from api.cli.main import main as allot
from benchmarks.gap import document, recipes, tables
from benchmarks.gap.child import RSS_UNITS_PER_MB, measured
from benchmarks.gap.recipes import SIZES, Instance
from benchmarks.gap.runs import Report, Run, measure, missed, time_limit_seconds
from benchmarks.gap.trace_plot import trace_page
from benchmarks.routing_gap import parser
from engine.errors import InvalidInput
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem

TINY = replace(SIZES["1k"], orders=80, nodes=6, skus=30, most_seconds=8)
RUN = Run(
    method="auto",
    total_cost_cents=1_000_400,
    lower_bound_cents=1_000_000,
    stop_reason="time_limit",
    load_seconds=0.2,
    compile_seconds=0.3,
    solve_seconds=3.4,
    write_seconds=0.1,
    wall_seconds=4.8,
    peak_mb=250.0,
    time_limit_seconds=3.7,
    trace=[(0.05, None, 1_060_000), (0.1, 980_000, 1_050_000), (3.7, 1_000_000, 1_000_400)],
)
GREEDY = replace(RUN, method="one_by_one", total_cost_cents=1_060_000, lower_bound_cents=700_000, trace=[])
WITHIN = Report(
    instance=Instance(size=SIZES["1k"], seed=1),
    problem_sha256="0" * 64,
    runs={"auto": RUN, "one_by_one": GREEDY},
    remarks={"exact_highs": "not run"},
    verified=True,
    verify_seconds=1.0,
)


def generated(instance: Instance, folder: Path) -> Path:
    size = instance.size
    generate(Recipe(orders=size.orders, nodes=size.nodes, skus=size.skus, seed=instance.seed), folder / instance.name)
    return folder / instance.name


def test_every_recipe_has_its_hash_committed() -> None:
    assert list(recipes.committed_hashes()) == [
        f"{size.name}-seed{seed}" for size in SIZES.values() for seed in size.seeds
    ]


@pytest.mark.parametrize(("name", "seed"), [("1k", 1), ("1k", 2), ("1k", 3), ("5k", 1)])
def test_the_generator_still_makes_the_committed_instances(name: str, seed: int, tmp_path: Path) -> None:
    instance = Instance(size=SIZES[name], seed=seed)
    problem = generated(instance, tmp_path)
    assert recipes.checked(instance, tmp_path) == problem
    assert recipes.problem_sha256(problem) == read_problem(problem).sha256


def test_an_instance_that_differs_is_not_measured(tmp_path: Path) -> None:
    problem = generated(Instance(size=SIZES["1k"], seed=1), tmp_path)
    stock = problem / "stock.csv"
    stock.write_text(stock.read_text().replace(",1\n", ",2\n", 1))
    with pytest.raises(InvalidInput, match="--write-hashes"):
        recipes.checked(Instance(size=SIZES["1k"], seed=1), tmp_path)


def test_an_instance_without_a_committed_hash_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="1k-seed77 has no committed hash"):
        recipes.checked(Instance(size=SIZES["1k"], seed=77), tmp_path)
    assert not list(tmp_path.iterdir())


def test_sizes_and_seeds_are_read_and_odd_ones_refused() -> None:
    names = [instance.name for instance in recipes.chosen_instances("1k, 1m", None)]
    assert names == ["1k-seed1", "1k-seed2", "1k-seed3", "1m-seed1"]
    assert len(recipes.chosen_instances("all", None)) == 14
    assert [instance.seed for instance in recipes.chosen_instances("5k", "2,9")] == [2, 9]
    for sizes, seeds in (("2k", None), ("1k", "one")):
        with pytest.raises(InvalidInput):
            recipes.chosen_instances(sizes, seeds)


def test_memory_and_time_of_a_process_are_its_own() -> None:
    """Seeded bug this catches: the largest of all children so far, which is what `RUSAGE_CHILDREN` says."""
    large = measured("timeit", "-n1", "-r1", "bytearray(300_000_000)").expect_success()
    small = measured("timeit", "-n1", "-r1", "pass").expect_success()
    own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNITS_PER_MB  # where a child's peak begins
    assert 300 < large.peak_mb < 400 + small.peak_mb
    assert small.peak_mb < max(300, 1.1 * own_mb)


def test_a_process_that_hangs_is_killed_and_a_failure_is_told() -> None:
    hung = measured("timeit", "-n1", "-r1", "import time; time.sleep(60)", most_seconds=1)
    assert hung.exit_code < 0
    assert hung.wall_seconds < 30
    with pytest.raises(RuntimeError, match="no_such_file"):
        measured("tokenize", "no_such_file").expect_success()


def test_within_all_bars_nothing_is_missed_and_each_bar_is_told_by_name() -> None:
    assert missed(WITHIN) == []
    for change, says in (
        ({"solve_seconds": 4.41}, "took 5.0 s, at most 5 s are allowed"),
        ({"total_cost_cents": 1_000_510}, "the certified gap is 0.0510%, at most 0.05% is allowed"),
        ({"trace": [(0.21, None, 1_050_000)]}, "there after 10% of the time"),
        ({"trace": []}, "there after 100% of the time"),
        ({"lower_bound_cents": None}, "the certified gap is inf%"),
    ):
        [sentence] = missed(replace(WITHIN, runs={"auto": replace(RUN, **change)}))
        assert says in sentence
        assert sentence.startswith("1k-seed1: ")
    [sentence] = missed(replace(WITHIN, verified=False, remarks={"verify": "stock is short"}))
    assert "stock is short" in sentence
    heavy = replace(RUN, peak_mb=12_001.0)
    [sentence] = missed(replace(WITHIN, instance=Instance(size=SIZES["1m"], seed=1), runs={"auto": heavy}))
    assert "12,001 MB" in sentence


def test_contested_is_five_percent_between_one_by_one_and_the_bound_of_auto() -> None:
    assert WITHIN.is_contested
    close = replace(GREEDY, total_cost_cents=1_049_999)
    assert replace(WITHIN, runs={"auto": RUN, "one_by_one": close}).is_contested is False
    assert replace(WITHIN, runs={"auto": RUN}).is_contested is None


def test_the_time_limit_leaves_room_for_loading_and_writing() -> None:
    probe = replace(RUN, method="nearest", load_seconds=30, compile_seconds=5, solve_seconds=2, write_seconds=5)
    limit = time_limit_seconds(SIZES["1m"], probe)
    assert 0.95 * 480 < limit + 35 < 0.98 * 480
    assert time_limit_seconds(SIZES["1k"], probe) == 0.5


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Measure a tiny instance for real, process by process."""
    folder, said = tmp_path_factory.mktemp("gap"), []
    instance = Instance(size=TINY, seed=1)
    problem = generated(instance, folder)
    methods = ("auto", "nearest", "one_by_one")
    found = measure(instance, problem, "0" * 64, folder / "results", methods=methods, verify=True, say=said.append)
    assert said == [f"1k-seed1: {what}" for what in ("nearest", "auto", "one_by_one", "verify")]
    return found


def test_a_measurement_says_what_the_result_folders_say(report: Report) -> None:
    auto, nearest = report.runs["auto"], report.runs["nearest"]
    assert report.verified
    assert set(report.runs) == {"auto", "nearest", "one_by_one"}
    assert auto.total_cost_cents <= report.runs["one_by_one"].total_cost_cents <= nearest.total_cost_cents
    assert auto.gap == (auto.total_cost_cents - (auto.lower_bound_cents or 0)) / (auto.lower_bound_cents or 1)
    assert auto.time_limit_seconds is not None
    assert nearest.time_limit_seconds is None
    for run in report.runs.values():
        assert run.inside_seconds < run.wall_seconds
        assert 50 < run.peak_mb < 2_000
    assert auto.trace[-1][1:] == (auto.lower_bound_cents, auto.total_cost_cents)


def test_what_is_written_reads_back_the_same(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "out" / "routing_gap.json"
    document.write(path, [report, replace(WITHIN, instance=Instance(size=SIZES["20k"], seed=2))], "a machine")
    [small, large], machine = document.read([path])
    assert machine == "a machine"
    assert small.runs["auto"].gap == report.runs["auto"].gap
    assert large == replace(WITHIN, instance=Instance(size=SIZES["20k"], seed=2), runs=large.runs)
    assert json.loads(path.read_text())["medians"]["20k"]["one_by_one"]["above_bound"] == 0.06
    with pytest.raises(InvalidInput, match="cannot be read as figures"):
        document.read([Path(__file__)])


def test_medians_are_over_seeds_and_markdown_aligns() -> None:
    seeds = [
        replace(
            WITHIN, instance=Instance(size=SIZES["1k"], seed=seed), runs={"auto": replace(RUN, solve_seconds=solve)}
        )
        for seed, solve in ((1, 3.4), (2, 4.3), (3, 3.6))
    ]
    assert tables.medians(seeds)["1k"]["auto"]["wall_seconds"] == 4.8
    text = tables.markdown([*seeds, replace(WITHIN, instance=Instance(size=SIZES["5k"], seed=1))], "a machine")
    assert "4.2 [4.9] (5)" in text
    for table in text.split("\n\n"):
        if table.startswith("|"):
            assert len({len(line) for line in table.splitlines()}) == 1


def test_the_plot_is_one_page_that_needs_nothing_else(report: Report) -> None:
    page = trace_page([report, WITHIN], "a <machine>")
    assert "a &lt;machine&gt;" in page
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)
    drawings = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(drawings) == 1  # both are of the size 1k
    paths = [path for path in drawings[0].iter("path") if path.get("class") == "plan"]
    assert len(paths) == 2
    assert all(re.fullmatch(r"M[\d. LM-]+", path.get("d") or "") for path in paths)


def test_bench_hands_options_on_and_shows_a_file_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "routing_gap.json"
    document.write(path, [WITHIN], "a machine")
    shown = ["bench", "routing_gap", "--read", str(path), "--out", str(tmp_path / "out")]
    assert allot([*shown, "--markdown"]) == 0
    assert "| 1,000 × 40 × 2,000" in capsys.readouterr().out
    assert (tmp_path / "out" / "routing_gap.html").exists()
    document.write(path, [replace(WITHIN, runs={"auto": replace(RUN, solve_seconds=5.4)})], "a machine")
    assert allot(shown) == 3
    assert "1k-seed1: took 6.0 s" in capsys.readouterr().err
    assert allot(["bench", "routing_gap", "--sizes", "7k"]) == 2


def test_every_option_is_in_the_reference() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    options = {name for action in parser()._actions for name in action.option_strings if name.startswith("--")}
    own = re.search(r"^allot bench routing_gap$(.*?)^(?:```|allot bench )", text, re.MULTILINE | re.DOTALL)
    assert own
    assert set(re.findall(r"^  (--[a-z-]+)", own[1], re.MULTILINE)) == options - {"--help"}
