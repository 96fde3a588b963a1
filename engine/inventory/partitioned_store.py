"""The InventoryStore over several partitions: each keeps the stock of some SKUs, and the reservations at home there.

What lies in one partition is one atomic call, as with one. What crosses partitions is held part by part and committed
by its home; docs/reference/partitions.md says what is promised. Not here: how (partitioned_*.py, followers.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.inventory.buffers import Kept
from engine.inventory.claims import Claims
from engine.inventory.conditions import ConditionChange
from engine.inventory.counted_quotas import put_counted
from engine.inventory.followers import PATIENCE_SECONDS, Followers
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
from engine.inventory.partition import Partition
from engine.inventory.partitioned_changes import PartitionedChanges
from engine.inventory.partitioned_counts import PartitionedCounts
from engine.inventory.partitioned_holds import PartitionedHolds
from engine.inventory.partitioned_reads import PartitionedReads
from engine.inventory.partitions import Partitions
from engine.inventory.quotas import PositionQuotas
from engine.inventory.receipts import AffectedLine, Receipt, Received
from engine.inventory.redis_hold_rows import line_rows
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_rows import adjustment_rows, condition_rows, count_rows, receipt_rows, supply_rows
from engine.inventory.replies import value_of
from engine.inventory.store import Verdict
from engine.storage.client import StoreClient

_pack = msgspec.msgpack.Encoder().encode
_MANY = 1000
_MOST_IDS = 500
"""Among so many is one that suits, but for one in 2,600 times with 64 partitions; that one costs a call more."""


class PartitionedInventoryStore:
    """Live stock of one tenant in `number` partitions; needs both libraries loaded (partition.py, redis_store.py).

    `patience_seconds` is how long an attempt to hold is not taken for dead: longer than its calls may take.
    """

    def __init__(
        self, client: StoreClient, tenant: str, number: int, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._all = [Partition(client, tenant, each) for each in range(number)]
        self._hashing = Partitions(number=number)
        self._claims = Claims(self._all)
        self._followers = Followers(self._all, patience_seconds=patience_seconds)
        self._reads = PartitionedReads(self._all)
        self._holds = PartitionedHolds(self._all, self._followers, self._claims, self._reads)
        self._changes = PartitionedChanges(self._followers, self._claims)
        self._counts = PartitionedCounts(self._all, self._followers, self._claims)

    def new_id(self, lines: Sequence[HoldLine], make: Callable[[], str]) -> str:
        """Return one of several new ids under which a reservation is at home where its last part is: a call less."""
        last = max(self._hashing.of(line.sku) for line in lines)
        made = (make() for _ in range(_MOST_IDS))
        return next((new for new in made if self._hashing.of(new) == last), make())

    async def put_positions(self, counts: Sequence[PositionCount], *, replay: Replay | None = None) -> list[Position]:
        """Set counts; over several partitions see partitioned_counts.py."""
        skus = [count.sku for count in counts]
        return list((await self._counts.change("allot_put_positions_v1", count_rows(counts), skus, replay)).value)

    async def put_quotas(self, positions: Sequence[PositionQuotas]) -> list[PositionQuotas]:
        """Replace the channel quotas of positions; over several partitions see partitioned_counts.py."""
        skus = [position.sku for position in positions]

        async def used_of(uncounted: set[str]) -> Counter[tuple[str, str, str]]:
            partitions = (self._all[each] for each in {self._hashing.of(sku) for sku in uncounted})
            tallies = await asyncio.gather(*(Reconciler(each.client, each.keys).tally() for each in partitions))
            return sum((tally.used for tally in tallies), Counter[tuple[str, str, str]]())

        return await put_counted(
            positions, lambda rows: self._counts.change("allot_put_quotas_v1", rows, skus, None), used_of
        )

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Add deltas to on_hand; over several partitions see partitioned_counts.py."""
        skus = [change.sku for change in adjustments]
        return await self._counts.change("allot_adjust_v1", adjustment_rows(adjustments), skus, replay)

    async def change_conditions(
        self, changes: Sequence[ConditionChange], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Move units from one condition to another; over several partitions see partitioned_counts.py."""
        skus = [change.sku for change in changes]
        return await self._counts.change("allot_change_conditions_v1", condition_rows(changes), skus, replay)

    async def put_supplies(
        self, supplies: Sequence[Supply], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[tuple[AffectedLine, ...]]:
        """Add, change, re-date or remove supplies; over several partitions see partitioned_counts.py."""
        skus, days = [supply.sku for supply in supplies], {each.node_id: today[each.node_id] for each in supplies}
        rows = supply_rows(supplies)
        return await self._counts.change("allot_put_supplies_v1", rows, skus, replay, _pack(days))

    async def receive(
        self, receipts: Sequence[Receipt], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[Received]:
        """Take receipts of supplies into stock; over several partitions see partitioned_counts.py."""
        skus, days = [each.sku for each in receipts], {each.node_id: today[each.node_id] for each in receipts}
        return await self._counts.change("allot_receive_v1", receipt_rows(receipts), skus, replay, _pack(days))

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`."""
        return await self._reads.read(skus)

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return all that is known of one SKU."""
        return await self._all[self._hashing.of(sku)].store.positions(sku)

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU, each partition's at one instant."""
        return await self._reads.snapshot()

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now."""
        return await self._reads.refresh(view)

    async def history(self, sku: str, node_id: str, *, limit: int = 100, after_event: int | None = None) -> History:
        """Return what happened to a position; events are numbered by partition."""
        store = self._all[self._hashing.of(sku)].store
        return await store.history(sku, node_id, limit=limit, after_event=after_event)

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Hold all lines or none."""
        return await self._holds.hold(hold, today=today, buffers=buffers, replay=replay)

    async def hold_many(
        self,
        holds: Sequence[Hold],
        *,
        today: Mapping[str, int],
        buffers: Kept | None = None,
        replay: Replay | None = None,
    ) -> Outcome[list[Verdict]]:
        """Hold each by itself."""
        return await self._holds.hold_many(holds, today=today, buffers=buffers, replay=replay)

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent."""
        return await self._changes.change("allot_confirm_v1", "confirm", reservation_id, replay)

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back."""
        packed = _pack(line_rows(lines or ()))
        return await self._changes.change("allot_cancel_v1", "cancel", reservation_id, replay, packed)

    async def extend(
        self, reservation_id: str, ttl_seconds: float, *, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold."""
        milliseconds = round(ttl_seconds * 1000)
        return await self._changes.change("allot_extend_v1", "extend", reservation_id, replay, milliseconds)

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Take units that have left off on_hand and reserved, in all partitions or in none."""
        return await self._changes.consume(reservation_id, lines, replay)

    async def get_reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation, from its home."""
        return await self._all[self._hashing.of(reservation_id)].store.get_reservation(reservation_id)

    async def sweep(self, limit: int = 1000) -> int:
        """Give back what is due, and finish what was begun over several partitions and left by whoever began it."""
        swept = 0
        for partition in self._all:
            swept += await partition.store.sweep(limit - swept)
        await self._followers.sweep_unfinished(_MANY)
        for partition in self._all:
            if swept < limit:
                swept += sum(await self._followers.sweep_due(partition.number, limit - swept))
        await self._counts.sweep(_MANY)
        return swept

    async def remember(self, replay: Replay, status: int, body: bytes) -> Outcome[object]:
        """Store an answer for an idempotency key, or give what it was answered before."""
        claim = await self._claims.claim(replay)
        kept = claim.reply
        if kept is None:
            is_replayed, kept = await self._claims.remember(claim, replay, ("answer", status, body))
            if not is_replayed:
                return Outcome(value=None)
        return Outcome(value=value_of(kept, replayed=True), replayed=True)

    async def recall(self, replay: Replay) -> Outcome[object] | None:
        """Return or raise what an idempotency key was answered, None if it is new."""
        claim = await self._claims.look(replay)
        if claim is None or claim.reply is None:
            return None
        return Outcome(value=value_of(claim.reply, replayed=True), replayed=True)
