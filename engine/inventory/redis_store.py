"""The InventoryStore on Redis or Valkey: every change is one call of a function of lua/, every read is one MGET.

Not here: the rules (they are in lua/), and the wording of refusals (replies.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from engine.errors import StoreReplyError
from engine.events.actor import actor
from engine.inventory import redis_long_queues
from engine.inventory.buffers import Kept
from engine.inventory.conditions import ConditionChange
from engine.inventory.counted_quotas import put_counted
from engine.inventory.history import History
from engine.inventory.long_messages import (
    LONG_KINDS,
    long_holds_message,
    packed_rows,
    value_in_turns,
    weight_of,
)
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
from engine.inventory.redis_history import HistoryReads
from engine.inventory.redis_hold_rows import line_rows
from engine.inventory.redis_holds import HoldQueue
from engine.inventory.redis_reads import StockReads
from engine.inventory.redis_reconcile import Reconciler
from engine.inventory.redis_records import call_once, find
from engine.inventory.redis_rows import adjustment_rows, condition_rows, count_rows, receipt_rows, supply_rows
from engine.inventory.replies import value_of, verdict_of
from engine.inventory.store import Verdict
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys
from engine.turns import in_turns

_LUA = files("engine.inventory") / "lua"
_SHARED = (
    "cells",
    "journal",
    "schedule",
    "atp",
    "quotas",
    "demand",
    "pegs",
    "open_holds",
    "reservations",
    "dated",
    "parts",
    "commit",
    "replies",
    "holding",
    "holds",
)
SNIPPETS = [_LUA / f"{name}.lua" for name in _SHARED]
"""What another library that changes stock includes, in this order, after REPLAY."""
CHANGES_OF_POSITIONS = (
    "conditions",
    "put_positions",
    "put_quotas",
    "adjust",
    "change_conditions",
    "coverage",
    "put_supplies",
    "receive",
)
"""What a change of positions over several partitions is made of too (partition.py)."""
_FUNCTIONS = (
    *CHANGES_OF_POSITIONS,
    "redate_lines",
    "hold",
    "hold_many",
    "hold_together",
    "confirm",
    "part",
    "cancel",
    "extend",
    "consume",
    "get_reservation",
    "low_stock",
    "recount",
    "repair",
    "sweep",
    "remember",
)
LIBRARY = library("inventory", 1, [REPLAY, *SNIPPETS, *(_LUA / f"{name}.lua" for name in _FUNCTIONS)], revision=2)

_SWEEP_STEP = 200
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class RedisInventoryStore:
    """Live stock of one tenant and partition; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._reads = StockReads(client, keys)
        self._history = HistoryReads(client, keys)
        self._long_queues = redis_long_queues.LongQueues(client, keys, self._reads)
        self._holds = HoldQueue(client, keys)

    async def put_positions(self, counts: Sequence[PositionCount], *, replay: Replay | None = None) -> list[Position]:
        """Set counts, all or none."""
        packed = await packed_rows(count_rows, counts)
        return list((await self._change("allot_put_positions_v1", replay, packed)).value)

    async def put_quotas(self, positions: Sequence[PositionQuotas]) -> list[PositionQuotas]:
        """Replace the channel quotas of positions."""

        async def used_of(_: set[str]) -> Counter[tuple[str, str, str]]:
            return (await Reconciler(self._client, self._keys).tally()).used

        return await put_counted(
            positions, lambda rows: self._change("allot_put_quotas_v1", None, _pack(rows)), used_of
        )

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Add deltas to on_hand or to units of another condition, all or none."""
        return await self._change("allot_adjust_v1", replay, await packed_rows(adjustment_rows, adjustments))

    async def change_conditions(
        self, changes: Sequence[ConditionChange], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Move units from one condition to another, all or none."""
        return await self._change("allot_change_conditions_v1", replay, await packed_rows(condition_rows, changes))

    async def put_supplies(
        self, supplies: Sequence[Supply], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[tuple[AffectedLine, ...]]:
        """Add, change, re-date or remove supplies."""
        rows = await packed_rows(supply_rows, supplies)
        days = {supply.node_id: today[supply.node_id] for supply in supplies}
        try:
            args: tuple[Part, ...] = (rows, _pack(days), redis_long_queues.MOST_AT_ONCE)
            outcome = await self._change("allot_put_supplies_v1", replay, *args)
            if outcome.replayed:
                await self._long_queues.go_on(supplies)
            return outcome
        except StoreReplyError as error:
            if "MANYLINES" not in str(error):
                raise
        replayed, reply = await self._long_queues.put(supplies, days, replay)
        return Outcome(value=value_of(reply, replayed=replayed), replayed=replayed)

    async def receive(
        self, receipts: Sequence[Receipt], *, today: Mapping[str, int], replay: Replay | None = None
    ) -> Outcome[Received]:
        """Take receipts of supplies into stock."""
        rows = await packed_rows(receipt_rows, receipts)
        days = {receipt.node_id: today[receipt.node_id] for receipt in receipts}
        return await self._change("allot_receive_v1", replay, rows, _pack(days))

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`: one MGET, and the node names again only if there are new ones."""
        return await self._reads.read(skus)

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return all that is known of one SKU, in one read."""
        return await self._reads.positions(sku)

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU at one instant."""
        return await self._reads.snapshot()

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now."""
        return await self._reads.refresh(view)

    async def history(self, sku: str, node_id: str, *, limit: int = 100, after_event: int | None = None) -> History:
        """Return what happened to a position."""
        return await self._history.read(sku, node_id, limit=limit, after_event=after_event)

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Hold all lines or none; what is asked for in one turn of the loop goes together."""
        return await self._holds.hold(hold, today=today, buffers=buffers, replay=replay)

    async def hold_many(
        self,
        holds: Sequence[Hold],
        *,
        today: Mapping[str, int],
        buffers: Kept | None = None,
        replay: Replay | None = None,
    ) -> Outcome[list[Verdict]]:
        """Hold each by itself, all in one call."""
        message, key = await long_holds_message(holds, today, buffers), self._keys.deadlines
        found = await call_once(self._client, self._keys, "allot_hold_many_v1", key, replay, actor(), *message)
        verdicts: list[Verdict] = []
        async for first, piece in in_turns(holds, weight=weight_of):
            replies = found[1][first : first + len(piece)]
            verdicts += [verdict_of(hold, reply) for hold, reply in zip(piece, replies, strict=True)]
        return Outcome(value=verdicts, replayed=found[0])

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent."""
        return await self._change("allot_confirm_v1", replay, reservation_id)

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back."""
        return await self._change("allot_cancel_v1", replay, reservation_id, _pack(line_rows(lines or ())))

    async def extend(
        self, reservation_id: str, ttl_seconds: float, *, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold."""
        return await self._change("allot_extend_v1", replay, reservation_id, round(ttl_seconds * 1000))

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Take units that have left off on_hand and reserved."""
        return await self._change("allot_consume_v1", replay, reservation_id, _pack(line_rows(lines or ())))

    async def get_reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation."""
        keys = [self._keys.deadlines]
        found: Reservation = value_of(
            _unpack(await self._client.fcall("allot_get_reservation_v1", keys, [reservation_id]))
        )
        return found

    async def sweep(self, limit: int = 1000) -> int:
        """Give back what is due, in short steps so that the server serves others in between."""
        swept = 0
        while swept < limit:
            step = min(_SWEEP_STEP, limit - swept)
            count = int(await self._client.fcall("allot_sweep_v1", [self._keys.deadlines], [actor(), step]))
            swept += count
            if not count:
                break
        return swept

    async def remember(self, replay: Replay, status: int, body: bytes) -> Outcome[object]:
        """Store an answer for an idempotency key, or give what it was answered before."""
        packed = _pack(("answer", status, body))
        keys = [self._keys.replay(replay.digest)]
        replayed, reply = await self._client.fcall("allot_remember_v1", keys, [replay.fingerprint, packed])
        if not replayed:
            return Outcome(value=None)
        return Outcome(value=value_of(_unpack(reply), replayed=True), replayed=True)

    async def recall(self, replay: Replay) -> Outcome[object] | None:
        """Return or raise what an idempotency key was answered, None if it is new."""
        reply = await find(self._client, self._keys, replay)
        return None if reply is None else Outcome(value=value_of(reply, replayed=True), replayed=True)

    async def _change(self, function: str, replay: Replay | None, *args: Part) -> Outcome[Any]:
        """Call a function that changes something, under its idempotency record."""
        key = self._keys.deadlines
        replayed, reply = await call_once(self._client, self._keys, function, key, replay, actor(), *args)
        if reply[0] in LONG_KINDS:
            return Outcome(value=await value_in_turns(reply), replayed=replayed)
        return Outcome(value=value_of(reply, replayed=replayed), replayed=replayed)
