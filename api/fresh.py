"""The refusal of an option that has become stale, with a fresh promise for what was asked, the same again for its key.

The stock book keeps its own refusal under the idempotency key, in the step that refuses. The whole answer with the
fresh promise is kept beside it under a digest made from the key's, so that a replay is the same byte for byte. Not
here: when an option is stale (engine/promising/kept.py, the stock book).
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from api.errors import kind_of, problem
from api.idempotency import request_id
from engine.bootstrap import Engine
from engine.errors import AllotError, StoredRefusal
from engine.inventory.model import Replay


async def refused_with_promise(
    engine: Engine, replay: Replay, error: AllotError, promise_id: str | None, *, is_recorded: bool = True
) -> StoredRefusal:
    """Return the refusal of `error` with a fresh promise in it, if there was one.

    `is_recorded`: the key has another record already.

    Raises IdempotencyConflict, Unavailable.
    """
    key = replay
    if is_recorded:
        digest = sha256(f"{replay.digest}\0alternative".encode()).hexdigest()
        key = Replay(digest=digest, fingerprint=replay.fingerprint)
    try:
        await engine.stock.recall(key)
        fresh = None if promise_id is None else await engine.promising.fresh(promise_id)
        body = msgspec.json.encode(problem(error, request_id(replay), fresh))
        status = kind_of(error).status
        await engine.stock.remember(key, status, body)
    except StoredRefusal as before:
        return before
    refusal = StoredRefusal(status, body)
    refusal.replayed = False
    return refusal
