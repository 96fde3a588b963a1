"""Changes of reservations over several partitions: at home first, which decides, then the parts follow.

Consuming is the exception, since a part may refuse it: there may be less on hand than leaves. So all are asked first,
then the parts go, tentatively, then the home commits; if it does not, what has left comes back. Not here: holding
(partitioned_holds.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import msgspec

from engine.errors import StoreReplyError, Unavailable
from engine.inventory.claims import Claims
from engine.inventory.followers import Followers
from engine.inventory.model import HoldLine, Outcome, Replay, Reservation
from engine.inventory.partition import Partition
from engine.inventory.partitions import Row, Truth, as_asked, truth_of
from engine.inventory.redis_hold_rows import line_rows
from engine.inventory.replies import Reply, value_of
from engine.storage.client import Part

TRIES = 4
_CONSUME = "allot_consume_v1"
_pack = msgspec.msgpack.Encoder().encode
_BUSY = "Reservation {!r} is being consumed by another call. Send it again."


class PartitionedChanges:
    """Changes of the reservations of a tenant."""

    def __init__(self, followers: Followers, claims: Claims) -> None:
        self._followers, self._claims = followers, claims
        self._hashing = followers.hashing

    async def change(
        self, function: str, act: str, reservation_id: str, replay: Replay | None, *args: Part
    ) -> Outcome[Reservation]:
        """Call a function that changes a reservation at its home, and let its parts follow."""
        home = self._followers.home(reservation_id)
        kept = await self._kept(replay, home)
        if kept is not None:
            return _outcome(True, kept)
        is_replayed, reply = await home.change(function, replay, reservation_id, *args)
        await self._let_follow(reservation_id, is_replayed, reply, act)
        return _outcome(is_replayed, reply)

    async def consume(
        self, reservation_id: str, lines: Sequence[HoldLine] | None, replay: Replay | None
    ) -> Outcome[Reservation]:
        """Take units that have left off on_hand and reserved, in all partitions or in none."""
        home, wanted = self._followers.home(reservation_id), line_rows(lines or ())
        kept = await self._kept(replay, home)
        if kept is not None:
            return _outcome(True, kept)
        for _ in range(TRIES):
            answer = await self._decide(home, reservation_id, wanted, None, replay)
            if answer is None:
                answer = await self._over_partitions(home, reservation_id, wanted, replay)
            if answer is not None:
                await self._let_follow(reservation_id, *answer, "consume")
                return _outcome(*answer)
        raise Unavailable(_BUSY.format(reservation_id))

    async def _over_partitions(
        self, home: Partition, reservation_id: str, wanted: Sequence[Row], replay: Replay | None
    ) -> tuple[bool, Reply] | None:
        """Let lines leave in each partition, then commit; None if something has changed meanwhile."""
        truth = await self._followers.ask(reservation_id)
        lines = [as_asked(line) for line in wanted or truth.lines]
        shares = self._hashing.shares(lines)
        here = shares.pop(home.number, [])
        refused = await self._refused(home, reservation_id, truth, here, shares)
        if refused:
            places = [tuple(line[:2]) for line in lines]
            refused.sort(key=lambda row: places.index((row[0], row[1])))
            return await self._store(home, replay, ("not_on_hand", reservation_id, refused))
        answer = None
        if await self._have_left(reservation_id, truth, shares):
            answer = await self._decide(home, reservation_id, wanted, truth.version, replay)
        if answer is None or answer[1][0] != "reservation":
            await self._undo(reservation_id, truth)
        return answer

    async def _refused(
        self,
        home: Partition,
        reservation_id: str,
        truth: Truth,
        here: Sequence[Row],
        shares: Mapping[int, Sequence[Row]],
    ) -> list[Row]:
        """Return where there is less on hand than leaves, in any partition; nothing is changed."""
        checks = [self._followers.check_leaving(reservation_id, truth, each, share) for each, share in shares.items()]
        if here:
            checks.append(home.check(_CONSUME, reservation_id, _pack(here)))
        found: list[Row] = []
        for reply in await asyncio.gather(*map(_refusal_of, checks)):
            found += reply[-1] if reply[0] == "not_on_hand" else ()
        return found

    async def _have_left(self, reservation_id: str, truth: Truth, shares: Mapping[int, Sequence[Row]]) -> bool:
        """Let lines leave in each partition tentatively; stop, and return False, where they cannot."""
        for partition, share in shares.items():
            if (await self._followers.try_to_leave(reservation_id, truth, partition, share))[0] != "done":
                return False
        return True

    async def _decide(
        self,
        home: Partition,
        reservation_id: str,
        wanted: Sequence[Row],
        version: int | None,
        replay: Replay | None,
    ) -> tuple[bool, Reply] | None:
        """Consume at home; None if parts have to go first, or if it is not at that version any more."""
        at = [] if version is None else [version]
        try:
            return await home.change(_CONSUME, replay, reservation_id, _pack(wanted), *at)
        except StoreReplyError as error:
            if "CROSSES" not in str(error):
                raise
            return None

    async def _undo(self, reservation_id: str, truth: Truth) -> None:
        """Bring back what has left tentatively, unless that was decided on meanwhile."""
        now = await self._followers.ask(reservation_id, tried_at=truth.version)
        await self._followers.settle(reservation_id, now, "consume")

    async def _let_follow(self, reservation_id: str, is_replayed: bool, reply: Reply, act: str) -> None:
        """Let the parts follow a reply of the home: a change, or that a deadline has passed."""
        if is_replayed:
            return
        if reply[0] == "reservation" and reply[8]:
            await self._followers.after(reservation_id, truth_of(reply), act)
        elif reply[0] == "past" and reply[2] == "expired":
            await self._followers.after(reservation_id, await self._followers.ask(reservation_id), act)

    async def _kept(self, replay: Replay | None, home: Partition) -> Reply | None:
        """Return what an idempotency key was answered; claim it for this home if it is new."""
        return None if replay is None else (await self._claims.claim_here(replay, home.number)).reply

    async def _store(self, home: Partition, replay: Replay | None, refusal: Reply) -> tuple[bool, Reply]:
        """Return a refusal, as stored under the idempotency key."""
        if replay is None:
            return False, refusal
        return await self._claims.remember(await self._claims.claim_here(replay, home.number), replay, refusal)


def _outcome(is_replayed: bool, reply: Reply) -> Outcome[Any]:
    return Outcome(value=value_of(reply, replayed=is_replayed), replayed=is_replayed)


async def _refusal_of(check: Awaitable[Reply]) -> Reply:
    """Return what a check would refuse, or that it can be done."""
    try:
        return await check
    except StoreReplyError as error:
        if "CHECKED" not in str(error):
            raise
        return ("done",)
