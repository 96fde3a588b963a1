"""In which partition an idempotency key is answered, once and for all.

The record of a key lies in the partition where its effect is decided, in the same step (lua/replay.lua). Which one that
is depends on what is asked: the home of a reservation, whose id may be made anew for a retry. So the partition that the
key itself hashes to keeps a claim: the first to come says where, and under which id. Not here: the effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.errors import IdempotencyConflict, Unavailable
from engine.inventory.model import Replay
from engine.inventory.partition import Partition
from engine.inventory.partitions import Partitions
from engine.inventory.redis_records import find
from engine.inventory.replies import Reply

UNDER_WAY = "The first request with this idempotency key is still under way. Send it again later."
_SECONDS = 86_400
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[str, int, str]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Where a key is answered: the partition, and the reservation id of its first request (or blank).

    `reply` is what it was answered, None if it has not been yet.
    """

    partition: int
    reservation_id: str
    reply: Reply | None


class Claims:
    """The claims of a tenant."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._all = partitions
        self._hashing = Partitions(number=len(partitions))

    async def claim(self, replay: Replay, partition: int | None = None, reservation_id: str = "") -> Claim:
        """Claim a key for `partition` (None: its own), and return whose it is; raises IdempotencyConflict."""
        own = self._hashing.of(replay.digest)
        wanted = (replay.fingerprint, own if partition is None else partition, reservation_id)
        at = self._all[own]
        earlier = await at.client.call("SET", at.keys.claim(replay.digest), _pack(wanted), "NX", "GET", "EX", _SECONDS)
        if earlier is None:
            return Claim(partition=wanted[1], reservation_id=reservation_id, reply=None)
        return await self._found(replay, earlier)

    async def claim_here(self, replay: Replay, partition: int) -> Claim:
        """Claim a key for a change that `partition` decides; raises Unavailable if another one is deciding."""
        claim = await self.claim(replay, partition)
        if claim.reply is None and claim.partition != partition:
            raise Unavailable(UNDER_WAY)
        return claim

    async def look(self, replay: Replay) -> Claim | None:
        """Return the claim of a key, None if it is new; raises IdempotencyConflict for another body."""
        at = self._all[self._hashing.of(replay.digest)]
        packed = await at.client.call("GET", at.keys.claim(replay.digest))
        return None if packed is None else await self._found(replay, packed)

    async def remember(self, claim: Claim, replay: Replay, reply: Reply) -> tuple[bool, Reply]:
        """Store the answer to a key, unless it has one; return whether it had, and its answer."""
        at = self._all[claim.partition]
        keys = [at.keys.replay(replay.digest)]
        replayed, kept = await at.client.fcall("allot_remember_v1", keys, [replay.fingerprint, _pack(reply)])
        return bool(replayed), msgspec.msgpack.decode(kept)

    async def _found(self, replay: Replay, packed: bytes) -> Claim:
        fingerprint, partition, reservation_id = _unpack(packed)
        if fingerprint != replay.fingerprint:
            raise IdempotencyConflict
        at = self._all[partition]
        return Claim(partition=partition, reservation_id=reservation_id, reply=await find(at.client, at.keys, replay))
