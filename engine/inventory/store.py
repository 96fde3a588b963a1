"""The port to live stock: what every store of positions and reservations does, and how it refuses.

Each method that changes something is all or nothing and takes effect in one step. With a `Replay`, effect and record
are one step too: the same key gives the same outcome again (a refusal is raised again, with `replayed` set), and
another body raises IdempotencyConflict. Stores trust their arguments to be well formed (service.py checks them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.errors import AllotError
from engine.inventory.buffers import Kept
from engine.inventory.conditions import ConditionChange
from engine.inventory.history import History
from engine.inventory.model import (
    Adjustment,
    Hold,
    HoldLine,
    Outcome,
    Position,
    PositionCount,
    Replay,
    Reservation,
    StockView,
    Supply,
)
from engine.inventory.quotas import PositionQuotas
from engine.inventory.receipts import AffectedLine, Receipt, Received

Verdict = Reservation | AllotError
"""What became of one hold of many: the reservation, or the refusal."""
MOST_HOLDS = 1000
"""Holds of one step: some 30 ms in which the store serves nobody else."""

MOST_SUPPLIES = 500
"""Supplies of one position: each hold on its SKU reads them all, which takes a millisecond for so many."""


class InventoryStore(Protocol):
    """Live stock and reservations; every method may raise Unavailable."""

    async def put_positions(self, counts: Sequence[PositionCount], *, replay: Replay | None = None) -> list[Position]:
        """Set counts, and return the positions in the order asked for; raises VersionConflict naming each that moved.

        A version moves only if on_hand or safety_stock does.
        """
        ...

    async def put_quotas(self, positions: Sequence[PositionQuotas]) -> list[PositionQuotas]:
        """Replace the channel quotas of positions, and return them with what is used of each; no quotas remove them.

        Open reservations of each channel are counted. Raises Unavailable where positions move too fast for that.
        """
        ...

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Add deltas to on_hand, or to the units of another condition, in order.

        Raises OnHandOutOfRange naming each line that leaves 0 … MAX_ON_HAND, or whose position is unlimited.
        """
        ...

    async def change_conditions(
        self, changes: Sequence[ConditionChange], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Move units from one condition to another in order; `sellable` is on_hand. The positions say their conditions.

        Raises WrongCondition naming each line that asks for more than there is, or whose position is unlimited.
        """
        ...

    async def put_supplies(
        self, supplies: Sequence[Supply], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[tuple[AffectedLine, ...]]:
        """Add, change or re-date supplies; quantity 0 removes one (nothing happens if there is none).

        `today` is the day ordinal at each node named. Lines pegged to them follow. Returns those that moved or are not
        covered any more, and the other dated lines of these positions that are short as things stand. Raises
        TooManySupplies naming each new one that a position has no room for; never refuses for what it does to lines.
        """
        ...

    async def receive(
        self, receipts: Sequence[Receipt], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[Received]:
        """Move units from supplies to on_hand, all or none; those that lines are pegged to are held or confirmed today.

        The lines that ship first come first, then who came first. Raises SupplyUnavailable naming each receipt of a
        supply that is not there or smaller.
        """
        ...

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus` (each once, in this order) in one round trip; unknown ones read as zeros."""
        ...

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return the positions of a SKU by node_id, with their conditions, as of one moment."""
        ...

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU, sorted, as it was at one instant."""
        ...

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now, from an earlier snapshot, which stays as it is, and what changed since."""
        ...

    async def history(self, sku: str, node_id: str, *, limit: int = 100, after_event: int | None = None) -> History:
        """Return what happened to a position, newest first, at most `limit` events that come after `after_event`."""
        ...

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Hold all lines or none; `today` is the day ordinal at each node of the lines.

        `buffers` are the units kept back of the lines' positions where that is more than their safety stock.

        Demand is summed per (SKU, node, day) and checked against ATP of that day, less what quotas keep for other
        channels than the hold's. Raises InsufficientStock naming every
        short line, SupplyUnavailable naming each whose supply is unknown, overdue or too small, TooManyHolds (never
        kept for a key) if its limit is reached, IllegalState if the id is taken by other lines or was cancelled. The
        same hold again returns the reservation as it is.
        """
        ...

    async def hold_many(
        self,
        holds: Sequence[Hold],
        *,
        today: Mapping[str, int],
        buffers: Kept | None = None,
        replay: Replay | None = None,
    ) -> Outcome[list[Verdict]]:
        """Hold each by itself, all lines or none, at most MOST_HOLDS in one step; return a verdict for each, in order.

        Each sees what those before it took. Its reservation_id is an idempotency key too: see `hold`.
        """
        ...

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent; again: the same. Raises NotFound, IllegalState (expired, cancelled, consumed)."""
        ...

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back, all or those of `lines`; again: the same. An expired reservation stays expired.

        Raises NotFound, and then a hold with this id that comes within the hour is refused; IllegalState if it was
        consumed, if it keeps stock for an order, or if `lines` ask for more than is reserved.
        """
        ...

    async def extend(
        self, reservation_id: str, ttl_seconds: float, *, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold to now + ttl_seconds; raises NotFound, IllegalState."""
        ...

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Take units of a confirmed reservation that have left the node off on_hand and reserved; again: the same.

        What is unlimited stays so. Raises NotFound, IllegalState if it is not confirmed, if `lines` ask for more than
        is reserved, or if on_hand is smaller than what is said to have left.
        """
        ...

    async def get_reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation, `expired` from its deadline on; raises NotFound (also a day after it was over)."""
        ...

    async def sweep(self, limit: int = 1000) -> int:
        """Give back the units of at most `limit` holds whose deadline has passed, and return how many there were."""
        ...

    async def remember(self, replay: Replay, status: int, body: bytes) -> Outcome[object]:
        """Store a refusal found before any store method was called, unless the key has an outcome already.

        Returns Outcome(None) when it is stored now. A key that came back returns its first value with `replayed` set,
        or raises its first refusal: one stored here is a StoredRefusal with the same status and body.
        """
        ...

    async def recall(self, replay: Replay) -> Outcome[object] | None:
        """Return or raise what an idempotency key was answered, as `remember` does; None if it is new."""
        ...
