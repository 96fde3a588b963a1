"""Shows what was measured: a table for the terminal, and the same figures as Markdown for RESULTS.md.

`auto` is shown instance by instance against its bars, then all methods beside each other, medians over seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from benchmarks.gap.recipes import MOST_FIRST_PLAN_SHARE, SIZES, Size
from benchmarks.gap.runs import METHODS, Report

NAMES = {
    "auto": "allot",
    "one_by_one": "exact one by one",
    "exact_highs": "textbook, HiGHS",
    "exact_cp_sat": "textbook, CP-SAT",
}
AUTO_HEADINGS = (
    "orders × nodes × SKUs",
    "seed",
    "load s",
    "compile s",
    "solve s",
    "write s",
    "together s",
    "process s",
    "gap",
    "peak MB",
    "within 5 % after",
    "contest",
    "verified",
)
Cell = tuple[str, bool]
"""What a cell says, and whether it keeps its bar."""


def by_size(reports: Sequence[Report]) -> dict[str, list[Report]]:
    """Return the reports of every size that has any, smallest size first."""
    found = {name: [report for report in reports if report.instance.size.name == name] for name in SIZES}
    return {name: some for name, some in found.items() if some}


def medians(reports: Sequence[Report]) -> dict[str, dict[str, Any]]:
    """Return by size and method the median seconds of the whole process, peak MB, gap, and cost above our bound."""
    return {
        name: {
            method: {
                "seeds": len(runs),
                "wall_seconds": statistics.median(report.runs[method].wall_seconds for report in runs),
                "inside_seconds": statistics.median(report.runs[method].inside_seconds for report in runs),
                "peak_mb": statistics.median(report.runs[method].peak_mb for report in runs),
                "gap": _finite(statistics.median(report.runs[method].gap for report in runs)),
                "above_bound": statistics.median(report.above_bound(method) or 0.0 for report in runs),
            }
            for method in METHODS
            if (runs := [report for report in some if method in report.runs])
        }
        for name, some in by_size(reports).items()
    }


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def _auto_row(report: Report) -> list[Cell]:
    """Return the cells of one instance under AUTO_HEADINGS."""
    size, run = report.instance.size, report.runs["auto"]
    above = report.above_bound("one_by_one")
    within = size.most_peak_mb is None or run.peak_mb <= size.most_peak_mb
    return [
        (size.title, True),
        (str(report.instance.seed), True),
        (f"{run.load_seconds:.2f}", True),
        (f"{run.compile_seconds:.2f}", True),
        (f"{run.solve_seconds:.2f}", True),
        (f"{run.write_seconds:.2f}", True),
        (f"{run.inside_seconds:.1f} of {size.most_seconds:g}", run.inside_seconds <= size.most_seconds),
        (f"{run.wall_seconds:.1f}", True),
        (f"{run.gap:.3%} of {size.most_gap:.2%}", run.gap <= size.most_gap),
        (f"{run.peak_mb:,.0f}", within),
        (f"{run.first_plan_share:.0%}", run.first_plan_share <= MOST_FIRST_PLAN_SHARE),
        ("–" if above is None else f"{above:.1%}", report.is_contested is not False),
        ({None: "–", True: "yes", False: "NO"}[report.verified], report.verified is not False),
    ]


def _methods(reports: Sequence[Report]) -> list[str]:
    return [method for method in METHODS if any(method in report.runs for report in reports)]


def _method_rows(reports: Sequence[Report]) -> list[list[str]]:
    """Return one row per size: above the bound and seconds of every method, medians over seeds."""
    rows = []
    for name, found in medians(reports).items():
        row = [SIZES[name].title]
        for method in _methods(reports):
            if method in found:
                one = found[method]
                row.append(f"{_share(one['above_bound'])} in {_seconds(one['wall_seconds'])}")
            else:
                row.append("–")
        rows.append(row)
    return rows


def _share(share: float) -> str:
    return f"{share:.3%}" if share < 0.01 else f"{share:.1%}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"


def rich_tables(reports: Sequence[Report], machine: str) -> list[Table]:
    """Return the tables for a terminal; what misses its bar is red."""
    auto = Table(title="allot route, a fresh process, two threads", caption=machine)
    for number, heading in enumerate(AUTO_HEADINGS):
        auto.add_column(heading, justify="left" if number == 0 else "right")
    for some in by_size(reports).values():
        for report in some:
            auto.add_row(*(Text(said, style="" if keeps else "bold red") for said, keeps in _auto_row(report)))
        auto.add_section()
    beside = Table(title="Cost above our bound, and seconds of the whole process: medians over seeds", caption=machine)
    beside.add_column("orders × nodes × SKUs")
    for method in _methods(reports):
        beside.add_column(NAMES.get(method, method.replace("_", " ")), justify="right")
    for row in _method_rows(reports):
        beside.add_row(*row)
    return [auto, beside]


def markdown(reports: Sequence[Report], machine: str) -> str:
    """Return both tables as Markdown that aligns in source, to be pasted into RESULTS.md; `auto` as medians."""
    auto_rows = [_median_row(SIZES[name], some) for name, some in by_size(reports).items()]
    headings = ["orders × nodes × SKUs", "seeds", "seconds (bar)", "whole process", "of it load", "solve", "write"]
    headings += ["certified gap (bar)", "peak MB", "within 5 % after", "one by one above the bound"]
    names = [NAMES.get(method, method.replace("_", " ")) for method in _methods(reports)]
    return "\n".join(
        [
            f"{machine}. Medians over seeds; the worst seed in brackets where it differs.",
            "",
            *_aligned([headings, *auto_rows]),
            "",
            "Cost above the bound that allot proved, and seconds of the whole process:",
            "",
            *_aligned([["orders × nodes × SKUs", *names], *_method_rows(reports)]),
        ]
    )


def _median_row(size: Size, reports: Sequence[Report]) -> list[str]:
    runs = [report.runs["auto"] for report in reports]

    def told(values: list[float], form: str) -> str:
        middle, worst = format(statistics.median(values), form), format(max(values), form)
        return middle if middle == worst else f"{middle} [{worst}]"

    contest = [above for report in reports if (above := report.above_bound("one_by_one")) is not None]
    least = f"{min(contest):.1%} or more" if contest else "–"
    return [
        size.title,
        str(len(runs)),
        f"{told([run.inside_seconds for run in runs], '.1f')} ({size.most_seconds:g})",
        told([run.wall_seconds for run in runs], ".1f"),
        told([run.load_seconds for run in runs], ".1f"),
        told([run.compile_seconds + run.solve_seconds for run in runs], ".1f"),
        told([run.write_seconds for run in runs], ".1f"),
        f"{told([run.gap for run in runs], '.3%')} ({size.most_gap:.2%})",
        told([run.peak_mb for run in runs], ",.0f"),
        told([run.first_plan_share for run in runs], ".0%"),
        least,
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return rows (the first one the headings) as a Markdown table whose columns align."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]

    def line(row: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"

    return [line(rows[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows[1:])]
