"""A routing run as people see it: what was asked, where it stands, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.routing.drop_ship import DropShipOrder


class RunStatus(StrEnum):
    """`queued → running → committed | dry_run | shadow | failed`."""

    QUEUED = "queued"
    RUNNING = "running"
    COMMITTED = "committed"
    DRY_RUN = "dry_run"
    SHADOW = "shadow"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {RunStatus.QUEUED, RunStatus.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to route: these orders, or all that are open.

    `dry_run` solves and changes nothing; `shadow` too, and compares with what the network's own policy would do.
    """

    order_ids: tuple[str, ...] | None = None
    """None: all open orders."""
    time_limit_seconds: float | None = None
    dry_run: bool = False
    method: str = "auto"
    policy: str | None = None
    """`peak` or `peak@2`; a run that has started names the version. None: the network's own policy."""
    shadow: bool = False
    target_gap: float | None = None
    """Stop when the plan is proven to be so close to the best possible, as a share of the bound."""
    max_orders: int | None = None
    """Of all open orders, only so many: the oldest."""
    method_options: Mapping[str, float] = field(default_factory=dict)
    """Of `cascade` and `weighted`, by name."""

    @property
    def commits(self) -> bool:
        """Whether the plan is to be committed."""
        return not (self.dry_run or self.shadow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrouted:
    """Units of a line that no node ships, and why."""

    order_id: str
    line_id: str
    sku: str
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a routing batch."""

    run_id: str
    status: RunStatus
    request: RunRequest
    created_at: datetime
    finished_at: datetime | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    """Costs and counts of the plan, `lower_bound_cents` and `gap`; what was committed, moved and gone."""
    unrouted: tuple[Unrouted, ...] = ()
    drop_ship_orders: tuple[DropShipOrder, ...] = ()
    """What vendors are to be sent of what was committed, or would be."""
    failure: str | None = None
