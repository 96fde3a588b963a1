"""The OrderStore on Redis or Valkey: every change is one call of a function of lua/.

Orders share a partition and the inventory's Lua with stock, so that an order, its reservation and the cells under it
change in one step. Not here: the rules (lua/), the wording of refusals (replies.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from importlib.resources import files
from typing import Any

import msgspec

from engine.errors import StoreReplyError
from engine.events.actor import actor
from engine.inventory.buffers import Kept
from engine.inventory.model import Outcome, Replay
from engine.inventory.redis_hold_rows import by_sku
from engine.inventory.redis_records import call_once, find
from engine.inventory.redis_store import SNIPPETS
from engine.orders.batch import Entry, check_allocations, entry_of, today_of
from engine.orders.clearing import Clearing, answers_of
from engine.orders.life import NO_LIFE, Life
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order, OrderState
from engine.orders.open import open_order, used_capacity
from engine.orders.records import demand_of, document, fingerprint, history_entry, order_of
from engine.orders.replies import (
    Reply,
    cancel_outcome,
    capture_outcome,
    revision_outcome,
    unknown_orders,
    unless_fenced,
    verdict_of,
)
from engine.orders.revising import OrderChanged, Revision, kept_life
from engine.orders.steering import NO_STEERING, Steering, steering_document
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, UsedCapacity, Verdict
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys

_LUA = files("engine.orders") / "lua"
_FUNCTIONS = ("orders", "fence", "capacity", "capture", "cancel", "commit", "read", "fence_run")
LIBRARY = library("orders", 1, [REPLAY, *SNIPPETS, *(_LUA / f"{name}.lua" for name in _FUNCTIONS)])
PART = files("engine.inventory") / "lua" / "part.lua"
STEERING_LIBRARY = library(
    "steering",
    1,
    [
        REPLAY,
        *SNIPPETS,
        PART,
        _LUA / "orders.lua",
        _LUA / "capacity.lua",
        *(_LUA / "steering" / f"{name}.lua" for name in ("take_out", "revise", "clear")),
    ],
)
LIBRARIES = (LIBRARY, STEERING_LIBRARY)

_CHUNK = 25
"""Orders of one function call: 4 ms in which the server serves nobody else."""
_RECORDS_AT_ONCE = 500
_READ_AT_ONCE, _DEMANDS_AT_ONCE, _CALLS_AT_ONCE = 100, 500, 2

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class RedisOrderStore:
    """The orders of one tenant and partition; needs `LIBRARY` loaded (`functions.ensure`)."""

    moves_stock = True

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def capture(
        self,
        captured: Captured,
        *,
        life: Life = NO_LIFE,
        steering: Steering = NO_STEERING,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Keep a new order."""
        reservation_id = captured.reservation_id or ""
        replayed, reply = await self._change(
            "allot_capture_order_v1",
            captured.order_id,
            replay,
            document(captured),
            fingerprint(captured),
            demand_of(captured.demand),
            captured.channel,
            reservation_id,
            begun(captured, life, steering),
        )
        return capture_outcome(reply, captured.order_id, reservation_id, replayed=replayed)

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Return or raise what a capture was answered."""
        reply = await find(self._client, self._keys, replay)
        if reply is None:
            return None
        return capture_outcome(reply, order.order_id or "", order.reservation_id or "", replayed=True)

    async def recall_revision(self, replay: Replay, order_id: str) -> Outcome[Order] | None:
        """Return or raise what a revision was answered."""
        reply = await find(self._client, self._keys, replay)
        return None if reply is None else revision_outcome(reply, order_id, replayed=True)

    async def get(self, order_id: str) -> Order:
        """Return an order."""
        fields = await self._client.call(
            "HMGET", self._keys.order(order_id), "doc", "state", "reservation_id", "run_id", "rows", "steering", "life"
        )
        if fields[0] is None:
            raise unknown_orders([order_id])
        return order_of(fields)

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order."""
        steps = await self._client.call("LRANGE", self._keys.order_history(order_id), 0, -1)
        if not steps:
            raise unknown_orders([order_id])
        return [history_entry(step.decode()) for step in steps]

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order and give back its stock and capacity."""
        replayed, reply = await self._change("allot_cancel_order_v1", order_id, replay)
        return cancel_outcome(reply, order_id, replayed=replayed)

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        """Return the open orders, all or those of `order_ids`."""
        named = order_ids
        if named is None:
            named = [found.decode() for found in await self._client.call("ZRANGE", self._keys.open_orders, 0, -1)]
        orders: list[OpenOrder | None] = []
        unknown: list[str] = []
        for start in range(0, len(named), _READ_AT_ONCE):
            chunk = named[start : start + _READ_AT_ONCE]
            reply = _unpack(await self._client.fcall("allot_read_orders_v1", [self._keys.open_orders], chunk))
            unknown += [order_id for order_id, (state, *_) in zip(chunk, reply, strict=True) if not state]
            orders += [open_order(name, *found) for name, found in zip(chunk, reply, strict=True) if found[0]]
        if unknown:
            raise unknown_orders(unknown)
        return [order for order in orders if order is not None]

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        """Return what committed allocations use on `days`."""
        keys = [self._keys.capacity(day.toordinal()) for day in days]
        replies = await self._client.pipeline([("HGETALL", key) for key in keys])
        used: list[UsedCapacity] = []
        for day, pairs in zip(days, replies, strict=True):
            for node_id, text in zip(pairs[::2], pairs[1::2], strict=True):
                units, parcels = text.split()
                used.append(used_capacity(node_id.decode(), day, int(units), int(parcels)))
        return used

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
        """Commit each order of a run; `_CHUNK` orders a call, a few calls at once."""
        demands = await self._demands(allocations)
        await asyncio.to_thread(check_allocations, allocations, demands)
        packed_of = partial(_packed, limits=limits_of(capacities), today=today, buffers=buffers)
        verdicts: list[Verdict] = []
        keys, at_once = [self._keys.open_orders], _CHUNK * _CALLS_AT_ONCE
        for start in range(0, len(allocations), at_once):
            some = allocations[start : start + at_once]
            batches = await asyncio.to_thread(packed_of, some)
            calls = (
                self._client.fcall("allot_commit_orders_v1", keys, [actor(), run_id, batch, epoch]) for batch in batches
            )
            with unless_fenced(run_id):
                replies = await asyncio.gather(*calls)
            found = [verdict for packed in replies for verdict in _unpack(packed)]
            verdicts += [verdict_of(each.order_id, verdict) for each, verdict in zip(some, found, strict=True)]
        return verdicts

    async def _demands(self, allocations: Sequence[OrderAllocation]) -> list[str | None]:
        """Return what orders ask for, as `records.demand_of` writes it.

        None for those that are not there, or have changed since they were decided on, which their commit says.
        """
        demands: list[str | None] = []
        for start in range(0, len(allocations), _DEMANDS_AT_ONCE):
            some = allocations[start : start + _DEMANDS_AT_ONCE]
            reads = [("HMGET", self._keys.order(each.order_id), "demand", "revision") for each in some]
            for each, (demand, revision) in zip(some, await self._client.pipeline(reads), strict=True):
                is_as_seen = demand is not None and int(revision or 0) == each.revision
                demands.append(demand.decode() if is_as_seen else None)
        return demands

    async def fence(self, run_id: str, epoch: int) -> None:
        """Refuse commits of a run with an earlier epoch from now on."""
        await self._client.fcall("allot_fence_run_v1", [self._keys.open_orders], [run_id, epoch])

    async def revise(self, revision: Revision, *, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order as nodes or people have said."""
        packed = _pack((revision.expected, revision.refusal or "", change_of(revision)))
        try:
            replayed, reply = await self._change("allot_revise_order_v1", revision.order_id, replay, packed)
        except StoreReplyError as error:
            raise changed_or(error) from None
        return revision_outcome(reply, revision.order_id, replayed=replayed)

    async def clear(self, clearings: Sequence[Clearing]) -> list[str]:
        """Take what is personal out of orders."""
        moved = []
        for each in clearings:
            order_id, (life, routed, told) = each.seen.order_id, each.life
            packed = _pack((each.expected, each.doc, life, routed, told, each.steering, each.written))
            args: list[Part] = [actor(), order_id, packed]
            if not await self._client.fcall("allot_clear_order_v1", [self._keys.order(order_id)], args):
                moved.append(order_id)
        return moved

    async def clear_answers(self, orders: Sequence[Order]) -> None:
        """Take what is personal out of what was answered of orders."""
        packed, cursor = _pack(answers_of(orders)), b"0"
        while cursor:
            args: list[Part] = [cursor, _RECORDS_AT_ONCE, packed]
            cursor = await self._client.fcall("allot_clear_answers_v1", [self._keys.open_orders], args)
            cursor = b"" if cursor == b"0" else cursor

    async def allocated(self, limit: int, *, after_ms: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run has decided on."""
        return await scored_orders(self._client, self._keys.named("allocated"), limit, after_ms)

    async def open_ids(self, limit: int, *, after: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run may take."""
        return await scored_orders(self._client, self._keys.open_orders, limit, after)

    async def effects_due(self, now_ms: float, limit: int) -> list[str]:
        """Return orders that have something to be done elsewhere."""
        key = self._keys.named("effects_due")
        found = await self._client.call("ZRANGEBYSCORE", key, "-inf", f"{now_ms:.0f}", "LIMIT", 0, limit)
        return [order_id.decode() for order_id in found]

    async def node_work(self, node_id: str, limit: int, *, after: str = "") -> list[str]:
        """Return orders that have shipments with a node."""
        start = f"({after}" if after else "-"
        key = self._keys.named("node_work", node_id)
        return [place.decode() for place in await self._client.call("ZRANGEBYLEX", key, start, "+", "LIMIT", 0, limit)]

    async def sweep(self, limit: int = 1000) -> None:
        """Do nothing: every change is one step."""

    async def _change(self, function: str, order_id: str, replay: Replay | None, *args: Part) -> tuple[bool, Reply]:
        """Call a function on one order under its idempotency record; return (replayed, reply)."""
        key = self._keys.order(order_id)
        return await call_once(self._client, self._keys, function, key, replay, actor(), order_id, *args)


def change_of(revision: Revision) -> tuple[object, ...]:
    """Return a revision as lua/steering/revise.lua takes it."""
    return (
        revision.to.state.value,
        revision.rows.decode(),
        revision.steering.decode(),
        revision.closes or revision.given_back,
        revision.lost,
        False if revision.uses is None else revision.uses,
        revision.written,
        revision.goes_to or False,
        revision.life,
        revision.joins or False,
    )


def begun(captured: Captured, life: Life, steering: Steering) -> bytes:
    """Return what an order begins with as lua/capture.lua takes it; blank if that is nothing."""
    if life == NO_LIFE and steering == NO_STEERING:
        return b""
    order = Order(captured=captured, state=OrderState.CAPTURED, steering=steering, life=life)
    said = b"" if steering == NO_STEERING else steering_document(steering)
    return _pack((*kept_life(order), said.decode()))


def changed_or(error: StoreReplyError) -> Exception:
    """Return OrderChanged if that is what the store says, else what it said."""
    return OrderChanged() if "REVISED" in str(error) else error


async def scored_orders(client: StoreClient, name: str, limit: int, after: float) -> list[tuple[str, float]]:
    """Return the orders of a sorted set of one partition after a score, and all of the last score among them."""
    found = await client.call("ZRANGEBYSCORE", name, f"({after:.0f}", "+inf", "WITHSCORES", "LIMIT", 0, limit)
    pairs = _pairs(found)
    if len(pairs) == limit:
        last = pairs[-1][1]
        more = _pairs(await client.call("ZRANGEBYSCORE", name, f"{last:.0f}", f"{last:.0f}", "WITHSCORES"))
        pairs = [*(pair for pair in pairs if pair[1] < last), *more]
    return pairs


def _pairs(found: Sequence[Any]) -> list[tuple[str, float]]:
    """Return names and scores, as RESP2 or RESP3 have them."""
    if found and isinstance(found[0], list):
        return [(name.decode(), float(score)) for name, score in found]
    return [(name.decode(), float(score)) for name, score in zip(found[::2], found[1::2], strict=True)]


def _packed(
    allocations: Sequence[OrderAllocation],
    *,
    limits: Mapping[str, tuple[int, int]],
    today: Mapping[str, date],
    buffers: Kept | None,
) -> list[bytes]:
    """Return allocations as lua/commit.lua takes them, `_CHUNK` orders each."""
    batches = []
    for start in range(0, len(allocations), _CHUNK):
        entries = [entry_of(allocation) for allocation in allocations[start : start + _CHUNK]]
        kept = [by_sku(kept_of(entries, buffers))] if buffers else []
        batches.append(_pack(([entry.packed() for entry in entries], limits, today_of(entries, today), *kept)))
    return batches


def limits_of(capacities: Mapping[str, NodeCapacity]) -> dict[str, tuple[int, int]]:
    """Return capacities as lua/capacity.lua takes them: units and parcels, -1 where there is no limit."""
    return {
        node_id: (-1 if limit.units is None else limit.units, -1 if limit.parcels is None else limit.parcels)
        for node_id, limit in capacities.items()
    }


def kept_of(entries: Sequence[Entry], buffers: Kept) -> Kept:
    """Return what is kept back of the positions that some allocations are on."""
    places = {line[:2] for entry in entries for line in entry.lines}
    return {place: buffers[place] for place in places if place in buffers}
