"""Counts by size in plain integers: cheap enough for every request, and read by whoever shows them.

Not here: names, labels and how they are shown (api/metrics.py). One thread writes; a reader on another may see a value
whose sum is not added yet, which the next look mends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

LATENCY_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """How often values fell into each bucket, a last one without a bound included, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = LATENCY_SECONDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value: into the first bucket whose bound is not below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return (bound as text, values up to it) for each bucket, as Prometheus wants them; the last is +Inf."""
        rows, so_far = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), tuple(self.counts), strict=True):
            so_far += count
            rows.append((bound, float(so_far)))
        return rows
