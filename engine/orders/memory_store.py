"""The OrderStore of one process, gone with it: for tests and the simulator, on the in-memory inventory.

It answers in the replies of lua/ and passes the same behaviour suite. Nothing in an operation awaits, so each is one
step to every caller of the event loop. Reservations are changed through memory_reservations.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from engine.clock import Clock
from engine.inventory.buffers import Kept
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Outcome, Replay
from engine.inventory.replies import milliseconds
from engine.orders.batch import Entry, check_allocations, entry_of, today_of, uses_without
from engine.orders.clearing import Clearing, answers_of, cleared_reply
from engine.orders.life import NO_LIFE, Life
from engine.orders.memory_kept import KeptOrder, Use
from engine.orders.memory_reservations import MemoryReservations
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order, OrderState
from engine.orders.open import open_order, used_capacity
from engine.orders.records import demand_of, document, fingerprint, history_entry, order_of
from engine.orders.replies import (
    Reply,
    cancel_outcome,
    capture_outcome,
    lease_lost,
    revision_outcome,
    unknown_orders,
    verdict_of,
)
from engine.orders.revising import OrderChanged, Revision, kept_life
from engine.orders.steering import NO_STEERING, Steering, steering_document
from engine.routing.model import (
    RUN_OVER,
    NodeCapacity,
    OpenOrder,
    OrderAllocation,
    UsedCapacity,
    Verdict,
    VerdictOutcome,
)

_OPEN = {"captured", "backordered"}


class MemoryOrderStore:
    """Orders in this process; without their steps if the inventory is forgetful."""

    moves_stock = True

    def __init__(self, inventory: MemoryInventoryStore, clock: Clock) -> None:
        self._clock = clock
        self._records = inventory.records
        self._has_history = not inventory.is_forgetful
        self._reservations = MemoryReservations(inventory)
        self._orders: dict[str, KeptOrder] = {}
        self._capacity: dict[tuple[int, str], tuple[int, int]] = {}
        self._fences: dict[str, int] = {}
        self._done: dict[str, set[str]] = {}

    async def capture(
        self,
        captured: Captured,
        *,
        life: Life = NO_LIFE,
        steering: Steering = NO_STEERING,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Keep a new order."""
        replayed, reply = self._records.once(replay, lambda: self._capture(captured, life, steering))
        self._reservations.record("capture")
        return capture_outcome(reply, captured.order_id, captured.reservation_id or "", replayed=replayed)

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Return or raise what a capture was answered."""
        reply = self._records.find(replay)
        if reply is None:
            return None
        return capture_outcome(reply, order.order_id or "", order.reservation_id or "", replayed=True)

    async def recall_revision(self, replay: Replay, order_id: str) -> Outcome[Order] | None:
        """Return or raise what a revision was answered."""
        reply = self._records.find(replay)
        return None if reply is None else revision_outcome(reply, order_id, replayed=True)

    async def get(self, order_id: str) -> Order:
        """Return an order."""
        return order_of(self._known(order_id).fields())

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order."""
        return [history_entry(step) for step in self._known(order_id).history]

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order and give back its stock and capacity."""
        replayed, reply = self._records.once(replay, lambda: self._cancel(order_id))
        self._reservations.record("cancel_order")
        return cancel_outcome(reply, order_id, replayed=replayed)

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        """Return the open orders, all or those of `order_ids`."""
        named = list(self._orders) if order_ids is None else order_ids
        unknown = [order_id for order_id in named if order_id not in self._orders]
        if unknown:
            raise unknown_orders(unknown)
        found = [self._orders[order_id] for order_id in named]
        orders = (
            open_order(
                name,
                kept.state,
                kept.routed or kept.doc,
                self._reservations.lines(kept.reservation_id),
                kept.steering,
                kept.rows,
            )
            for name, kept in zip(named, found, strict=True)
            if not self._has_left(kept)
        )
        return [order for order in orders if order is not None]

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        """Return what committed allocations use on `days`."""
        by_ordinal = {day.toordinal(): day for day in days}
        return [
            used_capacity(node_id, by_ordinal[day], units, parcels)
            for (day, node_id), (units, parcels) in self._capacity.items()
            if day in by_ordinal and units + parcels > 0
        ]

    def uses(self) -> Iterator[tuple[int, str, int, int]]:
        """Yield what committed allocations use: (day, node, units, parcels)."""
        return ((day, node_id, *used) for (day, node_id), used in self._capacity.items())

    async def commit(
        self,
        run_id: str,
        allocations: Sequence[OrderAllocation],
        *,
        capacities: Mapping[str, NodeCapacity],
        today: Mapping[str, date],
        buffers: Kept | None = None,
        epoch: int = 0,
    ) -> list[Verdict]:
        """Commit each order of a run."""
        if 0 < epoch < self._fences.get(run_id, 0):
            raise lease_lost(run_id)
        self._fences[run_id] = max(epoch, self._fences.get(run_id, 0))
        known = (self._orders.get(allocation.order_id) for allocation in allocations)
        demands = [
            order.demand if order is not None and order.revision == each.revision else None
            for each, order in zip(allocations, known, strict=True)
        ]
        check_allocations(allocations, demands)
        entries = [entry_of(allocation) for allocation in allocations]
        days = today_of(entries, today)
        self._reservations.expire_due()
        replies = [self._decide(run_id, entry, capacities, days, buffers or {}) for entry in entries]
        verdicts = [verdict_of(entry.order_id, reply) for entry, reply in zip(entries, replies, strict=True)]
        self._reservations.record("commit_orders")
        if epoch:
            committed = {each.order_id for each in verdicts if each.outcome is VerdictOutcome.COMMITTED}
            self._done.setdefault(run_id, set()).update(committed)
        return verdicts

    async def fence(self, run_id: str, epoch: int) -> None:
        """Refuse commits of a run with an earlier epoch from now on."""
        self._fences[run_id] = max(epoch, self._fences.get(run_id, 0))
        if epoch >= RUN_OVER:
            self._done.pop(run_id, None)

    async def revise(self, revision: Revision, *, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order as nodes or people have said."""
        replayed, reply = self._records.once(replay, lambda: self._revise(revision))
        self._reservations.record("revise_order")
        return revision_outcome(reply, revision.order_id, replayed=replayed)

    async def clear(self, clearings: Sequence[Clearing]) -> list[str]:
        """Take what is personal out of orders."""
        return [each.seen.order_id for each in clearings if not self._clear(each)]

    async def clear_answers(self, orders: Sequence[Order]) -> None:
        """Take what is personal out of what was answered of orders."""
        self._records.change(lambda reply: cleared_reply(reply, answers_of(orders)))

    async def allocated(self, limit: int, *, after_ms: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run has decided on."""
        found = sorted(
            (kept.decided_ms, order_id)
            for order_id, kept in self._orders.items()
            if kept.decided_ms > after_ms and kept.state != "cancelled"
        )
        last = found[min(limit, len(found)) - 1][0] if found else 0
        return [(order_id, decided_ms) for decided_ms, order_id in found if decided_ms <= last]

    async def open_ids(self, limit: int, *, after: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run may take."""
        numbered = enumerate(self._orders.items(), 1)
        found = [(order_id, float(at)) for at, (order_id, kept) in numbered if at > after and kept.state in _OPEN]
        return found[:limit]

    def steps(self) -> dict[str, object]:
        """Return what says of each order how far it has come."""
        return {order_id: (kept.state, kept.revision, kept.decided_ms) for order_id, kept in self._orders.items()}

    async def effects_due(self, now_ms: float, limit: int) -> list[str]:
        """Return orders that have something to be done elsewhere."""
        due = sorted((int(kept.due), order_id) for order_id, kept in self._orders.items() if kept.due)
        return [order_id for at_ms, order_id in due if at_ms <= now_ms][:limit]

    async def node_work(self, node_id: str, limit: int, *, after: str = "") -> list[str]:
        """Return orders that have shipments with a node."""
        places = [place for kept in self._orders.values() for node, place in kept.work if node == node_id]
        return sorted((place for place in places if place.encode() > after.encode()), key=str.encode)[:limit]

    async def sweep(self, limit: int = 1000) -> None:
        """Do nothing: every change is one step."""

    def forget(self, order_ids: Iterable[str], runs: Iterable[str], before: date) -> None:
        """Forget orders and runs to which nothing more happens, and what was used of nodes before a day.

        For simulations of weeks, whose memory must not grow with their days.
        """
        for order_id in order_ids:
            self._orders.pop(order_id, None)
        for run_id in runs:
            self._fences.pop(run_id, None)
        for place in [place for place in self._capacity if place[0] < before.toordinal()]:
            del self._capacity[place]

    def _known(self, order_id: str) -> KeptOrder:
        if order_id not in self._orders:
            raise unknown_orders([order_id])
        return self._orders[order_id]

    # One operation each, as in lua/.

    def _capture(self, captured: Captured, life: Life, steering: Steering) -> Reply:
        order_id, reservation_id = captured.order_id, captured.reservation_id or ""
        known = self._orders.get(order_id)
        if known is not None:
            return ("captured", "", known.fields()) if known.fingerprint == fingerprint(captured) else ("other", "", ())
        if reservation_id:
            refusal = self._reservations.claim(reservation_id, order_id)
            if refusal is not None:
                return (*refusal, ())
        kept = KeptOrder(
            doc=document(captured),
            fingerprint=fingerprint(captured),
            demand=demand_of(captured.demand),
            channel=captured.channel,
            reservation_id=reservation_id,
        )
        if life != NO_LIFE or steering != NO_STEERING:
            order = Order(captured=captured, state=OrderState.CAPTURED, steering=steering, life=life)
            kept.put_life(kept_life(order))
            kept.steering = b"" if steering == NO_STEERING else steering_document(steering)
        self._orders[order_id] = kept
        self._enter(kept, "captured", "")
        return ("captured", "", kept.fields())

    def _cancel(self, order_id: str) -> Reply:
        kept = self._orders.get(order_id)
        if kept is None:
            return ("missing", "", ())
        if kept.state == "cancelled":
            return ("cancelled", "", kept.fields())
        if kept.left or self._has_left(kept):
            return ("left", "", ())
        self._reservations.cancel(kept.reservation_id)
        self._count(kept.uses, -1)
        kept.reservation_id, kept.uses = "", ()
        self._enter(kept, "cancelled", "")
        return ("cancelled", "", kept.fields())

    def _revise(self, revision: Revision) -> Reply:
        kept = self._orders.get(revision.order_id)
        if kept is None:
            return ("missing", "", ())
        if (kept.state, kept.run_id, kept.reservation_id, kept.revision) != revision.expected:
            raise OrderChanged
        if revision.refusal is not None:
            return ("refused", revision.refusal, ())
        if self._has_left(kept):
            return ("left", "", ())
        is_open: bool | None = False
        if revision.closes:
            self._reservations.cancel(kept.reservation_id)
        else:
            is_open = self._reservations.take_out(
                kept.reservation_id,
                revision.given_back,
                revision.lost,
                revision.order_id,
                leaves=revision.leaves,
                goes_to=revision.goes_to,
            )
        if is_open is None:
            raise OrderChanged
        if not is_open:
            kept.reservation_id = ""
        if revision.joins is not None:
            kept.reservation_id = self._reservations.join(kept.reservation_id, revision.joins)
        if revision.leaves:
            kept.uses = uses_without(kept.uses, revision.life[7]) if is_open else ()
        elif revision.uses is not None:
            self._count(kept.uses, -1)
            self._count(revision.uses, 1)
            kept.uses = revision.uses
        kept.rows, kept.steering, kept.revision = revision.rows, revision.steering, kept.revision + 1
        kept.put_life(revision.life)
        kept.left = kept.left or revision.leaves
        kept.work = revision.life[6]
        self._enter(kept, revision.to.state.value, f" {revision.written}")
        return ("revised", "", kept.fields())

    def _clear(self, clearing: Clearing) -> bool:
        kept = self._orders.get(clearing.seen.order_id)
        if kept is None or (kept.state, kept.run_id, kept.reservation_id, kept.revision) != clearing.expected:
            return False
        kept.doc = clearing.doc.encode()
        kept.life, kept.routed, kept.told = clearing.life
        kept.steering, kept.revision = clearing.steering.encode(), kept.revision + 1
        self._enter(kept, kept.state, f" {clearing.written}")
        return True

    def _decide(
        self, run_id: str, entry: Entry, capacities: Mapping[str, NodeCapacity], today: Mapping[str, int], buffers: Kept
    ) -> Sequence[Any]:
        kept = self._orders.get(entry.order_id)
        if entry.order_id in self._done.get(run_id, ()):
            return ("committed",)
        if kept is not None and kept.run_id == run_id and kept.state != "cancelled":
            return ("committed",)
        if kept is None or kept.state not in _OPEN:
            return ("gone",)
        if kept.revision != entry.revision:
            return ("moved", "revised")
        if self._has_left(kept):
            return ("gone",)
        if self._is_as_before(kept, entry, today):
            kept.run_id = run_id
            return ("committed",)
        if entry.lines:
            self._count(kept.uses, -1)
            over = self._over(entry.uses, capacities)
            short = self._reservations.swap(
                kept.reservation_id, entry, kept.channel, today, buffers, is_allowed=over is None
            )
            if short or over:
                self._count(kept.uses, 1)
                return ("moved", "short", short[0]) if short else ("moved", "capacity", over)
            self._count(entry.uses, 1)
            kept.reservation_id, kept.uses = entry.reservation_id, entry.uses
        if entry.lines or not kept.rows:
            kept.rows = entry.rows
        kept.run_id = run_id
        kept.decided_ms = milliseconds(self._clock.now())
        self._enter(kept, entry.state, run_id)
        return ("committed",)

    def _is_as_before(self, kept: KeptOrder, entry: Entry, today: Mapping[str, int]) -> bool:
        """Say whether an open order has, and has reserved, just what is decided for it now."""
        if kept.state != entry.state.value or not kept.run_id:
            return False
        if not entry.lines:
            return bool(kept.rows)
        return kept.rows == entry.rows and self._reservations.has_just(
            kept.reservation_id, entry.lines, kept.channel, today
        )

    def _has_left(self, kept: KeptOrder) -> bool:
        return self._reservations.has_left(kept.reservation_id, is_allocated=bool(kept.uses))

    def _enter(self, kept: KeptOrder, state: str, run_id: str) -> None:
        kept.state, told = state, kept.told or state
        kept.told = ""
        if self._has_history:
            kept.history.append(f"{milliseconds(self._clock.now())} {told} {run_id}")

    # What is used of the nodes.

    def _count(self, uses: Sequence[Use], sign: int) -> None:
        for node_id, day, units, parcels in uses:
            used = self._capacity.get((day, node_id), (0, 0))
            self._capacity[day, node_id] = (used[0] + sign * units, used[1] + sign * parcels)
            if self._capacity[day, node_id] == (0, 0):
                del self._capacity[day, node_id]

    def _over(self, uses: Sequence[Use], capacities: Mapping[str, NodeCapacity]) -> Sequence[Any] | None:
        for node_id, day, units, parcels in uses:
            capacity, used = capacities.get(node_id, NodeCapacity()), self._capacity.get((day, node_id), (0, 0))
            if capacity.units is not None and used[0] + units > capacity.units:
                return (node_id, day, "units", units, capacity.units - used[0], capacity.units)
            if capacity.parcels is not None and used[1] + parcels > capacity.parcels:
                return (node_id, day, "parcels", parcels, capacity.parcels - used[1], capacity.parcels)
        return None
