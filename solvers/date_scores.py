"""What each shipment tells of a location: its residual through the score of the distribution of all residuals.

Lead times lean: what is early tells more of where a lane lies than what is late, and outliers tell nothing. Here: the
score that a convex loss can have with the least variance (Feng, Kao, Xu & Samworth 2024: the derivative of the least
concave majorant of density over probability), so that it never goes back for residuals further out. Not here: the
locations (`date_fit.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.pooling import Floats, quantiles

PARTS = 20
"""A distribution is divided into so many parts of equal weight."""
LEAST_SHIPMENTS = 50 * PARTS
"""Of fewer, the score would be noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score of residuals: linear between some, constant beyond them; over the slope of its mean."""

    at: Floats
    days: Floats

    def told(self, residual: Floats) -> Floats:
        """Return by how much each residual draws a location."""
        return np.interp(residual, self.at, self.days)


def score_of(residual: Floats, weight: Floats, least: float) -> Score:
    """Return the score of a distribution; parts of it narrower than `least` are taken to be as wide as that.

    What it makes of residuals has mean 0, and the variance of the best estimate by such a score from one shipment.
    """
    part, half = np.arange(PARTS + 1) / PARTS, (np.arange(PARTS) + 0.5) / PARTS
    found = quantiles(residual, weight, np.concatenate([part, half]))
    ends, middle = found[: PARTS + 1], found[PARTS + 1 :]
    level = np.concatenate([[0.0], half, [1.0]])
    density = np.concatenate([[0.0], 1 / (PARTS * np.maximum(np.diff(ends), least)), [0.0]])
    majorant = _majorant(level, density)
    score = np.maximum.accumulate(-np.diff(np.interp(part, level[majorant], density[majorant])) * PARTS)
    slope = float((np.diff(score) / np.maximum(np.diff(middle), least)).sum()) / PARTS
    mean = float((np.interp(residual, middle, score) * weight).sum() / weight.sum())
    return Score(at=middle, days=(score - mean) / max(slope, 1e-300))


def _majorant(x: Floats, y: Floats) -> list[int]:
    """Return which points the least concave majorant goes through."""
    kept: list[int] = []
    for at in range(len(x)):
        while len(kept) > 1 and (y[kept[-1]] - y[kept[-2]]) * (x[at] - x[kept[-2]]) <= (y[at] - y[kept[-2]]) * (
            x[kept[-1]] - x[kept[-2]]
        ):
            kept.pop()
        kept.append(at)
    return kept
