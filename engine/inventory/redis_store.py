"""The InventoryStore on Redis or Valkey: every change is one call of a function of lua/, every read is one MGET.

Not here: the rules (they are in lua/), and the wording of refusals (replies.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np

from engine.inventory.model import (
    KINDS,
    SCHEDULED,
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
from engine.inventory.redis_records import call_once, find
from engine.inventory.replies import value_of
from engine.inventory.view import BYTES_PER_NODE, unpack_view
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys

_LUA = files("engine.inventory") / "lua"
_SHARED = ("cells", "schedule", "atp", "demand", "reservations", "commit", "replies")
SNIPPETS = [_LUA / f"{name}.lua" for name in _SHARED]
"""What another library that changes stock includes, in this order, after REPLAY."""
_FUNCTIONS = (
    "put_positions",
    "adjust",
    "put_supplies",
    "hold",
    "confirm",
    "part",
    "cancel",
    "extend",
    "consume",
    "get_reservation",
    "sweep",
    "remember",
)
LIBRARY = library("inventory", 1, [REPLAY, *SNIPPETS, *(_LUA / f"{name}.lua" for name in _FUNCTIONS)])

_MGET_SKUS = 1000
_SWEEP_STEP = 200
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class RedisInventoryStore:
    """Live stock of one tenant and partition; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._node_ids: tuple[str, ...] = ()
        self._epoch = 0

    async def put_positions(self, counts: Sequence[PositionCount]) -> list[Position]:
        """Set counts, all or none."""
        rows = [
            (
                count.node_id,
                count.sku,
                count.on_hand,
                count.safety_stock,
                -1 if count.expected_version is None else count.expected_version,
            )
            for count in counts
        ]
        return list((await self._change("allot_put_positions_v1", None, _pack(rows))).value)

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Add deltas to on_hand, all or none."""
        rows = [(change.node_id, change.sku, change.delta) for change in adjustments]
        return await self._change("allot_adjust_v1", replay, _pack(rows))

    async def put_supplies(self, supplies: Sequence[Supply]) -> None:
        """Add, change, re-date or remove supplies."""
        rows = [
            (supply.supply_id, supply.node_id, supply.sku, supply.quantity, supply.expected_on.toordinal())
            for supply in supplies
        ]
        await self._change("allot_put_supplies_v1", None, _pack(rows))

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`: one MGET, and the node names again only if there are new ones."""
        keys, count = self._keys, len(skus)
        parts = ["MGET", keys.stock_epoch]
        parts += [keys.stock(sku) for sku in skus]
        parts += [keys.schedule(sku) for sku in skus]
        found = await self._client.call(*parts)
        stock = found[1 : count + 1]
        schedules = {i: packed for i, packed in enumerate(found[count + 1 :]) if packed is not None}
        return await self._view(found[0], tuple(skus), stock, schedules)

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU; read in parts, so not of one instant."""
        epoch, members = await self._client.pipeline([("GET", self._keys.stock_epoch), ("SMEMBERS", self._keys.skus)])
        skus = tuple(sorted(member.decode() for member in members))
        stock = await self._gather([self._keys.stock(sku) for sku in skus])
        scheduled = [i for i, packed in enumerate(stock) if packed is not None and _has_schedule(packed)]
        packed_schedules = await self._gather([self._keys.schedule(skus[i]) for i in scheduled])
        schedules = {i: packed for i, packed in zip(scheduled, packed_schedules, strict=True) if packed is not None}
        return await self._view(epoch, skus, stock, schedules)

    async def hold(self, hold: Hold, *, today: Mapping[str, int], replay: Replay | None = None) -> Outcome[Reservation]:
        """Hold all lines or none."""
        about = (
            {line.node_id: today[line.node_id] for line in hold.lines},
            False if hold.reference is None else hold.reference,
            False if hold.channel is None else hold.channel,
            0 if hold.promised_on is None else hold.promised_on.toordinal(),
        )
        lifetime = round(hold.ttl_seconds * 1000)
        return await self._change(
            "allot_hold_v1", replay, hold.reservation_id, lifetime, _pack_lines(hold.lines), _pack(about)
        )

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent."""
        return await self._change("allot_confirm_v1", replay, reservation_id)

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back."""
        return await self._change("allot_cancel_v1", replay, reservation_id, _pack_lines(lines or ()))

    async def extend(
        self, reservation_id: str, ttl_seconds: float, *, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold."""
        return await self._change("allot_extend_v1", replay, reservation_id, round(ttl_seconds * 1000))

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Take units that have left off on_hand and reserved."""
        return await self._change("allot_consume_v1", replay, reservation_id, _pack_lines(lines or ()))

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
            count = int(await self._client.fcall("allot_sweep_v1", [self._keys.deadlines], [step]))
            swept += count
            if count < step:
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
        replayed, reply = await call_once(self._client, self._keys, function, key, replay, *args)
        return Outcome(value=value_of(reply, replayed=replayed), replayed=replayed)

    async def _gather(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of many keys, a bounded number of them per command."""
        parts = [("MGET", *keys[start : start + _MGET_SKUS]) for start in range(0, len(keys), _MGET_SKUS)]
        return [value for values in await self._client.pipeline(parts) for value in values]

    async def _view(
        self,
        packed_epoch: bytes | None,
        skus: tuple[str, ...],
        stock: Sequence[bytes | None],
        schedules: dict[int, bytes],
    ) -> StockView:
        """Return the view, after asking for the node names if a string has more slots than are known.

        Slots are append-only, so known names stay right; an epoch that goes back means that the data was replaced.
        """
        epoch = int(packed_epoch or 0)
        longest = max((len(packed) for packed in stock if packed), default=0) // BYTES_PER_NODE
        if longest > len(self._node_ids) or epoch < self._epoch:
            self._node_ids = _names(await self._client.call("HGETALL", self._keys.slots))
        self._epoch = epoch
        return unpack_view(epoch=epoch, node_ids=self._node_ids, skus=skus, stock=stock, schedules=schedules)


def _pack_lines(lines: Iterable[HoldLine]) -> bytes:
    return _pack(
        [(line.sku, line.node_id, line.quantity, line.ship_on.toordinal() if line.ship_on else 0) for line in lines]
    )


def _has_schedule(packed: bytes) -> bool:
    return bool(np.frombuffer(packed, dtype=">u4").reshape(-1, KINDS)[:, SCHEDULED].any())


def _names(pairs: Sequence[bytes]) -> tuple[str, ...]:
    """Return the node ids of HGETALL slots, in slot order."""
    by_slot = {int(slot): node_id.decode() for node_id, slot in zip(pairs[::2], pairs[1::2], strict=True)}
    return tuple(by_slot[slot] for slot in range(len(by_slot)))
