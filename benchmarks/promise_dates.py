"""Question: are as many shipments on time as were promised to be, overall, in each lane, and through a peak.

Two histories. Generated, with known truth: 144 lanes of which most are thin, weekday effects, a peak that drifts from
node to node; learned anew every few days from what was known then (what is still open as open), for the orders until
the next time. Beside the share that was on time stands what it had to be: the chance of each promise under the
distribution its days were drawn from, which has no luck in it, so that lanes with few promises tell something; and
beside allot stand promises by those who know how the history was made (`dates/oracle.py`; alone by `--oracle`). And
real lead times (scenarios/real/scms): the first four fifths learned from, the rest predicted, beside the quantile of
all shipments and plain quantiles per lane. The ratio that does not depend on the machine is pinball loss over that of
the pooled quantile.

    python -m benchmarks.promise_dates [--shipments N] [--every DAYS] [--seed 1,2-4] [--oracle] [--out DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.dates.coverage import Coverage, coverage, table_of, table_of_seeds
from benchmarks.dates.coverage_plot import coverage_page
from benchmarks.dates.generated import DAYS, FIRST_DAY, Generated, generate
from benchmarks.dates.oracle import oracles
from benchmarks.dates.real import real_lead_times
from benchmarks.machine import machine
from solvers.lead_times import History, keys_of
from solvers.pooling import Floats, Integers
from solvers.quantiles import learn, pinball_loss

ASKED = (0.5, 0.9)
FIRST_PROMISE = FIRST_DAY + 280


def walk(generated: Generated, every: int) -> tuple[NDArray[np.int64], dict[float, Floats]]:
    """Return which shipments were promised, and their promised days at each quantile."""
    history, when = generated.history, generated.history.ordered.ordered_day
    promised = {quantile: np.zeros(len(history)) for quantile in ASKED}
    for day in range(FIRST_PROMISE, FIRST_DAY + DAYS, every):
        rows = np.flatnonzero((when >= day) & (when < day + every))
        model = learn(history.as_of(day), float(every))
        for quantile, days in promised.items():
            days[rows] = model.days(history.ordered.take(rows), quantile)
    rows = np.flatnonzero(when >= FIRST_PROMISE)
    return rows, {quantile: days[rows] for quantile, days in promised.items()}


def plain_quantiles(train: History, tests: History, quantile: float) -> tuple[Floats, Floats]:
    """Return the quantile of all shipments, and that of each test shipment's lane where history has it, else of all."""
    pooled = float(np.quantile(train.days, quantile, method="inverted_cdf"))
    lanes = [keys_of(_places(part), ("node", "service", "zone")) for part in (train, tests)]
    own = np.full(len(tests), pooled)
    for lane in np.unique(lanes[1][lanes[1] >= 0]):
        days = train.days[lanes[0] == lane]
        if len(days):
            own[lanes[1] == lane] = np.quantile(days, quantile, method="inverted_cdf")
    return np.full(len(tests), pooled), own


def _places(part: History) -> dict[str, NDArray[np.int64]]:
    return {"node": part.ordered.node, "service": part.ordered.service, "zone": part.ordered.zone}


def measure(shipments: int, every: int, seed: int, out: Path | None) -> list[Coverage]:
    """Print the table of one seed; with `out` for allot too (that takes most of a minute), and write its page there."""
    console = Console()
    generated = generate(shipments, seed)
    rows = np.flatnonzero(generated.history.ordered.ordered_day >= FIRST_PROMISE)
    promised = walk(generated, every)[1] if out is not None else {}
    found = []
    for quantile in ASKED:
        days = {"allot": promised[quantile]} if promised else {}
        days |= oracles(generated, rows, every, quantile)
        found += [coverage(generated, rows, asked, quantile, by) for by, asked in days.items()]
    console.print(table_of(found, f"Generated: {shipments:,} shipments, seed {seed}, every {every} days", machine()))
    if out is not None:
        _write_page(console, generated, rows, promised[0.9], out)
    return found


def _write_page(console: Console, generated: Generated, rows: Integers, promised: Floats, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    page = out / "promise_dates.html"
    on_time = generated.history.days[rows] <= promised
    when = generated.history.ordered.ordered_day[rows] - FIRST_DAY
    page.write_text(coverage_page(0.9, on_time, when, generated.lane[rows], machine()), encoding="utf-8")
    console.print(f"The plot is in {page}.")


def _print_real(console: Console) -> None:
    train, tests = real_lead_times()
    horizon = float(np.median(tests.ordered.ordered_day) - train.ordered.ordered_day.max())
    model = learn(train, horizon)
    table = Table(title=f"Real (scms): {len(train):,} learned from, {len(tests):,} predicted")
    for heading in ("asked", "method", "on time", "mean promised days", "pinball loss", "over pooled", "over per lane"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for quantile in ASKED:
        pooled, lanes = plain_quantiles(train, tests, quantile)
        bars = [pinball_loss(tests.days, plain, quantile) for plain in (pooled, lanes)]
        ours = model.days(tests.ordered, quantile).astype(float)
        for name, days in (("allot", ours), ("pooled quantile", pooled), ("quantile per lane", lanes)):
            loss = pinball_loss(tests.days, days, quantile)
            on_time = np.mean(tests.days <= days)
            over = (f"{loss / bar:.2f}" for bar in bars)
            table.add_row(f"{quantile:.0%}", name, f"{on_time:.1%}", f"{days.mean():.1f}", f"{loss:.2f}", *over)
    console.print(table)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.promise_dates", description=__doc__.splitlines()[0])
    parser.add_argument("--shipments", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--seed", type=_seeds, default=[1])
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("out"))
    chosen = parser.parse_args()
    found = []
    for seed in chosen.seed:
        found += measure(chosen.shipments, chosen.every, seed, None if chosen.oracle else chosen.out)
    console = Console()
    if len(chosen.seed) > 1:
        console.print(table_of_seeds(found, len(chosen.seed)))
    if not chosen.oracle:
        _print_real(console)


def _seeds(text: str) -> list[int]:
    """Return the seeds that are named: 7, or 1,2,3, or 1-20."""
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


if __name__ == "__main__":
    main()
