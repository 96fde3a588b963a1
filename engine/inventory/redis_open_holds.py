"""Recounts how many holds each holder keeps open, while the store is in use.

What a scan has counted is right for reservations that nothing happened to since it began; the journal names the others,
and these are read again, the last few of them in one step with the counts (lua/recount.lua). Not here: the scan
(redis_reconcile.py), the counts themselves (lua/open_holds.lua).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.events.actor import actor
from engine.inventory.drift import OpenHoldsDrift
from engine.inventory.redis_reads import StockReads
from engine.inventory.seen_keys import SeenKeys
from engine.inventory.tally import CountedReservation, counted_reservation
from engine.storage.client import Part, StoreClient
from engine.storage.keys import Keys

_TRIES = 20
_FEW = 100
"""Events that the store may look at in one step."""
_MOST_TOUCHED = 100_000
_AT_ONCE = 1000
_NAMING = frozenset(
    (
        *("hold", "hold_many", "confirm", "cancel", "extend", "consume", "sweep", "receive", "repair"),
        *("adjust", "change_conditions", "put_positions", "put_quotas", "put_supplies"),
    )
)
"""What may be done to stock that leaves no hold changed and unnamed, but for those whose lines all lie elsewhere."""
_HOLDING = frozenset(("hold", "hold_many"))
_EXPIRING = frozenset((*_HOLDING, "sweep"))
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recount:
    """The counts of all holders at one moment, how often they were repaired, and whether some change was not named."""

    booked: Counter[str]
    repairs: int
    is_unnamed: bool


class OpenHoldsCheck:
    """One recount of a tenant and partition: `begin`, `note` what a scan shows, then `drifts`."""

    def __init__(self, client: StoreClient, keys: Keys, reads: StockReads) -> None:
        self._client, self._keys, self._reads = client, keys, reads
        self._epoch = 0
        self._digests = SeenKeys()
        self._noted: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []
        self._holders: dict[str, int] = {}
        self._has_crossing = False

    async def begin(self) -> None:
        """Note where the journal stands before the scan."""
        self._epoch = int(await self._client.call("GET", self._keys.stock_epoch) or 0)

    async def note(self, found: Sequence[tuple[str, CountedReservation]]) -> None:
        """Count those of some reservations that are held by somebody."""
        counted = [(name, holder) for name, kept in found if (holder := _holder_of(kept))]
        self._has_crossing |= any(kept.crosses for _, kept in found)
        if counted:
            numbers = [self._holders.setdefault(holder, len(self._holders)) for _, holder in counted]
            digests = self._digests.digests([name.encode() for name, _ in counted])
            self._noted.append((digests, np.array(numbers, dtype=np.uint32)))

    async def drifts(self, *, repair: bool) -> list[OpenHoldsDrift] | None:
        """Return whose count is wrong; None if too much happened meanwhile, or what names no reservations."""
        states: dict[str, str | None] = {}
        epoch = self._epoch
        for _ in range(_TRIES):
            now = int(await self._client.call("GET", self._keys.stock_epoch) or 0)
            last = await self._recount(epoch, states) if now - epoch <= _FEW else None
            if last is not None:
                found = None if last.is_unnamed else list(self._compared(last.booked, self._counted(states)))
                return await self._repaired(found, last.repairs) if repair and found else found
            touched = await self._touched(epoch, now)
            if touched is None or len(states) > _MOST_TOUCHED:
                return None
            states |= await self._holders_of(sorted(touched))
            epoch = now
        return None

    async def _recount(self, epoch: int, states: dict[str, str | None]) -> _Recount | None:
        """Read the counts, and in the same moment again who holds what was changed since; None if that is too much."""
        args: list[Part] = [epoch, 2 * _FEW]
        reply = _unpack(await self._client.fcall("allot_recount_open_holds_v1", [self._keys.deadlines], args))
        if not reply:
            return None
        pairs, repairs, acts, names = reply
        states |= {name: holder or None for name, holder in names}
        booked = Counter({name: int(units) for name, units in zip(pairs[::2], pairs[1::2], strict=True)})
        return _Recount(booked=booked, repairs=repairs, is_unnamed=any(self._is_unnamed(*act) for act in acts))

    async def _touched(self, epoch: int, now: int) -> set[str] | None:
        """Return the ids of reservations that events name, and other words; None if they may not name all."""
        events = await self._reads.events_after(epoch, now)
        found: set[str] = set()
        for (_, act, who, rows), _ in events or ():
            if self._is_unnamed(act, bool(rows)):
                return None
            if not isinstance(who, str):
                found.update(who)
            for _, _, whys, _ in rows:
                for why in (whys,) if isinstance(whys, str) else whys:
                    found.update((why, why.partition(" ")[2]))  # the second where it says what became of it
        return None if events is None else found - {""}

    def _is_unnamed(self, act: str, has_rows: bool) -> bool:
        """Say whether an event may have changed holds that it does not name."""
        if act not in _NAMING or (act in _HOLDING and not has_rows):
            return True
        return self._has_crossing and (act in _EXPIRING or (not has_rows and act != "extend"))

    async def _holders_of(self, names: Sequence[str]) -> dict[str, str | None]:
        """Return who holds reservations open, None for those that are not held, or no reservations."""
        found: dict[str, str | None] = {}
        for at in range(0, len(names), _AT_ONCE):
            chunk = names[at : at + _AT_ONCE]
            records = await self._client.call("MGET", *map(self._keys.reservation, chunk))
            for name, record in zip(chunk, records, strict=True):
                found[name] = None if record is None else _holder_of(counted_reservation(record))
        return found

    def _counted(self, states: dict[str, str | None]) -> Counter[str]:
        """Return the open holds of each holder, of those looked at again as they were then."""
        again = self._digests.digests([name.encode() for name in states])
        counted = np.zeros(len(self._holders), dtype=np.int64)
        for digests, holders in self._noted:
            counted += np.bincount(holders[~np.isin(digests, again)], minlength=len(counted))
        found = Counter({holder: int(counted[number]) for holder, number in self._holders.items()})
        found.update(holder for holder in states.values() if holder is not None)
        return found

    def _compared(self, booked: Counter[str], counted: Counter[str]) -> Iterator[OpenHoldsDrift]:
        for holder in sorted({*booked, *counted}):
            if booked[holder] != counted[holder]:
                yield OpenHoldsDrift(holder=holder, booked=booked[holder], held=counted[holder])

    async def _repaired(self, found: Sequence[OpenHoldsDrift], repairs: int) -> list[OpenHoldsDrift]:
        """Take off what is too much, whatever was held since; unless somebody else has repaired them since."""
        rows = [(drift.holder, drift.held - drift.booked) for drift in found]
        args: list[Part] = [actor(), _pack((repairs, rows))]
        done: Any = await self._client.fcall("allot_repair_open_holds_v1", [self._keys.deadlines], args)
        return [replace(drift, is_repaired=bool(done)) for drift in found]


def _holder_of(kept: CountedReservation) -> str | None:
    return kept.holder if kept.state == "held" else None
