"""Counts, adjustments and supplies over several partitions: all or none of their rows, in one order with one another.

What lies in one partition is one step, as ever; over several it is a spread (spreads.py). What was looked at may still
move before it is made, in milliseconds, by units that leave: then that partition alone refuses, and the refusal is
raised though the others have been done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.events.actor import actor
from engine.inventory.claims import Claims
from engine.inventory.followers import Followers
from engine.inventory.model import Outcome, Replay
from engine.inventory.partition import Partition
from engine.inventory.partitions import Partitions
from engine.inventory.replies import Reply, value_of
from engine.inventory.spreads import Call, Parts, Spread, Spreads

_MANY_DUE = 1000
_PATIENCE_MS = 2000
"""How long nobody takes for dead whoever has begun a change over several partitions."""
_DONE = frozenset({"positions", "quotas", "affected", "received"})
_pack = msgspec.msgpack.Encoder().encode


class PartitionedCounts:
    """Changes of the positions of a tenant by rows that each name a SKU."""

    def __init__(self, partitions: Sequence[Partition], followers: Followers, claims: Claims) -> None:
        self._followers, self._claims = followers, claims
        self._hashing = Partitions(number=len(partitions))
        patience_ms = min(followers.patience_ms, _PATIENCE_MS)
        self._spreads = Spreads(partitions, patience_ms=patience_ms, merge=self._merged, answer=self._answered)

    async def change(
        self, function: str, rows: Sequence[Sequence[Any]], skus: Sequence[str], replay: Replay | None, *rest: bytes
    ) -> Outcome[Any]:
        """Call a function that takes rows, and `rest`, with those of each partition: all or none, see above."""
        shares = self._hashing.split(rows, skus)
        partition = next(iter(shares)) if len(shares) == 1 else None
        if replay is not None:
            claim = await self._claims.claim(replay, partition)
            if claim.reply is not None:
                return _outcome(True, claim.reply)
            decided_at = claim.partition
        else:
            decided_at = min(shares, default=0)
        if rest:  # supplies do not come to lines whose time is over
            await asyncio.gather(*(self._followers.sweep_due(each, _MANY_DUE) for each in shares))
        calls = [_call(each, share, skus) for each, share in shares.items()]
        if len(calls) <= 1:
            call = calls[0] if calls else Call(partition=decided_at, places=[], rows=_pack(rows), skus=[])
            is_replayed, reply = await self._spreads.alone(decided_at, function, replay, call, rest)
            await self._tell_homes(decided_at, reply)
            return _outcome(is_replayed, reply)
        digest, fingerprint = ("", "") if replay is None else (replay.digest, replay.fingerprint)
        spread = Spread(
            function=function, who=actor(), calls=calls, rest=list(rest), digest=digest, fingerprint=fingerprint
        )
        return _outcome(*await self._spreads.make(decided_at, spread))

    async def sweep(self, limit: int) -> None:
        """Finish what was decided on and not done everywhere, and give up what was not."""
        await self._spreads.sweep(limit)

    async def _merged(self, parts: Parts) -> Reply:
        """Return the replies of partitions as one, after telling homes of reservations what changed for them."""
        for _, partition, reply in parts:
            await self._tell_homes(partition, reply)
        found = [(places, reply) for places, _, reply in parts]
        return _refusal(found) or _joined(found)

    async def _tell_homes(self, partition: int, reply: Reply) -> None:
        """Tell homes of lines that have a new day in a partition; if that is lost, they show the old one."""
        rows = reply[1] if reply[0] == "affected" else reply[2] if reply[0] == "received" else ()
        for name in dict.fromkeys(row[0] for row in rows):
            if self._hashing.of(name) != partition:
                await self._followers.tell_days(name, partition)

    async def _answered(self, partition: int, replay: Replay | None, reply: Reply) -> tuple[bool, Reply]:
        """Return the answer, as it is stored under the idempotency key."""
        if replay is None:
            return False, reply
        return await self._claims.remember(await self._claims.claim(replay, partition), replay, reply)


def _call(partition: int, share: Sequence[tuple[int, Sequence[Any]]], skus: Sequence[str]) -> Call:
    places = [index for index, _ in share]
    rows = _pack([row for _, row in share])
    return Call(partition=partition, places=places, rows=rows, skus=list(dict.fromkeys(skus[i] for i in places)))


def _outcome(is_replayed: bool, reply: Reply) -> Outcome[Any]:
    return Outcome(value=value_of(reply, replayed=is_replayed), replayed=is_replayed)


def _refusal(replies: Sequence[tuple[list[int], Reply]]) -> Reply | None:
    """Return the refusals as one that names the rows by their place in the request, None if there is none."""
    kinds = [reply[0] for _, reply in replies if reply[0] not in _DONE]
    if not kinds:
        return None
    rows = [(places[row[0]], *row[1:]) for places, reply in replies if reply[0] == kinds[0] for row in reply[1]]
    return kinds[0], sorted(rows, key=lambda row: row[0])


def _joined(replies: Sequence[tuple[list[int], Reply]]) -> Reply:
    """Return the replies as one, what concerns a row in the order of the request."""
    kind = replies[0][1][0]
    if kind == "affected":
        return kind, _in_order(replies, 1)
    found = [pair for places, reply in replies for pair in zip(places, reply[1], strict=True)]
    positions = [row for _, row in sorted(found, key=lambda pair: pair[0])]
    return (kind, positions) if kind in {"positions", "quotas"} else (kind, positions, _in_order(replies, 2))


def _in_order(replies: Sequence[tuple[list[int], Reply]], member: int) -> list[Any]:
    """Return what became of reservations, by the partition whose rows come first."""
    return [row for _, reply in sorted(replies, key=lambda pair: pair[0][0]) for row in reply[member]]
