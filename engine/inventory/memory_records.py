"""Idempotency records of the in-memory stores: what lua/replay.lua of engine/storage is for the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from engine.clock import Clock
from engine.errors import IdempotencyConflict
from engine.inventory.model import Replay
from engine.inventory.replies import Reply, milliseconds

_LIFETIME = timedelta(days=1)


class MemoryRecords:
    """The replies that were given under idempotency keys, each for a day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, int, Reply]] = {}

    def once(self, replay: Replay | None, operation: Callable[[], Reply]) -> tuple[bool, Reply]:
        """Return (False, the reply of `operation`), or (True, the reply kept) if the key was answered before."""
        if replay is None:
            return False, operation()
        kept = self.find(replay)
        if kept is not None:
            return True, kept
        reply = operation()
        if reply[:1] == ("too_many_holds",):  # as the error of lua/hold.lua, it is not kept
            return False, reply
        until = milliseconds(self._clock.now() + _LIFETIME)
        self._kept[replay.digest] = (replay.fingerprint, until, reply)
        return False, reply

    def change(self, changed: Callable[[Reply], Reply]) -> None:
        """Change what is kept under every key."""
        self._kept = {
            digest: (fingerprint, until, changed(reply)) for digest, (fingerprint, until, reply) in self._kept.items()
        }

    def find(self, replay: Replay) -> Reply | None:
        """Return the reply kept under a key, None if it is new; raises IdempotencyConflict for another body."""
        fingerprint, until, reply = self._kept.get(replay.digest, ("", 0, ()))
        if milliseconds(self._clock.now()) >= until:
            return None
        if fingerprint != replay.fingerprint:
            raise IdempotencyConflict
        return reply
