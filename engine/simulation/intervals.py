"""Means over replications with confidence intervals, and differences between policies on the same random numbers.

Source: Law, *Simulation Modeling and Analysis* (5th ed.), 4.5 (t intervals) and 10.2.1 (paired differences). Intervals
of many KPIs are each for themselves: of twenty intervals of 95 % one is expected to miss. Not here: KPIs (kpis.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over `replications`, and how far from it the interval goes; None with one replication only."""

    mean: float
    half_width: float | None
    replications: int

    @property
    def is_off_zero(self) -> bool:
        """Whether the interval leaves zero out: the sign of the mean is not chance."""
        return self.half_width is not None and abs(self.mean) > self.half_width


def interval(values: Sequence[float | None], confidence: float = CONFIDENCE) -> Interval | None:
    """Return mean and t interval of the values that are there; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    count = len(known)
    mean = math.fsum(known) / count
    if count == 1:
        return Interval(mean=mean, half_width=None, replications=1)
    variance = math.fsum((value - mean) ** 2 for value in known) / (count - 1)
    reach = float(stdtrit(count - 1, 0.5 + confidence / 2)) * math.sqrt(variance / count)
    return Interval(mean=mean, half_width=reach, replications=count)


def difference(
    values: Sequence[float | None], base: Sequence[float | None], confidence: float = CONFIDENCE
) -> Interval | None:
    """Return the interval of the differences of values to those of the same replications of a base."""
    pairs = zip(values, base, strict=True)
    return interval([None if one is None or other is None else one - other for one, other in pairs], confidence)
