"""Scheduled windows: every so many seconds one run of all open orders, whoever of several servers is first.

Windows begin at whole multiples of their length (UTC), so that all servers mean the same ones. A window whose time is
over is never made up for; one that is behind because the run before it is not over opens when that is. Not here: the
run itself (runs.py), and the loop that asks (api/sweeper.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from engine.clock import Clock
from engine.routing.run_model import RunRequest
from engine.routing.runs import RoutingRuns

TARGET_GAP = 0.001
TIME_SHARE, MOST_SECONDS = 0.5, 3600.0
"""A window's solve stops at this gap, or when this share of the window is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingWindows:
    """Opens the windows of a store; `policy` names what they keep to, None the network's own."""

    runs: RoutingRuns
    clock: Clock
    every_seconds: int
    policy: str | None

    async def open_if_due(self) -> str | None:
        """Start the run of the window that it is, unless somebody has; return its id if it was us.

        Raises InvalidInput if there is no such policy, Unavailable.
        """
        start = int(self.clock.now().timestamp()) // self.every_seconds * self.every_seconds
        request = RunRequest(
            policy=self.policy,
            time_limit_seconds=min(MOST_SECONDS, TIME_SHARE * self.every_seconds),
            target_gap=TARGET_GAP,
        )
        return await self.runs.start_window(run_id_of(start), start, request)


def run_id_of(start: int) -> str:
    """Return the id of the run of a window, from the second at which it begins."""
    return f"run_window_{datetime.fromtimestamp(start, UTC):%Y%m%dT%H%M%SZ}"
