"""Question: how close to the best possible plan does a batch come, in how much time, and what do others reach.

Five sizes of synthetic batches (1,000 to 1,000,000 orders; three seeds each, one of the largest) and one of two million
stocked cells, whose recipes and hashes are committed. Each is routed as a user does it, `allot route FOLDER --out DIR
--workers 2 --time-limit S` in a fresh process once the kernels are compiled; S keeps load, solve and write within the
bar of the size. Beside it in the same run: the rules that order routers use, exact one-by-one routing, and up to 5,000
orders the textbook model with the same time limit. Gaps and costs above the bound do not depend on the machine, but for
what it gets done in its time.

    allot bench routing_gap [--sizes 1k,5k,20k,100k,1m,wide|all] [--seeds 1,2] [--methods auto,nearest] [--folder DIR]
                            [--out DIR] [--verify-up-to ORDERS] [--markdown] [--read FILE ...] [--write-hashes]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from api.cli.terminal import choose
from benchmarks.gap import document, recipes, tables
from benchmarks.gap.child import measured
from benchmarks.gap.recipes import Instance
from benchmarks.gap.runs import METHODS, Report, measure, missed
from benchmarks.gap.trace_plot import trace_page
from benchmarks.machine import machine
from engine.errors import ExpectationMissed

WIDTH_IN_A_FILE = 180


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    found = argparse.ArgumentParser(prog="allot bench routing_gap", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--sizes", default="1k,5k", help=f"of {', '.join(recipes.SIZES)}, or all")
    found.add_argument("--seeds", help="such as 1,2; by default those with a committed hash")
    found.add_argument("--methods", default="all", help=f"auto and any of {', '.join(METHODS[1:])}; by default all")
    found.add_argument("--folder", type=Path, help="keep instances and results there; by default thrown away")
    found.add_argument("--out", type=Path, default=Path("out"), help="for routing_gap.json and routing_gap.html")
    found.add_argument("--verify-up-to", type=int, default=20_000, metavar="ORDERS", help="check results so large")
    found.add_argument("--markdown", action="store_true", help="print the tables for RESULTS.md")
    found.add_argument("--read", type=Path, nargs="+", metavar="FILE", help="show these routing_gap.json again")
    found.add_argument("--write-hashes", action="store_true", help="write the hashes of the instances anew, and stop")
    return found


def chosen_methods(text: str) -> list[str]:
    """Read `auto,nearest` (or `all`); `auto` is always among them."""
    names = METHODS if text == "all" else [choose("--methods", name.strip(), METHODS) for name in text.split(",")]
    return [method for method in METHODS if method in {"auto", *names}]


def say(text: str) -> None:
    """Tell on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def run(instances: Sequence[Instance], chosen: argparse.Namespace, folder: Path) -> list[Report]:
    """Measure instance by instance; the JSON is written after each, so that an interruption costs only one."""
    methods = chosen_methods(chosen.methods)
    say("compiling the kernels, if they are not")
    measured("solvers").expect_success()
    reports = []
    for instance in instances:
        say(f"{instance.name}: instance")
        problem = recipes.checked(instance, folder)
        report = measure(
            instance,
            problem,
            recipes.committed_hashes()[instance.name],
            folder / "results" / instance.name,
            methods=methods,
            verify=instance.size.orders <= chosen.verify_up_to,
            say=say,
        )
        reports.append(report)
        document.write(chosen.out / "routing_gap.json", reports, machine())
        if chosen.folder is None:
            shutil.rmtree(problem)
    return reports


def show(reports: Sequence[Report], stated_machine: str, *, as_markdown: bool) -> None:
    """Print the tables, what was not run, and which instances are not contested."""
    if as_markdown:
        print(tables.markdown(reports, stated_machine))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH_IN_A_FILE, highlight=False)
    for table in tables.rich_tables(reports, stated_machine):
        console.print(table)
    for report in reports:
        for method, remark in report.remarks.items():
            console.print(f"{report.instance.name}, {method}: {remark}", style="dim", soft_wrap=True)
        if report.is_contested is False:
            above = report.above_bound("one_by_one") or 0.0
            console.print(f"{report.instance.name} is not contested: one by one is {above:.1%} above the bound")


def main() -> None:
    """Read the options, measure, show; raises ExpectationMissed naming every bar that was missed."""
    chosen = parser().parse_args()
    if chosen.read:
        reports, stated_machine = document.read(chosen.read)
    else:
        instances, stated_machine = recipes.chosen_instances(chosen.sizes, chosen.seeds), machine()
        with tempfile.TemporaryDirectory(prefix="allot-bench-") as temporary:
            folder = chosen.folder or Path(temporary)
            if chosen.write_hashes:
                recipes.write_hashes(instances, folder)
                return
            reports = run(instances, chosen, folder)
    show(reports, stated_machine, as_markdown=chosen.markdown)
    chosen.out.mkdir(parents=True, exist_ok=True)
    page = chosen.out / "routing_gap.html"
    page.write_text(trace_page(reports, stated_machine), encoding="utf-8")
    say(f"The traces are drawn in {page}.")
    sentences = [sentence for report in reports for sentence in missed(report)]
    if sentences:
        raise ExpectationMissed("\n  ".join([f"{len(sentences)} of the bars missed:", *sentences]))


if __name__ == "__main__":
    from api.cli.main import main as allot

    sys.exit(allot(["bench", "routing_gap", *sys.argv[1:]]))
