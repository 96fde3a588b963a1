"""Stories for the tests of Ray workers, which import this file: orders take a while to come, or kill whoever asks."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from engine.scenarios.orders import OrderTable
from engine.scenarios.story import DAY_SECONDS, Operations, Story, StoryPolicy
from tests.simulation.small_world import AT_DC, AT_SHOP, HOUR, Orders, story

DAYS = 3
PLACED = tuple((day * DAY_SECONDS + 9 * HOUR, {"cup": 1 + day}, AT_SHOP if day else AT_DC) for day in range(DAYS))


@dataclass(frozen=True, kw_only=True)
class SlowOrders(Orders):
    """Those of one replication take so long for each day."""

    slow_replication: int = -1
    seconds: float = 0.0

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of a day, the same in each replication."""
        if replication == self.slow_replication:
            time.sleep(self.seconds)
        return super().orders(replication, day)


@dataclass(frozen=True, kw_only=True)
class DeadlyOrders(Orders):
    """The first process that asks for the last day of a replication is killed; a file says that it was."""

    mark: Path
    deadly_replication: int

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of a day, unless the process dies."""
        if replication == self.deadly_replication and day == DAYS - 1 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().orders(replication, day)


def of(demand: Orders) -> Story:
    """Return a story of two policies and three replications of such orders."""
    policies = (StoryPolicy(name="hourly"), StoryPolicy(name="at once", window_minutes=0))
    late = Operations(transit_late_share=0.5)
    return story(demand, days=DAYS, policies=policies, replications=3, operations=late, sha256="ab" * 32)


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
