"""Question: how close to the fluid bound do bid prices come in a published experiment, and what do others reach.

The experiment of Ma (2023, "Order-optimal correlated rounding for fulfilling multi-item e-commerce orders",
Manufacturing & Service Operations Management 25:4) after Jasin & Sinha (2015): random baskets from cities by
population, stock once at the beginning, no receipts, no information but the chances of the baskets. Rounding schemes
are written anew from the text of the papers. Every method serves the same sequences; ratios do not depend on the
machine.

    allot bench published [--sizes small,large,sparse|all] [--seeds N] [--sequences N] [--markdown]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from api.cli.terminal import choose
from benchmarks.ma2023.measuring import HINDSIGHT, OURS, Outcome, measure
from benchmarks.ma2023.world import LARGE, SMALL, SPARSE, Setting
from benchmarks.machine import machine
from engine.errors import ExpectationMissed

SIZES = {"small": SMALL, "large": LARGE, "sparse": SPARSE}
BARS = {"small": 1.03, "large": 1.005, "sparse": 1.005}
AGAINST = {"small": "paper", "large": "proven", "sparse": "proven"}
"""The bound a bar is held against: the paper's where anybody could keep it. In the large networks it is so far below
the proven one that not even hindsight could."""
HEADINGS = ("method", "over the paper's bound", "worst and best seed", "over the proven bound", "seconds")
WIDTH_IN_A_FILE = 140


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    found = argparse.ArgumentParser(prog="allot bench published", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--sizes", default="small", help=f"of {', '.join(SIZES)}, or all")
    found.add_argument("--seeds", type=int, default=20, metavar="N", help="worlds drawn, seeds 1 to N")
    found.add_argument("--sequences", type=int, default=5, metavar="N", help="sequences of orders in each world")
    found.add_argument("--markdown", action="store_true", help="print the tables for RESULTS.md")
    return found


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return a row per method: medians over seeds of mean costs over the bounds."""
    found: list[tuple[str, ...]] = []
    for method in outcomes[0].cost:
        paper = [outcome.cost[method] / outcome.paper_bound for outcome in outcomes]
        proven = statistics.median(outcome.cost[method] / outcome.proven_bound for outcome in outcomes)
        seconds = statistics.median(outcome.seconds[method] for outcome in outcomes)
        found.append((
            method,
            f"{statistics.median(paper):.4f}",
            f"{max(paper):.4f}, {min(paper):.4f}",
            f"{proven:.4f}",
            "–" if method == HINDSIGHT else f"{seconds:.2f}",
        ))  # fmt: skip
    return found


def missed(size: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Return a sentence for a bar that bid prices made ten times do not keep."""
    against = AGAINST[size]
    bounds = [outcome.paper_bound if against == "paper" else outcome.proven_bound for outcome in outcomes]
    ratio = statistics.median(outcome.cost[OURS] / bound for outcome, bound in zip(outcomes, bounds, strict=True))
    return [f"{size}: {ratio:.4f} of the {against} bound, the bar is {BARS[size]}"] if ratio > BARS[size] else []


def title(setting: Setting, outcomes: Sequence[Outcome], sequences: int) -> str:
    """Name the network, and how often it was drawn."""
    return (
        f"{setting.name}: {setting.nodes} nodes, {setting.cities} cities, {setting.skus} SKUs, {setting.periods:,} "
        f"periods; {len(outcomes)} worlds, {sequences} sequences each"
    )


def show(heading: str, found: Sequence[tuple[str, ...]], *, as_markdown: bool) -> None:
    """Print one table, for the terminal or for RESULTS.md."""
    if as_markdown:
        widths = [max(len(row[column]) for row in (HEADINGS, *found)) for column in range(len(HEADINGS))]
        print(f"\n{heading}\n")
        for row in (HEADINGS, None, *found):
            cells = ["-" * width for width in widths] if row is None else row
            line = " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            print(f"|-{line.replace(' ', '-')}-|" if row is None else f"| {line} |")
        return
    table = Table(title=heading, caption=machine())
    for number, name in enumerate(HEADINGS):
        table.add_column(name, justify="right" if number else "left")
    for row in found:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else WIDTH_IN_A_FILE, highlight=False).print(table)


def say(text: str) -> None:
    """Tell on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Read the options, measure, show; raises ExpectationMissed naming every bar that was missed."""
    chosen = parser().parse_args()
    names = ",".join(SIZES) if chosen.sizes == "all" else chosen.sizes
    sizes = [choose("--sizes", name.strip(), tuple(SIZES)) for name in names.split(",")]
    say("compiling the kernels, if they are not")
    measure(replace(SMALL, periods=100), 1, 1, lambda _: None)
    sentences: list[str] = []
    for size in sizes:
        outcomes = [measure(SIZES[size], seed, chosen.sequences, say) for seed in range(1, chosen.seeds + 1)]
        show(title(SIZES[size], outcomes, chosen.sequences), rows(outcomes), as_markdown=chosen.markdown)
        sentences += missed(size, outcomes)
    if sentences:
        raise ExpectationMissed("\n  ".join([f"{len(sentences)} of the bars missed:", *sentences]))


if __name__ == "__main__":
    from api.cli.main import main as allot

    sys.exit(allot(["bench", "published", *sys.argv[1:]]))
