"""Question: are as many shipments on time as were promised to be, overall, in each lane, and through a peak.

Two histories. Generated, with known truth: 144 lanes of which most are thin, weekday effects, a peak that drifts from
node to node; learned anew every few days from what was known then (what is still open as open), for the orders until
the next time. Beside the share that was on time stands what it had to be: the chance of each promise under the
distribution its days were drawn from, which has no luck in it, so that lanes with few promises tell something. And
real lead times (scenarios/real/scms): the first four fifths learned from, the rest predicted, beside the quantile of
all shipments and plain quantiles per lane. The ratio that does not depend on the machine is pinball loss over that of
the pooled quantile.

    python -m benchmarks.promise_dates [--shipments N] [--every DAYS] [--seed N] [--out DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.dates.coverage_plot import coverage_page
from benchmarks.dates.generated import DAYS, FIRST_DAY, Generated, generate
from benchmarks.dates.real import real_lead_times
from benchmarks.machine import machine
from solvers.lead_times import History, keys_of
from solvers.pooling import Floats
from solvers.quantiles import learn, pinball_loss

ASKED = (0.5, 0.9)
FIRST_PROMISE = FIRST_DAY + 280
LEAST_FOR_A_LANE = (20, 150)
"""Promises of a lane from which on its mean chance is looked at: promises are whole days, and single ones far off."""


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


def measure(shipments: int, every: int, seed: int, out: Path) -> None:
    """Print both tables, and write the page."""
    console = Console()
    generated = generate(shipments, seed)
    rows, promised = walk(generated, every)
    table = Table(title=f"Generated: {shipments:,} shipments, learned every {every} days", caption=machine())
    headings = ("asked", "on time", "chance", "before the peak", "in the peak")
    for heading in (*headings, *(f"worst lane of {least}+ off" for least in LEAST_FOR_A_LANE)):
        table.add_column(heading, justify="right")
    days, lane = generated.history.days[rows], generated.lane[rows]
    when = generated.history.ordered.ordered_day[rows] - FIRST_DAY
    for quantile, asked in promised.items():
        chance = generated.chance(rows, asked)
        count, kept = np.bincount(lane), np.bincount(lane, chance)
        off = np.abs(kept / np.maximum(count, 1) - quantile)
        worst = (f"{off[count >= least].max(initial=0):.1%}" for least in LEAST_FOR_A_LANE)
        early = when < 310
        table.add_row(
            f"{quantile:.0%}",
            f"{np.mean(days <= asked):.1%}",
            f"{chance.mean():.1%}",
            f"{chance[early].mean():.1%}",
            f"{chance[~early].mean():.1%}",
            *worst,
        )
    console.print(table)
    _print_real(console)
    out.mkdir(parents=True, exist_ok=True)
    page = out / "promise_dates.html"
    page.write_text(coverage_page(0.9, days <= promised[0.9], when, lane, machine()), encoding="utf-8")
    console.print(f"The plot is in {page}.")


def _print_real(console: Console) -> None:
    train, tests = real_lead_times()
    horizon = float(np.median(tests.ordered.ordered_day) - train.ordered.ordered_day.max())
    model = learn(train, horizon)
    table = Table(title=f"Real (scms): {len(train):,} learned from, {len(tests):,} predicted")
    for heading in ("asked", "method", "on time", "mean promised days", "pinball loss", "over pooled"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for quantile in ASKED:
        pooled, lanes = plain_quantiles(train, tests, quantile)
        least = pinball_loss(tests.days, pooled, quantile)
        ours = model.days(tests.ordered, quantile).astype(float)
        for name, days in (("allot", ours), ("pooled quantile", pooled), ("quantile per lane", lanes)):
            loss = pinball_loss(tests.days, days, quantile)
            on_time = np.mean(tests.days <= days)
            table.add_row(
                f"{quantile:.0%}", name, f"{on_time:.1%}", f"{days.mean():.1f}", f"{loss:.2f}", f"{loss / least:.2f}"
            )
    console.print(table)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.promise_dates", description=__doc__.splitlines()[0])
    parser.add_argument("--shipments", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out"))
    chosen = parser.parse_args()
    measure(chosen.shipments, chosen.every, chosen.seed, chosen.out)


if __name__ == "__main__":
    main()
