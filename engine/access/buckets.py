"""Buckets of requests: what an API key may still send, over all processes, filled at a rate that the caller states.

Tokens are taken several at a time, ahead of need, so that no request waits for the store (api/allowance.py). A bucket
is one number: when it will be full again. Not here: what a token is spent on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from engine.storage.client import StoreClient

BUCKET = "{{access}}:bucket:{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How many tokens were given, how many the bucket has left, and in how many seconds it has the next one."""

    granted: int
    left: int
    wait_seconds: float


class Buckets(Protocol):
    """Keeps the buckets of all holders."""

    async def take(self, holder: str, per_second: int, most: int, wanted: int) -> Taken:
        """Take up to `wanted` tokens of a bucket that holds `most`, and gets `per_second` new ones each second."""
        ...


class MemoryBuckets:
    """The buckets of one process; `seconds` is the time of now, from any start."""

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._full_at: dict[str, float] = {}

    async def take(self, holder: str, per_second: int, most: int, wanted: int) -> Taken:
        """See `Buckets.take`."""
        now, each = self._seconds(), 1.0 / per_second
        full_at = max(now, self._full_at.get(holder, now))
        left = max(0, int(most - (full_at - now) / each + 1e-6))
        granted = min(wanted, left)
        if granted:
            full_at += granted * each
            self._full_at[holder] = full_at
        wait = 0.0 if granted else full_at - now - (most - 1) * each
        return Taken(granted=granted, left=left - granted, wait_seconds=wait)


class RedisBuckets:
    """Buckets in the store, by its clock; needs `engine.access.store.LIBRARY` loaded."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def take(self, holder: str, per_second: int, most: int, wanted: int) -> Taken:
        """See `Buckets.take`."""
        args: list[str | int] = [repr(1e6 / per_second), most, wanted]
        found = await self._client.fcall("allot_take_tokens_v1", [BUCKET.format(holder)], args)
        granted, left, wait_us = map(int, found)
        return Taken(granted=granted, left=left, wait_seconds=wait_us / 1e6)
