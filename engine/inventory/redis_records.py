"""Lua functions called under an idempotency record, and a look at such a record (lua/replay.lua of engine/storage)."""

from __future__ import annotations

import msgspec

from engine.errors import IdempotencyConflict
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
    record = keys.no_replay if replay is None else keys.replay(replay.digest)
    fingerprint = "" if replay is None else replay.fingerprint
    replayed, reply = await client.fcall(function, [record, key], [fingerprint, *args])
    return bool(replayed), _unpack(reply)


async def find(client: StoreClient, keys: Keys, replay: Replay) -> Reply | None:
    """Return the reply kept under a key, None if it is new; raises IdempotencyConflict for another body."""
    stored = await client.call("GET", keys.replay(replay.digest))
    if stored is None:
        return None
    fingerprint, reply = stored.split(b"\n", 1)
    if fingerprint.decode() != replay.fingerprint:
        raise IdempotencyConflict
    found: Reply = _unpack(reply)
    return found
