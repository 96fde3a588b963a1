"""What this process has done, in plain integers for whoever shows it: one set a process, as operators look at them.

Adding costs some tens of nanoseconds and takes no lock: all of it is done on the event loop's thread. Not here: names
and labels (api/metrics.py), requests (api/traffic.py).
"""

from __future__ import annotations

from collections import Counter
from time import monotonic

from engine.histogram import Histogram

GAPS = (0.0, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
RUN_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class Counts:
    """Holds, routing runs, sweeps and calls of the store since the process began."""

    def __init__(self) -> None:
        self.holds_made = self.holds_refused = self.holds_expired = 0
        self.runs: Counter[str] = Counter()
        self.run_seconds = Histogram(RUN_SECONDS)
        self.run_gaps = Histogram(GAPS)
        self.swept_at: dict[str, float] = {}
        """When everything that had expired was last given back, by tenant."""
        self.store_seconds = Histogram()
        self.store_breaks = 0
        self.is_stopping = False
        """Told to stop: readiness says so, and answers close their connections."""

    def sweeper_lag_seconds(self) -> float:
        """Return how long ago the last sweep of the tenant that is furthest behind came to its end."""
        return max((monotonic() - at for at in tuple(self.swept_at.values())), default=0.0)


COUNTS = Counts()
"""Those of this process."""
