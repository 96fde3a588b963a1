"""The `Idempotency-Key` header: who it belongs to, which body it stands for, and the id of its request.

Scope: tenant, method, path and key; bodies are compared by their raw SHA-256. The records themselves are kept by the
store, in the same step as the effect. Not here: storing anything.
"""

from __future__ import annotations

import re
from hashlib import sha256

from api.errors import MissingIdempotencyKey
from engine.inventory.model import Replay

HEADER = "Idempotency-Key"
RAW_HEADER = HEADER.lower().encode()
REPLAYED = "Idempotent-Replayed"
_USABLE = re.compile(r"[\x20-\x7e]{1,255}")


def replay_of(tenant: str, method: str, path: str, key: str, body: bytes) -> Replay:
    """Return the record that this request reads or writes; raises MissingIdempotencyKey."""
    if not _USABLE.fullmatch(key):
        how = (
            "is missing" if not key else "is longer than 255 characters, or has characters that are not printable ASCII"
        )
        raise MissingIdempotencyKey(
            f"The {HEADER} header {how}; send one new value, such as a UUID, for each intended change, "
            "and the same value when you send it again."
        )
    scope = "\0".join((tenant, method, path, key))
    return Replay(digest=sha256(scope.encode()).hexdigest(), fingerprint=sha256(body).hexdigest())


def request_id(replay: Replay) -> str:
    """Return the id of the request that a key stands for; a replay has the same one, so its body is the same."""
    return f"req_{replay.digest[:24]}"
