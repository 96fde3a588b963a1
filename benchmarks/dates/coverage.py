"""How well promised days cover what was asked, overall and in each lane, and the tables of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from benchmarks.dates.generated import FIRST_DAY, Generated
from solvers.pooling import Floats, Integers

LEAST_FOR_A_LANE = (20, 150)
"""Promises of a lane from which on its mean chance is looked at: promises are whole days, and single ones far off."""
PEAK_BEGINS = 310
ALLOWED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the promises of one history came to, by who made them; shares from 0 to 1."""

    quantile: float
    by: str
    on_time: float
    chance: float
    before_peak: float
    in_peak: float
    worst: tuple[float, ...]
    """By how much the mean chance of a lane misses at most, of lanes with each of `LEAST_FOR_A_LANE` promises."""


def coverage(generated: Generated, rows: Integers, promised: Floats, quantile: float, by: str) -> Coverage:
    """Return what promised days of some shipments came to."""
    chance, lane = generated.chance(rows, promised), generated.lane[rows]
    count, kept = np.bincount(lane), np.bincount(lane, chance)
    off = np.abs(kept / np.maximum(count, 1) - quantile)
    early = generated.history.ordered.ordered_day[rows] < FIRST_DAY + PEAK_BEGINS
    return Coverage(
        quantile=quantile,
        by=by,
        on_time=float(np.mean(generated.history.days[rows] <= promised)),
        chance=float(chance.mean()),
        before_peak=float(chance[early].mean()),
        in_peak=float(chance[~early].mean()),
        worst=tuple(float(off[count >= least].max(initial=0)) for least in LEAST_FOR_A_LANE),
    )


def table_of(found: Sequence[Coverage], title: str, caption: str) -> Table:
    """Return one seed's table."""
    table = Table(title=title, caption=caption)
    headings = ("on time", "chance", "before the peak", "in the peak")
    _headings(table, *headings, *(f"worst lane of {least}+ off" for least in LEAST_FOR_A_LANE))
    for one in found:
        shares = (one.on_time, one.chance, one.before_peak, one.in_peak, *one.worst)
        table.add_row(f"{one.quantile:.0%}", one.by, *(f"{share:.1%}" for share in shares))
    return table


def table_of_seeds(found: Sequence[Coverage], seeds: int) -> Table:
    """Return the table over seeds: mean chance; of worst lanes the median, the most, how many beyond 5 points."""
    table = Table(title=f"{seeds} seeds; worst lane off: median, most, seeds beyond {ALLOWED:.0%}")
    _headings(table, "chance", *(f"of {least}+" for least in LEAST_FOR_A_LANE))
    for quantile, by in dict.fromkeys((one.quantile, one.by) for one in found):
        same = [one for one in found if (one.quantile, one.by) == (quantile, by)]
        worst = np.array([one.worst for one in same])
        cells = (
            f"{np.median(column):.1%}, {column.max():.1%}, {int((column > ALLOWED).sum())} of {seeds}"
            for column in worst.T
        )
        table.add_row(f"{quantile:.0%}", by, f"{np.mean([one.chance for one in same]):.1%}", *cells)
    return table


def _headings(table: Table, *headings: str) -> None:
    for heading in ("asked", "by", *headings):
        table.add_column(heading, justify="left" if heading == "by" else "right")
