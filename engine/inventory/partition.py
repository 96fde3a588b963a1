"""One partition of several: its keys, its client, and the calls of lua/partitions and lua/spreads, a step each.

Not here: what is done over several of them (partitioned_*.py). Every method may raise Unavailable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec

from engine.events.actor import actor
from engine.inventory.model import Replay
from engine.inventory.partitions import Row, Truth, truth_of
from engine.inventory.redis_records import call_once, record_of
from engine.inventory.redis_store import CHANGES_OF_POSITIONS, SNIPPETS, RedisInventoryStore
from engine.inventory.replies import Reply
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys

_LUA = files("engine.inventory") / "lua"
_FUNCTIONS = (
    "try_part",
    "hold_parts",
    "commit_hold",
    "follow",
    "tell_truth",
    "finish",
    "redate",
    "due_parts",
    "short_here",
)
LIBRARY = library(
    "partitions",
    1,
    [REPLAY, *SNIPPETS, _LUA / "part.lua", *(_LUA / "partitions" / f"{name}.lua" for name in _FUNCTIONS)],
)
_SPREAD_FUNCTIONS = ("begin_spread", "judge_spread", "end_spread", "forgo_spread", "spread")
SPREADS_LIBRARY = library(
    "spreads",
    1,
    [
        REPLAY,
        *SNIPPETS,
        *(_LUA / "spreads" / f"{name}.lua" for name in _SPREAD_FUNCTIONS),
        *(_LUA / f"{name}.lua" for name in CHANGES_OF_POSITIONS),
    ],
)
LIBRARIES = (LIBRARY, SPREADS_LIBRARY)
"""Needed beside the inventory's own where there are several partitions."""

_REFUSED, _IS_AWAITED, _AWAITS = 2, 3, 4
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePart:
    """A part whose home has to be asked; `home` is -1 if there is none after all."""

    reservation_id: str
    home: int
    token: str
    tried_at: int
    is_patience_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a partition said to a change of positions; with `awaited` spreads, nothing was done."""

    was_made: bool = False
    is_refused: bool = False
    reply: Reply = ()
    awaited: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a hold is checked against beside stock: the day at each node, and units kept back by SKU and node."""

    today: Mapping[str, int]
    buffers: Mapping[str, Mapping[str, int]]


