"""What a routing run decided, kept so that any of its orders can be explained: the solved batches, as compressed blobs.

An explanation is made when somebody asks, by the code that explains problem folders. What is kept of a solved batch is
one *ground* (network, stock, prices, what the plan left) and its orders with their rows of the plan, `CHUNK_ORDERS` at
a time; a run has one such batch per turn and round. Blobs are immutable and go after a time. The index of a run is
written last, so an order is found with all that belongs to it, or not at all. Not here: explaining (explaining.py),
where blobs lie (explained_blobs.py).
"""

from __future__ import annotations

import asyncio
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import numpy as np

from engine.routing.decision import Decision, Left, ShadowPrices, Withheld, decision_of, orders_of
from engine.routing.explained_blobs import Blobs
from engine.routing.explanation import BrokenLimit, OverHub
from engine.routing.relaxing import Relaxed
from solvers.problem import IntArray, Orders, RoutingProblem

CHUNK_ORDERS = 1_000
_NARROW = (np.int8, np.int16, np.int32)
_MOST_DECODED = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A solved batch as it is to be explained; `rows` are line, node and units of the plan, sorted by line."""

    at: datetime
    problem: RoutingProblem
    line_ids: tuple[str, ...]
    rows: tuple[IntArray, IntArray, IntArray]
    hand_over: IntArray
    left: Left
    prices: ShadowPrices
    withheld: Mapping[tuple[int, int], Withheld]
    kits: IntArray
    """See `Decision`."""
    relaxed: Sequence[Relaxed] = ()
    over_hub: Mapping[str, OverHub] = field(default_factory=dict)
    """By order id."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A decision on an order, and when it was made."""

    decision: Decision
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ground:
    at: datetime
    problem: RoutingProblem
    """Without orders."""
    hand_over: IntArray
    left: Left
    prices: ShadowPrices
    withheld: tuple[tuple[int, int, Withheld], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chunk:
    orders: Orders
    line_ids: tuple[str, ...]
    line: IntArray
    node: IntArray
    quantity: IntArray
    kits: IntArray
    relaxed: tuple[tuple[str, BrokenLimit], ...]
    """By order id."""
    over_hub: dict[str, OverHub] = field(default_factory=dict)


K = TypeVar("K", _Ground, _Chunk)


class ExplainedRuns:
    """Keeps solved batches by run, and finds the decision on an order again."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._decoded: dict[str, _Ground | _Chunk] = {}

    @property
    def are_kept(self) -> bool:
        """Whether anything is kept at all."""
        return self._blobs.are_kept

    async def keep(self, run_id: str, number: int, solved: Solved) -> None:
        """Keep batch `number` (from 0) of a run; raises Unavailable."""
        if not self._blobs.are_kept:
            return
        blobs, firsts = await asyncio.to_thread(_packed, solved)
        index = [] if number == 0 else await self._index(run_id)
        await asyncio.gather(*(self._blobs.put(f"batch:{run_id}:{number}{name}", body) for name, body in blobs.items()))
        await self._blobs.put(f"run:{run_id}", msgspec.json.encode([*index[:number], firsts]))

    async def leave(self, run_id: str, order_ids: Sequence[str]) -> None:
        """Remember that a run looked at these orders and left them open."""
        if self._blobs.are_kept:
            await asyncio.gather(*(self._blobs.put(f"left:{order_id}", run_id.encode()) for order_id in order_ids))

    async def left_by(self, order_id: str) -> str | None:
        """Return the last run that looked at an order and left it open, if that is still known."""
        found = await self._blobs.get(f"left:{order_id}")
        return None if found is None else found.decode()

    async def find(self, run_id: str, order_id: str) -> Found | None:
        """Return the last decision of a run on an order; None if it made none, or it is not kept any more."""
        index = await self._index(run_id)
        for number in range(len(index) - 1, -1, -1):
            chunk_number = bisect_right(index[number], order_id) - 1
            if chunk_number < 0:
                continue
            chunk = await self._read(f"batch:{run_id}:{number}:{chunk_number}", _Chunk)
            if chunk is None or order_id not in chunk.orders.order_ids:
                continue
            ground = await self._read(f"batch:{run_id}:{number}", _Ground)
            return None if ground is None else await asyncio.to_thread(_found, ground, chunk, order_id)
        return None

    async def _index(self, run_id: str) -> list[list[str]]:
        """Return the first order of every chunk, of every batch of a run."""
        body = await self._blobs.get(f"run:{run_id}")
        return [] if body is None else msgspec.json.decode(body, type=list[list[str]])

    async def _read(self, name: str, kind: type[K]) -> K | None:
        known: Any = self._decoded.get(name)
        if known is None:
            body = await self._blobs.get(name)
            if body is None:
                return None
            try:
                known = await asyncio.to_thread(_unpacked, body, kind)
            except msgspec.MsgspecError:  # kept before an upgrade that changed the form
                return None
            self._decoded[name] = known
            while len(self._decoded) > _MOST_DECODED:
                del self._decoded[next(iter(self._decoded))]
        assert isinstance(known, kind)
        return known


def _packed(solved: Solved) -> tuple[dict[str, bytes], list[str]]:
    """Return the blobs of a batch by the end of their names, and the first order of every chunk."""
    problem, (line, node, quantity) = solved.problem, solved.rows
    starts = range(0, problem.order_count, CHUNK_ORDERS)
    ground = _Ground(
        at=solved.at,
        problem=replace(problem, orders=orders_of(problem.orders, 0, 0)),
        hand_over=solved.hand_over,
        left=solved.left,
        prices=solved.prices,
        withheld=tuple((sku, at, held) for (sku, at), held in solved.withheld.items()),
    )
    blobs = {"": _compressed(ground)}
    for number, start in enumerate(starts):
        end = min(start + CHUNK_ORDERS, problem.order_count)
        first, last = int(problem.orders.line_start[start]), int(problem.orders.line_start[end])
        begin, stop = np.searchsorted(line, [first, last]).tolist()
        order_ids = set(problem.orders.order_ids[start:end])
        chunk = _Chunk(
            orders=orders_of(problem.orders, start, end),
            line_ids=solved.line_ids[first:last],
            line=line[begin:stop] - first,
            node=node[begin:stop],
            quantity=quantity[begin:stop],
            kits=solved.kits[first:last],
            relaxed=tuple(_limit(each) for each in solved.relaxed if each.order_id in order_ids),
            over_hub={order_id: told for order_id, told in solved.over_hub.items() if order_id in order_ids},
        )
        blobs[f":{number}"] = _compressed(chunk)
    return blobs, [problem.orders.order_ids[start] for start in starts]


def _found(ground: _Ground, chunk: _Chunk, order_id: str) -> Found:
    decision = decision_of(
        replace(ground.problem, orders=chunk.orders),
        chunk.orders.order_ids.index(order_id),
        (chunk.line, chunk.node, chunk.quantity),
        ground.left,
        ground.prices,
        line_ids=chunk.line_ids,
        hand_over=ground.hand_over,
        withheld={(sku, node): held for sku, node, held in ground.withheld},
        kits=chunk.kits,
        relaxed=tuple(limit for owner, limit in chunk.relaxed if owner == order_id),
        over_hub=chunk.over_hub.get(order_id),
    )
    return Found(decision=decision, at=ground.at)


def _limit(broken: Relaxed) -> tuple[str, BrokenLimit]:
    limit = BrokenLimit(
        constraint=broken.constraint, cost_cents=broken.cost_cents, line_id=broken.line_id, node_id=broken.node_id
    )
    return broken.order_id, limit


def _plain(value: Any) -> Any:
    """Return an array as (type, shape, bytes), integers as narrow as they fit."""
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(type(value))
    if value.dtype == np.int64 and value.size:
        least, most = int(value.min()), int(value.max())
        fits = (t for t in _NARROW if np.iinfo(t).min <= least and most <= np.iinfo(t).max)
        value = value.astype(next(fits, np.int64))
    return value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()


def _array(_: type, value: Any) -> Any:
    array = np.frombuffer(value[2], value[0]).reshape(value[1])
    return array.astype(np.int64) if array.dtype.kind == "i" else array


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_decoders: dict[type, Any] = {kind: msgspec.msgpack.Decoder(kind, dec_hook=_array).decode for kind in (_Ground, _Chunk)}


def _compressed(record: _Ground | _Chunk) -> bytes:
    return zlib.compress(_encode(record), 1)


def _unpacked(body: bytes, kind: type) -> Any:
    return _decoders[kind](zlib.decompress(body))
