"""Lua functions called under an idempotency record, and a look at such a record (lua/replay.lua of engine/storage)."""

from __future__ import annotations

import msgspec

from engine.errors import IdempotencyConflict
from engine.inventory.long_messages import LONG_BYTES, unpacked
from engine.inventory.model import Replay
from engine.inventory.replies import Reply
from engine.storage.client import Part, StoreClient
from engine.storage.keys import Keys

_unpack = msgspec.msgpack.Decoder().decode


async def call_once(
    client: StoreClient, keys: Keys, function: str, key: str, replay: Replay | None, *args: Part
) -> tuple[bool, Reply]:
    """Call a function that changes something; return whether it was answered before, and the reply.

    `key` is any key of the partition. Raises IdempotencyConflict for another body.
    """
    record, fingerprint = record_of(keys, replay)
    replayed, reply = await client.fcall(function, [record, key], [fingerprint, *args])
    return bool(replayed), _unpack(reply) if len(reply) <= LONG_BYTES else await unpacked(reply)


def record_of(keys: Keys, replay: Replay | None) -> tuple[str, str]:
    """Return the key of an idempotency record, and the fingerprint to compare."""
    return (keys.no_replay, "") if replay is None else (keys.replay(replay.digest), replay.fingerprint)


async def find(client: StoreClient, keys: Keys, replay: Replay) -> Reply | None:
    """Return the reply kept under a key, None if it is new; raises IdempotencyConflict for another body."""
    kept = await kept_reply(client, keys, replay)
    found: Reply | None = None if kept is None else await unpacked(kept)
    return found


async def kept_reply(client: StoreClient, keys: Keys, replay: Replay) -> bytes | None:
    """Return the same as its function packed it."""
    stored = await client.call("GET", keys.replay(replay.digest))
    if stored is None:
        return None
    fingerprint, kept = bytes(stored).split(b"\n", 1)
    if fingerprint.decode() != replay.fingerprint:
        raise IdempotencyConflict
    return kept
