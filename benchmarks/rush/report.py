"""What is told of the peak hour: one row a window, what the audit found, and which bars were missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from benchmarks.rush.audit import Audit
from benchmarks.rush.shoppers import CAPTURE, CONFIRM, PROMISE, RESERVE, Asked, Bought

MOST_SECONDS, MOST_GAP = 60.0, 0.01
PHASES = ("read", "build", "solve", "verify", "commit")
"""Phases of a run with a column of their own; what is left is mending the plan, keeping it and its explanations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window: when its run was asked for and over (seconds since the epoch), and what the run says of itself."""

    number: int
    placed: int
    capture_seconds: float
    began: float
    ended: float
    server_cpu_seconds: float
    status: str
    failure: str | None
    summary: dict[str, Any]

    @property
    def seconds(self) -> float:
        """How long the run took, as its caller sees it."""
        return self.ended - self.began

    @property
    def gap(self) -> float:
        """The certified gap; infinite if there is none."""
        gap = self.summary.get("gap")
        return float("inf") if gap is None else float(gap)

    def phases(self) -> dict[str, float]:
        """How long the phases of the run took, in seconds: those of `PHASES`, and all others as `other`."""
        took: dict[str, float] = self.summary.get("phase_seconds", {})
        shown = {phase: float(took.get(phase, 0.0)) for phase in PHASES}
        return {**shown, "other": sum(took.values()) - sum(shown.values())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of it: the windows, what shoppers did, the audit, and the most memory that each process took."""

    windows: list[Window]
    bought: Bought
    audit: Audit
    server_mb: float
    store_mb: float


def progress(window: Window) -> str:
    """Return one line about a window that has just ended."""
    took = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in window.phases().items())
    return (
        f"window {window.number}: {window.status} in {window.seconds:.1f} s ({window.failure or took}), "
        f"gap {window.gap:.3%}, captured in {window.capture_seconds:.1f} s"
    )


def table(measured: Measured, title: str, caption: str) -> Table:
    """Return one row per window; CPU is that of the server's process, for requests and the run.

    Promises and reservations asked for while the run worked have their median and 99th percentile in milliseconds.
    """
    shown = Table(title=title, caption=caption, box=SIMPLE, padding=(0, 1), pad_edge=False)
    for heading in ("", "orders", "seconds", "CPU", *PHASES, "other", "gap", "moved", "promise", "reserve"):
        shown.add_column(heading, justify="right")
    for window in measured.windows:
        during = [each for each in measured.bought.asked if window.began <= each.at < window.ended]
        summary = window.summary
        shown.add_row(
            str(window.number),
            f"{summary.get('orders', 0):,}",
            f"{window.seconds:.1f}",
            f"{window.server_cpu_seconds:.1f}",
            *(f"{seconds:.1f}" for seconds in window.phases().values()),
            f"{window.gap:.3%}",
            f"{summary.get('moved_orders', 0):,}",
            latency([each for each in during if each.kind == PROMISE], (0.5, 0.99)),
            latency([each for each in during if each.kind == RESERVE], (0.5, 0.99)),
        )
    return shown


def latency(asked: Sequence[Asked], levels: Sequence[float] = (0.5, 0.99, 1.0)) -> str:
    """Return quantiles of how long some requests took, in milliseconds."""
    if not asked:
        return "–"
    found = np.quantile([each.seconds for each in asked], levels) * 1e3
    return "/".join(f"{each:.0f}" for each in found.tolist())


def told(measured: Measured) -> list[str]:
    """Return what else is to say, in sentences."""
    asked, found, windows = measured.bought.asked, measured.audit, measured.windows
    during = [each for each in asked if any(w.began <= each.at < w.ended for w in windows)]
    kinds = {kind: [each for each in during if each.kind == kind] for kind in (PROMISE, RESERVE, CONFIRM, CAPTURE)}
    refused = sum(each.status >= 400 for each in asked)
    routed = sum(window.seconds for window in windows)
    captured = sum(window.capture_seconds for window in windows)
    slowest, worst = max(w.seconds for w in windows), max(w.gap for w in windows)
    times = ", ".join(f"{kind} {latency(of)} ({len(of):,})" for kind, of in kinds.items())
    return [
        f"Slowest window {slowest:.1f} s, worst gap {worst:.3%}; {routed:.0f} s routing, {captured:.0f} s capturing.",
        f"While runs worked, in ms (median / 99th percentile / most): {times}.",
        f"Of all {len(asked):,} requests {refused:,} were refused, and {measured.bought.lost:,} were not answered.",
        (
            f"Audit: {found.oversold} of {found.cells:,} oversold, {found.unbalanced} where sold and left are not "
            f"all, {found.moved} recounted, {found.twice} orders committed twice, {found.lost} lost."
        ),
        (
            f"{found.sourced:,} orders sourced and {found.backordered:,} waiting, "
            f"{found.undecided:,} undecided, by {found.commits:,} decisions; "
            f"{found.units_sold:,} units sold, {found.sold_out / max(found.cells, 1):.0%} of positions sold out."
        ),
        f"Most memory: server {measured.server_mb:,.0f} MB, store {measured.store_mb:,.0f} MB.",
    ]


def failures(measured: Measured) -> list[str]:
    """Return the bars that were missed."""
    missed = []
    for window in measured.windows:
        if window.status != "committed":
            missed.append(f"window {window.number} is {window.status}: {window.failure}")
        if window.seconds > MOST_SECONDS:
            missed.append(f"window {window.number} took {window.seconds:.1f} s; the bar is {MOST_SECONDS:.0f} s")
        if window.gap > MOST_GAP:
            missed.append(f"window {window.number} has a gap of {window.gap:.3%}; the bar is {MOST_GAP:.0%}")
    if not measured.audit.is_clean:
        missed.append("the audit found what is to be 0")
    if measured.bought.lost:
        missed.append(f"{measured.bought.lost} requests of shoppers were not answered")
    return missed
