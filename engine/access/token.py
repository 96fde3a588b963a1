"""How an API key is written: `allot_<id>_<secret>`, made at random, and told by its last characters if it is mistyped.

The secret has 256 random bits, so one SHA-256 of the whole key is all that has to be kept: slow, salted hashes protect
what people choose, by making guesses dear; nobody guesses among 2^256. Not here: keeping keys.
"""

from __future__ import annotations

import re
import secrets
import string
from hashlib import sha256
from zlib import crc32

PREFIX = "allot"
_ID = string.ascii_lowercase + string.digits
_SIGNS = string.digits + string.ascii_letters
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 12, 43, 6
_SHAPE = re.compile(
    rf"{PREFIX}_([a-z0-9]{{{_ID_LENGTH}}})_([0-9a-zA-Z]{{{_SECRET_LENGTH}}})([0-9a-zA-Z]{{{_CHECK_LENGTH}}})"
)


def new_id() -> str:
    """Return a new id of a key; it is no secret."""
    return "key_" + "".join(secrets.choice(_ID) for _ in range(_ID_LENGTH))


def new_token(key_id: str) -> str:
    """Return a new secret of a key, as its owner sends it; it is shown once, and kept nowhere."""
    stem = f"{PREFIX}_{key_id.removeprefix('key_')}_" + "".join(secrets.choice(_SIGNS) for _ in range(_SECRET_LENGTH))
    return stem + _check(stem)


def key_id_of(token: str) -> str | None:
    """Return the id of the key that a token names; None if it has not the shape of one, or was mistyped."""
    found = _SHAPE.fullmatch(token)
    if found is None or _check(token[:-_CHECK_LENGTH]) != found[3]:
        return None
    return f"key_{found[1]}"


def digest_of(token: str) -> str:
    """Return what is kept of a token: its SHA-256, in hex."""
    return sha256(token.encode()).hexdigest()


def _check(stem: str) -> str:
    """Return the checksum of what stands before it, which catches slips of typing and keeps nothing secret."""
    left, signs = crc32(stem.encode()), ""
    for _ in range(_CHECK_LENGTH):
        left, place = divmod(left, len(_SIGNS))
        signs += _SIGNS[place]
    return signs
