"""Where the stock book and the reservations disagree: what the reconciler finds, and what it did about it.

Not here: how it is found (redis_reconcile.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A quantity of a position that is not what the reservations add up to.

    `quantity` is `held`, `confirmed`, `dated` (of `day`, pegged to `supply_id` if there is one) or `used` (by a
    `channel`). `is_repaired` says that it was set to what they add up to.
    """

    sku: str
    node_id: str
    quantity: str
    day: date | None
    booked: int
    reserved: int
    is_repaired: bool = False
    supply_id: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostDeadline:
    """A held reservation that nothing would ever expire, since its deadline is not among the deadlines."""

    reservation_id: str
    is_repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What came out: how much was looked at, what disagrees, and how many positions moved too fast to be judged."""

    reservations: int
    positions: int
    drifts: tuple[Drift, ...]
    lost_deadlines: tuple[LostDeadline, ...]
    unsettled: int

    @property
    def is_sound(self) -> bool:
        """Say whether everything that could be judged agrees, or does now."""
        return self.unrepaired == 0

    @property
    def unrepaired(self) -> int:
        """Return how many disagreements are left."""
        drifts = sum(not drift.is_repaired for drift in self.drifts)
        return drifts + sum(not lost.is_repaired for lost in self.lost_deadlines)
