"""What calls were answered that change many orders, by their idempotency key; kept for a day.

Such a call does no harm when it is made again, so the answer may be kept after the work is done. Not here: calls that
change one order, whose answers are kept in the same step (engine/orders).
"""

from __future__ import annotations

from typing import Protocol

from engine.errors import IdempotencyConflict
from engine.inventory.model import Replay
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

KEPT_SECONDS = 86_400


class Answers(Protocol):
    """Keeps answers by key."""

    async def find(self, replay: Replay) -> str | None:
        """Return what a call was answered; None if it is new. Raises IdempotencyConflict if it was another call."""
        ...

    async def keep(self, replay: Replay, answer: str) -> None:
        """Keep an answer; the first one stays."""
        ...


class MemoryAnswers:
    """Answers of one process, gone with it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    async def find(self, replay: Replay) -> str | None:
        """Return what a call was answered."""
        return _checked(replay, self._known.get(replay.digest))

    async def keep(self, replay: Replay, answer: str) -> None:
        """Keep an answer."""
        self._known.setdefault(replay.digest, (replay.fingerprint, answer))


class RedisAnswers:
    """Answers in the store: answer:<digest> is "<fingerprint>\\n<answer>"."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def find(self, replay: Replay) -> str | None:
        """Return what a call was answered."""
        found = await self._client.call("GET", self._keys.named("answer", replay.digest))
        if found is None:
            return None
        fingerprint, _, answer = found.decode().partition("\n")
        return _checked(replay, (fingerprint, answer))

    async def keep(self, replay: Replay, answer: str) -> None:
        """Keep an answer."""
        text = f"{replay.fingerprint}\n{answer}"
        await self._client.call("SET", self._keys.named("answer", replay.digest), text, "NX", "EX", KEPT_SECONDS)


def _checked(replay: Replay, known: tuple[str, str] | None) -> str | None:
    if known is None:
        return None
    if known[0] != replay.fingerprint:
        raise IdempotencyConflict
    return known[1]
