"""Spreads: changes of positions over several partitions that come in one order with everything else, in each of them.

A spread is begun in one partition, then awaited in each, in ascending order, then decided on, then made in each, once.
The SKUs that await it are changed by nothing else of the kind meanwhile (lua/spreads/spread.lua). Whoever meets one
that is older than its maker may take brings it to its end: it is made if that was decided, else given up. Not here:
what is answered (partitioned_counts.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from time import monotonic
from typing import Any

import msgspec

from engine.errors import StoreReplyError, Unavailable
from engine.events.actor import acting_as
from engine.inventory.model import Replay
from engine.inventory.partition import Counted, Partition
from engine.inventory.replies import Reply

GO, OVER = b"go", b"over"
_BEGUN = b"begun "
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.005, 0.1
_MOST_WAITS = 3
"""So many times its patience a change waits for others."""
_TRIES = 8
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Call(msgspec.Struct, frozen=True, array_like=True):
    """What is to be done in one partition: the rows, their places in the request, and their SKUs."""

    partition: int
    places: list[int]
    rows: bytes
    skus: list[str]


class Spread(msgspec.Struct, frozen=True, array_like=True):
    """A change of several partitions; `calls` are in ascending order of them."""

    function: str
    who: str
    calls: list[Call]
    rest: list[bytes]
    digest: str
    fingerprint: str

    @property
    def replay(self) -> Replay | None:
        """Return the idempotency record that it answers, if any."""
        return Replay(digest=self.digest, fingerprint=self.fingerprint) if self.digest else None


_spread = msgspec.msgpack.Decoder(Spread).decode
Parts = list[tuple[list[int], int, Reply]]
"""The replies of partitions, each with the places of its rows in the request, and its number."""
Merge = Callable[[Parts], Awaitable[Reply]]
"""Returns replies as one, which is a refusal if there is one among them."""
Answer = Callable[[int, Replay | None, Reply], Awaitable[tuple[bool, Reply]]]
"""Stores a reply under an idempotency key of a partition, and returns whether there was one before, and what stands."""


class Spreads:
    """The changes over several partitions of a tenant."""

    def __init__(self, partitions: Sequence[Partition], *, patience_ms: int, merge: Merge, answer: Answer) -> None:
        self._all, self._patience_ms = partitions, patience_ms
        self._merge, self._answer = merge, answer

    async def alone(
        self, partition: int, function: str, replay: Replay | None, call: Call, rest: Sequence[bytes]
    ) -> tuple[bool, Reply]:
        """Make a change of one partition, after what its SKUs await; return whether it was answered before."""
        found = await self._when_clear(partition, call.skus, "alone", function, "", replay, call.rows, *rest)
        return found.was_made, found.reply

    async def make(self, decided_at: int, spread: Spread) -> tuple[bool, Reply]:
        """Make a spread, or return what refuses it; return whether it was answered before."""
        at = self._all[decided_at]
        for _ in range(_TRIES):
            name = token_hex(16)
            kind, found = await at.begin_spread(spread.replay, name, _pack(spread))
            if kind == 1:
                return True, found
            answer = await (self._finish(at, found) if kind == 2 else self._try(at, name, spread))
            if answer is not None:
                return answer
        raise Unavailable("Positions are being changed by many other calls. Send it again.")

    async def sweep(self, limit: int) -> None:
        """Bring to their end the spreads that were left by whoever began them, and forget what is awaited in vain.

        One that cannot be made keeps no other waiting; then StoreReplyError is raised, when all is done.
        """
        failed: list[StoreReplyError] = []
        for at in self._all:
            _, found = await at.client.call("HSCAN", at.keys.spreads, 0, "COUNT", limit)
            for name in found[::2]:
                try:
                    await self._finish(at, name.decode())
                except StoreReplyError as error:
                    failed.append(error)
            _, found = await at.client.call("HSCAN", at.keys.awaited, 0, "COUNT", limit)
            by_spread: dict[str, list[str]] = {}
            for sku, spread in zip(found[::2], found[1::2], strict=True):
                by_spread.setdefault(spread.decode(), []).append(sku.decode())
            for awaited, skus in by_spread.items():
                if await self._maker(awaited) is None:
                    await at.forgo_spread(awaited, skus)
        if failed:
            raise failed[0]

    async def _try(self, at: Partition, name: str, spread: Spread) -> tuple[bool, Reply] | None:
        """Let a spread that is begun be awaited everywhere, decide on it, and make it; None if it was given up."""
        found: Parts = []
        for call in spread.calls:
            once, word = _once(name, call), _word(at, name)
            said = await self._when_clear(
                call.partition, call.skus, "await", spread.function, word, once, call.rows, *spread.rest
            )
            if said.is_refused:
                found.append((call.places, call.partition, said.reply))
        verdict = _pack(await self._merge(found)) if found else GO
        standing = await at.judge_spread(spread.replay, name, verdict, 0)
        return await self._carry_out(at, name, spread, standing)

    async def _finish(self, at: Partition, name: str) -> tuple[bool, Reply] | None:
        """Bring to its end what somebody else began; None if it has ended, was given up, or may still be at work."""
        packed = await at.client.call("HGET", at.keys.spreads, name)
        if packed is None:
            return None
        spread = _spread(packed)
        verdict = await at.judge_spread(spread.replay, name, OVER, self._patience_ms)
        return None if verdict.startswith(_BEGUN) else await self._carry_out(at, name, spread, verdict)

    async def _carry_out(self, at: Partition, name: str, spread: Spread, verdict: bytes) -> tuple[bool, Reply] | None:
        """Do as was decided, in every partition, and answer the idempotency key; None if that was to give it up."""
        if verdict == GO:
            with acting_as(spread.who):
                replies = await asyncio.gather(*(self._make_in(name, spread, call) for call in spread.calls))
            parts = [(call.places, call.partition, reply) for call, reply in zip(spread.calls, replies, strict=True)]
            answer = await self._answer(at.number, spread.replay, await self._merge(parts))
        else:
            word = _word(at, name)
            await asyncio.gather(*(self._all[call.partition].forgo_spread(word, call.skus) for call in spread.calls))
            if verdict in (OVER, b""):
                await at.end_spread(name, spread.digest)
                return None
            answer = await self._answer(at.number, spread.replay, _unpack(verdict))
        await at.end_spread(name, spread.digest)
        return answer

    async def _make_in(self, name: str, spread: Spread, call: Call) -> Reply:
        once, here = _once(name, call), self._all[call.partition]
        made = await here.spread("make", spread.function, "", call.skus, once, call.rows, *spread.rest)
        return made.reply

    async def _when_clear(
        self, partition: int, skus: Sequence[str], act: str, function: str, word: str, replay: Replay | None, *args: Any
    ) -> Counted:
        """Ask a partition, again and again, until its SKUs await nothing else."""
        here, patience = self._all[partition], self._patience_ms / 1000
        since, wait = monotonic(), _SHORTEST_WAIT_SECONDS
        while True:
            found = await here.spread(act, function, word, skus, replay, *args)
            if not found.awaited:
                return found
            waited = monotonic() - since
            if waited > max(_MOST_WAITS * patience, _LONGEST_WAIT_SECONDS):
                raise Unavailable("Positions are being changed by another call. Send it again.")
            if waited >= patience:
                for awaited in found.awaited:
                    await self._make_way(here, awaited, skus)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    async def _make_way(self, here: Partition, awaited: str, skus: Sequence[str]) -> None:
        """Bring to its end what SKUs of a partition await."""
        at = await self._maker(awaited)
        if at is None:
            await here.forgo_spread(awaited, skus)
        else:
            await self._finish(at, awaited.partition(" ")[2])

    async def _maker(self, awaited: str) -> Partition | None:
        """Return the partition that has a spread which is awaited, None if it has ended."""
        number, _, name = awaited.partition(" ")
        at = self._all[int(number)]
        return at if await at.client.call("HEXISTS", at.keys.spreads, name) else None


def _once(name: str, call: Call) -> Replay:
    """Return the idempotency record under which a call of a spread is made, once."""
    return Replay(digest=f"spread-{name}-{call.partition}", fingerprint=name)


def _word(at: Partition, name: str) -> str:
    """Return how a spread is named in other partitions."""
    return f"{at.number} {name}"
