"""The OrderStore of a store in several partitions: an order is at home in one, its stock may lie in all.

What one order goes through is decided by one call at its home; what lies elsewhere follows it, as the parts of
reservations do. Not here: where its home is (places.py), and commits (partitioned_commit.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

import msgspec

from engine.errors import Unavailable
from engine.inventory.buffers import Kept
from engine.inventory.claims import Claim, Claims
from engine.inventory.followers import PATIENCE_SECONDS, Followers
from engine.inventory.model import Outcome, Replay
from engine.inventory.partition import Partition
from engine.inventory.redis_hold_rows import by_sku
from engine.inventory.redis_store import SNIPPETS
from engine.orders.batch import check_allocations, entry_of, today_of
from engine.orders.clearing import Clearing
from engine.orders.life import NO_LIFE, Life
from engine.orders.model import Captured, HistoryEntry, NewOrder, Order
from engine.orders.open import open_order
from engine.orders.partitioned_commit import AGAIN, PartitionedCommit, Setting
from engine.orders.partitioned_reads import KnownOrder, done_by, known_orders
from engine.orders.partitioned_revisions import LIBRARY as STEERING_OVER_LIBRARY
from engine.orders.partitioned_revisions import PartitionedRevisions
from engine.orders.partitioned_uses import DROP, PartitionedUses
from engine.orders.places import Places
from engine.orders.records import captured_of, demand_of, document, fingerprint
from engine.orders.redis_store import RedisOrderStore, begun, kept_of, limits_of, scored_orders
from engine.orders.replies import Reply, cancel_outcome, capture_outcome, revision_outcome, unknown_orders, verdict_of
from engine.orders.revising import Revision
from engine.orders.steering import NO_STEERING, Steering
from engine.routing.model import NodeCapacity, OpenOrder, OrderAllocation, UsedCapacity, Verdict, VerdictOutcome
from engine.storage.client import StoreClient
from engine.storage.functions import REPLAY, library

_LUA = files("engine.orders") / "lua"
_FUNCTIONS = ("own", "place", "capture", "cancel", "read", "try_orders", "uses", "decide")
LIBRARY = library(
    "orders_over",
    1,
    [
        REPLAY,
        *SNIPPETS,
        files("engine.inventory") / "lua" / "part.lua",
        _LUA / "orders.lua",
        _LUA / "fence.lua",
        _LUA / "capacity.lua",
        _LUA / "steering" / "use_at.lua",
        *(_LUA / "partitions" / f"{name}.lua" for name in _FUNCTIONS),
    ],
)
LIBRARIES = (LIBRARY, STEERING_OVER_LIBRARY)
"""Needed beside the inventory's, and those of its partitions."""

_unpack = msgspec.msgpack.Decoder(list[str]).decode
_CHUNK, _READ_AT_ONCE = 250, 100
_TRIES = 4


