"""Channel quotas: units of a position that a channel may count on, whatever the others take.

The number of units that a channel may take, in Python; lua/quotas.lua is its twin in the store. Not here: where quotas
are kept (lua/quotas.lua, memory_stock.py), what is wrong with a request for them (checks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.errors import Unavailable

MOST_QUOTAS = 32
"""Quotas of one position."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)

QuotaEntry = tuple[int, str, int, int, int, int, int]
"""(slot, channel, reserve or -1, share or -1, overflow, release_at in milliseconds or 0, used), as lua/quotas.lua."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a channel may count on at one position: `reserve` units, or `share` percent of what is there.

    Exactly one of the two is given; what is kept back is no part of a share. Without `overflow` it may take no more
    than that. From `release_at` (UTC, whole milliseconds) on, the quota is as if it were not there. `used` are the
    channel's open units there.
    """

    channel: str
    reserve: int | None = None
    share: int | None = None
    overflow: bool = True
    release_at: datetime | None = None
    used: int = 0

    def unused(self, base: int, now: datetime) -> int | None:
        """Return what the channel has not used of its quota, None if it was released; `base` is what a share is of."""
        if self.release_at is not None and now >= self.release_at:
            return None
        units = self.reserve if self.share is None else self.share * max(0, base) // 100
        return max(0, (units or 0) - self.used)


class Uncounted(Unavailable):
    """Open reservations have to be counted before quotas are put; `rows` are (index, last event) of positions."""

    def __init__(self, rows: Sequence[tuple[int, int]]) -> None:
        self.rows = rows
        super().__init__("Positions move faster than their reservations are counted. Put the quotas at a quieter time.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionQuotas:
    """All quotas of one position, those that come first where there is too little first; none: it has none any more."""

    node_id: str
    sku: str
    quotas: tuple[Quota, ...]


def free_to(channel: str | None, level: int, *, quotas: Iterable[Quota], base: int, now: datetime) -> int:
    """Return how many units of a level of ATP a channel may take; a negative level stays as it is.

    `base` is on_hand less the safety stock that counts. The parts of all channels and what is left add up to the level.
    """
    left, of_others, most = max(0, level), 0, level
    for quota in quotas:
        unused = quota.unused(base, now)
        if unused is None:
            continue
        part = min(unused, left)
        left -= part
        if quota.channel != channel:
            of_others += part
        elif not quota.overflow:
            most = unused
    return min(level - of_others, most)


def packed_quota(quota: Quota) -> tuple[str, int, int, int, int]:
    """Return a quota as lua/quotas.lua takes it, without slot and used."""
    at = None if quota.release_at is None else min(max(quota.release_at, _EPOCH + _MILLISECOND), _LAST)
    return (
        quota.channel,
        -1 if quota.reserve is None else quota.reserve,
        -1 if quota.share is None else quota.share,
        int(quota.overflow),
        0 if at is None else (at - _EPOCH) // _MILLISECOND,
    )


def quota_of(channel: str, reserve: int, share: int, overflow: int, release_at: int, used: int) -> Quota:
    """Return a quota from its row (lua/put_quotas.lua)."""
    return Quota(
        channel=channel,
        reserve=None if reserve < 0 else reserve,
        share=None if share < 0 else share,
        overflow=bool(overflow),
        release_at=_EPOCH + release_at * _MILLISECOND if release_at else None,
        used=used,
    )


def quotas_by_place(of_skus: Mapping[int, Sequence[QuotaEntry]]) -> dict[tuple[int, int], tuple[Quota, ...]]:
    """Return the quotas by (SKU index, slot) of entries by SKU index."""
    found: dict[tuple[int, int], list[Quota]] = {}
    for row, entries in of_skus.items():
        for entry in entries:
            found.setdefault((row, entry[0]), []).append(quota_of(*entry[1:]))
    return {place: tuple(quotas) for place, quotas in found.items()}
