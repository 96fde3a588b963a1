"""Looks whether reservations stand where they have to be found: among the deadlines, and under their dated lines.

A scan yields suspects; each is looked at again in one read of both sides, so that what is just being made or closed is
no drift. Not here: the scan (redis_reconcile.py), the repair itself (lua/repair.lua).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from engine.events.actor import actor
from engine.inventory.drift import IndexDrift, LostDeadline
from engine.inventory.tally import CountedReservation, counted_part, counted_reservation, dated_skus
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

_AT_ONCE = 1000
_PART = "\0"
"""Stands before the id of a part of a reservation that is at home in another partition, see lua/dated.lua."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class IndexCheck:
    """One check of a tenant and partition: `note` what a scan shows, then ask for what is wrong."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys
        self._without_deadline: list[str] = []
        self._suspects: set[tuple[str, str]] = set()

    async def note(self, found: Sequence[tuple[str, CountedReservation]], *, are_parts: bool = False) -> None:
        """Keep those of some reservations, or parts of them, that do not stand where they should."""
        places = [(sku, _PART * are_parts + name) for name, kept in found for sku in dated_skus(kept)]
        scores = await self._client.pipeline([self._score(*place) for place in places])
        self._suspects.update(place for place, score in zip(places, scores, strict=True) if score is None)
        held = [name for name, kept in found if kept.state == "held"]
        if held and not are_parts:
            deadlines = await self._client.call("ZMSCORE", self._keys.deadlines, *held)
            self._without_deadline += [name for name, score in zip(held, deadlines, strict=True) if score is None]

    async def note_index(self, keys: Iterable[bytes]) -> None:
        """Keep the entries of some keys dated:<sku> behind which there is no dated line."""
        prefix = self._keys.named("dated", "")
        for key in keys:
            sku, cursor = key.decode().removeprefix(prefix), b"0"
            while True:
                cursor, pairs = await self._client.call("ZSCAN", key, cursor, "COUNT", _AT_ONCE)
                members = [member.decode() for member in pairs[::2]]
                records = await self._client.call("MGET", *map(self._record, members)) if members else []
                for member, record in zip(members, records, strict=True):
                    if not _has_dated(member, record, sku):
                        self._suspects.add((sku, member))
                if cursor == b"0":
                    break

    async def lost_deadlines(self, *, repair: bool) -> list[LostDeadline]:
        """Return the held reservations without a deadline."""
        lost = []
        for name in self._without_deadline:
            reads = [("GET", self._keys.reservation(name)), ("ZSCORE", self._keys.deadlines, name)]
            record, score = await self._at_once(reads)
            if record is not None and score is None and counted_reservation(record).state == "held":
                lost.append(LostDeadline(reservation_id=name))
        if not lost or not repair:
            return lost
        packed = _pack(([], [drift.reservation_id for drift in lost]))
        _, done = _unpack(await self._client.fcall("allot_repair_v1", [self._keys.deadlines], [actor(), packed]))
        return [replace(drift, is_repaired=bool(is_done)) for drift, is_done in zip(lost, done, strict=True)]

    async def drifts(self, *, repair: bool) -> list[IndexDrift]:
        """Return the entries of dated lines that are missing, or too many."""
        found: dict[tuple[str, str], IndexDrift] = {}
        for sku, member in sorted(self._suspects):
            record, score = await self._at_once([("GET", self._record(member)), self._score(sku, member)])
            if _has_dated(member, record, sku) != (score is not None):
                name = member.removeprefix(_PART)
                found[sku, member] = IndexDrift(sku=sku, reservation_id=name, is_entered=score is not None)
        for place, drift in found.items() if repair else ():
            done = await self._client.fcall("allot_repair_dated_v1", [self._keys.deadlines], [actor(), *place])
            found[place] = replace(drift, is_repaired=bool(done))
        return list(found.values())

    async def _at_once(self, reads: Sequence[tuple[str, ...]]) -> list[Any]:
        found: list[Any] = (await self._client.pipeline([("MULTI",), *reads, ("EXEC",)]))[-1]
        return found

    def _record(self, member: str) -> str:
        if member.startswith(_PART):
            return self._keys.part(member.removeprefix(_PART))
        return self._keys.reservation(member)

    def _score(self, sku: str, member: str) -> tuple[str, ...]:
        return ("ZSCORE", self._keys.named("dated", sku), member)


def _has_dated(member: str, record: bytes | None, sku: str) -> bool:
    """Say whether a reservation as kept, or a part of one, has a dated line of a SKU."""
    if record is None:
        return False
    return sku in dated_skus(counted_part(record) if member.startswith(_PART) else counted_reservation(record))
