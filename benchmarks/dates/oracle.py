"""Promises on a generated history by those who know how it was made: what nobody who learns from it can do better.

The oracle knows all that shipments share: effects of node, service, zone and weekday, widths, shape, and the peak
before it comes. By how many days each lane differs from that it does not know: it has the law that these were drawn
by, and the lane's shipments when it promises, those still open as open. That gives the exact posterior (Bayes, on a
grid), and of each whole day the chance that it is kept. Not here: learning without that (`solvers/quantiles.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaincinv

from benchmarks.dates.generated import LANES, OWN_DAYS, SHAPE, Generated
from solvers.pooling import Floats, Integers

GRID = OWN_DAYS * np.linspace(-4.5, 4.5, 181)
"""Days by which a lane may differ; in steps of a twentieth of what they scatter by."""
AROUND = np.arange(-4, 6)
"""Whole days that are compared, beside the quantile of a lane which does not differ."""
LEAST = 1e-12

TRUTH, ORACLE, EVENING = "truth", "oracle", "evening out"


def oracles(generated: Generated, rows: Integers, every: int, quantile: float) -> dict[str, Floats]:
    """Return the days promised to some shipments (in order of time), by name of who promises.

    `TRUTH` knows each lane's own days too: what is left is that dates are whole. `ORACLE` promises the day whose chance
    is nearest to the quantile, from what was known when the `every` days began that an order falls into. `EVENING` also
    remembers what it promised, and chooses the day that makes the expected miss of the lane least, so that equal orders
    get different dates and early misses are made up for: no rule for a shop, but close to the least that can be missed.
    """
    world = _World(generated)
    promised = {name: np.zeros(len(rows)) for name in (TRUTH, ORACLE, EVENING)}
    when = generated.history.ordered.ordered_day[rows]
    kept, count = np.zeros((LANES, len(GRID))), np.zeros(LANES)
    for day in range(int(when[0]), int(when[-1]) + 1, every):
        here = np.flatnonzero((when >= day) & (when < day + every))
        some = rows[here]
        lane, first = generated.lane[some], world.first(some, quantile)
        likely = world.posterior(day)[lane]
        chance = np.stack([world.chance(some, first + more) for more in AROUND])
        true = np.stack([generated.chance(some, first + more) for more in AROUND])
        expected = (chance * likely).sum(axis=2)
        promised[TRUTH][here] = first + AROUND[np.abs(true - quantile).argmin(axis=0)]
        promised[ORACLE][here] = first + AROUND[np.abs(expected - quantile).argmin(axis=0)]
        for at, row in enumerate(lane):
            count[row] += 1
            missed = np.abs(kept[row] + chance[:, at] - quantile * count[row]) @ likely[at]
            best = int(missed.argmin())
            kept[row] += chance[best, at]
            promised[EVENING][here[at]] = first[at] + AROUND[best]
    return promised


class _World:
    """What the oracle knows: all of each shipment's distribution but its lane's own days."""

    def __init__(self, generated: Generated) -> None:
        self.generated = generated
        self.shared_days = generated.least_days - generated.own_days
        self.prior = -0.5 * (GRID / OWN_DAYS) ** 2
        everything = np.arange(len(generated.lane))
        days = generated.history.days
        before = np.where(days[:, None] > 0, self.chance(everything, days - 1), 0.0)
        self.told = np.log(np.maximum(self.chance(everything, days) - before, LEAST))

    def chance(self, rows: Integers, days: Floats) -> Floats:
        """Return for each shipment and each of `GRID` how likely it is to arrive within some days."""
        beyond = (days - self.shared_days[rows])[:, None] - GRID
        return np.asarray(gammainc(SHAPE, np.maximum(beyond / self.generated.width_days[rows, None], 0)))

    def first(self, rows: Integers, quantile: float) -> Floats:
        """Return the whole day below the quantile of each shipment, were its lane like others."""
        exact = self.shared_days[rows] + self.generated.width_days[rows] * gammaincinv(SHAPE, quantile)
        return np.asarray(np.floor(exact))

    def posterior(self, day: int) -> Floats:
        """Return for each lane how likely each of `GRID` is by what was known when a day began."""
        history, lane = self.generated.history, self.generated.lane
        age = day - 1 - history.ordered.ordered_day
        arrived = np.flatnonzero((age >= 0) & (history.days <= age))
        still = np.flatnonzero((age >= 0) & (history.days > age))
        told = np.tile(self.prior, (LANES, 1))
        np.add.at(told, lane[arrived], self.told[arrived])
        np.add.at(told, lane[still], np.log(np.maximum(1 - self.chance(still, age[still]), LEAST)))
        likely = np.exp(told - told.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))
