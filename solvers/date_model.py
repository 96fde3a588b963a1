"""The learned distribution of lead times: location, scale and shape, each a sum over the groups of a shipment.

A shipment takes location + scale × z days. Location adds up effects of its groups; scale multiplies them; z has the
shape of its lane, its service, or all shipments. Here: the arrays and what they say of new orders. Not here: how they
are learned (`date_fit.py`, `quantiles.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from solvers.lead_times import UNKNOWN, Edges, Ordered, in_bins, keys_of
from solvers.pooling import Floats, Integers

LEVELS = np.array(
    [0.005, 0.01, 0.025, *np.arange(0.05, 0.901, 0.05).round(3), 0.925, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998]
)
"""The probabilities at which shapes are kept."""
SCORES = ndtri(LEVELS)
"""The same as quantiles of the normal distribution: beyond the first and last, shapes are linear in them."""


LEAST_STEP = 1e-3
"""Between the levels of a shape that are further from each other by less, a score changes as if by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Effects of the groups that some fields make: `effect[i]` for `keys[i]` (sorted), 0 for others.

    `variance[i]` is how unsure an effect is, `spread` how much a group that is not here may differ.
    """

    names: tuple[str, ...]
    keys: Integers
    effect: Floats
    variance: Floats
    spread: float
    drifts: bool = False
    """Whether these are effects of the last weeks; scales do not follow them."""

    def at(self, codes: dict[str, Integers]) -> tuple[Floats, Floats]:
        """Return effect and variance for each shipment."""
        place = find(self.keys, keys_of(codes, self.names))
        known = place != UNKNOWN
        if not len(self.keys):
            return np.zeros(len(place)), np.full(len(place), self.spread)
        return np.where(known, self.effect[place], 0.0), np.where(known, self.variance[place], self.spread)


def find(keys: Integers, wanted: Integers) -> Integers:
    """Return where each wanted key stands among the sorted keys, -1 where it does not."""
    if not len(keys):
        return np.full(len(wanted), UNKNOWN)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """Quantiles of z at `LEVELS`: row 0 of `table` for all, further rows for groups; the last term that knows wins."""

    names: tuple[tuple[str, ...], ...]
    keys: tuple[Integers, ...]
    rows: tuple[Integers, ...]
    table: Floats

    def row(self, codes: dict[str, Integers]) -> Integers:
        """Return each shipment's row of the table."""
        chosen = np.zeros(len(codes["node"]), np.int64)
        for names, keys, rows in zip(self.names, self.keys, self.rows, strict=True):
            place = find(keys, keys_of(codes, names))
            if len(rows):
                chosen = np.where(place != UNKNOWN, rows[place], chosen)
        return chosen

    def scores(self, z: Floats, row: Integers) -> Floats:
        """Return the normal score of each z in the shape of its row."""
        right = np.clip((self.table[row] < z[:, None]).sum(axis=1), 1, len(SCORES) - 1)
        low, high = self.table[row, right - 1], self.table[row, right]
        share = (z - low) / np.maximum(high - low, LEAST_STEP)
        return np.asarray(SCORES[right - 1] + share * (SCORES[right] - SCORES[right - 1]))

    def moved(self, scores: Floats) -> Shapes:
        """Return shapes which at each of `LEVELS` have what these have at a normal score."""
        right = np.clip(np.searchsorted(SCORES, scores), 1, len(SCORES) - 1)
        share = (scores - SCORES[right - 1]) / (SCORES[right] - SCORES[right - 1])
        low, high = self.table[:, right - 1], self.table[:, right]
        return replace(self, table=np.maximum.accumulate(low + share * (high - low), axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where each shipment's distribution lies: days = location + scale × quantile(row of shapes)."""

    location: Floats
    scale: Floats
    row: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class DateModel:
    """What was learned from a history, for the orders after it."""

    edges: Edges
    center: float
    location: tuple[Term, ...]
    scale: float
    scales: tuple[Term, ...]
    level_edges: Floats
    """Ends of the bins of location that scales may depend on."""
    spread_ratio: float
    """Mean absolute over root mean square residual: what turns an effect's standard error into a scale."""
    shapes: Shapes
    half_life_days: float
    ahead_days: float | None
    """How far the line through the last weeks goes on; None where the level is a mean."""
    memory_days: float

    def spread(self, ordered: Ordered) -> Spread:
        """Return the distribution of each shipment."""
        codes = self.edges.codes(ordered)
        location, unsure = np.full(len(ordered), self.center), np.zeros(len(ordered))
        steady = location.copy()
        for term in self.location:
            effect, variance = term.at(codes)
            location += effect
            steady += 0.0 if term.drifts else effect
            unsure += variance
        codes["level"] = in_bins(steady, self.level_edges)
        logarithm = np.zeros(len(ordered))
        for term in self.scales:
            logarithm += term.at(codes)[0]
        scale = np.hypot(self.scale * np.exp(logarithm), self.spread_ratio * np.sqrt(unsure))
        return Spread(location=location, scale=scale, row=self.shapes.row(codes))

    def days(self, ordered: Ordered, quantile: float) -> Integers:
        """Return the whole calendar days after the order within which each shipment arrives with a probability."""
        return whole_days(self.spread(ordered), self.shapes.table, quantile)


def whole_days(spread: Spread, table: Floats, level: float) -> Integers:
    """Return the day on which each distribution passes a level; day d is passed at d + 1/2, and none is negative."""
    exact = spread.location + spread.scale * at_level(table, level)[spread.row]
    return np.maximum(np.floor(exact + 0.5 - 1e-9), 0).astype(np.int64)


def at_level(table: Floats, level: float) -> Floats:
    """Return every row's quantile at a level between those that are kept."""
    right = int(np.clip(np.searchsorted(LEVELS, level), 1, len(LEVELS) - 1))
    share = float(np.clip((level - LEVELS[right - 1]) / (LEVELS[right] - LEVELS[right - 1]), 0, 1))
    return table[:, right - 1] * (1 - share) + table[:, right] * share