class PartitionedOrderStore:
    """The orders of one tenant in `number` partitions; `patience_seconds` as for PartitionedInventoryStore."""

    moves_stock = False

    def __init__(
        self, client: StoreClient, tenant: str, number: int, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._all = [Partition(client, tenant, each) for each in range(number)]
        self._at = [RedisOrderStore(client, each.keys) for each in self._all]
        self._places, self._claims = Places(self._all), Claims(self._all)
        self._followers = Followers(self._all, patience_seconds=patience_seconds)
        self._uses = PartitionedUses(self._all, self._followers)
        self._commits = PartitionedCommit(self._all, self._followers, self._uses)
        self._revisions = PartitionedRevisions(self._all, self._places, self._claims, self._followers, self._uses)

    async def capture(
        self,
        captured: Captured,
        *,
        life: Life = NO_LIFE,
        steering: Steering = NO_STEERING,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Keep a new order, at home with its reservation; a retry takes over the id of the first request."""
        reservation_id, partition = captured.reservation_id or "", None
        if replay is not None:
            claim = await self._claim(replay, captured)
            if claim.reply is not None:
                return capture_outcome(claim.reply, claim.reservation_id, reservation_id, replayed=True)
            captured, partition = replace(captured, order_id=claim.reservation_id), claim.partition
        replayed, reply = await self._places.capture(
            captured.order_id,
            reservation_id,
            partition,
            replay,
            document(captured),
            fingerprint(captured),
            demand_of(captured.demand),
            captured.channel,
            reservation_id,
            life=begun(captured, life, steering),
        )
        outcome = capture_outcome(reply, captured.order_id, reservation_id, replayed=replayed)
        if replayed or outcome.value.run_id is None:
            return outcome
        return replace(outcome, value=await self.get(captured.order_id))  # it was captured before

    async def recall(self, replay: Replay, order: NewOrder) -> Outcome[Order] | None:
        """Return or raise what a capture was answered."""
        claim = await self._claims.look(replay)
        if claim is None or claim.reply is None:
            return None
        return capture_outcome(claim.reply, order.order_id or "", order.reservation_id or "", replayed=True)

    async def recall_revision(self, replay: Replay, order_id: str) -> Outcome[Order] | None:
        """Return or raise what a revision was answered."""
        claim = await self._claims.look(replay)
        if claim is None or claim.reply is None:
            return None
        return revision_outcome(claim.reply, order_id, replayed=True)

    async def get(self, order_id: str) -> Order:
        """Return an order, from its home."""
        home = await self._places.of(order_id)
        order = await self._at[home.number].get(order_id)
        packed = await home.client.call("HGET", home.keys.order(order_id), "waiting")
        return replace(order, waiting_reservation_ids=tuple(_unpack(packed))) if packed else order

    async def history(self, order_id: str) -> list[HistoryEntry]:
        """Return the steps of an order."""
        return await self._at[(await self._places.of(order_id)).number].history(order_id)

    async def cancel(self, order_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Cancel an order; its stock and capacity elsewhere follow."""
        home = await self._places.of(order_id)
        if replay is not None:
            claim = await self._claims.claim(replay, home.number)
            if claim.reply is not None:
                return cancel_outcome(claim.reply, order_id, replayed=True)
            home = self._all[claim.partition]
        replayed, reply = await home.change("allot_cancel_order_over_v1", replay, order_id)
        if not replayed:
            await self._let_go(home, reply)
        return cancel_outcome(reply, order_id, replayed=replayed)

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        """Return the open orders, all or those of `order_ids`; all of them by when they were captured."""
        if order_ids is not None:
            pairs = list(zip(order_ids, await self._known(order_ids), strict=True))
        else:
            pairs = await self._all_open()
        found: list[OpenOrder | None] = []
        for start in range(0, len(pairs), _READ_AT_ONCE):
            await asyncio.sleep(0)  # requests go between
            found += [
                open_order(name, each.state, each.doc, each.own_lines, each.steering, each.rows)
                for name, each in pairs[start : start + _READ_AT_ONCE]
            ]
        return [order for order in found if order is not None]

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        """Return what committed allocations use on `days`."""
        return await self._at[0].used_capacity(days)

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
        """Commit each order of a run; `_CHUNK` orders a call of each partition."""
        order_ids = [allocation.order_id for allocation in allocations]
        homes = [each.number for each in await self._places.of_many(order_ids)]
        known = await known_orders(self._all, order_ids, homes)
        demands = [each.demand_at(asked.revision) for each, asked in zip(known, allocations, strict=True)]
        await asyncio.to_thread(check_allocations, allocations, demands)
        # Only whoever takes a run up again can find orders done; their lines must not be tried once more.
        done = await done_by(self._all, run_id, order_ids, homes) if epoch > 1 else frozenset[str]()
        left = [index for index, order_id in enumerate(order_ids) if order_id not in done]
        verdicts = {order_id: Verdict(order_id=order_id, outcome=VerdictOutcome.COMMITTED) for order_id in done}
        for start in range(0, len(left), _CHUNK):
            some = left[start : start + _CHUNK]
            entries, looked = [allocations[index] for index in some], [known[index] for index in some]
            replies = await self._commit((run_id, epoch), entries, looked, capacities, today, buffers or {})
            for entry, reply in zip(entries, replies, strict=True):
                verdicts[entry.order_id] = verdict_of(entry.order_id, reply)
        return [verdicts[order_id] for order_id in order_ids]

    async def fence(self, run_id: str, epoch: int) -> None:
        """Refuse commits of a run with an earlier epoch from now on, in every partition."""
        calls = (
            each.client.fcall("allot_fence_run_v1", [each.keys.open_orders], [run_id, epoch]) for each in self._all
        )
        await asyncio.gather(*calls)

    async def revise(self, revision: Revision, *, replay: Replay | None = None) -> Outcome[Order]:
        """Change an order as nodes or people have said; its stock and capacity elsewhere follow."""
        return await self._revisions.revise(revision, replay)

    async def clear(self, clearings: Sequence[Clearing]) -> list[str]:
        """Take what is personal out of orders, each at its home."""
        moved = []
        for each in clearings:
            home = await self._places.of(each.seen.order_id)
            moved += await self._at[home.number].clear([each])
        return moved

    async def clear_answers(self, orders: Sequence[Order]) -> None:
        """Take what is personal out of what was answered of orders, in every partition."""
        await asyncio.gather(*(each.clear_answers(orders) for each in self._at))

    async def allocated(self, limit: int, *, after_ms: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run has decided on, of all partitions up to the same moment."""
        return await self._merged([(each, each.keys.named("allocated")) for each in self._all], limit, after_ms)

    async def open_ids(self, limit: int, *, after: float = 0) -> list[tuple[str, float]]:
        """Return orders that a run may take, of all partitions up to the same number."""
        return await self._merged([(each, each.keys.open_orders) for each in self._all], limit, after)

    async def _merged(self, sets: Sequence[tuple[Partition, str]], limit: int, after: float) -> list[tuple[str, float]]:
        found = await asyncio.gather(*(scored_orders(each.client, name, limit, after) for each, name in sets))
        last = min((pairs[-1][1] for pairs in found if len(pairs) >= limit), default=float("inf"))
        return sorted(
            (pair for pairs in found for pair in pairs if pair[1] <= last), key=lambda pair: (pair[1], pair[0])
        )

    async def effects_due(self, now_ms: float, limit: int) -> list[str]:
        """Return orders that have something to be done elsewhere, of all partitions."""
        found = await asyncio.gather(*(each.effects_due(now_ms, limit) for each in self._at))
        return [order_id for some in found for order_id in some]

    async def node_work(self, node_id: str, limit: int, *, after: str = "") -> list[str]:
        """Return orders that have shipments with a node, of all partitions."""
        found = await asyncio.gather(*(each.node_work(node_id, limit, after=after) for each in self._at))
        return sorted((place for some in found for place in some), key=str.encode)[:limit]

    async def sweep(self, limit: int = 1000) -> None:
        """Finish what commits and cancellations have left over; the parts of reservations are the inventory's."""
        await self._uses.sweep(limit)

    async def _commit(
        self,
        run: tuple[str, int],
        allocations: Sequence[OrderAllocation],
        known: Sequence[KnownOrder],
        capacities: Mapping[str, NodeCapacity],
        today: Mapping[str, date],
        buffers: Kept,
    ) -> list[Sequence[Any]]:
        """Return the reply for each allocation; those whose order has changed meanwhile are tried again."""
        found: list[Sequence[Any]] = [("gone",) if not each.state else AGAIN for each in known]
        looked, left = list(known), [index for index, each in enumerate(known) if each.state]
        for number in range(_TRIES):
            if number:
                fresh = await known_orders(
                    self._all, [allocations[i].order_id for i in left], [looked[i].home for i in left]
                )
                for index, order in zip(left, fresh, strict=True):
                    looked[index] = order
            entries = [entry_of(allocations[i]) for i in left]
            setting = Setting(
                run_id=run[0],
                epoch=run[1],
                limits=limits_of(capacities),
                today=today_of(entries, today),
                buffers=by_sku(kept_of(entries, buffers)),
            )
            channels = [captured_of(looked[i].doc).channel for i in left]
            replies = await self._commits.commit(setting, entries, [looked[i] for i in left], channels)
            for index, reply in zip(left, replies, strict=True):
                found[index] = reply
            # What is short may have been what others held for a moment, or have given back since.
            missed = {"again", "moved"} if number == 0 else {"again"}
            left = [index for index in left if found[index][0] in missed]
            if not left:
                return found
        raise Unavailable("Orders of the run are being changed by other calls. Commit it again.")

    async def _claim(self, replay: Replay, captured: Captured) -> Claim:
        """Return where a key is answered, and under which order id: those of its first request."""
        claim = await self._claims.look(replay)
        if claim is None:
            at = await self._places.of_new(captured.order_id, captured.reservation_id or "")
            claim = await self._claims.claim(replay, int(at.split()[0]), captured.order_id)
        return claim

    async def _known(self, order_ids: Sequence[str]) -> list[KnownOrder]:
        homes = [each.number for each in await self._places.of_many(order_ids)]
        known = await known_orders(self._all, order_ids, homes)
        unknown = [order_id for order_id, each in zip(order_ids, known, strict=True) if not each.state]
        if unknown:
            raise unknown_orders(unknown)
        return known

    async def _all_open(self) -> list[tuple[str, KnownOrder]]:
        listed = await asyncio.gather(*(each.client.call("ZRANGE", each.keys.open_orders, 0, -1) for each in self._all))
        pairs = [(name.decode(), home) for home, names in enumerate(listed) for name in names]
        known = await known_orders(self._all, [name for name, _ in pairs], [home for _, home in pairs])
        order = sorted(range(len(pairs)), key=lambda index: (known[index].seq, pairs[index][0]))
        return [(pairs[index][0], known[index]) for index in order]

    async def _let_go(self, home: Partition, reply: Reply) -> None:
        """Let parts and uses follow the cancellation of an order; what cannot be reached now is the sweeper's."""
        if reply[0] != "cancelled" or len(reply) < 5:  # it was cancelled before
            return
        _, _, _, names, uses = reply
        try:
            for name in names:
                await self._followers.settle(name, await self._followers.ask(name), "cancel_order")
            await self._uses.settle([(uses, DROP)] if uses else [], home)
        except Unavailable:
            return
