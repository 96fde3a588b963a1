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
class OpenHoldsDrift:
    """A holder whose open holds are not counted as many as are held."""

    holder: str
    booked: int
    held: int
    is_repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDrift:
    """A reservation that is entered under the dated lines of a SKU and has none, or has some and is not entered."""

    sku: str
    reservation_id: str
    is_entered: bool
    is_repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What came out: how much was looked at, what disagrees, and how many positions moved too fast to be judged.

    `are_open_holds_judged` is False where too much happened for the open holds to be counted.
    """

    reservations: int
    positions: int
    drifts: tuple[Drift, ...]
    lost_deadlines: tuple[LostDeadline, ...]
    unsettled: int
    open_holds: tuple[OpenHoldsDrift, ...] = ()
    dated_index: tuple[IndexDrift, ...] = ()
    are_open_holds_judged: bool = True

    @property
    def is_sound(self) -> bool:
        """Say whether everything that could be judged agrees, or does now."""
        return self.unrepaired == 0

    @property
    def unrepaired(self) -> int:
        """Return how many disagreements are left."""
        return sum(not found.is_repaired for found in self.disagreements)

    @property
    def disagreements(self) -> tuple[Drift | LostDeadline | OpenHoldsDrift | IndexDrift, ...]:
        """Return everything that disagreed."""
        return (*self.drifts, *self.lost_deadlines, *self.open_holds, *self.dated_index)
