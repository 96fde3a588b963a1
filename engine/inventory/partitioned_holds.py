"""Holds over several partitions, one or many: attempts, what is said when they fail, and their idempotency keys.

A refusal is answered after every partition was asked what is short; if nothing is any more, the hold is tried again.
Not here: an attempt itself (partitioned_attempt.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import TooManyHolds, Unavailable
from engine.inventory.buffers import Kept
from engine.inventory.claims import UNDER_WAY, Claims
from engine.inventory.followers import Followers
from engine.inventory.model import Hold, HoldLimit, Outcome, Replay, Reservation
from engine.inventory.partition import Context, Partition
from engine.inventory.partitioned_attempt import Answer, Attempt, Failure
from engine.inventory.partitioned_batch import hold_what_fits
from engine.inventory.partitioned_reads import PartitionedReads
from engine.inventory.partitions import Row
from engine.inventory.redis_hold_rows import by_sku, line_rows
from engine.inventory.replies import Reply, value_of, verdict_of
from engine.inventory.store import Verdict

TRIES = 4
_MANY = 1000


class PartitionedHolds:
    """Holds of a tenant; `reads` tells what is in stock."""

    def __init__(
        self, partitions: Sequence[Partition], followers: Followers, claims: Claims, reads: PartitionedReads
    ) -> None:
        self._all, self._followers, self._claims, self._reads = partitions, followers, claims, reads
        self._hashing = followers.hashing

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None, replay: Replay | None
    ) -> Outcome[Reservation]:
        """Hold all lines or none."""
        if replay is not None:
            claim = await self._claims.claim(replay, self._hashing.of(hold.reservation_id), hold.reservation_id)
            if claim.reply is not None:
                return Outcome(value=value_of(claim.reply, replayed=True), replayed=True)
            if not claim.reservation_id:
                raise Unavailable(UNDER_WAY)
            hold = replace(hold, reservation_id=claim.reservation_id)
        is_replayed, reply = await self._answer(hold, _context([hold], today, buffers), replay)
        return Outcome(value=value_of(reply, replayed=is_replayed), replayed=is_replayed)

    async def hold_many(
        self, holds: Sequence[Hold], *, today: Mapping[str, int], buffers: Kept | None, replay: Replay | None
    ) -> Outcome[list[Verdict]]:
        """Hold each by itself: in one call per partition where all surely fit, else one after another."""
        claim = None if replay is None else await self._claims.claim(replay)
        if claim is not None and claim.reply is not None:
            return Outcome(value=_verdicts(holds, claim.reply), replayed=True)
        context = _context(holds, today, buffers)
        view = await self._reads.read(sorted({line.sku for hold in holds for line in hold.lines}))
        replies: list[Any] = await hold_what_fits(self._all, self._followers, holds, context, view)
        for index, reply in enumerate(replies):
            if reply is None:
                replies[index] = await self._verdict(holds[index], context)
        if claim is None or replay is None:
            return Outcome(value=_verdicts(holds, replies))
        is_replayed, kept = await self._claims.remember(claim, replay, replies)
        return Outcome(value=_verdicts(holds, kept), replayed=is_replayed)

    async def _verdict(self, hold: Hold, context: Context) -> Reply:
        try:
            return (await self._answer(hold, context, None))[1]
        except TooManyHolds as refusal:
            return "too_many_holds", refusal.holder, refusal.open_holds, refusal.most

    async def _answer(self, hold: Hold, context: Context, replay: Replay | None) -> Answer:
        failure = Failure.SHORT
        for _ in range(TRIES):
            attempt = Attempt(self._all, self._followers, hold, context)
            if hold.limit is not None and not await self._has_room(hold.limit):
                known = await attempt.commit("known", replay)
                if isinstance(known, Failure):
                    raise TooManyHolds(hold.limit.holder, *(await self._open_holds(hold.limit)))
                return known
            found = await attempt.make(replay)
            if not isinstance(found, Failure):
                return found
            failure = found
            known = await attempt.commit("known", replay)
            if not isinstance(known, Failure):
                return known
            refusal = await self._refusal(hold, context) if failure is Failure.SHORT else None
            if refusal is not None:
                return await self._refuse(hold, replay, refusal)
            if failure is Failure.TAKEN:
                break
        raise Unavailable(f"Reservation {hold.reservation_id!r} could not be held: {failure.value}. Send it again.")

    async def _has_room(self, limit: HoldLimit) -> bool:
        """Say whether a holder may hold one more, counting all partitions, and what has expired as over."""
        if (await self._open_holds(limit))[0] < limit.most:
            return True
        for partition in self._all:
            await partition.store.sweep()
        await self._followers.sweep_unfinished(_MANY)
        return (await self._open_holds(limit))[0] < limit.most

    async def _open_holds(self, limit: HoldLimit) -> tuple[int, int]:
        """Return how many reservations of a holder are held, and how many may be."""
        asked = [each.client.call("HGET", each.keys.named("open_holds"), limit.holder) for each in self._all]
        return sum(int(found or 0) for found in await asyncio.gather(*asked)), limit.most

    async def _refusal(self, hold: Hold, context: Context) -> Reply | None:
        """Return the refusal that names every line that cannot be had, asking all partitions; None if all can."""
        shares = self._hashing.split(line_rows(hold.lines), [line.sku for line in hold.lines])
        asked = [
            self._all[each].short_here([row for _, row in share], context, hold.channel)
            for each, share in shares.items()
        ]
        unpeggable: list[Row] = []
        short: list[tuple[int, Row]] = []
        for share, found in zip(shares.values(), await asyncio.gather(*asked), strict=True):
            unpeggable += [(share[row[0]][0], *row[1:]) for row in found[0]]
            short += [(share[row[4]][0], row[:4]) for row in found[1]]
        if unpeggable:
            return "unpeggable", sorted(unpeggable, key=lambda row: row[0])
        return ("short", [row for _, row in sorted(short, key=lambda pair: pair[0])]) if short else None

    async def _refuse(self, hold: Hold, replay: Replay | None, refusal: Reply) -> Answer:
        if replay is None:
            return False, refusal
        claim = await self._claims.claim(replay, self._hashing.of(hold.reservation_id), hold.reservation_id)
        return await self._claims.remember(claim, replay, refusal)


def _verdicts(holds: Sequence[Hold], replies: Reply) -> list[Verdict]:
    return [verdict_of(hold, reply) for hold, reply in zip(holds, replies, strict=True)]


def _context(holds: Sequence[Hold], today: Mapping[str, int], buffers: Kept | None) -> Context:
    days = {line.node_id: today[line.node_id] for hold in holds for line in hold.lines}
    return Context(today=days, buffers=by_sku(buffers or {}))
