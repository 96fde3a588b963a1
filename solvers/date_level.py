"""The level of lead times at the end of a history: what the last weeks say beside the effects that stay.

Here: the level of all shipments, its trend, and by how much services, nodes and both differ from it now, from what
shipments took beyond their steady effects, the latest counting most. Not here: how fast to follow, which backtests
decide (`quantiles.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.date_model import Term
from solvers.lead_times import groups_of, in_order
from solvers.pooling import Floats, Integers, Moments, pool_moments

IN_TIME: tuple[tuple[str, ...], ...] = ((), ("service",), ("node",), ("node", "service"))
MOST_BINS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a level is followed: a shipment `half_life_days` older counts half.

    With `ahead_days` a line is laid through it, up to so many days after the history.
    """

    half_life_days: float
    ahead_days: float | None = None

    @property
    def lag_days(self) -> float:
        """Return by how much the pace is behind, up to a factor; a line is about twice as quick as a mean."""
        return self.half_life_days * (1.0 if self.ahead_days is None else 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What shipments took beyond their steady effects, added up in cells of a day and of all that may drift."""

    names: tuple[tuple[str, ...], ...]
    keys: tuple[Integers, ...]
    group: tuple[Integers, ...]
    """For each of `names`, the group of each cell."""
    age_days: Floats
    cells: Moments

    @staticmethod
    def of(codes: dict[str, Integers], age_days: Floats, beyond: Floats, weight: Floats) -> Level:
        """Add up shipments: how long before the end of the history they were ordered, days beyond effects, weight."""
        width = max(1.0, (float(age_days.max()) + 1) / MOST_BINS)
        time = np.floor(age_days / width).astype(np.int64)
        sets = {names: groups_of(codes, names) for names in IN_TIME}
        sets = {names: found for names, found in sets.items() if not names or len(found[0]) > 1}
        finest = sets[next(reversed(sets))][1]
        cell = in_order(finest * (int(time.max()) + 1) + time)
        count = int(cell.max()) + 1
        one = np.zeros(count, np.int64)
        one[cell] = np.arange(len(cell))
        return Level(
            names=tuple(sets),
            keys=tuple(keys for keys, _ in sets.values()),
            group=tuple(group[one] for _, group in sets.values()),
            age_days=np.asarray((time[one] + 0.5) * width, np.float64),
            cells=Moments.of(cell, count, beyond, weight),
        )

    def terms(self, pace: Pace) -> tuple[Term, ...]:
        """Return the effects of the last weeks: of all shipments, and of the groups that differ from them now."""
        share = 0.5 ** (self.age_days / pace.half_life_days)
        now, offset = _line(self.age_days, share * self.cells.weight, self.cells.first / self.cells.weight, pace)
        terms = [_term((), self.keys[0], np.array([now]), np.zeros(1), 0.0)]
        for names, keys, group in zip(self.names[1:], self.keys[1:], self.group[1:], strict=True):
            found = pool_moments(self.cells.less(offset).gathered(group, len(keys), share))
            offset = offset + found.effect[group]
            terms.append(_term(names, keys, found.effect, found.variance, found.spread))
        return tuple(terms)


def _term(names: tuple[str, ...], keys: Integers, effect: Floats, variance: Floats, spread: float) -> Term:
    return Term(names=names, keys=keys, effect=effect, variance=variance, spread=spread, drifts=True)


def _line(age_days: Floats, weight: Floats, days: Floats, pace: Pace) -> tuple[float, Floats]:
    """Return the level to expect, and what it was at each age: a mean, or a line where the pace looks ahead."""
    total = max(float(weight.sum()), 1e-300)
    mean, age = float(weight @ days) / total, float(weight @ age_days) / total
    if pace.ahead_days is None:
        return mean, np.full(len(days), mean)
    apart = age_days - age
    slope = float(weight @ (apart * days)) / max(float(weight @ (apart * apart)), 1e-9 * total)
    return mean - slope * (pace.ahead_days + age), mean + slope * apart
