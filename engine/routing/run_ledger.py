"""What a run has decided, kept before it is committed: whoever takes the run up goes on from there.

A run commits what was kept, and nothing else; so a run that is taken up commits the same plan, and solves only what
nobody had solved. Kept are the turns with their orders, and each solve as a step. Not here: where it lies
(run_store.py), committing (routing_turns.py).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from engine.routing.model import OrderAllocation
from engine.routing.run_model import Unrouted
from engine.routing.run_store import RunStore

_START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Which orders a run routes, turn by turn (a channel, or None, and order ids), and what it left out at once."""

    turns: tuple[tuple[str | None, tuple[str, ...]], ...]
    left_out: tuple[Unrouted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one solve decided; `today` is the day ordinal at each node for which it was made."""

    allocations: tuple[OrderAllocation, ...]
    unrouted: tuple[Unrouted, ...]
    summary: Mapping[str, Any]
    today: Mapping[str, int]

    @property
    def order_ids(self) -> frozenset[str]:
        """The orders that were decided on, or left for a reason."""
        routed = (each.order_id for each in self.allocations)
        return frozenset(routed).union(each.order_id for each in self.unrouted)


T = TypeVar("T", Start, Step)
_encode = msgspec.msgpack.Encoder().encode


class RunLedger:
    """The steps of one run, as whoever took it up with `epoch` keeps them."""

    def __init__(self, store: RunStore, run_id: str, epoch: int, kept: Mapping[str, bytes], *, is_kept: bool) -> None:
        self._store, self._run_id, self._epoch, self._is_kept = store, run_id, epoch, is_kept
        self._start = _decoded(kept.get(_START), Start)
        self._steps = {name: step for name, body in kept.items() if name != _START and (step := _decoded(body, Step))}

    @property
    def epoch(self) -> int:
        """How often the run was taken up."""
        return self._epoch

    @property
    def start(self) -> Start | None:
        """What the run began with, if it has begun."""
        return self._start

    def steps(self, turn: int) -> Sequence[Step]:
        """Return the steps of a turn that were kept before, in order."""
        found: list[Step] = []
        while (step := self._steps.get(f"{turn}:{len(found)}")) is not None:
            found.append(step)
        return found

    async def begin(self, start: Start) -> None:
        """Keep what the run begins with; raises LeaseLost."""
        await self._keep(_START, start)

    async def keep(self, turn: int, number: int, step: Step) -> None:
        """Keep step `number` (from 0) of a turn; raises LeaseLost."""
        await self._keep(f"{turn}:{number}", step)

    async def _keep(self, name: str, entry: Start | Step) -> None:
        if self._is_kept:
            body = await asyncio.to_thread(_compressed, entry)
            await self._store.keep_step(self._run_id, self._epoch, name, body)


def _compressed(entry: Start | Step) -> bytes:
    return zlib.compress(_encode(entry), 1)


def _decoded(body: bytes | None, kind: type[T]) -> T | None:
    """Return an entry; None if there is none, or it was kept by a version that wrote it in another form."""
    if body is None:
        return None
    try:
        return msgspec.msgpack.decode(zlib.decompress(body), type=kind)
    except (msgspec.MsgspecError, zlib.error):
        return None
