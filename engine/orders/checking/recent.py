"""The last orders of each buyer, for rules that count them: noted and read in one round trip, none without such rules.

What they have in common is kept as a digest, for as long as the longest rule looks back. An order is noted before it
is kept, so one that is refused after all still counts; the same order again counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Protocol

from engine.orders.checking.checks import AGAIN
from engine.orders.checking.document import OrderPolicyDocument
from engine.orders.checking.model import NO_RECENT, CheckedOrder, RecentOrders
from engine.storage.client import Part, StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("recent", 1, [files("engine.orders") / "lua" / "recent.lua"])
MOST_READ = 200
"""Orders of one buyer that are looked at, the newest: rules count up to 100."""


def looks_back(policy: OrderPolicyDocument) -> dict[str, timedelta]:
    """Return how far rules look back, by what orders have in common; empty if none does."""
    found: dict[str, int] = {}
    if policy.duplicates is not None:
        found[AGAIN] = policy.duplicates.within_minutes
    for when in policy.conditions:
        if when.recent is not None:
            found[when.recent.by] = max(found.get(when.recent.by, 0), when.recent.within_minutes)
    return {by: timedelta(minutes=minutes) for by, minutes in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """An order to note under what it has in common with others: (by, digest) and how far to look back."""

    order_id: str
    at: datetime
    common: Mapping[tuple[str, str], timedelta]


def to_note(order: CheckedOrder, back: Mapping[str, timedelta], at: datetime) -> Noted:
    """Return what to note of an order; what is not known of its buyer is left out."""
    digests = {by: order.same_again if by == AGAIN else order.common(by) for by in back}
    common = {(by, digest): back[by] for by, digest in digests.items() if digest}
    return Noted(order_id=order.captured.order_id, at=at, common=common)


class RecentBook(Protocol):
    """Keeps the last orders of each buyer."""

    async def note(self, noted: Noted) -> RecentOrders:
        """Note an order, once, and return those of the same buyer with it."""
        ...


class MemoryRecentBook:
    """The last orders of one process, gone with it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], dict[str, datetime]] = {}

    async def note(self, noted: Noted) -> RecentOrders:
        """Note an order, once, and return those of the same buyer with it."""
        found = {}
        for (by, digest), back in noted.common.items():
            seen = self._seen.setdefault((by, digest), {})
            seen.setdefault(noted.order_id, noted.at)
            for order_id in [each for each, at in seen.items() if at < noted.at - back]:
                del seen[order_id]
            found[by] = sorted(seen.items(), key=lambda each: each[1], reverse=True)[:MOST_READ]
        return RecentOrders(seen=found)


class RedisRecentBook:
    """The last orders of a tenant, in sorted sets that expire by themselves; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def note(self, noted: Noted) -> RecentOrders:
        """Note an order, once, and return those of the same buyer with it; one round trip."""
        if not noted.common:
            return NO_RECENT
        keys = [self._keys.named(f"recent_{by}", digest) for by, digest in noted.common]
        backs = [f"{back.total_seconds() * 1000:.0f}" for back in noted.common.values()]
        args: list[Part] = [noted.order_id, f"{noted.at.timestamp() * 1000:.0f}", MOST_READ, *backs]
        found = await self._client.fcall("allot_note_recent_v1", keys, args)
        return RecentOrders(seen={by: _pairs(each) for (by, _), each in zip(noted.common, found, strict=True)})


def _pairs(found: Sequence[bytes]) -> list[tuple[str, datetime]]:
    """Return ids and instants."""
    return [
        (order_id.decode(), datetime.fromtimestamp(float(at_ms) / 1000, UTC))
        for order_id, at_ms in zip(found[::2], found[1::2], strict=True)
    ]
