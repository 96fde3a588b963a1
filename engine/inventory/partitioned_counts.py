"""Counts, adjustments and supplies over several partitions: checked everywhere, decided in one, done in each, once.

The decision, a `spread`, holds the calls to be made; whoever finds it after a crash makes them, each under an
idempotency record of its own. What was checked may move before it is done, in milliseconds: then that partition alone
refuses, and the refusal is raised though the others have been done. Within one partition it is one step, as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import msgspec

from engine.errors import StoreReplyError
from engine.events.actor import acting_as, actor
from engine.inventory.claims import Claims
from engine.inventory.followers import Followers
from engine.inventory.model import Outcome, Replay
from engine.inventory.partition import Partition
from engine.inventory.partitions import Partitions
from engine.inventory.replies import Reply, value_of

_MANY_DUE = 1000
_DONE = frozenset({"positions", "quotas", "affected", "received"})
_pack = msgspec.msgpack.Encoder().encode


class Spread(msgspec.Struct, frozen=True, array_like=True):
    """A change that is decided: the calls per partition, each with the places of its rows in the request."""

    function: str
    who: str
    calls: list[tuple[int, list[int], bytes]]
    rest: list[bytes]
    digest: str = ""
    fingerprint: str = ""


_spread = msgspec.msgpack.Decoder(Spread).decode


class PartitionedCounts:
    """Changes of the positions of a tenant by rows that each name a SKU."""

    def __init__(self, partitions: Sequence[Partition], followers: Followers, claims: Claims) -> None:
        self._all, self._followers, self._claims = partitions, followers, claims
        self._hashing = Partitions(number=len(partitions))

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
        if len(shares) <= 1:
            is_replayed, reply = await self._all[decided_at].change(function, replay, _pack(rows), *rest)
            await self._tell_homes(decided_at, reply)
            return _outcome(is_replayed, reply)
        earlier = await self._finished(decided_at, replay)
        if earlier is not None:
            return _outcome(*earlier)
        calls = [
            (each, [index for index, _ in share], _pack([row for _, row in share])) for each, share in shares.items()
        ]
        refusal = _refusal(await asyncio.gather(*(self._check(function, *call, rest) for call in calls)))
        if refusal is not None:  # it may be what the same request has done that stands in its way
            earlier = await self._finished(decided_at, replay)
            return _outcome(*(earlier or await self._answered(decided_at, replay, refusal)))
        digest, fingerprint = ("", "") if replay is None else (replay.digest, replay.fingerprint)
        spread = Spread(
            function=function, who=actor(), calls=calls, rest=list(rest), digest=digest, fingerprint=fingerprint
        )
        name = digest or token_hex(16)
        await self._all[decided_at].client.call("HSETNX", self._all[decided_at].keys.spreads, name, _pack(spread))
        return _outcome(*await self._finish(decided_at, name, spread))

    async def sweep(self, limit: int) -> None:
        """Finish what was decided on and not done everywhere."""
        for partition in self._all:
            _, found = await partition.client.call("HSCAN", partition.keys.spreads, 0, "COUNT", limit)
            for name, packed in zip(found[::2], found[1::2], strict=True):
                await self._finish(partition.number, name.decode(), _spread(packed))

    async def _finished(self, decided_at: int, replay: Replay | None) -> tuple[bool, Reply] | None:
        """Finish what a request with this key has decided on and not done everywhere, if there was one."""
        if replay is None:
            return None
        packed = await self._all[decided_at].client.call("HGET", self._all[decided_at].keys.spreads, replay.digest)
        return None if packed is None else await self._finish(decided_at, replay.digest, _spread(packed))

    async def _finish(self, decided_at: int, name: str, spread: Spread) -> tuple[bool, Reply]:
        """Make the calls of a spread, each once, and answer its idempotency key."""
        at = self._all[decided_at]
        replies = []
        with acting_as(spread.who):
            for partition, places, rows in spread.calls:
                once = Replay(digest=f"spread-{name}-{partition}", fingerprint=name)
                _, reply = await self._all[partition].change(spread.function, once, rows, *spread.rest)
                await self._tell_homes(partition, reply)
                replies.append((places, reply))
        merged = _refusal(replies) or _joined(replies)
        replay = Replay(digest=spread.digest, fingerprint=spread.fingerprint) if spread.digest else None
        answer = await self._answered(decided_at, replay, merged)
        await at.client.call("HDEL", at.keys.spreads, name)
        return answer

    async def _check(
        self, function: str, partition: int, places: list[int], rows: bytes, rest: Sequence[bytes]
    ) -> tuple[list[int], Reply]:
        """Return what a partition would refuse, or an empty reply."""
        try:
            return places, await self._all[partition].check(function, rows, *rest)
        except StoreReplyError as error:
            if "CHECKED" not in str(error):
                raise
            return places, ("positions", [])

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