class Partition:
    """The partition `number` of a tenant; `store` is the whole store that it is to itself."""

    def __init__(self, client: StoreClient, tenant: str, number: int) -> None:
        self.number = number
        self.client = client
        self.keys = Keys(tenant, number)
        self.store = RedisInventoryStore(client, self.keys)

    async def change(self, function: str, replay: Replay | None, *args: Part) -> tuple[bool, Reply]:
        """Call a function of the inventory that changes something; return whether it was answered before."""
        return await call_once(self.client, self.keys, function, self.keys.deadlines, replay, actor(), *args)

    async def check(self, function: str, *args: Part) -> Any:
        """Ask whether such a call could be done; raises StoreReplyError CHECKED if nothing stands in its way."""
        keys = [self.keys.no_replay, self.keys.check_only]
        return _unpack((await self.client.fcall(function, keys, ["", actor(), *args]))[1])

    async def hold_parts(self, act: str, rows: Sequence[tuple[object, object]], context: Context) -> list[Reply]:
        """Hold parts, and whole reservations that are at home here; one verdict each."""
        packed = _pack((rows, context.today, context.buffers))
        verdicts: list[Reply] = await self._call("allot_hold_parts_v1", actor(), act, packed)
        return verdicts

    async def commit_hold(
        self,
        row: object,
        context: Context,
        crossing: tuple[object, ...],
        mode: str,
        replay: Replay | None,
    ) -> tuple[bool, Reply]:
        """Make a reservation that is at home here; see lua/partitions/commit_hold.lua."""
        packed = [_pack(each) for each in (context.today, row, crossing, context.buffers)]
        return await self.change("allot_commit_hold_v1", replay, *packed, mode)

    async def follow(
        self,
        act: str,
        reservation_id: str,
        share: tuple[object, ...],
        leaving: Sequence[Row],
        patience_ms: int,
        *,
        is_check: bool = False,
    ) -> Reply:
        """Bring a part to what its home says, and try to take `leaving` off on_hand, or check whether it could."""
        packed = _pack((share, leaving, patience_ms))
        key = self.keys.check_only if is_check else self.keys.deadlines
        found: Reply = _unpack(
            await self.client.fcall("allot_follow_v1", [key], [actor(), act, reservation_id, packed])
        )
        return found

    async def answer(self, reservation_id: str, token: str, tried_at: int) -> tuple[bool, Truth]:
        """Return whether a deadline was found to have passed just now, and the truth: lua/partitions/tell_truth.lua."""
        has_expired, reply = await self._call("allot_tell_truth_v1", actor(), reservation_id, token, tried_at)
        return bool(has_expired), truth_of(reply, token)

    async def finish(self, reservation_id: str, version: int) -> None:
        """Note that all parts of a reservation at home here have followed to a version."""
        await self.client.fcall("allot_finish_v1", [self.keys.deadlines], [reservation_id, version])

    async def unfinished(self, limit: int) -> list[str]:
        """Return reservations at home here whose parts may be behind, the oldest change first."""
        found = await self.client.call("ZRANGE", self.keys.unfinished, 0, limit - 1)
        return [name.decode() for name in found]

    async def due_parts(self, limit: int) -> list[DuePart]:
        """Return at most `limit` parts whose home has to be asked."""
        found = await self._call("allot_due_parts_v1", limit)
        return [
            DuePart(reservation_id=name, home=home, token=token, tried_at=tried_at, is_patience_over=bool(is_over))
            for name, home, token, tried_at, is_over in found
        ]

    async def forget_due(self, reservation_id: str) -> None:
        """Drop a due entry that no part stands behind."""
        await self.client.call("ZREM", self.keys.parts_due, reservation_id)

    async def short_here(
        self, lines: Sequence[Row], context: Context, channel: str | None
    ) -> tuple[list[Row], list[Row]]:
        """Return which lines cannot be pegged, and which are short for a channel; see lua/partitions/short_here.lua."""
        packed = _pack((lines, context.today, context.buffers, False if channel is None else channel))
        unpeggable, short = await self._call("allot_short_here_v1", packed)
        return unpeggable, short

    async def redate(self, reservation_id: str, rows: Sequence[Row]) -> None:
        """Tell a reservation at home here the days of its lines that wait for supplies elsewhere."""
        await self.client.fcall("allot_redate_v1", [self.keys.deadlines], [reservation_id, _pack(rows)])

    async def spread(
        self, act: str, function: str, spread: str, skus: Sequence[str], replay: Replay | None, *args: Part
    ) -> Counted:
        """Call a change of positions so that it minds what its SKUs await; see lua/spreads/spread.lua."""
        record, fingerprint = record_of(self.keys, replay)
        name = function.replace("allot_", "allot_spread_", 1)
        packed: list[Part] = [fingerprint, act, spread, _pack(skus), actor(), *args]
        kind, reply = await self.client.fcall(name, [record, self.keys.deadlines], packed)
        if kind == _AWAITS:
            return Counted(awaited=_unpack(reply))
        if kind == _IS_AWAITED:
            return Counted()
        return Counted(was_made=kind == 1, is_refused=kind == _REFUSED, reply=_unpack(reply))

    async def begin_spread(self, replay: Replay | None, name: str, calls: bytes) -> tuple[int, Any]:
        """Return 0 if a spread is begun, 1 and its reply if answered before, 2 and the name of an earlier one."""
        record, fingerprint = record_of(self.keys, replay)
        packed: list[Part] = [fingerprint, "" if replay is None else replay.digest, name, calls]
        kind, found = await self.client.fcall("allot_begin_spread_v1", [record, self.keys.deadlines], packed)
        return kind, _unpack(found) if kind == 1 else found.decode()

    async def judge_spread(self, replay: Replay | None, name: str, verdict: bytes, age_ms: int) -> bytes:
        """Decide on a spread that is old enough; return what stands, see lua/spreads/judge_spread.lua."""
        keys = [record_of(self.keys, replay)[0], self.keys.deadlines]
        packed: list[Part] = [name, verdict, age_ms, "" if replay is None else replay.digest]
        found: bytes = await self.client.fcall("allot_judge_spread_v1", keys, packed)
        return found

    async def end_spread(self, name: str, digest: str) -> None:
        """Forget a spread that stands everywhere, or nowhere."""
        await self.client.fcall("allot_end_spread_v1", [self.keys.deadlines], [name, digest])

    async def forgo_spread(self, spread: str, skus: Sequence[str]) -> None:
        """Let SKUs await a spread no more that is not to come."""
        await self.client.fcall("allot_forgo_spread_v1", [self.keys.deadlines], [spread, _pack(skus)])

    async def _call(self, function: str, *args: Part) -> Any:
        return _unpack(await self.client.fcall(function, [self.keys.deadlines], args))
