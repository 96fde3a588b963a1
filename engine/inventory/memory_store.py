"""The InventoryStore of one process, gone with it: for tests and the simulator, by the clock it is given.

It answers in the replies of lua/replies.lua and passes the same behaviour suite. Each operation is a plain function
that looks at everything first and then changes it; since nothing in it awaits, it is one step to every caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any

from msgspec import structs

from engine.clock import Clock
from engine.events.actor import actor
from engine.inventory.buffers import Kept
from engine.inventory.conditions import ConditionChange
from engine.inventory.history import History
from engine.inventory.memory_counts import adjust, change_conditions, missing_on_hand, put_positions, take_off_hand
from engine.inventory.memory_records import MemoryRecords
from engine.inventory.memory_reservation import (
    FIELD_OF,
    KeptReservation,
    held,
    held_again,
    line_of,
    reply_of,
    split_lines,
    units_by_place,
)
from engine.inventory.memory_stock import JOURNAL_EVENTS, Line, MemoryStock
from engine.inventory.memory_supplies import MemorySupplies
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
from engine.inventory.quotas import PositionQuotas, packed_quota, quota_of
from engine.inventory.receipts import AffectedLine, Receipt, Received
from engine.inventory.replies import Reply, milliseconds, value_of, verdict_of
from engine.inventory.store import Verdict

_CLOSED_LIFETIME = timedelta(days=1)
_FORESTALLED_LIFETIME = timedelta(hours=1)


class MemoryInventoryStore:
    """Live stock in this process.

    One that `is_forgetful` has no history, and no reservations that were given back: for simulations of weeks, in which
    nobody looks back, and whose memory must not grow with their days.
    """

    def __init__(self, clock: Clock, *, is_forgetful: bool = False) -> None:
        self._clock = clock
        self.is_forgetful = is_forgetful
        self._stock = MemoryStock(journal_events=0 if is_forgetful else JOURNAL_EVENTS)
        self._reservations: dict[str, KeptReservation] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._dated: dict[str, set[str]] = {}
        self._open_holds: Counter[str | None] = Counter()
        self.records = MemoryRecords(clock)

    async def put_positions(self, counts: Sequence[PositionCount], *, replay: Replay | None = None) -> list[Position]:
        """Set counts, all or none."""
        done: Outcome[list[Position]] = self._once(replay, "put_positions", lambda: put_positions(self._stock, counts))
        return done.value

    async def put_quotas(self, positions: Sequence[PositionQuotas]) -> list[PositionQuotas]:
        """Replace the channel quotas of positions."""

        def put() -> Reply:
            for wanted in positions:
                used = self._used(wanted.sku, wanted.node_id)
                quotas = tuple(quota_of(*packed_quota(quota), used[quota.channel]) for quota in wanted.quotas)
                self._stock.put_quotas(wanted.sku, wanted.node_id, quotas)
            return [replace(one, quotas=self._stock.quotas(one.sku, one.node_id)) for one in positions]

        return list(self._recorded("put_quotas", put))

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Add deltas to on_hand or to units of another condition, all or none."""
        return self._once(replay, "adjust", lambda: adjust(self._stock, adjustments))

    async def change_conditions(
        self, changes: Sequence[ConditionChange], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Move units from one condition to another, all or none."""
        return self._once(replay, "change_conditions", lambda: change_conditions(self._stock, changes))

    async def put_supplies(
        self, supplies: Sequence[Supply], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[tuple[AffectedLine, ...]]:
        """Add, change, re-date or remove supplies."""
        return self._once(replay, "put_supplies", lambda: MemorySupplies(self).put(supplies, today))

    async def receive(
        self, receipts: Sequence[Receipt], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[Received]:
        """Take receipts of supplies into stock."""
        return self._once(replay, "receive", lambda: MemorySupplies(self).receive(receipts, today))

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`."""
        return self._stock.view(skus)

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return all that is known of one SKU."""
        found = self._stock.view([sku]).positions(0)
        return tuple(structs.replace(one, conditions=self._stock.conditions(sku, one.node_id)) for one in found)

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU."""
        return self._stock.view()

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now."""
        return view if view.epoch == self._stock.epoch else self._stock.view()

    async def history(self, sku: str, node_id: str, *, limit: int = 100, after_event: int | None = None) -> History:
        """Return what happened to a position."""
        return self._stock.history(sku, node_id, limit, after_event)

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Hold all lines or none."""
        return self._once(replay, "hold", lambda: self._hold(hold, today, buffers or {}))

    async def hold_many(
        self,
        holds: Sequence[Hold],
        *,
        today: Mapping[str, int],
        buffers: Kept | None = None,
        replay: Replay | None = None,
    ) -> Outcome[list[Verdict]]:
        """Hold each by itself, one after another."""

        def hold_all() -> Reply:
            return self._recorded("hold_many", lambda: [self._hold(hold, today, buffers or {}) for hold in holds])

        replayed, replies = self.records.once(replay, hold_all)
        verdicts = [verdict_of(hold, reply) for hold, reply in zip(holds, replies, strict=True)]
        return Outcome(value=verdicts, replayed=replayed)

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent."""
        return self._once(replay, "confirm", lambda: self._confirm(reservation_id))

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back."""
        return self._once(replay, "cancel", lambda: self._cancel(reservation_id, lines or ()))

    async def extend(
        self, reservation_id: str, ttl_seconds: float, *, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold."""
        return self._once(replay, "extend", lambda: self._extend(reservation_id, ttl_seconds))

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Take units that have left off on_hand and reserved."""
        return self._once(replay, "consume", lambda: self._consume(reservation_id, lines or ()))

    async def get_reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation."""
        kept = self._current(reservation_id)
        reply = ("missing", reservation_id) if kept is None else reply_of(reservation_id, kept)
        found: Reservation = value_of(reply)
        return found

    async def sweep(self, limit: int = 1000) -> int:
        """Give back what is due, oldest deadline first."""
        swept = self._expire_due(limit)
        self.record("sweep")
        return swept

    async def remember(self, replay: Replay, status: int, body: bytes) -> Outcome[object]:
        """Store an answer for an idempotency key, or give what it was answered before."""
        replayed, reply = self.records.once(replay, lambda: ("answer", status, body))
        return Outcome(value=value_of(reply, replayed=True), replayed=True) if replayed else Outcome(value=None)

    async def recall(self, replay: Replay) -> Outcome[object] | None:
        """Return or raise what an idempotency key was answered, None if it is new."""
        reply = self.records.find(replay)
        return None if reply is None else Outcome(value=value_of(reply, replayed=True), replayed=True)

    def forget_over(self) -> None:
        """Forget reservations that have been over for a day, which is otherwise done when one is asked for."""
        for reservation_id in list(self._reservations):
            self._kept(reservation_id)

    def record(self, act: str) -> None:
        """Write what an operation has changed into the journal."""
        self._stock.record(act, actor(), self._now())

    def keep(self, reservation_id: str, kept: KeptReservation, made_in: int | None = None) -> None:
        """Keep a new reservation, made in the event at hand or an earlier one, and enter it under its dated lines."""
        kept.made_in = self._stock.epoch + 1 if made_in is None else made_in
        self._reservations[reservation_id] = kept
        if kept.state == "held":
            heappush(self._deadlines, (kept.expires, reservation_id))
        kept.dated_skus = tuple({line.sku for line in kept.lines if line.dated})
        for sku in kept.dated_skus:
            self._dated.setdefault(sku, set()).add(reservation_id)

    def _recorded(self, act: str, operation: Callable[[], Reply]) -> Reply:
        reply = operation()
        self.record(act)
        return reply

    def _once(self, replay: Replay | None, act: str, operation: Callable[[], Reply]) -> Outcome[Any]:
        replayed, reply = self.records.once(replay, lambda: self._recorded(act, operation))
        return Outcome(value=value_of(reply, replayed=replayed), replayed=replayed)

    # One operation each, as in lua/.

    def _hold(self, hold: Hold, today: Mapping[str, int], buffers: Kept) -> Reply:
        reservation_id = hold.reservation_id
        self._expire_due(None)
        known = self._kept(reservation_id)
        if known is not None:
            return held_again(reservation_id, known, hold.lines)
        if hold.limit is not None and self._open_holds[hold.limit.holder] >= hold.limit.most:
            return ("too_many_holds", hold.limit.holder, self._open_holds[hold.limit.holder], hold.limit.most)
        lines = tuple(line_of(line, today) for line in hold.lines)
        if any(line.supply_id is not None for line in hold.lines):
            lines, refused = MemorySupplies(self).peg(lines, today)
            if refused:
                return ("unpeggable", refused)
        short = self._stock.short_lines(lines, today, buffers, hold.channel, self._clock.now())
        if short:
            return ("short", short)
        kept = held(hold, lines, self._now())
        self._open_holds[kept.holder] += kept.holder is not None
        self._take(kept, lines, 1, reservation_id)
        self.keep(reservation_id, kept)
        return reply_of(reservation_id, kept)

    def _confirm(self, reservation_id: str) -> Reply:
        kept = self._current(reservation_id, write=True)
        if kept is None:
            return ("missing", reservation_id)
        if kept.state == "held":
            self._take(kept, kept.lines, -1, reservation_id)
            self._count_off(kept)
            kept.state = "confirmed"
            self._take(kept, kept.lines, 1, reservation_id)
        if kept.state != "confirmed":
            return ("past", reservation_id, kept.state, "confirm")
        return reply_of(reservation_id, kept)

    def _cancel(self, reservation_id: str, wanted: Sequence[HoldLine]) -> Reply:
        kept = self._current(reservation_id, write=True)
        if kept is None:
            if reservation_id not in self._reservations:
                forgotten_at = self._now() + _FORESTALLED_LIFETIME // timedelta(milliseconds=1)
                self._reservations[reservation_id] = KeptReservation(
                    state="forestalled", expires=0, lines=(), forgotten_at=forgotten_at
                )
            return ("missing", reservation_id)
        if kept.state not in FIELD_OF:
            if kept.state == "consumed":
                return ("past", reservation_id, "consumed", "cancel")
            return reply_of(reservation_id, kept)
        if kept.order_id is not None:
            return ("of_order", reservation_id, kept.order_id)
        taken_out, stay, too_many = split_lines(kept.lines, wanted)
        if too_many:
            return ("too_many", reservation_id, too_many)
        self._take(kept, taken_out, -1, reservation_id)
        self._settle(reservation_id, kept, taken_out, stay, "consumed" if kept.consumed else "cancelled")
        return reply_of(reservation_id, kept)

    def _extend(self, reservation_id: str, ttl_seconds: float) -> Reply:
        kept = self._current(reservation_id, write=True)
        if kept is None:
            return ("missing", reservation_id)
        if kept.state != "held":
            return ("past", reservation_id, kept.state, "extend")
        kept.expires = self._now() + round(ttl_seconds * 1000)
        heappush(self._deadlines, (kept.expires, reservation_id))
        return reply_of(reservation_id, kept)

    def _consume(self, reservation_id: str, wanted: Sequence[HoldLine]) -> Reply:
        kept = self._current(reservation_id, write=True)
        if kept is None:
            return ("missing", reservation_id)
        if kept.state == "consumed":
            return reply_of(reservation_id, kept)
        if kept.state != "confirmed":
            return ("past", reservation_id, kept.state, "consume")
        taken_out, stay, too_many = split_lines(kept.lines, wanted)
        if too_many:
            return ("too_many", reservation_id, too_many)
        leaving = units_by_place(taken_out)
        if not_on_hand := missing_on_hand(self._stock, leaving):
            return ("not_on_hand", reservation_id, not_on_hand)
        self._take(kept, taken_out, -1, reservation_id)
        take_off_hand(self._stock, leaving)
        kept.consumed = True
        self._settle(reservation_id, kept, taken_out, stay, "consumed")
        return reply_of(reservation_id, kept)

    # Reservations.

    def _now(self) -> int:
        return milliseconds(self._clock.now())

    def _kept(self, reservation_id: str) -> KeptReservation | None:
        """Return a reservation or tombstone that is not forgotten yet."""
        kept = self._reservations.get(reservation_id)
        if kept is not None and kept.forgotten_at is not None and self._now() >= kept.forgotten_at:
            del self._reservations[reservation_id]
            return None
        return kept

    def _current(self, reservation_id: str, *, write: bool = False) -> KeptReservation | None:
        """Return a reservation, expired if it is past its deadline; with `write` its units go back."""
        kept = self._kept(reservation_id)
        if kept is None or kept.state == "forestalled":
            return None
        if kept.state != "held" or self._now() < kept.expires:
            return kept
        if not write:
            return replace(kept, state="expired")
        self._take(kept, kept.lines, -1, f"expired {reservation_id}")
        self._settle(reservation_id, kept, kept.lines, (), "expired")
        return kept

    def _take(self, kept: KeptReservation, lines: Sequence[Line], sign: int, why: str) -> None:
        self._stock.move(lines, FIELD_OF[kept.state], sign, why, kept.channel)

    def _used(self, sku: str, node_id: str) -> Counter[str | None]:
        """Return the open units of each channel at a position."""
        used = Counter[str | None]()
        for kept in self._reservations.values():
            if kept.state in FIELD_OF:
                lines = (line for line in kept.lines if (line.sku, line.node_id) == (sku, node_id))
                used[kept.channel] += sum(line.quantity for line in lines)
        return used

    def _settle(
        self, reservation_id: str, kept: KeptReservation, taken_out: Sequence[Line], stay: Sequence[Line], state: str
    ) -> None:
        """Keep the lines that stay, or close the reservation with those taken out last."""
        kept.lines = tuple(stay or taken_out)
        if stay:
            return
        self._count_off(kept)
        kept.state = state
        kept.forgotten_at = self._now() + _CLOSED_LIFETIME // timedelta(milliseconds=1)
        for sku in kept.dated_skus:
            ids = self._dated.get(sku, set())
            ids.discard(reservation_id)
            if not ids:
                self._dated.pop(sku, None)
        if self.is_forgetful and state != "consumed":
            del self._reservations[reservation_id]

    def _count_off(self, kept: KeptReservation) -> None:
        """Take a reservation that is no longer held off the open holds of who made it."""
        self._open_holds[kept.holder] -= kept.holder is not None
        kept.holder = None

    def _expire_due(self, limit: int | None) -> int:
        now, expired = self._now(), 0
        while self._deadlines and self._deadlines[0][0] <= now and (limit is None or expired < limit):
            deadline, reservation_id = heappop(self._deadlines)
            kept = self._reservations.get(reservation_id)
            if kept is not None and kept.state == "held" and kept.expires == deadline:
                self._current(reservation_id, write=True)
                expired += 1
        return expired
