"""Measures every method on one instance, and says which bars `auto` missed.

Here: the runs, the time limit that keeps load, solve and write within their bar, records. Not here: how they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.cli import route
from benchmarks.gap.child import allot
from benchmarks.gap.recipes import (
    LEAST_CONTEST,
    MOST_FIRST_PLAN_SHARE,
    NEAR_THE_FINAL_PLAN,
    Instance,
    Size,
)

WORKERS = 2
BASELINES = ("one_by_one", "nearest", "ranked", "fewest_splits")
EXACT = {"exact_highs": "highs", "exact_cp_sat": "cp_sat"}
METHODS = ("auto", *BASELINES, *EXACT)
MOST_EXACT_ORDERS = 5_000
SPARE_SHARE, SPARE_SECONDS = 0.03, 0.1
"""What a time limit leaves of its bar, for the certificate and for what differs from run to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One method on one instance; seconds by part as in timing.json, and of the whole process; peak memory in MB."""

    method: str
    total_cost_cents: int
    lower_bound_cents: int | None
    stop_reason: str
    load_seconds: float
    compile_seconds: float
    solve_seconds: float
    write_seconds: float
    wall_seconds: float
    peak_mb: float
    time_limit_seconds: float | None
    trace: Sequence[tuple[float, int | None, int | None]]
    """(seconds after load, proven bound in cents, best plan in cents)."""

    @property
    def gap(self) -> float:
        """(total − bound) / bound as certified by the run itself; infinite without a bound."""
        if not self.lower_bound_cents:
            return 0.0 if self.total_cost_cents == self.lower_bound_cents else float("inf")
        return (self.total_cost_cents - self.lower_bound_cents) / self.lower_bound_cents

    @property
    def inside_seconds(self) -> float:
        """Load, compile, solve and write: the whole but for starting Python and importing."""
        return self.load_seconds + self.compile_seconds + self.solve_seconds + self.write_seconds

    @property
    def first_plan_share(self) -> float:
        """When a plan within 5 % of the final one was there, as a share of load, compile, solve and write."""
        near = (1 + NEAR_THE_FINAL_PLAN) * self.total_cost_cents
        seconds = next((at for at, _, best in self.trace if best is not None and best <= near), self.inside_seconds)
        return min(1.0, (self.load_seconds + seconds) / max(self.inside_seconds, 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured on one instance; a method that failed has no run, but a remark."""

    instance: Instance
    problem_sha256: str
    runs: dict[str, Run]
    remarks: dict[str, str]
    verified: bool | None
    """Whether `allot verify` agrees with the result of `auto`; None where it was not asked."""
    verify_seconds: float | None

    def above_bound(self, method: str) -> float | None:
        """How far a method's cost lies above the bound that `auto` proved, as a share."""
        bound = self.runs["auto"].lower_bound_cents
        if method not in self.runs or not bound:
            return None
        return (self.runs[method].total_cost_cents - bound) / bound

    @property
    def is_contested(self) -> bool | None:
        """Whether one-by-one routing ends 5 % or more above the bound; None where it was not run."""
        above = self.above_bound("one_by_one")
        return None if above is None else above >= LEAST_CONTEST


def missed(report: Report) -> list[str]:
    """Return a sentence for every bar that `auto` missed on an instance."""
    size, run, name = report.instance.size, report.runs["auto"], report.instance.name
    found = []
    if run.inside_seconds > size.most_seconds:
        found.append(f"{name}: took {run.inside_seconds:.1f} s, at most {size.most_seconds:g} s are allowed")
    if run.gap > size.most_gap:
        found.append(f"{name}: the certified gap is {run.gap:.4%}, at most {size.most_gap:.2%} is allowed")
    if size.most_peak_mb is not None and run.peak_mb > size.most_peak_mb:
        found.append(f"{name}: took {run.peak_mb:,.0f} MB, at most {size.most_peak_mb:,.0f} MB are allowed")
    if run.first_plan_share > MOST_FIRST_PLAN_SHARE:
        found.append(
            f"{name}: a plan within {NEAR_THE_FINAL_PLAN:.0%} of the final one was there after"
            f" {run.first_plan_share:.0%} of the time, at most {MOST_FIRST_PLAN_SHARE:.0%} is allowed"
        )
    if report.verified is False:
        found.append(f"{name}: `allot verify` does not agree: {report.remarks['verify']}")
    return found


def time_limit_seconds(size: Size, probe: Run) -> float:
    """Return the limit for solving that keeps load, solve and write together within the bar of a size.

    `probe` is a quick method on the same instance: what it took for loading and writing, `auto` takes too.
    """
    besides = probe.load_seconds + probe.write_seconds
    left = size.most_seconds * (1 - SPARE_SHARE) - SPARE_SECONDS - besides
    return max(0.5, int(10 * left) / 10)


def measure(
    instance: Instance,
    problem: Path,
    sha256: str,
    results: Path,
    *,
    methods: Sequence[str],
    verify: bool,
    say: Callable[[str], None],
) -> Report:
    """Run the methods on an instance, `nearest` first, since it tells how much time `auto` has."""
    say(f"{instance.name}: nearest")
    runs = {"nearest": _route(problem, results / "nearest", "nearest")}
    limit = time_limit_seconds(instance.size, runs["nearest"])
    remarks: dict[str, str] = {}
    for method in methods:
        if method in runs or (method in EXACT and not _has_exact(instance, method, remarks)):
            continue
        say(f"{instance.name}: {method}")
        try:
            limited = limit if method == "auto" or method in EXACT else None
            runs[method] = _route(problem, results / method, method, limited)
        except RuntimeError as error:
            if method == "auto":
                raise
            remarks[method] = str(error)
    verified, seconds = None, None
    if verify:
        say(f"{instance.name}: verify")
        checked = allot("verify", str(problem), str(results / "auto"), "--json")
        verified, seconds = checked.exit_code == 0, checked.wall_seconds
        if not verified:
            remarks["verify"] = checked.stderr.strip()[-2000:]
    return Report(
        instance=instance,
        problem_sha256=sha256,
        runs=runs,
        remarks=remarks,
        verified=verified,
        verify_seconds=seconds,
    )


def _has_exact(instance: Instance, method: str, remarks: dict[str, str]) -> bool:
    """Say whether the textbook model is asked of an instance, and note why not."""
    if instance.size.orders > MOST_EXACT_ORDERS:
        remarks[method] = f"not run above {MOST_EXACT_ORDERS:,} orders"
    elif "exact" not in route.METHODS:
        remarks[method] = "there is no --method exact yet"
    else:
        return True
    return False


def _route(problem: Path, out: Path, method: str, limit: float | None = None) -> Run:
    """Route a folder in a process of its own; raises RuntimeError if that fails or hangs."""
    options = ["--method", "exact", "--exact-solver", EXACT[method]] if method in EXACT else ["--method", method]
    if limit is not None:
        options += ["--time-limit", f"{limit:g}"]
    done = allot(
        "route",
        str(problem),
        "--out",
        str(out),
        "--workers",
        str(WORKERS),
        *options,
        most_seconds=None if limit is None else 120 + 5 * limit,
    ).expect_success()
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    timing: dict[str, Any] = json.loads((out / "timing.json").read_text())
    return Run(
        method=method,
        total_cost_cents=summary["total_cost_cents"],
        lower_bound_cents=summary["lower_bound_cents"],
        stop_reason=summary["stop_reason"],
        **{f"{part}_seconds": timing["wall_seconds"][part] for part in ("load", "compile", "solve", "write")},
        wall_seconds=round(done.wall_seconds, 3),
        peak_mb=round(done.peak_mb, 1),
        time_limit_seconds=limit,
        trace=[tuple(point) for point in timing["trace"]],
    )
